"""Counts how far the corrections are: by state, rule, database and age."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from reconcile.publishing.tables import published_tables

#: Days since a finding was first found; the last group has no end.
_AGES = ((30, "up to 30 days"), (90, "up to 90 days"), (365, "up to a year"))
_OLDER = "more than a year"
#: What fewer than this many findings make is not printed in what leaves the operator.
SMALLEST_CELL = 10


class NothingPublished(ValueError):
    """No run was published in the database."""


@dataclass(frozen=True, slots=True)
class CorrectionCount:
    """How many findings are in a state.

    ``database``: of a record that has to give way; where no record prevails, of each that takes
    part, so that a finding may be counted in several databases. ``age``: since it was first found.
    """

    state: str
    rule: str
    database: str
    age: str
    count: int


@dataclass(frozen=True, slots=True)
class CorrectionProgress:
    """How far the corrections are after the last run.

    ``unchecked``: rules that this run did not check for everybody, with what it did check: that no
    finding of them is open means little.
    """

    run: str
    day: date
    counts: tuple[CorrectionCount, ...]
    unchecked: tuple[tuple[str, str], ...]


def correction_progress(connection: sa.Connection, today: date) -> CorrectionProgress:
    """Return the counts, in their order; raises NothingPublished.

    A pass over the published findings.
    """
    tables = published_tables()
    if not sa.inspect(connection).has_table(tables.runs.name):
        raise NothingPublished("no run is published in this database")
    runs, rules = tables.runs, tables.rules
    last = sa.select(runs.c.run, runs.c.started).order_by(runs.c.place.desc()).limit(1)
    run = connection.execute(last).one_or_none()
    if run is None:
        raise NothingPublished("no run is published in this database")
    coverage = sa.select(rules.c.rule, rules.c.coverage, rules.c.run_on).order_by(rules.c.rule)
    of_rules = connection.execute(coverage).all()
    counts = [CorrectionCount(*row) for row in connection.execute(_counts(connection, today))]
    connection.rollback()
    day = max((_as_date(row.run_on) for row in of_rules), default=today)
    unchecked = tuple((row.rule, row.coverage) for row in of_rules if row.coverage != "EVERYBODY")
    return CorrectionProgress(run.run, day, tuple(sorted(counts, key=_order)), unchecked)


def _as_date(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


def _counts(connection: sa.Connection, today: date) -> sa.Select[Any]:
    tables = published_tables()
    findings, sides = tables.findings, tables.sides
    whens: list[Any] = []
    for days, label in _AGES:
        since: Any = today - timedelta(days=days)
        if connection.dialect.name == "sqlite":  # it has no dates
            since = since.isoformat()
        whens.append((findings.c.first_found_on >= since, sa.literal_column(f"'{label}'")))
    age = sa.case(*whens, else_=sa.literal_column(f"'{_OLDER}'")).label("age")
    keys = (findings.c.state, findings.c.rule, sides.c.source_database, age)
    return (
        sa.select(*keys, sa.func.count(sa.distinct(findings.c.finding_id)))
        .join(sides, sides.c.finding_id == findings.c.finding_id)
        .where(sides.c.prevails == sa.false())
        .group_by(*keys)
    )


def _order(count: CorrectionCount) -> tuple[int, str, str, int]:
    labels = [*(label for _, label in _AGES), _OLDER]
    states = ("OPEN", "REQUESTED", "CORRECTED")
    return states.index(count.state), count.rule, count.database, labels.index(count.age)


def progress_lines(progress: CorrectionProgress, for_report: bool = False) -> Iterator[str]:
    """Yield the lines of a table. ``for_report``: without counts under 10.

    There are no sums, so that no count can be had as the difference of others.
    """
    yield f"Findings after the run {progress.run} (of {progress.day.isoformat()})"
    row = "{:<10} {:<24} {:<26} {:<17} {:>12}"
    yield row.format("state", "rule", "database", "first found", "findings")
    for count in progress.counts:
        hidden = for_report and count.count < SMALLEST_CELL
        shown = f"under {SMALLEST_CELL}" if hidden else f"{count.count:,}"
        yield row.format(count.state, count.rule, count.database, count.age, shown)
    if not progress.counts:
        yield "no finding was published yet"
    for rule, coverage in progress.unchecked:
        checked = "nobody" if coverage == "NOBODY" else "some people only"
        yield f"{rule}: the run checked it for {checked}; what it did not find may still be there"
