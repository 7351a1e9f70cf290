"""Derived views: what is worked out of records, in place of the records themselves."""
