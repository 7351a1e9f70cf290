"""Every backend returns the same batch as the memory backend, for any rows and keys."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.backends.base import Backend, Batch
from connectors.backends.memory import MemoryBackend
from connectors.backends.sql import SqlBackend
from connectors.description import Column, Kind, Record
from tests.support.backend_samples import DATABASE, THINGS, UNIONS, write_file
from tests.support.backend_servers import write_server
from tests.support.servers import Server

_Rows = list[dict[str, object]]

_KEYS = ("001090000001", "001190000002", "012345678")
_AS_OF = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)

_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_partial = st.dates().flatmap(
    lambda day: st.sampled_from([f"{day:%Y}".zfill(4), day.isoformat()[:7], day.isoformat()])
)
_readable: Mapping[Kind, st.SearchStrategy[object]] = {
    Kind.STRING: _text,
    Kind.INTEGER: st.integers(-(2**63), 2**63 - 1),
    Kind.BOOLEAN: st.booleans() | st.sampled_from([0, 1, "true", "FALSE"]),
    Kind.DECIMAL: st.decimals(allow_nan=False, allow_infinity=False, places=2),
    Kind.DATE: st.dates(),
    Kind.PARTIAL_DATE: _partial,
    Kind.DATETIME: st.datetimes(timezones=st.just(UTC)),
    Kind.PERSON_NUMBER: st.sampled_from(_KEYS),
    Kind.ENUM: st.sampled_from(["CALM", "LOUD"]),
}


def _value(column: Column) -> st.SearchStrategy[object]:
    """Give what a source may hold in a column: mostly readable, now and then not."""
    readable = _readable[column.field.kind]
    if column.field.many:
        readable = st.lists(readable, max_size=3)
    return st.one_of(readable, readable, readable, st.none(), _text)


def _rows(record: Record) -> st.SearchStrategy[list[dict[str, object]]]:
    row = st.fixed_dictionaries({column.name: _value(column) for column in record.columns})
    # An identity tells rows apart: without one, there is no order to agree on.
    return st.lists(
        row, max_size=12, unique_by=lambda row_of_record: str(row_of_record[record.identity])
    )


async def _all_batches(backend: Backend, keys: list[str]) -> list[Batch]:
    """Ask for all there is, one after the other and then all at once, until it goes together."""
    fetches = [(record, lookup) for record in (UNIONS, THINGS) for lookup in record.lookups]
    try:
        separately = [await backend.fetch(record, lookup, keys) for record, lookup in fetches]
        for _ in range(12):
            at_once = await asyncio.gather(*(backend.fetch(*fetch, keys) for fetch in fetches))
        return separately + at_once
    finally:
        await backend.close()


_SOURCE: Mapping[str, st.SearchStrategy[Any]] = {
    "unions": _rows(UNIONS),
    "things": _rows(THINGS),
    "keys": st.lists(st.sampled_from(_KEYS) | _text, max_size=5),
    "as_of": st.none() | st.just(_AS_OF),
}


def _storable(rows: _Rows) -> _Rows:
    """Return rows without the one letter that no server holds."""
    storable = [
        {
            name: value.replace("\0", "0") if isinstance(value, str) else value
            for name, value in row.items()
        }
        for row in rows
    ]
    identity = next(iter(storable[0])) if storable else ""
    return list({str(row[identity]): row for row in storable}.values())


def _agrees(
    server: Server, unions: _Rows, things: _Rows, keys: list[str], as_of: datetime | None
) -> None:
    rows = {"unions": _storable(unions), "things": _storable(things)}

    async def fetch_all() -> list[Batch]:
        await write_server(server, rows, as_of)
        return await _all_batches(SqlBackend(DATABASE, server.url), keys)

    expected = asyncio.run(_all_batches(MemoryBackend(DATABASE, rows, as_of), keys))
    assert asyncio.run(fetch_all()) == expected


@settings(deadline=None, max_examples=30)
@given(**_SOURCE)
def test_sqlite_agrees_with_memory(
    unions: _Rows, things: _Rows, keys: list[str], as_of: datetime | None
) -> None:
    rows = {"unions": unions, "things": things}
    expected = asyncio.run(_all_batches(MemoryBackend(DATABASE, rows, as_of), keys))
    with tempfile.TemporaryDirectory() as folder:
        path = write_file(Path(folder) / "sample.sqlite", rows, as_of)
        batches = asyncio.run(_all_batches(SqlBackend(DATABASE, f"sqlite:///{path}"), keys))
    assert batches == expected


@pytest.mark.services
@settings(deadline=None, max_examples=20)
@given(**_SOURCE)
def test_postgresql_agrees_with_memory(
    postgresql: Server, unions: _Rows, things: _Rows, keys: list[str], as_of: datetime | None
) -> None:
    _agrees(postgresql, unions, things, keys, as_of)


@pytest.mark.services
@settings(deadline=None, max_examples=20)
@given(**_SOURCE)
def test_mariadb_agrees_with_memory(
    mariadb: Server, unions: _Rows, things: _Rows, keys: list[str], as_of: datetime | None
) -> None:
    _agrees(mariadb, unions, things, keys, as_of)
