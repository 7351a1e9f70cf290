-- Who loads, and who only reads.
CREATE DATABASE civil_enforcement CHARACTER SET utf8mb4;
CREATE USER loader@'%' IDENTIFIED BY 'loader-inside-only';
GRANT ALL ON civil_enforcement.* TO loader@'%';
CREATE USER gateway@'%' IDENTIFIED BY 'gateway-inside-only' WITH MAX_STATEMENT_TIME 1.5;
GRANT SELECT ON civil_enforcement.* TO gateway@'%';
