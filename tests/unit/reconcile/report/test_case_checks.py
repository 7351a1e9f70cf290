"""For whom cases were checked, by the manifest and by the engine; the worse counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconcile.engines.engine import UncheckedCase, UncheckedReason
from reconcile.manifest import ExtractProgress, read_manifest
from reconcile.report.case_checks import (
    CaseScope,
    CheckScope,
    check_cases,
    engine_gaps,
    rule_scope,
)
from rules.registry import RULES
from tests.support.report_runs import RunBuilder, unreadable

COMPLETE = ExtractProgress(parts=1, rows=100, complete=True)
BROKEN = ExtractProgress(parts=1, rows=60, failure="it went away")
DEATHS = "civil_status.deaths"
#: Compares a death with the population's record; says that there is no death.
BOTH, ABSENCE = ("DEATH_DATE", 0), ("LIFE_STATE", 1)
PLACES = [(rule.name, place) for rule in RULES for place in range(len(rule.cases))]


def check(
    path: Path, deaths: ExtractProgress | None, *unchecked: UncheckedCase
) -> dict[tuple[str, int], CaseScope]:
    run = RunBuilder.at(path).add([], {DEATHS: deaths})
    return check_cases(RULES, read_manifest(run.manifest), engine_gaps(RULES, unchecked))


@pytest.mark.parametrize(
    ("deaths", "both", "absence", "reason"),
    [
        (COMPLETE, CheckScope.EVERYBODY, CheckScope.EVERYBODY, None),
        (None, CheckScope.NOBODY, CheckScope.NOBODY, UncheckedReason.NOT_EXTRACTED),
        (
            ExtractProgress(failure="no connection"),
            CheckScope.NOBODY,
            CheckScope.NOBODY,
            UncheckedReason.NOT_EXTRACTED,
        ),
        (BROKEN, CheckScope.NOT_EVERYBODY, CheckScope.NOBODY, UncheckedReason.INCOMPLETE),
        (
            unreadable(COMPLETE, citizen_id=3),
            CheckScope.NOT_EVERYBODY,
            CheckScope.NOT_EVERYBODY,
            UncheckedReason.UNREADABLE,
        ),
        (unreadable(COMPLETE, extract_no=3), CheckScope.EVERYBODY, CheckScope.EVERYBODY, None),
    ],
)
def test_what_was_not_read_was_not_checked(
    deaths: ExtractProgress | None,
    both: CheckScope,
    absence: CheckScope,
    reason: UncheckedReason | None,
    tmp_path: Path,
) -> None:
    checks = check(tmp_path, deaths)
    assert (checks[BOTH].scope, checks[ABSENCE].scope) == (both, absence)
    assert dict(checks[BOTH].reasons) == ({} if reason is None else {DEATHS: reason})
    assert checks[ABSENCE].lacks_rows is (reason is not None)
    assert not checks[BOTH].lacks_rows
    assert checks["SELF_MARRIAGE", 0].scope is CheckScope.EVERYBODY


def test_what_the_engine_left_out_counts_though_all_was_read(tmp_path: Path) -> None:
    checks = check(
        tmp_path,
        COMPLETE,
        UncheckedCase(PLACES.index(BOTH), UncheckedReason.UNREADABLE, 7),
        UncheckedCase(PLACES.index(ABSENCE), UncheckedReason.INCOMPLETE, None),
        UncheckedCase(PLACES.index(("SEX", 0)), UncheckedReason.UNREADABLE, 0),
    )
    assert (checks[BOTH].scope, checks[BOTH].people) == (CheckScope.NOT_EVERYBODY, 7)
    assert checks[ABSENCE].scope is CheckScope.NOBODY
    assert checks["SEX", 0].scope is CheckScope.EVERYBODY


def test_a_rule_is_checked_for_everybody_only_if_each_case_is(tmp_path: Path) -> None:
    checks = check(tmp_path, BROKEN)
    scopes = {
        rule.name: rule_scope(checks[rule.name, place] for place in range(len(rule.cases)))
        for rule in RULES
    }
    assert scopes["LIFE_STATE"] is CheckScope.NOT_EVERYBODY
    assert scopes["DEATH_DATE"] is CheckScope.NOT_EVERYBODY
    assert scopes["SELF_MARRIAGE"] is CheckScope.EVERYBODY
    nothing = check(tmp_path / "nothing", None)
    assert nothing["DUPLICATE_DEATH", 0].scope is CheckScope.NOBODY
