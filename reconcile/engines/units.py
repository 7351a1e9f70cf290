"""Units of work: a bucket of people, the statements of its cases, and what their rows say.

The tables that the cases read are divided by a hash of the person. Every case joins by the person
alone, so a bucket has all that a case reads of its people. The hash is SHA-256, so that a person is
in the same bucket in each engine and each version of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from reconcile.engines.completeness import CasePlan, checkable
from reconcile.engines.engine import RawFinding
from reconcile.engines.places import (
    PERSON_PLACES,
    PLACE_NAMES,
    former_province_of,
    is_unprotected,
    province_of,
    shows_residence,
)
from rules.statements import CaseStatement, RuleStatements


@dataclass(frozen=True, slots=True)
class UnitCase:
    """A case as it is run over a unit.

    Columns of ``statement``: those of the case, then the place of the person.
    """

    place: int
    case: CaseStatement
    statement: sa.Select[Any]

    def finding(self, row: Sequence[Any]) -> RawFinding:
        """Return the finding that a row is."""
        shown, residence = row[: -len(PLACE_NAMES)], row[-len(PLACE_NAMES) :]
        day = self.case.registration_date(shown)
        return RawFinding(
            self.place,
            str(row[0]),
            self.case.record_ids(shown),
            self.case.values(shown),
            province_of(residence[0]),
            former_province_of(*residence),
            int(day[:4]) if day is not None and day[:4].isdecimal() else None,
        )


def unit_cases(statements: RuleStatements, plans: Sequence[CasePlan]) -> Iterator[UnitCase]:
    """Yield the cases that are run, each for whom it may be checked."""
    for place, (case, plan) in enumerate(zip(statements.cases, plans, strict=True)):
        if plan.runs:
            yield UnitCase(place, case, _with_places(case, plan))


def _with_places(case: CaseStatement, plan: CasePlan) -> sa.Select[Any]:
    findings = case.statement.subquery("found")
    places = sa.table(PERSON_PLACES, sa.column("person", sa.Text()), *map(sa.column, PLACE_NAMES))
    statement = sa.select(*findings.c, *(places.c[name] for name in PLACE_NAMES)).select_from(
        findings.outerjoin(places, places.c.person == findings.c.person)
    )
    if shows_residence(case.case):
        statement = statement.where(is_unprotected(findings.c.person))
    condition = checkable(findings, plan)
    return statement if condition is None else statement.where(condition)


def together(cases: Sequence[UnitCase]) -> Any:
    """Return the statement of several cases: the place among all cases, then the case's columns.

    Cases with fewer columns have NULL behind them.
    """
    widths = [len(item.statement.selected_columns) for item in cases]
    selects = []
    for item, width in zip(cases, widths, strict=True):
        findings = item.statement.subquery(f"case{item.place}")
        padding = [sa.cast(sa.null(), sa.Text())] * (max(widths) - width)
        columns = [
            column.label(f"column{place}") for place, column in enumerate((*findings.c, *padding))
        ]
        selects.append(sa.select(sa.literal(item.place).label("place"), *columns))
    return sa.union_all(*selects)


def findings_together(
    cases: Sequence[UnitCase], rows: Iterable[Sequence[Any]]
) -> Iterator[RawFinding]:
    """Yield the findings that the rows of ``together`` are."""
    by_place = {item.place: (item, len(item.statement.selected_columns)) for item in cases}
    for place, *row in rows:
        item, width = by_place[place]
        yield item.finding(row[:width])


def unit_names(buckets: int) -> tuple[str, ...]:
    """Return the names of the units; a division into another number has other names."""
    return tuple(f"bucket-{place:04d}-of-{buckets:04d}" for place in range(buckets))


def bucket_of(unit: str) -> int:
    """Return the place of the bucket of a unit."""
    return int(unit.split("-")[1])
