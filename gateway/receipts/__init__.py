"""Signed receipts of checks: issued to who asked, verified by anybody, opened again here."""
