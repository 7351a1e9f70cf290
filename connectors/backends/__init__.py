"""Backends: how databases are reached."""
