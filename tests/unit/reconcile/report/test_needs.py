"""What the report needs of extracts."""

from __future__ import annotations

from connectors.registry import installed_databases
from reconcile.needs import NEVER_EXTRACTED, merge_needs
from reconcile.report.needs import WITHHELD, is_withheld, report_needs


def test_every_column_is_declared() -> None:
    needs = report_needs()
    merged = merge_needs(installed_databases(), needs)
    assert all(set(columns) <= set(merged[record]) for record, columns in needs.items())


def test_nothing_is_needed_of_what_is_withheld() -> None:
    assert not any(is_withheld(*record) for record in report_needs())
    assert NEVER_EXTRACTED <= WITHHELD
    assert is_withheld("administrative_violations", "violations")
