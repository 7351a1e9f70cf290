"""The rows of an outbox, and a page of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from connectors.backends.session import Session
from connectors.changes.sql_reader import as_moment, select, table_of

#: Columns of an outbox; on PostgreSQL ``transaction_id`` too.
COLUMNS = ("id", "record", "operation", "identity", "row_before", "row_after", "committed_at")


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A row of an outbox.

    ``before`` and ``after``: JSON text, None where the outbox holds none. ``written``: microseconds
    since 1970, to know the row again.
    """

    id: int
    record: str
    operation: str
    identity: str
    before: object
    after: object
    committed_at: datetime | None
    position: str

    @property
    def written(self) -> int:
        """Microseconds since 1970; 0 where the outbox does not say."""
        return micros(self.committed_at)


@dataclass(frozen=True, slots=True)
class OutboxPage:
    """A page of rows; see ``ChangePage``."""

    rows: Sequence[OutboxRow]
    checkpoint: str
    complete_until: datetime | None
    has_more: bool


def micros(moment: datetime | None) -> int:
    """Return microseconds since 1970, 0 for None."""
    if moment is None:
        return 0
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def outbox_table(name: str, *more: str) -> sa.TableClause:
    """Return the table of an outbox."""
    return table_of(name, *COLUMNS, *more)


async def select_rows(session: Session, statement: sa.Select[Any]) -> list[OutboxRow]:
    """Return the rows of a statement with ``COLUMNS`` and the position."""
    return [
        OutboxRow(
            int(str(number)),
            str(record),
            str(operation).strip(),
            str(identity),
            before,
            after,
            as_moment(committed_at),
            str(position),
        )
        for number, record, operation, identity, before, after, committed_at, position in (
            await select(session, statement)
        )
    ]
