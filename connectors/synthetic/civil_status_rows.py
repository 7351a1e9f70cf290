"""Rows of the civil status database, record by record."""

from __future__ import annotations

from connectors.synthetic import bond_rows, union_rows, vital_rows
from connectors.synthetic.book import Book, Rows
from connectors.synthetic.draw import stream
from connectors.synthetic.model import Family


def add(family: Family, rows: Rows) -> None:
    """Write the rows of the civil status database for a cluster."""
    book = Book(family, stream(family.options.seed, family.index, "civil_status"), rows)
    vital_rows.births(book)
    vital_rows.deaths(book)
    union_rows.marriages(book)
    union_rows.divorces(book)
    union_rows.confirmations(book)
    bond_rows.adoptions(book)
    bond_rows.guardianships(book)
    bond_rows.recognitions(book)
    bond_rows.changes(book)
    bond_rows.court_notes(book)
