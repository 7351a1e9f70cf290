"""Callers of other rights who ask for lists that PostgreSQL writes as JSON: nothing leaks.

Each answer must be, byte for byte but for the order of errors, the one that the same caller gets
alone where all lists are read as rows. In the tables are rows that each rule of protection hides,
and of odd people what is not written: unreadable rows, several numbers, several values in a field.
The same over databases in memory: ``tests/unit/gateway/execution/test_batch_rights.py``.

Covers ``gateway.execution.renderings``, ``gateway.plan.templates`` and
``gateway.execution.steps.read_lists``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from strawberry.utils.str_converters import to_camel_case

from connectors.description import Database, Field, Kind, Record
from gateway.cache.rows import LOOKED
from gateway.execution.batch import PlanBatch
from gateway.protection.rules import RULES
from gateway.settings import RenderingSettings
from tests.support.backend_servers import write_server
from tests.support.calls import calls_of
from tests.support.loaded import Site, site
from tests.support.metrics import value_of
from tests.support.renderings import CountingBackend, RenderingCount, stored_row
from tests.support.rights import (
    ASKINGS,
    DATABASES,
    NAMES,
    WIDE,
    answer,
    answer_together,
    describe_differences,
    patient,
    row_of,
    section_of,
)
from tests.support.running import Running, execute_field_by_field, running
from tests.support.servers import Server
from tests.support.table import KEY, OTHER, PERSON

pytestmark = pytest.mark.services

Raw = dict[str, object]

WRITTEN = RenderingSettings(keys=1, uses=0)
NEVER_WRITTEN = RenderingSettings(enabled=False)
LIVE = {database.name: patient(0) for database in DATABASES}
#: Some databases are cached: operations have lists of rows beside lists that are written.
CACHED = frozenset({"population", "notary", "legal_aid"})
PARTLY_CACHED = {
    database.name: patient(600 if database.name in CACHED else 0) for database in DATABASES
}
#: Whose rows the databases have.
ORDINARY, ODD = "ordinary people", "odd people"


@dataclass(frozen=True)
class Tables:
    """The databases, and which people are in them."""

    place: Site
    people: str

    @asynccontextmanager
    async def gateway(
        self, folder: Path, rendering: RenderingSettings, **options: Any
    ) -> AsyncIterator[tuple[Running, RenderingCount]]:
        """Run a gateway over the databases, which count the lists that they write."""
        count = RenderingCount()
        backends = {
            database.name: CountingBackend(
                database, self.place.databases[database.name].url, count, pool_size=2
            )
            for database in DATABASES
        }
        options.setdefault("databases_", LIVE)
        async with running(
            folder, backends, DATABASES, limits=WIDE, rendering=rendering, **options
        ) as gateway:
            yield gateway, count


@pytest.fixture(params=[ORDINARY, ODD])
async def tables(request: pytest.FixtureRequest, postgresql: Server) -> AsyncIterator[Tables]:
    """Give databases with rows of two people."""
    people: str = request.param
    with site(postgresql, [database.name for database in DATABASES]) as place:
        for database in DATABASES:
            rows = _rows_of(database, people)
            await write_server(place.databases[database.name], rows, described=database)
        yield Tables(place, people)


def _rows_of(database: Database, people: str) -> dict[str, list[Raw]]:
    """Return the rows of two people: what is shown, and what rules hide."""
    rows = {record.name: list(_rows(database, record, people)) for record in database.records}
    for record in database.records:
        for lookup in record.lookups:
            if lookup.through is not None:
                joining, column = database.by_name[lookup.through[0]], lookup.through[1]
                rows[joining.name] += _joining(joining, column, rows)
    return rows


def _rows(database: Database, record: Record, people: str) -> Iterator[Raw]:
    for number in (PERSON, OTHER):
        if record.name == "earlier_numbers" and (people == ORDINARY or number == OTHER):
            continue
        row = _row(database, record, number)
        if people == ORDINARY:
            row |= {column.name: None for column in record.columns if column.field.many}
        yield row
        yield from _hidden(record, row)
        if people == ODD and number == OTHER and record.name not in {"identity", "earlier_numbers"}:
            yield from _unreadable(record, row)


def _row(database: Database, record: Record, number: str) -> Raw:
    """Return a row of the person of ``number`` and of nobody else's, under a key of theirs."""
    row = stored_row(record, row_of(database, record, number))
    if number == PERSON:
        return row
    return {name: "K-2" if value == KEY else value for name, value in row.items()}


