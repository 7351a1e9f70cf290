"""Changes read from an outbox: a table that the owner's triggers, or application, write.

A row is written by the transaction that makes the change (``outbox_tables`` has the table and its
triggers), so there is one where the change was committed and none where it was not. It is read in
the order of ``transaction_order`` or ``sequence_order``, whatever commits late. A table without
its triggers would look as if nothing happened: ``outbox_triggers`` sees that they are there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from connectors.backends.record_maps import RecordMap, StoredTable
from connectors.backends.server import ServerOptions
from connectors.backends.session import Session
from connectors.changes.change import (
    Change,
    ChangeOperation,
    ChangePage,
    ChangePromise,
    CheckpointLost,
    UnreadableChange,
)
from connectors.changes.json_rows import decode_object, load_object
from connectors.changes.listen import WakeUp
from connectors.changes.outbox_checkpoint import OutboxCheckpoint
from connectors.changes.outbox_rows import OutboxRow
from connectors.changes.outbox_tables import outbox_triggers
from connectors.changes.outbox_triggers import TriggerCheck
from connectors.changes.polling import PollingSource
from connectors.changes.sequence_order import SequenceOrder
from connectors.changes.sql_reader import SourceClock, SqlReader, stored_table, table_of
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
    the outbox before it commits: later ones are missed, and the owner answers for it that there are
    none. None: a view tells which transactions run. (PostgreSQL tells it itself, and SQLite has one
    at a time.) ``holds_rows``: whether the outbox holds rows, before and after;
    if not, the present row is read. ``records``: whose changes are read; None: of all.
    ``by_triggers``: triggers write the outbox, and it is read only while all are there; if not, the
    owner's application writes it, and answers for it.
    """

    table: str = "justice_gateway_outbox"
    interval: float = 2.0
    overlap: float | None = None
    holds_rows: bool = True
    records: tuple[str, ...] | None = None
    by_triggers: bool = True


class OutboxSource(PollingSource):
    """The changes of ``database`` by its outbox; see ``ChangeSource``.

    ``url``, ``server``, ``maps`` and ``zone`` are those of ``SqlBackend``. ``wake_up``: returns
    before the interval is over where there is something new. ``monotonic``: a clock, in seconds.
    Every method that reads raises TriggersMissing where triggers are missing.
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
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        reader = SqlReader(database, url, server, maps, zone)
        super().__init__(reader, options.interval, wake_up)
        overlap = {"mariadb": options.overlap, "sqlite": 0.0}.get(reader.make)
        self._order: TransactionOrder | SequenceOrder
        if reader.make == "postgresql":
            self._order = TransactionOrder(options.table)
        else:
            self._order = SequenceOrder(reader, options.table, overlap)
        self._stored = reader.followed(options.records)
        self._relations = [
            table_of(options.table),
            *(stored_table(stored) for stored in self._stored.values()),
        ]
        tables = list(self._stored.values()) if options.by_triggers else []
        triggers = outbox_triggers(reader.make, tables, options.table, options.holds_rows)
        self._triggers = TriggerCheck(reader, triggers, options.table, monotonic)
        self.promise = ChangePromise(options.interval, overlap or None, True, options.holds_rows)

    async def start(self) -> str:
        """Return the checkpoint of now; see ``ChangeSource``. Some ten small statements."""

        async def work(session: Session) -> str:
            moment, is_stated = await self._clock(session)
            await self._order.start(session, moment)  # raises where there is no outbox at all
            mark = await self._triggers.mark(session)
            place = await self._order.start(session, moment)
            return OutboxCheckpoint(place, mark, is_stated).text()

        return await self._reader.run(work)

    async def read(self, checkpoint: str, limit: int) -> ChangePage:
        """Return a page of changes; see ``ChangeSource``. Four to seven small statements."""
        place, former_mark, was_stated = OutboxCheckpoint.parse(checkpoint)

        async def work(session: Session) -> ChangePage:
            clock = await self._clock(session)
            clock.require_statement(was_stated)
            page = await self._order.read(session, place, limit, clock.moment)
            # After the rows: what was committed before the page is complete, a trigger has seen.
            mark = await self._triggers.mark(session)
            if mark and former_mark and mark != former_mark:
                raise CheckpointLost("triggers of the outbox were changed since")
            until = self._triggers.limit(page.complete_until)
            changes = await self._changes(session, page.rows)
            following = OutboxCheckpoint(page.checkpoint, mark, clock.is_stated).text()
            return ChangePage(changes, following, until, page.has_more)

        self._order.check(place)
        return await self._reader.run(work)

    async def _clock(self, session: Session) -> SourceClock:
        """Return the clock of the source, which a copy has to state; raises SourceUnavailable."""
        return await self._reader.clock(session, self._relations)

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
        identities_by_record: dict[Record, list[str]] = {}
        for row, stored in entries:
            if row.after is None and row.operation in {"c", "u", "w"}:
                identities_by_record.setdefault(stored.record, []).append(row.identity)
        return {
            (record, identity): row_or_fault
            for record, identities in identities_by_record.items()
            for identity, row_or_fault in (
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
        row_or_fault = present.get((record, row.identity))
        if isinstance(row_or_fault, str):
            return UnreadableChange(record, row.position, row_or_fault)
        after = row_or_fault
    try:
        before = _decoded(stored, row.before)
    except (Unreadable, ValueError):
        before = None  # what the row was then is not known, but that there was one
        if operation is ChangeOperation.WRITE:
            operation = ChangeOperation.UPDATE
    moment = row.committed_at
    return Change(record, operation, row.identity, before, after, row.position, moment)


def _decoded(stored: StoredTable, text: object) -> Row | None:
    values = load_object(text)
    return None if values is None else decode_object(stored, values)
