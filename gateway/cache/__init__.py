"""Cache: rows that were read before, served only while nothing says that they are out of date."""