def _hidden(record: Record, row: Raw) -> Iterator[Raw]:
    """Yield rows like ``row`` that rules of protection hide from some callers or from all."""
    if record.single:
        return
    for rule in RULES:
        if rule.hidden_rows is None or not rule.may_hide_rows_of(record):
            continue
        condition = rule.hidden_rows(record)
        enumeration = record.column(condition.column).field.enumeration
        codes = {} if enumeration is None else enumeration.__members__
        values: list[object] = [code for code in codes if code in (condition.values or ())]
        if condition.values is None:
            values = [date(2026, 1, 5)]
        for value in values:
            identity = f"{row[record.identity]} {value}"
            yield {**row, record.identity: identity, condition.column: value}


def _joining(record: Record, column: str, rows: Mapping[str, Sequence[Raw]]) -> list[Raw]:
    """Return the rows that join people to rows like theirs, which a rule hides."""
    keys = {str(row[column]) for name in rows for row in rows[name] if column in row}
    return [
        {**row, record.identity: f"{row[record.identity]} {key}", column: key}
        for row in rows[record.name]
        for key in sorted(keys)
        if key.startswith(f"{row[column]} ")
    ]


def _unreadable(record: Record, row: Raw) -> Iterator[Raw]:
    """Yield a row like ``row`` with a value that the gateway cannot read, where texts have any."""
    for column in record.columns:
        is_text = column.field.kind in {Kind.ENUM, Kind.PARTIAL_DATE} and not column.field.many
        if is_text and not record.single:
            yield {**row, record.identity: f"{row[record.identity]} odd", column.name: "NOPE"}
            return


def _documents() -> list[str]:
    """Return documents of all lists of plain rows, of somebody named and of who asks."""
    sections = [
        f"{section_of(database)} {{ {' '.join(_lists(database))} }}" for database in DATABASES
    ]
    selection = f"{{ id identification notices {{ code }} {' '.join(sections)} }}"
    named = f"query($id: PersonNumber!) {{ person(id: $id) {selection} }}"
    return [named, f"{{ me {selection} }}", NAMES]


def _lists(database: Database) -> Iterator[str]:
    for record in database.records:
        holder = "item" if record.single else "items"
        for lookup in record.lookups:
            if lookup.on is None and lookup.entry is None and not lookup.hidden:
                rows = f"{holder} {{ {_leaves(record.fields)} }}"
                yield f"{to_camel_case(lookup.name)} {{ {rows} source {{ state }} }}"


def _leaves(fields: Sequence[Field]) -> str:
    """Select what stands in the rows themselves: one value for each column."""
    return " ".join(
        to_camel_case(field.name)
        if field.struct is None
        else f"{to_camel_case(field.name)} {{ {_leaves(field.struct.fields)} }}"
        for field in fields
        if not field.many
    )


@pytest.mark.long
async def test_what_postgresql_writes_is_what_each_caller_gets_alone_of_rows(
    tmp_path: Path, tables: Tables
) -> None:
    documents, ready = _documents(), value_of(LOOKED, "ready")
    askings = [*ASKINGS, *reversed(ASKINGS[::4])]
    wrong: list[str] = []
    async with tables.gateway(tmp_path / "rows", NEVER_WRITTEN) as (gateway, count):
        alone = {
            document: {each: await answer(gateway, document, each) for each in ASKINGS}
            for document in documents
        }
        assert count.keys == 0
    for document in documents:
        assert len(set(alone[document].values())) >= 3, "callers must differ"
    async with tables.gateway(tmp_path / "written", WRITTEN) as (gateway, count):
        for document in documents:
            before = count.with_rows if tables.people == ORDINARY else -1
            with calls_of(PlanBatch.__init__) as batches:
                answers = await answer_together(gateway, document, askings)
            assert len(batches.names) < len(askings), "some must be executed together"
            assert count.with_rows > before, f"nothing was written: {document}"
            wrong += describe_differences("written", askings, answers, alone[document])
        assert count.with_rows > 0
        assert (count.refused > 0) == (tables.people == ODD), "rows that are read instead"
    async with tables.gateway(tmp_path / "cached", WRITTEN, databases_=PARTLY_CACHED) as (
        gateway,
        count,
    ):
        for document in documents:
            for path in ("read and cached", "of cached rows", "ready"):
                answers = await answer_together(gateway, document, askings)
                wrong += describe_differences(path, askings, answers, alone[document])
        assert count.with_rows > 0, "some databases are not cached"
    async with tables.gateway(tmp_path / "fields", WRITTEN, execute=execute_field_by_field) as (
        gateway,
        count,
    ):
        few = ASKINGS[::5]
        for document in documents:
            answers = await answer_together(gateway, document, few)
            wrong += describe_differences("field by field", few, answers, alone[document])
    assert wrong == [], "\n".join([f"{len(wrong)} differ", *wrong[:3]])
    assert value_of(LOOKED, "ready") > ready, "no answer was ready"
