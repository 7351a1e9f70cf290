"""Procedures: for each purpose the fields that it needs, one file each."""
