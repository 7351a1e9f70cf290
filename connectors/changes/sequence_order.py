"""The order of an outbox by its sequence, where the server does not tell which transactions run.

Rows are read by id. A transaction that commits late has a lower id than rows that were read, so
rows that were read are counted again for as long as there may be more: then all of them are read
once more, each at its position. Whoever wrote a lower id had begun before it was read. So MariaDB
says, by a view of its open transactions, when all that had begun by then are over; or the owner
says how long they last at most, the overlap. On SQLite, where one transaction writes at a time, ids
come in the order of commits and the overlap is nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from connectors.backends.base import SourceUnavailable
from connectors.backends.session import Session
from connectors.changes.change import CheckpointLost
from connectors.changes.outbox_rows import (
    COLUMNS,
    OutboxPage,
    micros,
    outbox_table,
    select_rows,
)
from connectors.changes.outbox_tables import transactions_view
from connectors.changes.sequence_place import OpenTransactions, SequencePlace, settle
from connectors.changes.sql_reader import SqlReader, as_moment, select, table_of

#: How much longer than transactions, as far as they are open, a single statement may run before the
#: source starts: its rows have the moment at which it began, and ids of when they were written.
_LONGEST_STATEMENT = timedelta(hours=1)


class SequenceOrder:
    """Reads the outbox ``table`` in the order of its ids.

    ``overlap``: how long transactions last at most, in seconds; None: the server shows which are
    open.
    """

    def __init__(self, reader: SqlReader, table: str, overlap: float | None) -> None:
        self._reader = reader
        self._overlap = None if overlap is None else timedelta(seconds=overlap)
        view = table_of(transactions_view(table), "oldest")
        clock: sa.ColumnElement[Any] = sa.literal_column("UTC_TIMESTAMP(6)")
        self._transactions = sa.select(clock.label("now"), view.c.oldest)
        self._table = outbox_table(table)
        self._id = self._table.c.id
        columns = [self._table.c[name] for name in COLUMNS]
        self._select = sa.select(*columns, self._id.label("position"))

    def check(self, checkpoint: str) -> None:
        """Raise ValueError for what is no checkpoint."""
        SequencePlace.parse(checkpoint)

    async def start(self, session: Session, clock: datetime) -> str:
        """Return the checkpoint of now. ``clock``: of the source, as it was before."""
        transactions = await self._open_transactions(session)
        top = await self._greatest(session)
        if transactions is None:
            floor = await self._floor_of_overlap(session, clock, 0, top)
        else:
            before = min(clock, transactions.oldest or clock) - _LONGEST_STATEMENT
            floor = await self._written_before(session, before, 0, top)
        count = await self._count(session, floor, top)
        written = await self._written(session, top) or 0
        return SequencePlace(floor, top, count, written).checkpoint()

    async def read(
        self, session: Session, checkpoint: str, limit: int, clock: datetime
    ) -> OutboxPage:
        """Return a page of rows; raises CheckpointLost. ``clock``: see ``start``."""
        place = SequencePlace.parse(checkpoint)
        transactions = await self._open_transactions(session)
        await self._find_again(session, place.top, place.written)
        statement = self._select.where(self._id > place.top).order_by(self._id).limit(limit + 1)
        rows = await select_rows(session, statement)
        has_more = len(rows) > limit
        rows = rows[:limit]
        following = place
        if rows:
            written = await self._written(session, rows[-1].id) or 0
            number = place.number + len(rows)
            following = place._replace(top=rows[-1].id, number=number, written=written)
        if has_more:
            return OutboxPage(rows, following.checkpoint(), None, True)
        counted = await self._count(session, place.floor, place.top)
        if counted < place.number:
            raise CheckpointLost("rows that were read are no longer in the outbox")
        if counted > place.number:  # some committed late: read all of them again
            written = await self._written(session, place.floor) or 0
            again = place._replace(top=place.floor, number=0, written=written)
            return OutboxPage(rows, again.checkpoint(), None, True)
        if transactions is None:
            floor = await self._floor_of_overlap(session, clock, place.floor, following.top)
        else:
            floor, following = settle(following, place.top, transactions)
        if floor > place.floor:
            settled = await self._count(session, place.floor, floor)
            following = following._replace(floor=floor, number=max(following.number - settled, 0))
        return OutboxPage(rows, following.checkpoint(), clock, False)

    async def _open_transactions(self, session: Session) -> OpenTransactions | None:
        """Return which transactions are open; None where the owner says how long they last."""
        if self._overlap is not None:
            return None
        if await self._reader.is_mariadb_replica(session):
            raise SourceUnavailable(
                "a replica does not show the open transactions of its primary, nor a node of a "
                "cluster those of others: set overlap"
            )
        try:
            ((now, oldest),) = await select(session, self._transactions)
        except SourceUnavailable as error:
            text = f"its view of open transactions cannot be read ({error}); or set overlap"
            raise SourceUnavailable(text) from None
        moment, since = as_moment(now), None if oldest is None else as_moment(oldest)
        if moment is None or (oldest is not None and since is None):
            raise SourceUnavailable("its view of open transactions has no moments")
        return OpenTransactions(moment, since)

    async def _find_again(self, session: Session, top: int, written: int) -> None:
        """Raise CheckpointLost where the last row that was read is not there any more."""
        if top and await self._written(session, top) != written:
            raise CheckpointLost("the last row that was read is no longer in the outbox")

    async def _written(self, session: Session, number: int) -> int | None:
        """Return when a row was written, in microseconds; None where there is no such row."""
        statement = sa.select(self._table.c.committed_at).where(self._id == number)
        rows = await select(session, statement)
        return micros(as_moment(rows[0][0])) if rows else None

    async def _greatest(self, session: Session) -> int:
        ((number,),) = await select(session, sa.select(sa.func.max(self._id)))
        return 0 if number is None else int(str(number))

    async def _count(self, session: Session, floor: int, top: int) -> int:
        """Return how many rows are above ``floor`` and not above ``top``."""
        if top <= floor:
            return 0
        counting = sa.select(sa.func.count()).select_from(self._table)
        ((number,),) = await select(session, counting.where(self._id > floor, self._id <= top))
        return int(str(number))

    async def _floor_of_overlap(
        self, session: Session, clock: datetime, floor: int, top: int
    ) -> int:
        """Return up to which id nothing is to be expected any more, as the owner says."""
        if not self._overlap:
            return max(floor, top)
        return await self._written_before(session, clock - self._overlap, floor, top)

    async def _written_before(
        self, session: Session, moment: datetime, floor: int, top: int
    ) -> int:
        """Return the greatest id that was written before a moment, of those above ``floor``."""
        if top <= floor:
            return floor
        text = moment.replace(tzinfo=None).isoformat(" ", "microseconds")
        written = sa.select(sa.func.max(self._id)).where(
            self._id > floor, self._id <= top, self._table.c.committed_at < sa.literal(text)
        )
        ((number,),) = await select(session, written)
        return floor if number is None else int(str(number))
