"""For whom each case of the rules was checked in a run.

What was not checked is never "no conflict". Two witnesses are heard, and the worse one counts: the
manifest, which says what could be read, and the engine, which says what it left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache

from reconcile.engines.engine import UncheckedCase, UncheckedReason
from reconcile.manifest import ExtractProgress, Manifest
from rules.expression import inner_rows
from rules.rule import Case, ConflictRule


class CheckScope(IntEnum):
    """Whom a case, or a rule, was checked for; the least comes first."""

    NOBODY = 0
    NOT_EVERYBODY = 1
    EVERYBODY = 2


@dataclass(frozen=True, slots=True)
class EngineGap:
    """What an engine left out of a case: ``place`` among the cases of ``rule``.

    ``people``: for how many it was not checked; None: for anybody.
    """

    rule: str
    place: int
    reason: UncheckedReason
    people: int | None


@dataclass(frozen=True, slots=True)
class CaseScope:
    """Whom a case was checked for. ``reasons``: what each record that it reads lacks, by record.

    ``people``: for how many it was not checked, None where that is not told.
    ``lacks_rows``: rows may be missing of which the case says that there are none.
    """

    rule: str
    place: int
    scope: CheckScope
    reasons: tuple[tuple[str, UncheckedReason], ...] = ()
    people: int | None = None
    lacks_rows: bool = False


#: The record of a gap that the engine tells without a record.
ENGINE = ""


def engine_gaps(
    rules: Sequence[ConflictRule], unchecked: Iterable[UncheckedCase]
) -> tuple[EngineGap, ...]:
    """Return what an engine reports, by rule and place of the case in its rule."""
    places = [(rule.name, place) for rule in rules for place in range(len(rule.cases))]
    return tuple(EngineGap(*places[check.case], check.reason, check.people) for check in unchecked)


def check_cases(
    rules: Sequence[ConflictRule], manifest: Manifest, gaps: Iterable[EngineGap]
) -> dict[tuple[str, int], CaseScope]:
    """Return for whom each case was checked, by rule and place of the case in its rule."""
    by_case = {(gap.rule, gap.place): gap for gap in gaps}
    return {
        (rule.name, place): _check(
            rule.name, place, case, manifest.extracts, by_case.get((rule.name, place))
        )
        for rule in rules
        for place, case in enumerate(rule.cases)
    }


def rule_scope(checks: Iterable[CaseScope]) -> CheckScope:
    """Return whom a rule was checked for: everybody only if each of its cases was."""
    scopes = {check.scope for check in checks}
    if len(scopes) == 1:
        return scopes.pop()
    return CheckScope.NOT_EVERYBODY


def _check(
    rule: str,
    place: int,
    case: Case,
    extracts: Mapping[str, ExtractProgress],
    gap: EngineGap | None,
) -> CaseScope:
    absent = {f"{row.record.database}.{row.record.name}" for row in inner_rows(case.where)}
    scope, reasons, lacks_rows = CheckScope.EVERYBODY, dict[str, UncheckedReason](), False
    for record, columns in _columns_read(case).items():
        reason = _reason(extracts.get(record), columns)
        if reason is None:
            continue
        reasons[record] = reason
        lacks_rows = lacks_rows or record in absent
        is_closed = reason is UncheckedReason.NOT_EXTRACTED or (
            reason is UncheckedReason.INCOMPLETE and record in absent
        )
        scope = min(scope, CheckScope.NOBODY if is_closed else CheckScope.NOT_EVERYBODY)
    if gap is not None and gap.people != 0:
        gap_scope = CheckScope.NOBODY if gap.people is None else CheckScope.NOT_EVERYBODY
        scope = min(scope, gap_scope)
        if gap.reason not in reasons.values():
            reasons[ENGINE] = gap.reason
        lacks_rows = lacks_rows or bool(absent)
    people = None if gap is None else gap.people
    return CaseScope(rule, place, scope, tuple(reasons.items()), people, lacks_rows)


@cache
def _columns_read(case: Case) -> Mapping[str, set[str]]:
    """Return the columns that a case reads, by ``<database>.<record>``."""
    columns: dict[str, set[str]] = {}
    for record, column in _cells_read(case):
        columns.setdefault(record, set()).add(column)
    return columns


def _cells_read(case: Case) -> Iterator[tuple[str, str]]:
    records = {row.read: row.record for rows in (case.rows, inner_rows(case.where)) for row in rows}
    for read, column in case.columns_read():
        record = records[read]
        yield f"{record.database}.{record.name}", column
    # Under whose numbers a row is, depends on these.
    for read, record in records.items():
        for lookup in record.lookups:
            if lookup.name == read.lookup and lookup.through is None:
                for column in lookup.by:
                    yield f"{record.database}.{record.name}", column


def _reason(progress: ExtractProgress | None, columns: set[str]) -> UncheckedReason | None:
    if progress is None or (not progress.complete and not progress.rows):
        return UncheckedReason.NOT_EXTRACTED
    if not progress.complete or progress.failure is not None:
        return UncheckedReason.INCOMPLETE
    if any(progress.unreadable.get(column) for column in columns):
        return UncheckedReason.UNREADABLE
    return None
