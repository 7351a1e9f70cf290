"""Changes found by polling: rows have a column with the moment of their last change.

A look reads, record by record, the rows that changed since the last look began, less an overlap
for transactions that set the moment and commit late. What the overlap reads again has the same
position, unless the row has other values by now. A look at a copy that says how fresh it is
begins at that moment: rows come to it later than they changed. It asks nothing of the owner but
the column, and works through views. It does not see deletions, nor former values, nor what changed
twice between two looks.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from connectors.backends.record_maps import RecordMap, StoredTable
from connectors.backends.server import ServerOptions
from connectors.backends.session import Session
from connectors.changes.change import (
    Change,
    ChangePage,
    ChangePromise,
    CheckpointLost,
    UnreadableChange,
)
from connectors.changes.listen import WakeUp
from connectors.changes.look import Look
from connectors.changes.polling import PollingSource
from connectors.changes.sql_reader import SourceClock, SqlReader, stored_table
from connectors.changes.updated_rows import UpdatedRows
from connectors.description import Database

#: The declared column that holds the moment, where settings name none.
DECLARED = "source_updated_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatermarkOptions:
    """Which columns hold the moment of the last change, and how often they are read.

    ``columns``: record -> column of the source. ``column``: of all other records; None: the column
    that is declared as ``source_updated_at``; records without one are not followed. ``created``,
    ``created_column``: likewise, with the moment at which the row was made, by which creations are
    told from updates. ``records``: whose changes are read; None: of all with a column.
    ``interval``: seconds between two looks. ``overlap``: seconds that each look reads again.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    column: str | None = None
    created: Mapping[str, str] = field(default_factory=dict)
    created_column: str | None = None
    records: tuple[str, ...] | None = None
    interval: float = 10.0
    overlap: float = 300.0


