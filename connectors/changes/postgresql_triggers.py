"""The triggers of an outbox on PostgreSQL, by its catalogue.

A row of ``pg_trigger`` has the transaction that last wrote it (``xmin``): whoever switches a
trigger off and on again leaves a trace. Partitions, and tables that inherit, are read with their
table, so each has to have the trigger; PostgreSQL gives it to partitions by itself. Where a
subscription writes a table, only triggers that are enabled ALWAYS run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from connectors.backends.session import Session
from connectors.changes.outbox_tables import OutboxTrigger, written_into

_QUOTE = sa.make_url("postgresql://").get_dialect()().identifier_preparer.quote_identifier
#: ``tgtype``: AFTER, for each row, INSERT, DELETE and UPDATE; and for each statement, TRUNCATE.
_ROW_KIND, _ALL_KIND = 1 + 4 + 8 + 16, 32
_CATALOGUE = """WITH RECURSIVE tables (place, relation, is_root) AS (
    SELECT place, CAST(to_regclass(name) AS oid), true
    FROM (VALUES {tables}) AS followed (place, name)
    UNION
    SELECT place, inhrelid, false FROM tables JOIN pg_inherits ON inhparent = relation
)
SELECT place, relation, is_root, relkind, relname, tgname, tgenabled, tgtype, tgargs,
    t.oid AS trigger, t.xmin AS written_by, p.oid AS function, p.xmin AS function_written_by,
    tgqual IS NOT NULL OR CAST(tgattr AS text) <> '' AS is_partial,
    position({insert} in prosrc) > 0 AS writes,
    EXISTS (SELECT FROM pg_subscription_rel WHERE srrelid = relation) AS is_subscribed
FROM tables
LEFT JOIN pg_class c ON c.oid = relation
LEFT JOIN pg_trigger t ON tgrelid = relation AND tgname IN ({names})
LEFT JOIN pg_proc p ON p.oid = tgfoid"""
_STATE = """(SELECT CAST(sha256(convert_to(string_agg(concat_ws(' ', place, relation, relkind,
    trigger, written_by, tgenabled, function, function_written_by, is_subscribed), ','
    ORDER BY place, relation, tgname), 'UTF8')) AS text) FROM ({catalogue}) AS catalogue)"""
_FAULTS = """(SELECT json_agg(json_build_object('place', place, 'relation', relation,
    'is_root', is_root, 'kind', relkind, 'table', relname,
    'name', tgname, 'enabled', tgenabled, 'type', tgtype,
    'arguments', encode(tgargs, 'hex'), 'is_partial', is_partial, 'writes', writes,
    'is_subscribed', is_subscribed)) FROM ({catalogue}) AS catalogue)"""


class PostgresqlTriggers:
    """``TriggerCatalogue`` of ``triggers`` of the outbox ``table``; see there."""

    def __init__(self, triggers: Sequence[OutboxTrigger], table: str) -> None:
        self._tables = list(dict.fromkeys((trigger.schema, trigger.table) for trigger in triggers))
        self._triggers = triggers
        catalogue = _CATALOGUE.format(
            tables=", ".join(
                f"({place}, {_text('.'.join(_QUOTE(name) for name in names if name is not None))})"
                for place, names in enumerate(self._tables)
            ),
            names=", ".join(_text(name) for name in dict.fromkeys(t.name for t in triggers)),
            insert=_text(written_into(table)),
        )
        self._state = _statement(_STATE.format(catalogue=catalogue))
        self._faults = _statement(_FAULTS.format(catalogue=catalogue))

    async def state(self, session: Session) -> str:
        """Return a digest of the rows of the catalogue, by one statement."""
        ((digest,),) = await session.rows(self._state)
        return str(digest)

    async def faults(self, session: Session) -> Sequence[str]:
        """See ``TriggerCatalogue.faults``."""
        ((text,),) = await session.rows(self._faults)
        rows = json.loads(text) if isinstance(text, str) else []
        faults: dict[str, None] = {}
        for trigger in self._triggers:
            place = self._tables.index((trigger.schema, trigger.table))
            of_table = [row for row in rows if row["place"] == place]
            faults.update(dict.fromkeys(_faults(trigger, of_table)))
        return list(faults)


def _faults(trigger: OutboxTrigger, rows: Sequence[Mapping[str, object]]) -> list[str]:
    """Return what is wrong with a trigger. ``rows``: its table and those below, and triggers."""
    faults = []
    root = next((row for row in rows if row["is_root"]), None)
    if root is None or root["kind"] is None:
        return [f"there is no table {trigger.table}"]
    if root["kind"] not in {"r", "p"}:
        return [f"{trigger.table} is no table: it has no triggers"]
    is_row = trigger.name.endswith("_row")
    tables = {row["relation"]: row["table"] for row in rows if row["is_root"] or is_row}
    for relation, table in tables.items():
        named = [r for r in rows if (r["relation"], r["name"]) == (relation, trigger.name)]
        fault = _fault(trigger, named[0], is_row) if named else "is missing"
        if fault is not None:
            faults.append(f"trigger {trigger.name} of {table} {fault}")
    return faults


def _fault(trigger: OutboxTrigger, row: Mapping[str, object], is_row: bool) -> str | None:
    if row["enabled"] == "D":
        return "is disabled"
    if row["enabled"] == "R" or (row["is_subscribed"] and row["enabled"] != "A"):
        return "does not run for all changes: ENABLE ALWAYS TRIGGER"
    is_of_form = (
        row["type"] == (_ROW_KIND if is_row else _ALL_KIND)
        and row["arguments"] == trigger.form.encode().hex()
        and row["writes"]
        and not row["is_partial"]
    )
    return None if is_of_form else "has another form"


def _statement(expression: str) -> sa.Select[Any]:
    column: sa.ColumnElement[Any] = sa.literal_column(expression)
    return sa.select(column.label("triggers"))


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
