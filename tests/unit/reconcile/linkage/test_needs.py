"""Linkage asks for columns that are declared, and for no record that is a secret in itself."""

from __future__ import annotations

from pathlib import Path

import connectors.civil_status
import connectors.population
from connectors.description import Sensitivity
from reconcile.linkage.needs import linkage_needs

ROOT = Path(__file__).parents[4]
DATABASES = {
    source.name: source
    for source in (connectors.population.DATABASE, connectors.civil_status.DATABASE)
}


def test_needs_are_declared_and_less_than_restricted() -> None:
    for (database, record), columns in linkage_needs().items():
        declared = DATABASES[database].by_name[record]
        assert set(columns) <= {column.name for column in declared.columns}
        for name in columns:
            assert declared.column(name).sensitivity < Sensitivity.RESTRICTED, (record, name)


def test_orders_and_adoptions_are_in_no_extract() -> None:
    assert not {"protection_orders", "adoptions"} & {record for _, record in linkage_needs()}


def test_the_gateway_reads_no_proposals() -> None:
    """Nor does anything but this package and the layout of a run name their file."""
    for path in (ROOT / "gateway").rglob("*.py"):
        text = path.read_text("utf-8")
        assert "proposals.parquet" not in text
        assert "PROPOSALS" not in text
        assert "reconcile.linkage" not in text