class WatermarkSource(PollingSource):
    """The changes of ``database`` by columns with the moment of the last; see ``ChangeSource``.

    ``url``, ``server``, ``maps`` and ``zone`` are those of ``SqlBackend``; ``zone`` is also that of
    moments without one. ``wake_up``: returns before the interval is over where there is something
    new. Raises ValueError where no record can be followed.
    """

    def __init__(
        self,
        database: Database,
        url: str,
        options: WatermarkOptions,
        *,
        server: ServerOptions | None = None,
        maps: Mapping[str, RecordMap] | None = None,
        zone: str | None = None,
        wake_up: WakeUp | None = None,
    ) -> None:
        reader = SqlReader(database, url, server, maps, zone)
        super().__init__(reader, options.interval, wake_up)
        self._overlap = timedelta(seconds=options.overlap)
        hours = None if zone is None else ZoneInfo(zone)
        self._tables = {
            name: UpdatedRows(
                self._reader,
                stored,
                column,
                options.created.get(name) or options.created_column,
                hours,
            )
            for name, stored in self._reader.followed(options.records).items()
            if (column := _column(options, stored)) is not None
        }
        if not self._tables or (options.records and len(self._tables) < len(options.records)):
            raise ValueError(f"{database.name}: name the column with the moment of the last change")
        tells = all(table.tells_creations for table in _needing_creations(self._tables.values()))
        self.promise = ChangePromise(options.interval, options.overlap, False, False, tells)

    async def start(self) -> str:
        """Return the checkpoint of now; see ``ChangeSource``. A statement for each record."""

        async def work(session: Session) -> str:
            clock, is_stated = await self._clock(session)
            newest = {name: await table.newest(session) for name, table in self._tables.items()}
            tops = {
                name: latest.moment for name, latest in newest.items() if latest.moment is not None
            }
            since = clock - self._overlap
            return Look(clock, since, tops=tops, is_stated=is_stated).checkpoint()

        return await self._reader.run(work)

    async def read(self, checkpoint: str, limit: int) -> ChangePage:
        """Return a page of changes; see ``ChangeSource``. Three statements for each record."""
        look = Look.parse(checkpoint)
        if look.record is not None and look.record not in self._tables:
            raise ValueError("the checkpoint is of another selection of records")
        return await self._reader.run(lambda session: self._read(session, look, limit))

    async def _read(self, session: Session, look: Look, limit: int) -> ChangePage:
        if look.record is None:
            look = await self._begin(session, look)
        changes: list[Change | UnreadableChange] = []
        names = list(self._tables)
        for name in names[names.index(str(look.record)) :]:
            table = self._tables[name]
            look = replace(look, record=name, after=look.after if name == look.record else None)
            lower = None
            if look.after is None:
                lower, look = await self._begin_record(session, table, look, changes)
                if lower is None:
                    continue
            room = limit - len(changes)
            rows = [] if room <= 0 else await table.read(session, lower, look.after, room + 1)
            changes += [table.change(row, look.since) for row in rows[:room]]
            if room <= 0 or len(rows) > room:
                after = look.after if room <= 0 else rows[room - 1].key
                return ChangePage(changes, replace(look, after=after).checkpoint(), None, True)
        until = look.clock - self._overlap
        following = replace(look, since=until, record=None, after=None, is_whole=True)
        complete_until = until if look.is_whole else None
        return ChangePage(changes, following.checkpoint(), complete_until, False)

    async def _begin(self, session: Session, look: Look) -> Look:
        """Begin to look; raises CheckpointLost."""
        source_clock = await self._clock(session)
        source_clock.require_statement(look.is_stated)
        clock, is_stated = source_clock
        if clock + self._overlap < look.clock:
            raise CheckpointLost("the clock or the statement of the source went back")
        if await self._is_older_copy(session, look):
            raise CheckpointLost("the newest rows of all records are gone")
        record = next(iter(self._tables))
        return replace(look, clock=clock, is_stated=is_stated, record=record)

    async def _clock(self, session: Session) -> SourceClock:
        """Return the clock of the source, which a copy has to state; raises SourceUnavailable."""
        tables = [stored_table(table.stored) for table in self._tables.values()]
        return await self._reader.clock(session, tables)

    async def _is_older_copy(self, session: Session, look: Look) -> bool:
        """Say whether the newest rows of all records are gone, as in an older copy."""
        tops = [(name, top) for name, top in look.tops.items() if name in self._tables]
        for name, top in tops:
            newest = await self._tables[name].newest(session)
            if newest.fault or (newest.moment and newest.moment + self._overlap >= top):
                return False
        return bool(tops)

    async def _begin_record(
        self,
        session: Session,
        table: UpdatedRows,
        look: Look,
        changes: list[Change | UnreadableChange],
    ) -> tuple[str | None, Look]:
        """Return from which moment on rows are to be read, as it is stored; None: there are none.

        Reports rows without a moment, once for each number of them.
        """
        name = table.stored.record.name
        newest = await table.newest(session)
        missing = await table.count_missing(session)
        if missing != look.missing.get(name, 0):
            changes += [table.missing_change(missing)] if missing else []
            look = replace(look, missing={**look.missing, name: missing})
        if newest.fault is not None:
            changes.append(table.unusable_change(newest.fault))
            return None, replace(look, is_whole=False)
        if newest.moment is None:
            return None, look
        look = replace(look, tops={**look.tops, name: newest.moment})
        return table.as_stored(look.since, newest), look


def _needing_creations(tables: Collection[UpdatedRows]) -> Collection[UpdatedRows]:
    """Return the tables of which some event depends on what is new; all where there is none."""
    return [
        table for table in tables if any(not r.repeatable for r in table.stored.record.changes)
    ] or tables


def _column(options: WatermarkOptions, stored: StoredTable) -> str | None:
    """Return the column with the moment of the last change."""
    name = stored.record.name
    declared = stored.columns.get(DECLARED)
    return options.columns.get(name) or options.column or declared
