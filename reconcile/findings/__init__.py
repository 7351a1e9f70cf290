"""Findings: their identity, keyed hashes, and files."""
