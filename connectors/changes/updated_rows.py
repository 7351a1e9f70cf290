"""The rows of one table in the order of the moments of their last change."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from connectors.backends.readers import UNREAD
from connectors.backends.record_maps import StoredTable
from connectors.backends.session import Session
from connectors.changes.change import Change, ChangeOperation, UnreadableChange
from connectors.changes.sql_reader import SqlReader, as_moment, select
from connectors.codec import Unreadable, decode

#: Rows without a moment that are counted.
_COUNTED = 1_000


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest moment in a table: as stored, in UTC (None: no row has any), and what is wrong."""

    stored: object
    moment: datetime | None
    fault: str | None


@dataclass(frozen=True, slots=True)
class UpdatedRow:
    """A row as the driver gives it. ``key``: moment and identity as the server writes them."""

    values: Sequence[object]
    updated: object
    created: object
    key: tuple[str, str]

    @property
    def content(self) -> str:
        """All values as text: two changes of one moment differ by them."""
        return repr((*self.values, self.created))


class UpdatedRows:
    """Reads the table ``stored`` in the order of ``column``, then of the identity.

    ``created``: column with the moment at which a row was made, if any. ``zone``: of moments
    without one.
    """

    def __init__(
        self,
        reader: SqlReader,
        stored: StoredTable,
        column: str,
        created: str | None,
        zone: ZoneInfo | None,
    ) -> None:
        self.stored = stored
        self.tells_creations = created is not None
        self._reader = reader
        self._name = column
        self._zone = zone
        names = dict.fromkeys((*stored.names, column, *([created] if created else [])))
        table = sa.table(stored.table, *map(sa.column, names), schema=stored.schema)
        self._table = table
        self._updated: sa.ColumnElement[Any] = table.c[column]
        identity = table.c[stored.at(stored.record.identity)]
        self._identity = reader.idiom.exact(sa.cast(identity, sa.Text()))
        self._select = sa.select(
            self._updated.label("updated"),
            (table.c[created] if created else sa.null()).label("created"),
            sa.cast(self._updated, sa.Text()).label("updated_text"),
            self._identity.label("identity_text"),
            *(table.c[name].label(f"v{place}") for place, name in enumerate(stored.names)),
        )

    async def newest(self, session: Session) -> Newest:
        """Return the newest moment in the table."""
        ((value,),) = await select(session, sa.select(sa.func.max(self._updated)))
        if value is None:
            return Newest(None, None, None)
        if value is UNREAD:  # an infinite moment: rows with one are unreadable, others are not
            finite = sa.select(sa.func.max(self._updated)).where(
                self._updated < self._literal("infinity")
            )
            ((value,),) = await select(session, finite)
        moment = None if value is None else as_moment(value, self._zone)
        fault = f"{self._name} has no moments that can be read" if moment is None else None
        return Newest(value, moment, None if value is None else fault)

    async def count_missing(self, session: Session) -> int:
        """Return how many rows have no moment; counts no more than a thousand and one."""
        row: sa.ColumnElement[int] = sa.literal_column("1")
        missing = sa.select(row.label("row")).select_from(self._table)
        few = missing.where(self._updated.is_(None)).limit(_COUNTED + 1).subquery()
        ((number,),) = await select(session, sa.select(sa.func.count()).select_from(few))
        return int(str(number))

    async def read(
        self, session: Session, lower: str | None, after: tuple[str, str] | None, limit: int
    ) -> list[UpdatedRow]:
        """Return rows after a key, or from the moment ``lower`` on; both as the server has them."""
        updated, identity = self._updated, self._identity
        statement = self._select.order_by(updated, identity).limit(limit)
        if after is not None:
            moment = self._literal(after[0])
            same = sa.and_(updated == moment, identity > self._literal(after[1]))
            # The first condition is that of an index.
            statement = statement.where(updated >= moment, sa.or_(updated > moment, same))
        elif lower is not None:
            statement = statement.where(updated >= self._literal(lower))
        return [
            UpdatedRow(values, updated_at, created_at, (str(updated_text), str(identity_text)))
            for updated_at, created_at, updated_text, identity_text, *values in (
                await select(session, statement)
            )
        ]

    def as_stored(self, moment: datetime, newest: Newest) -> str:
        """Return a moment in the form in which the table has them."""
        stored = newest.stored
        if isinstance(stored, datetime):
            zone = stored.tzinfo or self._zone
            local = moment.astimezone(zone)
            if stored.tzinfo is None or self._reader.make == "mariadb":
                local = local.replace(tzinfo=None)
            return local.isoformat(" ", "microseconds")
        text = str(stored)
        example = datetime.fromisoformat(text)
        local = moment.astimezone(example.tzinfo or self._zone).replace(microsecond=0)
        if example.tzinfo is None:
            local = local.replace(tzinfo=None)
        written = local.isoformat(text[10:11] or "T")
        return written.replace("+00:00", "Z") if text.endswith("Z") else written

    def change(self, row: UpdatedRow, since: datetime) -> Change | UnreadableChange:
        """Return the change that a row shows to a look at what changed ``since``.

        A row that was made since then counts as new. An earlier look may have seen it, and it
        changed after that: then it is the same creation at another position. Only where both
        moments are the same, to less than a second, did it not change since it was made.
        """
        record = self.stored.record
        moment = as_moment(row.updated, self._zone)
        if moment is None:
            return self._fault(f"{self._name} cannot be read", *row.key, row.content)
        try:
            read = self.stored.read
            decoded = decode(record, row.values if read is None else read(row.values))
        except Unreadable as error:
            return self._fault(str(error), *row.key, row.content)
        identity = str(decoded[record.positions[record.identity]])
        created = None if row.created is None else as_moment(row.created, self._zone)
        position = self._position(*row.key, row.content)
        change = Change(record, ChangeOperation.WRITE, identity, None, decoded, position, moment)
        if created is None:
            return change
        creation = self._position("created", identity, created.isoformat())
        if created < min(moment, since):
            return replace(change, operation=ChangeOperation.UPDATE, creation=creation)
        return replace(
            change,
            operation=ChangeOperation.CREATE,
            creation=creation,
            # Within a whole second a row may be made, seen by a look, and changed.
            may_be_update=created != moment or not moment.microsecond,
        )

    def missing_change(self, number: int) -> UnreadableChange:
        """Return that so many rows have no moment: their changes cannot be seen."""
        rows = f"{number} rows" if number <= _COUNTED else f"more than {_COUNTED} rows"
        return self._fault(f"{self._name} is missing in {rows}", "missing", str(number))

    def unusable_change(self, fault: str) -> UnreadableChange:
        """Return that no row of the table can be followed."""
        return self._fault(fault, "unusable")

    def _fault(self, fault: str, *parts: str) -> UnreadableChange:
        return UnreadableChange(self.stored.record, self._position(*parts), fault)

    def _position(self, *parts: str) -> str:
        """Return a position that names nobody: of a row, a digest of all of it."""
        text = "\n".join((self.stored.record.name, *parts))
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    def _literal(self, text: str) -> sa.ColumnElement[Any]:
        """Return a value; PostgreSQL takes an untyped one for whatever the column is."""
        if self._reader.make != "postgresql":
            return sa.literal(text)
        return sa.literal_column("'" + text.replace("'", "''") + "'")
