"""All that a run reads: for the rules, for places, for the report, and for linkage."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.reconciliation import DATABASE as RECONCILIATION
from reconcile.engines.records import PLACE_COLUMNS
from reconcile.host import DatabaseAccess
from reconcile.linkage.needs import linkage_needs
from reconcile.needs import ColumnNeeds, run_needs
from reconcile.report.needs import report_needs
from rules.registry import BULK_RULES


def needs_of_run(databases: Sequence[DatabaseAccess], with_linkage: bool) -> ColumnNeeds:
    """Return the columns that a run over ``databases`` reads, by database and record.

    ``with_linkage``: what ``reconcile link`` reads of its extracts too, which must stay for it.
    """
    places = {(record.database, record.name): columns for record, columns in PLACE_COLUMNS.items()}
    linkage = linkage_needs() if with_linkage else {}
    described = [access.database for access in databases if access.database != RECONCILIATION]
    return run_needs(described, BULK_RULES, places, report_needs(), linkage)
