"""All that a run reads: for the rules, for places, and for the report."""

from __future__ import annotations

from collections.abc import Sequence

from reconcile.engines.records import PLACE_COLUMNS
from reconcile.host import DatabaseAccess
from reconcile.needs import ColumnNeeds, run_needs
from reconcile.report.needs import report_needs
from rules.registry import RULES


def needs_of_run(databases: Sequence[DatabaseAccess]) -> ColumnNeeds:
    """Return the columns that a run over ``databases`` reads, by database and record."""
    places = {(record.database, record.name): columns for record, columns in PLACE_COLUMNS.items()}
    return run_needs([access.database for access in databases], RULES, places, report_needs())
