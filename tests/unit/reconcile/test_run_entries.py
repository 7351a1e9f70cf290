"""What the journal says of a run."""

from __future__ import annotations

import getpass

from gateway.telemetry.redaction import holds_number
from reconcile.manifest import ExtractProgress, Manifest
from reconcile.run_entries import RunOperator, run_entry

MANIFEST = Manifest(
    run="20261130T020000Z",
    started="2026-11-30T02:00:00+00:00",
    day="2026-11-30",
    rules="0123456789" * 6 + "abcd",
    databases=("civil_status", "population"),
    engine="duckdb",
    options={"numbers_key": "/root/key"},
)
OPERATOR = RunOperator("yearly check", "Nguyễn Văn An", "12/QĐ-BTP")


def test_an_entry_says_who_why_and_over_what() -> None:
    entry = run_entry("begins", MANIFEST, OPERATOR)
    assert entry["user"] == getpass.getuser()
    assert {name: entry[name] for name in ("event", "operator", "reason", "caseNumber")} == {
        "event": "begins",
        "operator": "Nguyễn Văn An",
        "reason": "yearly check",
        "caseNumber": "12/QĐ-BTP",
    }
    assert (entry["databases"], entry["withNumbers"]) == (["civil_status", "population"], True)
    assert (entry["people"], entry["rows"]) == (None, None)


def test_people_are_counted_only_once_all_are_extracted() -> None:
    part = MANIFEST.with_extract("population.identity", ExtractProgress(1, 100))
    assert run_entry("stops", part, OPERATOR)["people"] is None
    whole = part.with_extract("population.identity", ExtractProgress(2, 150, complete=True))
    whole = whole.with_extract("notary.wills", ExtractProgress(1, 7, complete=True))
    entry = run_entry("ends", whole, OPERATOR)
    assert (entry["people"], entry["rows"]) == (150, 157)


def test_nothing_in_an_entry_is_masked_as_the_number_of_a_person() -> None:
    """The name of the run and the digest of the rules must be as they are."""
    entry = run_entry("begins", MANIFEST, OPERATOR)
    assert not [name for name, value in entry.items() if holds_number(str(value))]
    assert str(entry["rules"]).replace("-", "") == MANIFEST.rules
