"""Our gateway beside others, on the same PostgreSQL with the same rows and the same fields."""
