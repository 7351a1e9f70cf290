"""Changes read from an outbox: a table that the owner's triggers, or application, write.

A row is written by the transaction that makes the change (``outbox_tables`` has the table and its
triggers), so there is one where the change was committed and none where it was not. It is read in
the order of ``transaction_order`` or ``sequence_order``, whatever commits late.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectors.backends.record_maps import RecordMap, StoredTable
from connectors.backends.server import ServerOptions
from connectors.backends.session import Session
from connectors.changes.change import (
    Change,
    ChangeOperation,
    ChangePage,
    ChangePromise,
    UnreadableChange,
)
from connectors.changes.json_rows import decode_object, load_object
from connectors.changes.listen import WakeUp
from connectors.changes.outbox_rows import OutboxRow
from connectors.changes.sequence_order import SequenceOrder
from connectors.changes.sql_reader import SqlReader
from connectors.changes.transaction_order import TransactionOrder
from connectors.codec import Unreadable
from connectors.description import Database, Record, Row

_OPERATIONS = {
    "c": ChangeOperation.CREATE,
    "u": ChangeOperation.UPDATE,
    "d": ChangeOperation.DELETE,
    "w": ChangeOperation.WRITE,
}
#: A table was emptied at once.
TRUNCATED = "t"
#: Nothing changed.
HEARTBEAT = "h"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxOptions:
    """Where the outbox is and how it is read.

    ``table``: table or view, ``schema.table`` outside the default schema. ``interval``: seconds
    between two looks. ``overlap``: on MariaDB, seconds for which a transaction may have written to
    the outbox before it commits: later ones are missed. (PostgreSQL tells which transactions run,
    and SQLite has one at a time.) ``holds_rows``: whether the outbox holds rows, before and after;
    if not, the present row is read. ``records``: whose changes are read; None: of all.
    """

    table: str = "justice_gateway_outbox"
    interval: float = 2.0
    overlap: float = 60.0
    holds_rows: bool = True
    records: tuple[str, ...] | None = None


class OutboxSource:
    """The changes of ``database`` by its outbox; see ``ChangeSource``.

    ``url``, ``server``, ``maps`` and ``zone`` are those of ``SqlBackend``. ``wake_up``: returns
    before the interval is over where there is something new.
    """

    def __init__(
        self,
        database: Database,
        url: str,
        options: OutboxOptions,
        *,
        server: ServerOptions | None = None,
        maps: Mapping[str, RecordMap] | None = None,
        zone: str | None = None,
        wake_up: WakeUp | None = None,
    ) -> None:
        self._options = options
        self._wake_up = wake_up
        self._reader = SqlReader(database, url, server, maps, zone)
        overlap = options.overlap if self._reader.make == "mariadb" else None
        self._order: TransactionOrder | SequenceOrder
        if self._reader.make == "postgresql":
            self._order = TransactionOrder(self._reader, options.table)
        else:
            self._order = SequenceOrder(self._reader, options.table, overlap or 0.0)
        self._stored = self._reader.followed(options.records)
        self.promise = ChangePromise(options.interval, overlap, True, options.holds_rows)

    async def open(self) -> None:
        """Start to listen for notifications, if any."""
        if self._wake_up is not None:
            await self._wake_up.open()

    async def close(self) -> None:
        """Close the connections."""
        if self._wake_up is not None:
            await self._wake_up.close()
        await self._reader.close()

    async def start(self) -> str:
        """Return the checkpoint of now; see ``ChangeSource``. Two or three small statements."""
        return await self._reader.run(self._order.start)

    async def read(self, checkpoint: str, limit: int) -> ChangePage:
        """Return a page of changes; see ``ChangeSource``. Three to five small statements."""

        async def work(session: Session) -> ChangePage:
            page = await self._order.read(session, checkpoint, limit)
            changes = await self._changes(session, page.rows)
            return ChangePage(changes, page.checkpoint, page.complete_until, page.has_more)

        self._order.check(checkpoint)
        return await self._reader.run(work)

    async def wait(self, seconds: float) -> None:
        """Wait for the next look, or for a notification."""
        at_most = min(seconds, self._options.interval)
        await (asyncio.sleep(at_most) if self._wake_up is None else self._wake_up.wait(at_most))

    async def _changes(
        self, session: Session, rows: Sequence[OutboxRow]
    ) -> list[Change | UnreadableChange]:
        """Decode the rows of records that are declared; an outbox may serve others too."""
        entries = [
            (row, self._stored[row.record])
            for row in rows
            if row.record in self._stored and row.operation != HEARTBEAT
        ]
        present = await self._present_rows(session, entries)
        return [_change(row, stored, present) for row, stored in entries]

    async def _present_rows(
        self, session: Session, entries: Sequence[tuple[OutboxRow, StoredTable]]
    ) -> dict[tuple[Record, str], Row | str]:
        """Read the present rows of changes that hold none."""
        wanted: dict[Record, list[str]] = {}
        for row, stored in entries:
            if row.after is None and row.operation in {"c", "u", "w"}:
                wanted.setdefault(stored.record, []).append(row.identity)
        return {
            (record, identity): found
            for record, identities in wanted.items()
            for identity, found in (
                await self._reader.find_rows(session, record, identities)
            ).items()
        }


def _change(
    row: OutboxRow, stored: StoredTable, present: Mapping[tuple[Record, str], Row | str]
) -> Change | UnreadableChange:
    record = stored.record
    operation = _OPERATIONS.get(row.operation)
    if operation is None:
        fault = "the table was emptied" if row.operation == TRUNCATED else "unknown operation"
        return UnreadableChange(record, row.position, fault)
    try:
        after = _decoded(stored, row.after)
    except (Unreadable, ValueError) as error:
        fault = str(error) if isinstance(error, Unreadable) else "row_after is no object"
        return UnreadableChange(record, row.position, fault)
    if after is None and operation is not ChangeOperation.DELETE:
        found = present.get((record, row.identity))
        if isinstance(found, str):
            return UnreadableChange(record, row.position, found)
        after = found
    try:
        before = _decoded(stored, row.before)
    except (Unreadable, ValueError):
        before = None  # what the row was then is not known
    moment = row.committed_at
    return Change(record, operation, row.identity, before, after, row.position, moment)


def _decoded(stored: StoredTable, text: object) -> Row | None:
    values = load_object(text)
    return None if values is None else decode_object(stored, values)
