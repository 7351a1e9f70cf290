"""Groups the rows of a statement by key: decoded, in order, cut at the limit of their record."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from datetime import date
from types import NoneType
from typing import Any, NamedTuple
from uuid import UUID

from connectors.backends.base import NO_ROWS, NOT_RENDERED, Rows, SourceRefused, read_rows, rows_of
from connectors.backends.number_spellings import normalise_number
from connectors.backends.readers import UNREAD
from connectors.backends.record_maps import StoredTable
from connectors.backends.statement import SORTED_HERE, LookupStatement
from connectors.codec import encode_text
from connectors.description import Row

_Raw = Sequence[object]

#: Types of dates whose order is that of their text, one at a time.
_SORTABLE_DATES = ({date}, {str})

#: Rows that are decoded before other tasks have their turn: about a millisecond's.
_ROWS_AT_ONCE = 1_000
#: The same where rows are translated and sorted one by one.
_SORTED_AT_ONCE = 200


class SortedRows(NamedTuple):
    """Rows that were sorted here.

    ``by_key``: of each key whose order could be told and that has no more than are needed.
    ``is_sortable``: whether the order of all rows could be told.
    """

    by_key: dict[str, Rows]
    is_sortable: bool = True


#: No key at all.
NOTHING_SORTED = SortedRows({})


async def group_rows(
    statement: LookupStatement, keys: Sequence[str], rows: Sequence[_Raw]
) -> tuple[dict[str, Rows], dict[str, str]]:
    """Return the rows of each key, and by key the reason where they cannot be returned.

    ``rows``: each after the key that found it; those of a key in their order, where the statement
    ``sorts``. Raises SourceRefused for keys of a type whose equality is not that of text.
    """
    if not statement.sorts:
        return await _sort_groups(statement, _group_raws(statement, keys, rows))
    decoded = await _decode(statement, rows)
    limit = statement.stored.record.fetch_limit
    by_key = dict.fromkeys(keys, NO_ROWS)
    for key, group in _group(statement, by_key, rows).items():
        if len(group) <= limit:
            by_key[key] = rows_of([decoded[place] for place in group])
        else:
            by_key[key] = rows_of([decoded[place] for place in group[:limit]], truncated=True)
    return by_key, {}


async def sort_rows(
    statement: LookupStatement, keys: Sequence[str], rows: Sequence[_Raw]
) -> SortedRows:
    """Return the rows of each key in their order, where ``rows`` come in any order.

    ``rows``: all that there are, each after the key that found it. Raises as ``group_rows``.
    """
    decoded = await _decode(statement, rows)
    stored, limit = statement.stored, statement.stored.record.fetch_limit
    identity = 1 + stored.names.index(stored.at(stored.record.identity))
    order = _Order(
        rows, identity, None if stored.date is None else 1 + stored.names.index(stored.date)
    )
    by_key = dict.fromkeys(keys, NO_ROWS)
    for key, group in _group(statement, by_key, rows).items():
        if len(group) == 1:
            row = decoded[group[0]]
            by_key[key] = Rows((row,)) if type(row) is tuple else rows_of([row])
        elif len(group) <= limit and order.sort(group):
            by_key[key] = rows_of([decoded[place] for place in group])
        else:
            del by_key[key]
    return SortedRows(by_key, order.is_certain)


def sort_renderings(
    statement: LookupStatement, keys: Sequence[str], rows: Sequence[_Raw]
) -> dict[str, Rows]:
    """Return the rows of each key, in their order, from what its source wrote of them.

    ``rows``: as ``rendering_statement`` describes them, all that there are, in any order. A row
    becomes its JSON, and the numbers that it mentions; what its template leaves out is not among
    them. A key of which any row is not written, of which there are too many, or whose order cannot
    be told here, has ``NOT_RENDERED``. Raises SourceRefused as ``group_rows``.
    """
    stored, limit = statement.stored, statement.stored.record.fetch_limit
    order = _Order(rows, 1, None if stored.date is None else 2)
    by_key = dict.fromkeys(keys, NO_ROWS)
    for key, group in _group(statement, by_key, rows).items():
        if len(group) > limit or (len(group) > 1 and not order.sort(group)):
            by_key[key] = NOT_RENDERED
            continue
        written = tuple([(raw[-1], *raw[3:-1]) for raw in map(rows.__getitem__, group)])
        texts = [row[0] for row in written]
        if "" in texts:
            written = tuple([row for row in written if row[0] != ""])
        by_key[key] = NOT_RENDERED if None in texts else Rows(written) if written else NO_ROWS
    return by_key


def _group(
    statement: LookupStatement, keys: Collection[str], rows: Sequence[_Raw]
) -> dict[str, list[int]]:
    """Return the places of the rows of each of ``keys`` that has any."""
    groups: dict[Any, list[int]] = {}
    for place, raw in enumerate(rows):
        matched = raw[0]
        group = groups.get(matched)
        if group is not None:
            group.append(place)
        elif matched in keys:
            groups[matched] = [place]
        else:
            key = _key_of(statement, matched, keys)
            if key in keys:  # a source may match "007" with 7, which is another key
                groups.setdefault(key, []).append(place)
    return groups


class _Order:
    """The order of rows: newest first, unknown dates last, then by identity, both as text.

    A source would sort by text (``Idiom.exact``). Only values are compared here of which that text
    is known: text itself, dates, whole numbers and UUIDs. ``identity``, ``date``: their places in a
    row. ``is_certain``: nothing else was met.
    """

    def __init__(self, rows: Sequence[_Raw], identity: int, date: int | None) -> None:
        self._rows = rows
        self._identity = identity
        self._date = date
        self.is_certain = True

    def sort(self, group: list[int]) -> bool:
        """Sort the places of two rows or more; returns whether their order is told."""
        rows = self._rows
        if len(group) == 2 and self._date is not None:
            first: Any = rows[group[0]][self._date]
            second: Any = rows[group[1]][self._date]
            kind = type(first)
            if type(second) is kind and (kind is str or kind is date) and first != second:
                if first < second:
                    group.reverse()
                return True
        identities: dict[int, Any] = {place: rows[place][self._identity] for place in group}
        types = set(map(type, identities.values()))
        if types != {str}:
            if types != {int} and not all(issubclass(kind, UUID) for kind in types):
                self.is_certain = False
                return False
            identities = {place: str(value) for place, value in identities.items()}
        group.sort(key=identities.__getitem__)
        if self._date is None:
            return True
        dates: dict[int, Any] = {place: rows[place][self._date] for place in group}
        types = set(map(type, dates.values()))
        if types == {NoneType}:
            return True
        types.discard(NoneType)
        if types not in _SORTABLE_DATES:
            # A date that cannot be read says nothing of the others of its column.
            self.is_certain = self.is_certain and type(UNREAD) in types
            return False
        dated = [place for place in group if dates[place] is not None]
        undated = [place for place in group if dates[place] is None]
        dated.sort(key=dates.__getitem__, reverse=True)
        group[:] = dated + undated
        return True


async def _decode(statement: LookupStatement, rows: Sequence[_Raw]) -> list[Row | str]:
    """Decode rows, yielding to other tasks after every thousand."""
    decode = statement.stored.decode
    if len(rows) <= _ROWS_AT_ONCE:
        return decode(rows)
    decoded: list[Row | str] = []
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        decoded += decode(rows[start : start + _ROWS_AT_ONCE])
        await asyncio.sleep(0)
    return decoded


def _key_of(statement: LookupStatement, matched: object, keys: Collection[str]) -> str:
    """Return the key that ``matched`` may be, where it is none as it is."""
    if isinstance(matched, str):
        return matched
    if not statement.whole:
        raise SourceRefused(f"keys are kept as {type(matched).__name__}")
    text = str(matched)
    if text not in keys and isinstance(matched, float):
        raise SourceRefused("keys are kept as float")
    return text


def _group_raws(
    statement: LookupStatement, keys: Sequence[str], rows: Sequence[_Raw]
) -> dict[str, list[_Raw]]:
    """Return the raw rows of each key, as they were found, each once."""
    groups: dict[str, list[_Raw]] = {key: [] for key in keys}
    for matched, *raw in rows:
        text = _key_of(statement, matched, groups)
        group = groups.get(normalise_number(text) if statement.normalised else text)
        if group is not None:
            group.append(raw)
    if not statement.normalised:
        return groups
    return {key: _each_once(statement, raws) for key, raws in groups.items()}


def _each_once(statement: LookupStatement, rows: list[_Raw]) -> list[_Raw]:
    """Drop rows that were found again under another spelling of the same number."""
    place = statement.stored.names.index(statement.stored.at(statement.stored.record.identity))
    raws_by_identity: dict[str, list[_Raw]] = {}
    for raw in rows:
        raws = raws_by_identity.setdefault(str(raw[place]), [])
        if raw not in raws:
            raws.append(raw)
    return [raw for raws in raws_by_identity.values() for raw in raws]


async def _sort_groups(
    statement: LookupStatement, groups: dict[str, list[_Raw]]
) -> tuple[dict[str, Rows], dict[str, str]]:
    """Translate, sort and decode the rows of each key; see ``group_rows``."""
    stored = statement.stored
    by_key: dict[str, Rows] = {}
    failed: dict[str, str] = {}
    rows = 0
    for key, raws in groups.items():
        translated = raws if stored.read is None else [stored.read(raw) for raw in raws]
        if not stored.sorts and len(translated) > SORTED_HERE:
            # The newest of them cannot be told.
            failed[key] = "too many rows whose dates do not sort"
            continue
        by_key[key] = read_rows(stored.record, _sorted(stored, translated))
        rows += len(raws)
        if rows >= _SORTED_AT_ONCE:
            rows = 0
            await asyncio.sleep(0)
    return by_key, failed


def _sorted(stored: StoredTable, rows: list[_Raw]) -> list[_Raw]:
    """Sort rows where the source did not: newest first, unknown dates last, then by identity."""
    record = stored.record
    identity = record.positions[record.identity]
    rows.sort(key=lambda raw: (raw[identity] is None, _text(raw[identity])))
    if record.date is None:
        return rows
    date = record.positions[record.date]
    rows.sort(key=lambda raw: _text(raw[date]), reverse=True)
    rows.sort(key=lambda raw: raw[date] is None or raw[date] is UNREAD)
    return rows


def _text(value: object) -> str:
    return str(encode_text(value))
