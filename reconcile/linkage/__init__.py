"""Proposals of who may be behind records without a number (Splink)."""
