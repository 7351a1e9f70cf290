"""Audit: the trace that every answer about a person leaves."""
