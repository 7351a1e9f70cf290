"""The extract folder of a run, made from generated people, with rows that could not be read."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.codec import encode_text
from connectors.description import Record
from connectors.synthetic import PopulationOptions, clusters
from connectors.synthetic.options import TODAY
from reconcile.engines.engine import Engine, RawFinding
from reconcile.engines.places import shows_residence
from reconcile.layout import RunFolder
from reconcile.manifest import ExtractProgress, Manifest
from rules.registry import RULES
from rules.row_program import RowProgram
from rules.rule import Case
from rules.statements import RuleStatements, rule_statements
from tests.support.rule_people import DATABASES, Columns, Tables, findings_of

#: ``make reconcile-rules`` checks 20,000.
PEOPLE = int(os.environ.get("RECONCILE_PEOPLE", "400"))
PROGRAM = RowProgram(RULES)
STATEMENTS = rule_statements(RULES, with_registration_dates=True)
_FAULTS = pa.schema([(name, pa.string()) for name in ("column", "identity", "number")])

#: A finding as engines and the row program both give it.
PlainFinding = tuple[int, str, tuple[str, ...], tuple[tuple[str | None, ...], ...]]


@dataclass(frozen=True)
class Fault:
    """A value that could not be read. ``number``: of whom the row is, as extraction tells it."""

    record: Record
    column: str
    identity: str | None
    number: str | None = None


@cache
def generated_tables(people: int = PEOPLE) -> Tables:
    """Return the rows of generated people with many contradictions, by database and record."""
    tables: dict[tuple[str, str], list[Columns]] = defaultdict(list)
    options = PopulationOptions(people=people, contradiction_rate=0.9, disagreement_rate=0.05)
    for cluster in clusters(options):
        for key, rows in cluster.rows.items():
            tables[key] += rows
    return tables


def write_extracts(
    folder: RunFolder,
    tables: Tables,
    faults: Sequence[Fault] = (),
    absent: Collection[str] = (),
    incomplete: Collection[str] = (),
) -> Manifest:
    """Write the rows as a run extracts them, in two parts, and return its manifest.

    ``absent``, ``incomplete``: names of records (``civil_status.deaths``).
    """
    extracts: dict[str, ExtractProgress] = {}
    for database in DATABASES.values():
        for record in database.records:
            name = f"{database.name}.{record.name}"
            rows = list(tables.get((database.name, record.name), ()))
            if name in absent:
                continue
            path = folder.extract(database.name, record.name)
            path.mkdir(parents=True)
            for place, part in enumerate((rows[::2], rows[1::2])):
                pq.write_table(_text(record, part, faults), path / f"part-{place:05d}.parquet")
            of_record = [fault for fault in faults if fault.record is record]
            if of_record:
                values = [
                    {"column": fault.column, "identity": fault.identity, "number": fault.number}
                    for fault in of_record
                ]
                pq.write_table(pa.Table.from_pylist(values, _FAULTS), path / "unreadable.parquet")
            is_whole = name not in incomplete
            extracts[name] = ExtractProgress(
                parts=2,
                rows=len(rows),
                complete=is_whole,
                failure=None if is_whole else "the source went away",
            )
    return Manifest(
        run="20261123T000000Z",
        started="2026-11-23T00:00:00+00:00",
        day=TODAY.isoformat(),
        rules="of a test",
        databases=tuple(DATABASES),
        engine="duckdb",
        extracts=extracts,
    )


def without(manifest: Manifest, database: str) -> Manifest:
    """Return the manifest of a run for which a database was not chosen."""
    names = tuple(name for name in manifest.databases if name != database)
    return replace(manifest, databases=names)


def engine_findings(engine: Engine) -> list[RawFinding]:
    """Return what an engine finds in all units, sorted."""
    found = [finding for unit in engine.units() for finding in engine.findings(unit)]
    return sorted(found, key=repr)


def plain(findings: Iterable[RawFinding]) -> list[PlainFinding]:
    """Return findings as ``program_findings`` has them, sorted."""
    return sorted(
        ((item.case, item.number, item.record_ids, item.values) for item in findings), key=repr
    )


@cache
def program_findings(people: int = PEOPLE, program: RowProgram = PROGRAM) -> list[PlainFinding]:
    """Return what a row program finds in generated people, sorted.

    Cases are told by their place among those of the program. Residences of people whose address is
    protected are left out, as a national run does.
    """
    tables = generated_tables(people)
    protected = _protected_people(tables)
    places = case_places(program)
    return sorted(
        (
            (places[item.case], number, item.record_ids(), item.values())
            for number, item in findings_of(program, tables, TODAY)
            if not (number in protected and shows_residence(item.case))
        ),
        key=repr,
    )


def _protected_people(tables: Tables) -> set[object]:
    """Return the present numbers of people with an order in force."""
    earlier = tables.get(("population", "earlier_numbers"), ())
    present = {row["number"]: row["citizen_id"] for row in earlier}
    return {
        present.get(row["citizen_id"], row["citizen_id"])
        for row in tables.get(("population", "protection_orders"), ())
        if _day(row, "valid_from") <= TODAY <= _day(row, "valid_until")
    }


def _day(row: Columns, column: str) -> date:
    """Return a bound of an order; today where there is none."""
    value = row.get(column)
    return value if isinstance(value, date) else TODAY


def case_places(program: RowProgram) -> dict[Case, int]:
    """Return the place of each case among those of a program."""
    return {case: place for place, (_, case) in enumerate(program.cases)}


def case_place(rule: str, place: int = 0, statements: RuleStatements = STATEMENTS) -> int:
    """Return the place of a case of a rule among all cases."""
    return next(at for at, case in enumerate(statements.cases) if case.rule.name == rule) + place


def _text(record: Record, rows: Sequence[Columns], faults: Sequence[Fault]) -> pa.Table:
    """Return rows as text; what could not be read has no value."""
    missing = {(fault.identity, fault.column) for fault in faults if fault.record is record}

    def value(row: Columns, name: str) -> str | None:
        if (row[record.identity], name) in missing or row.get(name) is None:
            return None
        return str(encode_text(row[name]))

    return pa.table(
        {
            column.name: pa.array([value(row, column.name) for row in rows], pa.string())
            for column in record.columns
        }
    )
