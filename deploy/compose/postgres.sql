-- Who loads, who only reads, and a database for each of three owners.
CREATE ROLE loader LOGIN PASSWORD 'loader-inside-only';
CREATE ROLE gateway LOGIN PASSWORD 'gateway-inside-only';
ALTER ROLE gateway SET default_transaction_read_only = on;
ALTER ROLE gateway SET statement_timeout = '1500ms';
CREATE DATABASE civil_status OWNER loader;
CREATE DATABASE security_measures OWNER loader;
CREATE DATABASE notary OWNER loader;
