"""The triggers of an outbox on MariaDB, as a view of the owner shows them.

``information_schema`` shows triggers only to users who may change them. The view
(``outbox_statements``) shows them with the rights of its owner. No trigger can
be switched off.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from connectors.backends.session import Session
from connectors.changes.outbox_tables import OutboxTrigger, triggers_view
from connectors.changes.sql_reader import select, table_of


class MariadbTriggers:
    """``TriggerCatalogue`` of ``triggers`` of the outbox ``table``; see there."""

    def __init__(self, triggers: Sequence[OutboxTrigger], table: str) -> None:
        self._triggers = triggers
        columns = ("table_schema", "table_name", "name", "body", "created")
        view = table_of(triggers_view(table), *columns)
        schemas = (view.c.table_schema, sa.func.database())
        self._definitions = sa.select(*schemas, view.c.name, view.c.table_name, view.c.body)
        self._state = sa.select(view.c.table_schema, view.c.name, view.c.created)

    async def state(self, session: Session) -> str:
        """Return when each trigger was made."""
        rows = await select(session, self._state)
        return " ".join(sorted(f"{schema} {name} {created}" for schema, name, created in rows))

    async def faults(self, session: Session) -> Sequence[str]:
        """See ``TriggerCatalogue.faults``."""
        rows = await select(session, self._definitions)
        return [
            fault
            for schema in dict.fromkeys(trigger.schema for trigger in self._triggers)
            for fault in trigger_faults(
                [trigger for trigger in self._triggers if trigger.schema == schema],
                [row[2:] for row in rows if _is_same(row[0], schema or row[1])],
            )
        ]


def _is_same(name: object, other: object) -> bool:
    """Return whether two names of schemas are one: some servers write them in lower case."""
    return str(name).casefold() == str(other).casefold()


def trigger_faults(
    triggers: Sequence[OutboxTrigger], rows: Sequence[Sequence[object]]
) -> list[str]:
    """Return what is wrong with triggers.

    ``rows``: those that are there: name, table and definition. Blanks make no difference.
    """
    existing = {str(name): (str(table), _without_blanks(str(form))) for name, table, form in rows}
    faults = []
    for trigger in triggers:
        table, form = existing.get(trigger.name, ("", ""))
        if table.casefold() != trigger.table.casefold():
            faults.append(f"trigger {trigger.name} of {trigger.table} is missing")
        elif form != _without_blanks(trigger.form):
            faults.append(f"trigger {trigger.name} of {trigger.table} has another form")
    return faults


def _without_blanks(text: str) -> str:
    return "".join(text.split())
