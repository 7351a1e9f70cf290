"""The triggers of an outbox in a file of SQLite, by the statements that made them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from connectors.backends.session import Session
from connectors.changes.mariadb_triggers import trigger_faults
from connectors.changes.outbox_tables import OutboxTrigger
from connectors.changes.sql_reader import select

_SCHEMA = sa.table("sqlite_master", *map(sa.column, ("type", "name", "tbl_name", "sql")))
_DEFINITIONS = sa.select(_SCHEMA.c.name, _SCHEMA.c.tbl_name, _SCHEMA.c.sql).where(
    _SCHEMA.c.type == sa.literal("trigger")
)
_VERSION: sa.Select[Any] = sa.select(sa.column("schema_version")).select_from(
    sa.table("pragma_schema_version")
)


class SqliteTriggers:
    """``TriggerCatalogue`` of ``triggers``; see there."""

    def __init__(self, triggers: Sequence[OutboxTrigger]) -> None:
        self._triggers = triggers

    async def state(self, session: Session) -> str:
        """Return a number that grows with each change of whatever table, index or trigger."""
        ((version,),) = await select(session, _VERSION)
        return str(version)

    async def faults(self, session: Session) -> Sequence[str]:
        """See ``TriggerCatalogue.faults``."""
        return trigger_faults(self._triggers, await select(session, _DEFINITIONS))
