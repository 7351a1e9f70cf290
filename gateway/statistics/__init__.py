"""Statistics: counts of records by declared dimensions, from which nobody can be told."""
