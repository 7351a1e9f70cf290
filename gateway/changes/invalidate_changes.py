"""Which cached rows a change makes void.

A change voids the rows of everybody whom the row names before and after. Where that does not tell
whose lists it was in, all cached rows of the record are void, and what is found through them:

- the change cannot be read, or tells of a row that names nobody;
- the row may have been there before, and the source does not say what it was; also at a creation,
  where the source reads present rows only: it may have read the row before, with other people;
- the record hangs on another record, or is found through one, whose people its rows do not name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from connectors.changes.change import Change, ChangeOperation, UnreadableChange
from connectors.description import Database, Record, Row
from gateway.cache.invalidations import Invalidation
from gateway.cache.memory import numbers_in

#: More invalidations than this of one page are one, of the database.
_MOST = 4_000


def invalidations_of(
    database: Database,
    changes: Iterable[Change | UnreadableChange],
    *,
    reads_present_rows: bool = False,
) -> Sequence[Invalidation]:
    """Return what ``changes`` of a database make void, each once.

    ``reads_present_rows``: whether the source reads present rows only (``ChangePromise``).
    """
    distinct = dict.fromkeys(
        invalidation
        for change in changes
        for invalidation in _of_change(
            database, change, None if reads_present_rows else _keys_of(change)
        )
    )
    if len(distinct) <= _MOST:
        return list(distinct)
    return [Invalidation(None, database.name, None)]


def _of_change(
    database: Database, change: Change | UnreadableChange, keys: frozenset[str] | None
) -> Iterator[Invalidation]:
    if keys:
        for key in keys:  # in the whole database: other records are found through this one
            yield Invalidation(key, database.name, None)
        return
    for record in database.records:
        if record.name == change.record.name or _goes_through(record, change.record):
            yield Invalidation(None, database.name, record.name)


def _keys_of(change: Change | UnreadableChange) -> frozenset[str] | None:
    """Return the keys of all lists that the row was or is in; None: not known.

    Numbers of persons, and whatever else a list of the record is found by.
    """
    if not isinstance(change, Change) or _hangs(change.record) or not _tells_before(change):
        return None
    rows = [row for row in (change.before, change.after) if row is not None]
    keys = {key for row in rows for key in _lookup_keys(change.record, row)}
    people = [numbers_in(change.record, (row,)) for row in rows]
    if not all(people):
        return None
    return frozenset(keys.union(*people))


def _tells_before(change: Change) -> bool:
    """Return whether the source says all that the row was."""
    if change.operation is ChangeOperation.CREATE:
        return change.after is not None
    is_whole = change.after is not None or change.operation is ChangeOperation.DELETE
    return change.before is not None and is_whole


def _hangs(record: Record) -> bool:
    return any(lookup.on is not None or lookup.through is not None for lookup in record.lookups)


def _goes_through(record: Record, other: Record) -> bool:
    """Return whether rows of ``record`` are found through those of ``other``."""
    return any(
        lookup.through is not None and lookup.through[0] == other.name for lookup in record.lookups
    )


def _lookup_keys(record: Record, row: Row) -> Iterator[str]:
    for lookup in record.lookups:
        for column in lookup.by:
            value = row[record.positions[column]]
            if isinstance(value, tuple):
                yield from (str(item) for item in value)
            elif value is not None:
                yield str(value)
