"""Whether the triggers of an outbox are there: a table without them looks as if nothing happened.

The mark of all triggers changes when one of them, or its table, is made anew, altered, or switched
off and on again, as far as the server tells. It is in every checkpoint of ``OutboxSource``: where
it differs from that of the last look, changes in between may be in no row of the outbox.

What nobody can see: a session that runs no triggers (``session_replication_role = replica`` on
PostgreSQL, unless they are enabled ALWAYS).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from connectors.backends.base import SourceUnavailable
from connectors.backends.session import Session
from connectors.changes.mariadb_triggers import MariadbTriggers
from connectors.changes.outbox_tables import OutboxTrigger
from connectors.changes.postgresql_triggers import PostgresqlTriggers
from connectors.changes.sql_reader import SqlReader
from connectors.changes.sqlite_triggers import SqliteTriggers

#: Seconds between two looks at the triggers. MariaDB opens a file for each table (1 to 3 ms);
#: elsewhere a look is one statement on the catalogue, and part of every read.
_INTERVALS = {"mariadb": 5.0}
#: How many faults a message names.
_NAMED = 3


class TriggersMissing(SourceUnavailable):
    """Triggers of the outbox are not there, or are not what ``changes ddl`` prints.

    ``faults``: each, with the names of trigger and table.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        more = len(faults) - _NAMED
        rest = f", and {more} more" if more > 0 else ""
        super().__init__(f"{'; '.join(faults[:_NAMED])}{rest}")


class TriggerCatalogue(Protocol):
    """What a make of server knows of the triggers of an outbox."""

    async def state(self, session: Session) -> str:
        """Return text that differs once a trigger was changed in whatever way."""
        ...

    async def faults(self, session: Session) -> Sequence[str]:
        """Return what is wrong with the triggers; empty: all are there and active."""
        ...


class TriggerCheck:
    """Sees that ``triggers``, of the outbox ``table``, are there; none: does nothing.

    ``monotonic``: a clock, in seconds.
    """

    def __init__(
        self,
        reader: SqlReader,
        triggers: Sequence[OutboxTrigger],
        table: str,
        monotonic: Callable[[], float],
    ) -> None:
        self._reader = reader
        self._catalogue = _catalogue(reader.make, triggers, table) if triggers else None
        self._monotonic = monotonic
        self._interval = _INTERVALS.get(reader.make, 0.0)
        self._state: str | None = None
        self._mark = ""
        self._looked_at: float | None = None
        self._good_until: datetime | None = None

    async def mark(self, session: Session) -> str:
        """Return the mark of the triggers; "" where there are to be none.

        Looks at them where it is time to. Raises TriggersMissing.
        """
        now = self._monotonic()
        is_due = self._looked_at is None or now - self._looked_at >= self._interval
        if self._catalogue is None or not is_due:
            return self._mark
        clock = (await self._reader.clock(session)).moment if self._interval else None
        state = await self._catalogue.state(session)
        if state != self._state:
            self._state, self._looked_at = None, None
            faults = await self._catalogue.faults(session)
            if faults:
                raise TriggersMissing(faults)
            self._state = state
            self._mark = hashlib.blake2b(state.encode(), digest_size=12).hexdigest()
        self._looked_at, self._good_until = now, clock
        return self._mark

    def limit(self, complete_until: datetime | None) -> datetime | None:
        """Return ``complete_until``, or the last moment at which triggers were there if earlier."""
        if complete_until is None or self._good_until is None:
            return complete_until
        return min(complete_until, self._good_until)


def _catalogue(make: str, triggers: Sequence[OutboxTrigger], table: str) -> TriggerCatalogue:
    if make == "postgresql":
        return PostgresqlTriggers(triggers, table)
    return MariadbTriggers(triggers, table) if make == "mariadb" else SqliteTriggers(triggers)
