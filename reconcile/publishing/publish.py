"""Brings the database of reconciliation to the state after a run.

The run is read into temporary tables first; then one transaction compares it with what is published
by a fixed number of statements, so that readers see the state before or after, and memory does not
grow with the findings.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from connectors.reconciliation import UNRECORDED_CORRECTIONS, RuleCoverage
from reconcile.manifest import Manifest
from reconcile.publishing.case_coverage import CaseCoverage, rule_coverage
from reconcile.publishing.run_findings import ReportedFinding
from reconcile.publishing.tables import PublishedTables, published_tables

#: Characters of the numbers that the table holds.
_NUMBER_LENGTH = 12
#: The case in which a number is recorded for two people: their rows cannot be told apart.
_SHARED = ("SHARED_NUMBER", 0)


class PublicationRefused(ValueError):
    """A run cannot be published: it is not finished, or a later one is published already."""


@dataclass(frozen=True, slots=True)
class Publication:
    """What publishing changed. ``is_repeated``: the run was published before; nothing changed.

    ``returned``: findings that were corrected and are there again. ``unchanged``: neither found nor
    checked in this run. ``without_number``: findings about numbers that are longer than any
    person's; they are not published.
    """

    is_repeated: bool
    new: int = 0
    confirmed: int = 0
    returned: int = 0
    corrected: int = 0
    unchanged: int = 0
    without_number: int = 0


def publish_run(
    connection: sa.Connection,
    manifest: Manifest,
    cases: Sequence[CaseCoverage],
    findings: Iterable[Sequence[ReportedFinding]],
    now: datetime,
) -> Publication:
    """Publish a finished run: tables that are missing are created.

    ``cases``: what it checked. ``findings``: all that it found, in batches. ``now``: with a zone.
    Raises PublicationRefused. Costs a pass over the published findings, and one over the run's.
    """
    tables = published_tables()
    tables.metadata.create_all(connection)
    connection.commit()
    if _is_published(connection, tables, manifest):
        return Publication(is_repeated=True)
    without_number = _read_into_temporary_tables(connection, tables, findings, cases)
    comparison = _Comparison(connection, tables, manifest, now)
    try:
        changes = comparison.apply(cases)
    except sa.exc.IntegrityError:
        connection.rollback()
        raise PublicationRefused("another run is being published") from None
    connection.commit()
    return Publication(is_repeated=False, without_number=without_number, **changes)


def _is_published(connection: sa.Connection, tables: PublishedTables, manifest: Manifest) -> bool:
    """Say whether the run is published; raises PublicationRefused where it must not be."""
    if manifest.finished is None:
        raise PublicationRefused(f"{manifest.run} is not finished")
    columns = tables.runs.c.run, tables.runs.c.started
    published = {row.run: row.started for row in connection.execute(sa.select(*columns))}
    connection.rollback()
    if manifest.run in published:
        return True
    started = _moment(manifest.started)
    later = [run for run, at in published.items() if _moment(at) >= started]
    if later:
        raise PublicationRefused(f"{later[-1]} is published, and {manifest.run} is not after it")
    return False


def _moment(text: str) -> datetime:
    """Read a moment of a manifest, which is in UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _read_into_temporary_tables(
    connection: sa.Connection,
    tables: PublishedTables,
    findings: Iterable[Sequence[ReportedFinding]],
    cases: Iterable[CaseCoverage],
) -> int:
    """Return how many findings have a number that the table cannot hold."""
    # Before the transaction: MariaDB commits what is open where an index is created.
    tables.run_findings.metadata.drop_all(connection)
    tables.run_findings.metadata.create_all(connection)
    connection.commit()
    without_number = 0
    for batch in findings:
        fitting = [finding for finding in batch if len(finding.number) <= _NUMBER_LENGTH]
        without_number += len(batch) - len(fitting)
        _insert(connection, tables.run_findings, map(_finding_row, fitting))
        _insert(
            connection, tables.run_sides, (row for finding in fitting for row in _sides(finding))
        )
        connection.commit()
    for case in cases:
        if case.people_unchecked is None:
            continue
        key = {"rule": case.rule, "case_place": case.case}
        _insert(connection, tables.run_cases, [key])
        people = [{**key, "person": person} for person in sorted(case.people_unchecked)]
        _insert(connection, tables.run_unchecked, people)
    connection.commit()
    return without_number


