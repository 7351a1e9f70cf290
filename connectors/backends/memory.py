"""A database held in memory: the reference implementation of a backend, and a test double."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from connectors.backends.base import (
    NOBODY,
    Asker,
    Batch,
    Capabilities,
    Examination,
    NotMapped,
    Scope,
    read_rows,
)
from connectors.backends.row_counts import CountRequest, GroupCounts, count_rows
from connectors.codec import encode_text
from connectors.description import Database, Lookup, Record
from connectors.row_decoder import rows_decoder

_Raw = tuple[object, ...]


class MemoryBackend:
    """Rows of ``database``, given as raw values by record and column name.

    Values are whatever a source might store (``connectors.codec``); columns left out are None. A
    record that is not in ``rows`` is not mapped. ``as_of`` is what the source states of its
    freshness. Rows are copied and sorted once, and indexed by the first fetch of a lookup. Raises
    ValueError for records and columns that ``database`` does not declare.
    """

    capabilities = Capabilities(batch_scope=Scope.PROCESS, cache_scope=Scope.PROCESS)

    def __init__(
        self,
        database: Database,
        rows: Mapping[str, Iterable[Mapping[str, object]]],
        as_of: datetime | None = None,
    ) -> None:
        for name in rows.keys() - database.by_name.keys():
            raise ValueError(f"{database.name} declares no record {name}")
        self._as_of = as_of
        self._by_name = database.by_name
        self._rows = {
            record.name: _sorted(record, [_raw(record, row) for row in rows[record.name]])
            for record in database.records
            if record.name in rows
        }
        #: The rows of each key, by record and what a lookup finds them by.
        self._indexes: dict[tuple[object, ...], dict[str, list[_Raw]]] = {}

    async def open(self) -> None:
        """Do nothing: the rows are in memory."""

    async def close(self) -> None:
        """Do nothing: no resource is held."""

    async def ping(self) -> None:
        """Answer."""

    async def examine(self, *, thoroughly: bool = False) -> Examination:
        """Return an examination without findings."""
        return Examination(server="memory")

    async def fetch(
        self, record: Record, lookup: Lookup, keys: Sequence[str], asker: Asker = NOBODY
    ) -> Batch:
        """Return the rows for ``keys``; see ``Backend.fetch``. Raises NotMapped."""
        if not keys:
            return Batch({})
        if record.name not in self._rows:
            raise NotMapped(record.name)
        index = self._index(record, lookup)
        by_key = {key: read_rows(record, index.get(key, ())) for key in keys}
        return Batch(by_key, self._as_of)

    async def count(self, request: CountRequest) -> GroupCounts:
        """Count rows; see ``CountingBackend.count``. Rows that cannot be read are left out."""
        record = request.record
        if record.name not in self._rows:
            raise NotMapped(record.name)
        decoded = rows_decoder(record)(self._rows[record.name])
        return count_rows(request, (row for row in decoded if isinstance(row, tuple)))

    def _index(self, record: Record, lookup: Lookup) -> Mapping[str, Sequence[_Raw]]:
        """Return the rows of ``record`` by the keys by which ``lookup`` finds them."""
        place = (record.name, lookup.by, lookup.through)
        index = self._indexes.get(place)
        if index is None:
            index = {}
            for raw, row_keys in self._keyed_rows(record, lookup):
                for key in row_keys:
                    index.setdefault(key, []).append(raw)
            self._indexes[place] = index
        return index

    def _keyed_rows(self, record: Record, lookup: Lookup) -> Iterator[tuple[_Raw, set[str]]]:
        """Yield every row of ``record`` with the keys by which ``lookup`` finds it."""
        if lookup.through is None:
            for raw in self._rows[record.name]:
                yield raw, _texts(record, raw, lookup.by)
            return
        other, column = self._by_name[lookup.through[0]], lookup.through[1]
        if other.name not in self._rows:
            raise NotMapped(other.name)
        keys: dict[str | None, set[str]] = {}
        for raw in self._rows[other.name]:
            for link in _texts(other, raw, (column,)) or (None,):
                keys.setdefault(link, set()).update(_texts(other, raw, lookup.by))
        present: set[str] = set()
        for raw in self._rows[record.name]:
            links = _texts(record, raw, (column,))
            present |= links
            yield raw, _union(keys, links)
        for link in keys.keys() - present:
            yield (None,) * len(record.columns), keys[link]


def _union(keys: Mapping[str | None, set[str]], links: set[str]) -> set[str]:
    return {key for link in links for key in keys.get(link, ())}


def _texts(record: Record, raw: _Raw, columns: tuple[str, ...]) -> set[str]:
    values = (raw[record.positions[column]] for column in columns)
    return {_text(value) for value in values if value is not None}


def _raw(record: Record, row: Mapping[str, object]) -> _Raw:
    for name in row.keys() - record.positions.keys():
        raise ValueError(f"{record.database}.{record.name} declares no column {name}")
    return tuple(row.get(column.name) for column in record.columns)


def _sorted(record: Record, rows: list[_Raw]) -> list[_Raw]:
    """Order rows as they are stored: newest first, unknown dates last, then by identity."""
    rows.sort(key=lambda raw: _last_if_none(raw[record.positions[record.identity]]))
    if record.date is not None:
        place = record.positions[record.date]
        rows.sort(key=lambda raw: _text(raw[place]), reverse=True)
        rows.sort(key=lambda raw: raw[place] is None)
    return rows


def _last_if_none(value: object) -> tuple[bool, str]:
    return (value is None, _text(value))


def _text(value: object) -> str:
    """Return a value as a source without native types writes it, which is also how it sorts."""
    return str(encode_text(value))
