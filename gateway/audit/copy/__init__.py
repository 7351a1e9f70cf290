"""The copy of the journals in a database, and what keeps it up to date."""
