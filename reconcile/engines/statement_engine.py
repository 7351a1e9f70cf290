"""The engine, but for the program that runs its SQL: DuckDB and Spark differ in a session only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa

from connectors.description import Record
from reconcile.engines.completeness import (
    INCOMPLETE_PEOPLE,
    CasePlan,
    ExtractStates,
    case_plans,
    incomplete_people,
    is_available,
    unchecked_people,
    unplaced_statements,
)
from reconcile.engines.dialects import statement_text
from reconcile.engines.engine import EngineFailure, RawFinding, UncheckedCase, UncheckedReason
from reconcile.engines.places import (
    PERSON_PLACES,
    PROTECTED_PEOPLE,
    places_statement,
    protected_statement,
    shows_residence,
)
from reconcile.engines.prepared import PreparedTables
from reconcile.engines.records import (
    EARLIER_NUMBERS,
    IDENTITY,
    PLACE_COLUMNS,
    PROTECTION_ORDERS,
    RESIDENCES,
    ExtractState,
    columns_of_lists,
    extract_state,
    faults_of,
    readable_rows,
    rows_of,
    unplaced_faults,
)
from reconcile.engines.units import (
    UnitCase,
    bucket_of,
    findings_together,
    together,
    unit_cases,
    unit_names,
)
from reconcile.layout import RunFolder
from reconcile.manifest import Manifest
from rules.statements import RuleStatements

_FAULTS = "unreadable.parquet"


class SqlSession(Protocol):
    """A program that runs SQL over Parquet files. Every method raises ``EngineFailure``.

    A relation is named by its database, or None, and its name. ``cases_at_once``: of a unit, in one
    statement.
    """

    dialect: sa.Dialect
    cases_at_once: int

    def define(self, schema: str | None, name: str, text: str) -> None:
        """Name the relation that a statement gives, in place of what had the name."""
        ...

    def define_files(
        self, schema: str | None, name: str, files: Sequence[Path], columns: Sequence[str]
    ) -> frozenset[str]:
        """Name the rows of Parquet files of text; returns those of ``columns`` that they have.

        Without files it is an empty relation with all of ``columns``.
        """
        ...

    def write(self, text: str, folder: Path, buckets: int) -> None:
        """Write what a statement gives to ``folder``, divided by a hash of ``person``.

        The folders are named ``bucket=0`` and so on. The hash is the number that the first eight
        hexadecimal digits of SHA-256 are, its remainder by ``buckets``.
        """
        ...

    def rows(self, text: str) -> Iterator[Sequence[Any]]:
        """Yield the rows of a statement: those of a unit at most."""
        ...

    def close(self) -> None:
        """Release memory, files and processes."""
        ...


class StatementEngine:
    """Runs the statements of the rules in a session: an ``Engine``.

    ``open_session`` gets the folder for what does not fit into memory. One unit at a time.
    """

    def __init__(self, name: str, buckets: int, open_session: Callable[[Path], SqlSession]) -> None:
        self.name = name
        self._buckets = buckets
        self._open_session = open_session
        self._session: SqlSession | None = None
        self._run: _PreparedRun | None = None

    def prepare(self, folder: RunFolder, manifest: Manifest, statements: RuleStatements) -> None:
        """Make the tables that are not there yet; raises EngineFailure."""
        tables = PreparedTables(folder, manifest, self.name, self._buckets)
        if self._session is None:
            self._session = self._open_session(tables.temporary)
        self._run = _PreparedRun(self._session, folder, manifest, statements, tables)
        self._run.make()

    def units(self) -> Sequence[str]:
        """Return the names of the units."""
        return unit_names(self._buckets)

    def findings(self, unit: str) -> Iterator[RawFinding]:
        """Yield the findings of a unit; raises EngineFailure."""
        return self._prepared.findings(unit)

    def unchecked(self) -> Sequence[UncheckedCase]:
        """Return the cases that were not checked wholly."""
        return self._prepared.unchecked

    def close(self) -> None:
        """Close the session."""
        if self._session is not None:
            self._session.close()
        self._session = self._run = None

    @property
    def _prepared(self) -> _PreparedRun:
        if self._run is None:
            raise EngineFailure("the run is not prepared")
        return self._run


class _PreparedRun:
    """The relations and tables of one run in a session."""

    def __init__(
        self,
        session: SqlSession,
        folder: RunFolder,
        manifest: Manifest,
        statements: RuleStatements,
        tables: PreparedTables,
    ) -> None:
        self._session = session
        self._folder = folder
        self._manifest = manifest
        self._statements = statements
        self._tables = tables
        self._columns = {**PLACE_COLUMNS, **columns_of_lists(statements)}
        self._states = {record: extract_state(manifest, record) for record in self._columns}
        self._extracted: dict[Record, frozenset[str]] = {}
        self._names: dict[str, tuple[str, ...]] = {}
        self._plans: tuple[CasePlan, ...] = ()
        #: Cases that are run together, with the text of their statement: the same in each unit.
        self._cases: list[tuple[Sequence[UnitCase], str]] = []
        self.unchecked: tuple[UncheckedCase, ...] = ()

    def make(self) -> None:
        """Define the relations, write the tables that are missing, count who is unchecked."""
        for record in self._columns:
            self._define_extract(record)
        self._plans = case_plans(
            self._statements, ExtractStates(self._states, frozenset(self._unplaced()))
        )
        if self._has(IDENTITY) and self._has(EARLIER_NUMBERS):
            self._make_tables()
        self.unchecked = tuple(self._unchecked())
        cases = list(unit_cases(self._statements, self._plans))
        step = self._session.cases_at_once
        groups = (cases[first : first + step] for first in range(0, len(cases), step))
        self._cases = [(group, self._text(together(group))) for group in groups]

    def findings(self, unit: str) -> Iterator[RawFinding]:
        """Yield the findings of a bucket, case by case."""
        for name, columns in self._names.items():
            files = self._tables.files(name, bucket_of(unit))
            self._session.define_files(None, name, files, columns)
        for cases, text in self._cases:
            yield from findings_together(cases, self._session.rows(text))

    def _has(self, record: Record) -> bool:
        return self._states[record] is not ExtractState.ABSENT

    def _text(self, statement: Any) -> str:
        return statement_text(statement, self._session.dialect, self._manifest.day)

    def _faults_file(self, record: Record) -> Path:
        return self._folder.extract(record.database, record.name) / _FAULTS

    def _define_extract(self, record: Record) -> None:
        """Define the rows of a record, and those of them that could not be read."""
        progress = self._manifest.extracts.get(f"{record.database}.{record.name}")
        folder = self._folder.extract(record.database, record.name)
        parts = progress.parts if progress is not None and self._has(record) else 0
        files = [folder / f"part-{place:05d}.parquet" for place in range(parts)]
        raw, faults = rows_of(record, "raw"), faults_of(record)
        self._extracted[record] = self._session.define_files(
            record.database, raw.name, files, [column.name for column in record.columns]
        )
        file = self._faults_file(record)
        self._session.define_files(
            record.database,
            faults.name,
            [file] if file.is_file() else [],
            [column.name for column in faults.c],
        )

    def _unplaced(self) -> Iterator[str]:
        """Yield the names of the lists of which a row may be missing of anybody."""
        for name, record, statement in unplaced_statements(self._statements):
            if self._faulty(record) and self._count(statement):
                yield name

    def _faulty(self, record: Record) -> bool:
        return self._has(record) and self._faults_file(record).is_file()

    def _count(self, statement: Any) -> int:
        return int(next(iter(self._session.rows(self._text(statement))))[0])

    def _make_tables(self) -> None:
        # Whose number each is follows from rows with faults in other columns too.
        for record in (IDENTITY, EARLIER_NUMBERS):
            self._define_rows(record, frozenset())
        for table in self._statements.preparation:
            if table.read is None:
                self._make(table.name, table.statement)
        for record, columns in self._columns.items():
            if self._has(record):
                self._define_rows(record, frozenset(columns))
        for table in self._statements.preparation:
            if table.read is not None and is_available(table, self._states):
                self._make(table.name, table.statement)
        faulty = frozenset(record for record in self._columns if self._faulty(record))
        incomplete = incomplete_people(self._statements, faulty, frozenset(self._names))
        self._make(INCOMPLETE_PEOPLE, incomplete)
        may_tell = self._may_tell_places()
        self._make(PROTECTED_PEOPLE, protected_statement(may_tell))
        self._make(PERSON_PLACES, places_statement(may_tell))

    def _define_rows(self, record: Record, columns: frozenset[str]) -> None:
        statement = readable_rows(record, columns, self._extracted[record])
        self._session.define(record.database, record.table, self._text(statement))

    def _make(self, name: str, statement: Any) -> None:
        if not self._tables.is_there(name):
            with self._tables.table_folder(name) as folder:
                self._session.write(self._text(statement), folder, self._tables.buckets)
        columns = tuple(column.name for column in statement.selected_columns)
        self._session.define_files(None, name, self._tables.files(name), columns)
        self._names[name] = columns

    def _may_tell_places(self) -> bool:
        """Whether all residences and everybody who is protected are known."""
        needed = (RESIDENCES, PROTECTION_ORDERS, IDENTITY, EARLIER_NUMBERS)
        if any(self._states[record] is not ExtractState.WHOLE for record in needed):
            return False
        orders, key = PROTECTION_ORDERS, frozenset({"citizen_id"})
        if not self._faulty(orders):
            return True
        columns = frozenset(PLACE_COLUMNS[orders])
        return not self._count(unplaced_faults(orders, columns, key))

    def _unchecked(self) -> Iterator[UncheckedCase]:
        counts: dict[frozenset[str], int] = {}
        is_protection_known = self._may_tell_places()
        for place, plan in enumerate(self._plans):
            shortfall = plan.shortfall
            if not is_protection_known and shows_residence(self._statements.cases[place].case):
                shortfall = shortfall or UncheckedReason.INCOMPLETE
            if shortfall is not None:
                yield UncheckedCase(place, shortfall, None)
                continue
            if plan.lists not in counts:
                counts[plan.lists] = self._count(unchecked_people(plan.lists))
            if counts[plan.lists]:
                yield UncheckedCase(place, UncheckedReason.UNREADABLE, counts[plan.lists])
