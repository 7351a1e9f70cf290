"""The order of an outbox on PostgreSQL: by transaction, and only those that no other can precede.

A transaction that commits late has a lower id than rows that are visible already. Each row carries
its transaction (``pg_current_xact_id()``), and a snapshot tells the oldest that still runs
(``pg_snapshot_xmin``): every transaction below it has ended, whatever commits later is above. So
rows below are read in the order of transaction and id, and none of them can be preceded any more.
A transaction that writes for a long time holds back what commits meanwhile; ``complete_until`` says
so. On a standby it is the same.
"""

from __future__ import annotations

import re
from datetime import datetime

import sqlalchemy as sa

from connectors.backends.session import Session
from connectors.changes.change import CheckpointLost
from connectors.changes.outbox_rows import (
    COLUMNS,
    OutboxPage,
    OutboxRow,
    micros,
    outbox_table,
    select_rows,
)
from connectors.changes.sql_reader import as_moment, select

#: Transaction, id, and microseconds of the last row that was read.
_CHECKPOINT = re.compile(r"([0-9]{1,20}):([0-9]{1,19}):([0-9]{1,19})")
_ENDED = sa.text("transaction_id < pg_snapshot_xmin(pg_current_snapshot())")
#: The transaction that is the next to begin.
_NEXT: sa.ColumnElement[str] = sa.literal_column(
    "CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text)"
).label("next_transaction")


class TransactionOrder:
    """Reads the outbox ``table`` in the order of its transactions."""

    def __init__(self, table: str) -> None:
        self._table = outbox_table(table, "transaction_id")
        self._order = (self._table.c.transaction_id, self._table.c.id)
        parts = (sa.cast(column, sa.Text()) for column in self._order)
        position = sa.func.concat_ws(":", *parts)
        columns = [self._table.c[name] for name in COLUMNS]
        self._select = sa.select(*columns, position.label("position"))

    def check(self, checkpoint: str) -> tuple[int, int, int]:
        """Return the parts of a checkpoint; raises ValueError."""
        match = _CHECKPOINT.fullmatch(checkpoint)
        if match is None:
            raise ValueError("no checkpoint of an outbox on PostgreSQL")
        transaction, number, written = (int(part) for part in match.groups())
        return transaction, number, written

    async def start(self, session: Session, _clock: datetime) -> str:
        """Return the checkpoint of now; see ``SequenceOrder``."""
        newest = self._select.where(_ENDED).order_by(*(column.desc() for column in self._order))
        rows = await select_rows(session, newest.limit(1))
        return _checkpoint(rows[-1]) if rows else "0:0:0"

    async def read(
        self, session: Session, checkpoint: str, limit: int, clock: datetime
    ) -> OutboxPage:
        """Return a page of rows; raises CheckpointLost. ``clock``: see ``SequenceOrder``."""
        transaction, number, written = self.check(checkpoint)
        if number:
            await self._find_again(session, transaction, number, written)
        after = _after(transaction, number)
        statement = self._select.where(after, _ENDED).order_by(*self._order).limit(limit + 1)
        rows = await select_rows(session, statement)
        has_more = len(rows) > limit
        rows = rows[:limit]
        if rows:
            checkpoint = _checkpoint(rows[-1])
        until = None if has_more else await self._complete_until(session, checkpoint, clock)
        return OutboxPage(rows, checkpoint, until, has_more)

    async def _complete_until(
        self, session: Session, checkpoint: str, clock: datetime
    ) -> datetime | None:
        """Return until when all is read.

        Rows that are held back were committed after they were written.
        """
        transaction, number, _ = self.check(checkpoint)
        first_commit = sa.select(sa.func.min(self._table.c.committed_at))
        ((written,),) = await select(session, first_commit.where(_after(transaction, number)))
        moment = as_moment(written)
        if written is not None and moment is None:
            return None
        return clock if moment is None else min(clock, moment)

    async def _find_again(
        self, session: Session, transaction: int, number: int, written: int
    ) -> None:
        """Raise CheckpointLost where the last row that was read is not there any more.

        Also where its transaction is still to come: a cluster that was restored from a dump counts
        its transactions anew, and what it writes would be below the checkpoint.
        """
        same = sa.text(f"transaction_id = CAST('{transaction}' AS xid8) AND id = {number}")
        statement = sa.select(self._table.c.committed_at, _NEXT).where(same)
        rows = await select(session, statement)
        if [micros(as_moment(row[0])) for row in rows] != [written]:
            raise CheckpointLost("the last row that was read is no longer in the outbox")
        if transaction >= int(str(rows[0][1])):
            raise CheckpointLost("the server counts its transactions anew")


def _after(transaction: int, number: int) -> sa.TextClause:
    return sa.text(f"(transaction_id, id) > (CAST('{transaction}' AS xid8), {number})")


def _checkpoint(row: OutboxRow) -> str:
    """Return the checkpoint after a row."""
    return f"{row.position}:{row.written}"
