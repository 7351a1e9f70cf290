"""Limits: how much one request may ask for."""
