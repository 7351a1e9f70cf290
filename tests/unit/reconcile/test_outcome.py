"""What a run says that it did not check: nothing unread passes for checked."""

from __future__ import annotations

import pytest

from reconcile.engines.engine import UncheckedCase, UncheckedReason
from reconcile.manifest import ExtractProgress, Manifest
from reconcile.outcome import outcome_of
from rules.registry import RULES
from rules.statements import rule_statements

STATEMENTS = rule_statements(RULES, with_registration_dates=True)
WHOLE = ExtractProgress(1, 10, complete=True)
MANIFEST = Manifest(
    run="20261130T020000Z",
    started="2026-11-30T02:00:00+00:00",
    day="2026-11-30",
    rules="0a1b",
    databases=("notary", "population"),
    engine="duckdb",
    extracts={"notary.wills": WHOLE, "population.identity": WHOLE},
    units={"0": 3, "1": 4},
)
DECLARED = ("notary", "population")


def _lines(manifest: Manifest, *unchecked: UncheckedCase) -> tuple[str, ...]:
    return outcome_of(manifest, DECLARED, STATEMENTS.cases, unchecked).unchecked


def test_a_run_that_has_read_and_checked_everything_says_nothing() -> None:
    outcome = outcome_of(MANIFEST, DECLARED, STATEMENTS.cases, ())
    assert outcome.unchecked == ()


@pytest.mark.parametrize(
    ("progress", "line"),
    [
        (ExtractProgress(failure="it went away"), "notary.wills: it went away"),
        (ExtractProgress(3, 70), "notary.wills: it was not read to its end"),
        (
            ExtractProgress(1, 7, complete=True, unreadable={"made_on": 2, "kind": 0, "to": 1}),
            "notary.wills: values of made_on, to cannot be read",
        ),
    ],
)
def test_a_record_that_was_not_read_wholly_is_named(progress: ExtractProgress, line: str) -> None:
    assert _lines(MANIFEST.with_extract("notary.wills", progress)) == (line,)


def test_a_database_that_was_not_chosen_is_named() -> None:
    outcome = outcome_of(MANIFEST, ("legal_aid", *DECLARED), STATEMENTS.cases, ())
    assert outcome.unchecked == ("legal_aid: the database was not chosen",)


def test_rules_that_were_not_checked_of_everybody_are_named_without_counts() -> None:
    first = STATEMENTS.cases[0].rule.name
    (place,) = [
        place for place, item in enumerate(STATEMENTS.cases) if item.rule.name == "SELF_MARRIAGE"
    ][:1]
    lines = _lines(
        MANIFEST,
        UncheckedCase(0, UncheckedReason.NOT_EXTRACTED, None),
        UncheckedCase(place, UncheckedReason.UNREADABLE, 3),
    )
    assert lines == (
        f"rule {first}: 1 case not checked for anybody (a record was not read)",
        "rule SELF_MARRIAGE: 1 case not checked for everybody (rows cannot be read)",
    )