def _insert(connection: sa.Connection, table: sa.Table, rows: Iterable[dict[str, object]]) -> None:
    values = list(rows)
    if values:
        connection.execute(sa.insert(table), values)


def _finding_row(reported: ReportedFinding) -> dict[str, object]:
    return {
        "finding_id": reported.finding,
        "citizen_id": reported.number,
        "rule": reported.rule,
        "severity": reported.severity,
        "case_place": reported.case,
        "person": reported.person,
    }


def _sides(reported: ReportedFinding) -> list[dict[str, object]]:
    return [
        {
            "side_id": f"{reported.finding}-{place}",
            "finding_id": reported.finding,
            "place": place,
            "source_database": side.database,
            "source_record": side.record,
            "row_hash": side.row,
            "prevails": side.prevails,
        }
        for place, side in enumerate(reported.sides)
    ]


class _Comparison:
    """The statements that compare a run with what is published, in one transaction."""

    def __init__(
        self,
        connection: sa.Connection,
        tables: PublishedTables,
        manifest: Manifest,
        now: datetime,
    ) -> None:
        self._connection = connection
        self._tables = tables
        self._manifest = manifest
        self._at = now.astimezone(UTC).isoformat(timespec="seconds")
        day = date.fromisoformat(manifest.day)
        # SQLite has no dates: they are stored as text there.
        self._day: object = day.isoformat() if connection.dialect.name == "sqlite" else day
        findings, run = tables.findings, tables.run_findings
        self._is_found = sa.exists().where(run.c.finding_id == findings.c.finding_id)

    def apply(self, cases: Sequence[CaseCoverage]) -> dict[str, int]:
        """Apply all changes; the caller commits."""
        self._note_run()
        returned = self._reopen()
        confirmed = self._confirm()
        new = self._add()
        corrected = self._close()
        unchanged = self._count_unchanged()
        self._write_rules(cases)
        self._state_freshness()
        return {
            "new": new,
            "confirmed": confirmed - returned,
            "returned": returned,
            "corrected": corrected,
            "unchanged": unchanged,
        }

    def _note_run(self) -> None:
        runs = self._tables.runs
        last = self._connection.execute(sa.select(sa.func.max(runs.c.place))).scalar_one()
        self._connection.execute(
            sa.insert(runs).values(
                place=1 if last is None else last + 1,
                run=self._manifest.run,
                started=self._manifest.started,
                rules=self._manifest.rules,
                published_at=self._at,
            )
        )

    def _reopen(self) -> int:
        """Open what was corrected and is found again."""
        findings = self._tables.findings
        condition = sa.and_(findings.c.state == "CORRECTED", self._is_found)
        self._note(findings, condition, "OPEN")
        return self._update(
            condition,
            state="OPEN",
            returns=findings.c.returns + 1,
            requested_at=None,
            request_reference=None,
            corrected_on=None,
        )

    def _confirm(self) -> int:
        """Note of all known findings that this run has found them."""
        findings, run = self._tables.findings, self._tables.run_findings
        severity = (
            sa.select(run.c.severity)
            .where(run.c.finding_id == findings.c.finding_id)
            .scalar_subquery()
        )
        return self._update(
            self._is_found,
            last_run=self._manifest.run,
            last_found_on=self._day,
            rules=self._manifest.rules,
            severity=severity,
        )

    def _add(self) -> int:
        """Add new findings, with their sides."""
        findings, run = self._tables.findings, self._tables.run_findings
        is_new = ~sa.exists().where(findings.c.finding_id == run.c.finding_id)
        self._note(run, is_new, "OPEN")
        run_sides, sides = self._tables.run_sides, self._tables.sides
        names = [column.name for column in run_sides.c]
        of_new = (
            sa.select(*(run_sides.c[name] for name in names))
            .join(run, run.c.finding_id == run_sides.c.finding_id)
            .where(is_new)
        )
        self._connection.execute(sa.insert(sides).from_select(names, of_new))
        constants: dict[str, object] = {
            "state": "OPEN",
            "first_run": self._manifest.run,
            "last_run": self._manifest.run,
            "first_found_on": self._day,
            "last_found_on": self._day,
            "returns": 0,
            "rules": self._manifest.rules,
        }
        columns = [column.name for column in run.c]
        values = [
            sa.cast(sa.literal(value, findings.c[name].type), findings.c[name].type).label(name)
            if self._connection.dialect.name == "postgresql"
            else sa.literal(value, findings.c[name].type).label(name)
            for name, value in constants.items()
        ]
        rows = sa.select(*run.c, *values).where(is_new)
        result = self._connection.execute(
            sa.insert(findings).from_select([*columns, *constants], rows)
        )
        return result.rowcount

    def _close(self) -> int:
        """Note as corrected what this run checked under the same rules and did not find."""
        findings = self._tables.findings
        run, cases = self._tables.run_findings, self._tables.run_cases
        unchecked = self._tables.run_unchecked
        condition = sa.and_(
            findings.c.state != "CORRECTED",
            findings.c.rules == self._manifest.rules,
            ~self._is_found,
            sa.exists().where(
                cases.c.rule == findings.c.rule, cases.c.case_place == findings.c.case_place
            ),
            ~sa.exists().where(
                unchecked.c.rule == findings.c.rule,
                unchecked.c.case_place == findings.c.case_place,
                unchecked.c.person == findings.c.person,
            ),
            # No rows are looked up under a number that is recorded for two people.
            ~sa.exists().where(
                run.c.person == findings.c.person,
                run.c.rule == _SHARED[0],
                run.c.case_place == _SHARED[1],
            ),
        )
        self._note(findings, condition, "CORRECTED")
        closed = self._update(condition, state="CORRECTED", corrected_on=self._day)
        self._remove_unrecorded()
        return closed

    def _remove_unrecorded(self) -> None:
        """Remove corrected findings whose former existence must not be told."""
        findings, sides = self._tables.findings, self._tables.sides
        condition = sa.and_(
            findings.c.state == "CORRECTED", findings.c.rule.in_(sorted(UNRECORDED_CORRECTIONS))
        )
        removed = sa.select(findings.c.finding_id).where(condition)
        self._connection.execute(sa.delete(sides).where(sides.c.finding_id.in_(removed)))
        self._connection.execute(sa.delete(findings).where(condition))

    def _count_unchanged(self) -> int:
        findings = self._tables.findings
        condition = sa.and_(findings.c.state != "CORRECTED", ~self._is_found)
        statement = sa.select(sa.func.count()).select_from(findings).where(condition)
        return int(self._connection.execute(statement).scalar_one())

    def _write_rules(self, cases: Sequence[CaseCoverage]) -> None:
        table, run = self._tables.rules, self._manifest.run
        complete = {
            row.rule: row.last_complete_run
            for row in self._connection.execute(sa.select(table.c.rule, table.c.last_complete_run))
        }
        rows = [
            {
                "rule": coverage.rule,
                "run": run,
                "run_on": self._day,
                "coverage": coverage.coverage.name,
                "records_unread": json.dumps(coverage.unread),
                "last_complete_run": run
                if coverage.coverage is RuleCoverage.EVERYBODY
                else complete.get(coverage.rule),
            }
            for coverage in rule_coverage(cases)
        ]
        self._connection.execute(sa.delete(table))
        _insert(self._connection, table, rows)

    def _state_freshness(self) -> None:
        """State how fresh the findings are: what was read when the run began, or later."""
        statement = self._tables.statement
        self._connection.execute(sa.delete(statement))
        self._connection.execute(
            sa.insert(statement).values(as_of=_moment(self._manifest.started).isoformat())
        )

    def _note(self, table: sa.Table, condition: sa.ColumnElement[bool], state: str) -> None:
        """Add a line to the history of each finding of ``table`` that meets a condition."""
        texts = [sa.literal(text, sa.Text()) for text in (state, self._at, self._manifest.run)]
        rows = sa.select(table.c.finding_id, *texts).where(condition)
        self._connection.execute(
            sa.insert(self._tables.history).from_select(["finding_id", "state", "at", "run"], rows)
        )

    def _update(self, condition: sa.ColumnElement[bool], **values: Any) -> int:
        statement = sa.update(self._tables.findings).where(condition).values(**values)
        return self._connection.execute(statement).rowcount
