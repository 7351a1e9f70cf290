"""The order of an outbox by its sequence, where the server does not tell which transactions run.

Rows are read by id. A transaction that commits late has a lower id than rows that were read, so for
the time of the overlap the rows that were read are counted again: where there are more than before,
all of them are read once more, each at its position. On SQLite, where one transaction writes at a
time, ids come in the order of commits and the overlap is nothing.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import sqlalchemy as sa

from connectors.backends.session import Session
from connectors.changes.change import CheckpointLost
from connectors.changes.outbox_rows import (
    COLUMNS,
    OutboxPage,
    micros,
    outbox_table,
    select_rows,
)
from connectors.changes.sql_reader import SqlReader, as_moment, select

#: Floor, top, count, written: up to the floor all is read for good; then so many rows up to the
#: top, which was written at that microsecond.
_CHECKPOINT = re.compile(r"([0-9]{1,19}):([0-9]{1,19}):([0-9]{1,19}):([0-9]{1,19})")


class SequenceOrder:
    """Reads the outbox ``table`` in the order of its ids. ``overlap``: in seconds."""

    def __init__(self, reader: SqlReader, table: str, overlap: float) -> None:
        self._reader = reader
        self._overlap = timedelta(seconds=overlap)
        self._table = outbox_table(table)
        self._id = self._table.c.id
        columns = [self._table.c[name] for name in COLUMNS]
        self._select = sa.select(*columns, self._id.label("position"))

    def check(self, checkpoint: str) -> tuple[int, int, int, int]:
        """Return the parts of a checkpoint; raises ValueError."""
        match = _CHECKPOINT.fullmatch(checkpoint)
        if match is None:
            raise ValueError("no checkpoint of an outbox")
        floor, top, count, written = (int(part) for part in match.groups())
        return floor, top, count, written

    async def start(self, session: Session) -> str:
        """Return the checkpoint of now."""
        clock = (await self._reader.clock(session)).moment
        top = await self._greatest(session)
        floor = await self._floor(session, clock, 0, top)
        return await self._checkpoint(session, floor, top, await self._count(session, floor, top))

    async def read(self, session: Session, checkpoint: str, limit: int) -> OutboxPage:
        """Return a page of rows; raises CheckpointLost."""
        floor, top, count, written = self.check(checkpoint)
        clock = (await self._reader.clock(session)).moment
        await self._find_again(session, top, written)
        statement = self._select.where(self._id > top).order_by(self._id).limit(limit + 1)
        rows = await select_rows(session, statement)
        has_more = len(rows) > limit
        rows = rows[:limit]
        newest = rows[-1].id if rows else top
        if has_more:
            point = await self._checkpoint(session, floor, newest, count + len(rows))
            return OutboxPage(rows, point, None, True)
        counted = await self._count(session, floor, top)
        if counted < count:
            raise CheckpointLost("rows that were read are no longer in the outbox")
        if counted > count:  # some committed late: read all of them again
            point = await self._checkpoint(session, floor, floor, 0)
            return OutboxPage(rows, point, None, True)
        count += len(rows)
        lower = await self._floor(session, clock, floor, newest)
        if lower > floor:
            count -= await self._count(session, floor, lower)
        point = await self._checkpoint(session, lower, newest, max(count, 0))
        return OutboxPage(rows, point, clock, False)

    async def _checkpoint(self, session: Session, floor: int, top: int, count: int) -> str:
        return f"{floor}:{top}:{count}:{await self._written(session, top) or 0}"

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

    async def _floor(self, session: Session, clock: datetime, floor: int, top: int) -> int:
        """Return up to which id nothing is to be expected any more."""
        if top <= floor:
            return floor
        if not self._overlap:
            return top
        before = (clock - self._overlap).replace(tzinfo=None)
        settled = sa.select(sa.func.max(self._id)).where(
            self._id > floor,
            self._id <= top,
            self._table.c.committed_at < sa.literal(before.isoformat(" ", "microseconds")),
        )
        ((number,),) = await select(session, settled)
        return floor if number is None else int(str(number))
