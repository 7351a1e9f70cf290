"""Which databases synthetic people are in."""

from __future__ import annotations

from connectors.description import Database
from connectors.reconciliation import DATABASE as RECONCILIATION


def is_synthetic(database: Database) -> bool:
    """Say whether a database is filled with synthetic people.

    The findings of national runs are not: empty tables would say that a run found nothing. They
    come of runs over the others.
    """
    return bool(database.records) and database.name != RECONCILIATION.name
