"""The gateway compared with others, on the same PostgreSQL with the same rows and fields."""
