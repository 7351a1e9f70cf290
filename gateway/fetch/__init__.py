"""Fetch: getting records for keys."""
