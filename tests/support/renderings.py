"""PostgreSQL databases that count the lists they write, and rows in the types of their columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from connectors.backends.base import NOT_RENDERED, Batch
from connectors.backends.server import ServerOptions
from connectors.backends.sql import SqlBackend
from connectors.description import Database, Kind, Lookup, Record
from connectors.row_template import RowTemplate
from tests.support.running import TestClock

#: Limits that a busy machine does not reach.
_PATIENT = ServerOptions(connect_timeout=20, statement_timeout=20)
#: The types of values that PostgreSQL stores in columns of their own type.
COLUMN_TYPES: Mapping[Kind, type] = {
    Kind.BOOLEAN: bool,
    Kind.INTEGER: int,
    Kind.DECIMAL: Decimal,
    Kind.DATE: date,
    Kind.DATETIME: datetime,
}


@dataclass(slots=True)
class RenderingCount:
    """Keys that were to be written, and those of them that were, with rows or without."""

    keys: int = 0
    with_rows: int = 0
    without: int = 0

    @property
    def refused(self) -> int:
        """How many keys were not written: they are read as rows."""
        return self.keys - self.with_rows - self.without


class CountingBackend(SqlBackend):
    """A database that counts what it writes, and never refuses to for a while."""

    def __init__(
        self, database: Database, url: str, count: RenderingCount, *, pool_size: int = 4
    ) -> None:
        self._clock = TestClock()
        super().__init__(
            database,
            url,
            pool_size=pool_size,
            server=_PATIENT,
            monotonic=self._clock.monotonic,
        )
        self._count = count

    async def render(
        self, record: Record, lookup: Lookup, keys: Sequence[str], template: RowTemplate
    ) -> Batch:
        batch = await super().render(record, lookup, keys, template)
        for rows in batch.by_key.values():
            self._count.keys += 1
            self._count.with_rows += bool(rows.rows)
            self._count.without += not rows.rows and rows is not NOT_RENDERED
        self._clock.advance(61)
        return batch


def stored_row(record: Record, row: Mapping[str, object]) -> dict[str, object]:
    """Return a row of texts with values of the types that PostgreSQL's columns have."""
    return {
        column.name: row[column.name]
        if column.field.many
        else _stored_value(column.field.kind, row[column.name])
        for column in record.columns
    }


def _stored_value(kind: Kind, value: object) -> object:
    if not isinstance(value, str):
        return value
    match kind:
        case Kind.DECIMAL:
            return Decimal(value)
        case Kind.DATE:
            return date.fromisoformat(value)
        case Kind.DATETIME:
            return datetime.fromisoformat(value)
        case _:
            return value
