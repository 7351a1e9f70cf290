"""The outbox of a database as SQL: its table, and the triggers that write it.

For the owner to review and to run; the gateway itself only reads. The triggers write declared
columns only, as they are stored, in the transaction that makes the change. A view has no triggers:
they belong on its tables, or the application writes the outbox itself. MariaDB shows triggers only
to those who may change them, and open transactions to those with the right PROCESS: there views
with the rights of their owner tell the gateway.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from connectors.backends.record_maps import RecordMap, StoredTable, map_records
from connectors.description import Database

#: How many columns one call of SQLite's json_object may have.
_PAIRS = 50
_EVENTS = (("INSERT", "c"), ("UPDATE", "u"), ("DELETE", "d"))


@dataclass(frozen=True, slots=True)
class OutboxTrigger:
    """A trigger that writes the changes of a record to an outbox.

    ``schema``: of its table; None: the default one. ``form``: what the server keeps of its
    definition: on PostgreSQL its arguments, each ended by NUL, on MariaDB its body, on SQLite the
    whole statement.
    """

    record: str
    schema: str | None
    table: str
    name: str
    form: str


@dataclass(frozen=True, slots=True)
class _Outbox:
    """What the statements of one make depend on. ``quote``: a name as it is written."""

    table: str
    quote: Callable[[str], str]
    holds_rows: bool
    notify: str | None

    @property
    def plain(self) -> str:
        """The name without its schema, for names of triggers."""
        return self.table.rpartition(".")[2]

    @property
    def quoted(self) -> str:
        """The name as it is written in a statement."""
        return ".".join(map(self.quote, self.table.split(".")))

    @property
    def quoted_view(self) -> str:
        """The view of the triggers as it is written in a statement."""
        return ".".join(map(self.quote, triggers_view(self.table).split(".")))

    @property
    def quoted_transactions_view(self) -> str:
        """The view of open transactions as it is written in a statement."""
        return ".".join(map(self.quote, transactions_view(self.table).split(".")))

    def schemas_of(self, tables: Sequence[StoredTable]) -> str:
        """Return the schemas of tables as a list of expressions."""
        names = {"DATABASE()" if t.schema is None else _text(t.schema) for t in tables}
        return ", ".join(sorted(names))

    def table_of(self, stored: StoredTable) -> str:
        """Return the table of a record as it is written in a statement."""
        names = (stored.table,) if stored.schema is None else (stored.schema, stored.table)
        return ".".join(map(self.quote, names))

    def trigger_of(self, stored: StoredTable, operation: str) -> str:
        """Return the name of the trigger of a table for a kind of change."""
        return f"{self.plain}_{stored.table}_{operation}"

    def quoted_trigger_of(self, stored: StoredTable, operation: str) -> str:
        """Return that name as it is written in a statement: a trigger is in its table's schema."""
        name = self.trigger_of(stored, operation)
        return ".".join(
            map(self.quote, (name,) if stored.schema is None else (stored.schema, name))
        )


def outbox_statements(
    database: Database,
    make: str,
    *,
    maps: Mapping[str, RecordMap] | None = None,
    table: str = "justice_gateway_outbox",
    holds_rows: bool = True,
    notify: str | None = None,
    records: Sequence[str] | None = None,
) -> list[str]:
    """Return the statements that set up the outbox of ``database``, one after the other.

    ``make``: ``postgresql``, ``mariadb`` or ``sqlite``. ``maps``: how records are stored. ``table``
    and ``holds_rows``: see ``OutboxOptions``. ``notify``: the channel of a notification with each
    change (PostgreSQL; commits then wait for one another). ``records``: their names; None: all.
    Raises ValueError for another make, a record that is not there, or a schema that is not named.
    """
    quote = _quote(make)
    outbox = _Outbox(table, quote, holds_rows, notify)
    stored = map_records(database, maps)
    names = list(stored) if records is None else list(records)
    for name in names:
        if name not in stored:
            raise ValueError(f"{database.name} keeps no record {name}")
    _require_schema(make, table, [stored[name] for name in names])
    write = {"postgresql": _postgresql, "mariadb": _mariadb, "sqlite": _sqlite}[make]
    return list(write(outbox, [stored[name] for name in names]))


def outbox_triggers(
    make: str, tables: Iterable[StoredTable], table: str, holds_rows: bool
) -> list[OutboxTrigger]:
    """Return the triggers that ``outbox_statements`` makes for ``tables``; raises as it does."""
    tables = list(tables)
    _require_schema(make, table, tables)
    outbox = _Outbox(table, _quote(make), holds_rows, None)
    if make == "postgresql":
        return [
            OutboxTrigger(stored.record.name, stored.schema, stored.table, name, form)
            for stored in tables
            for form in ("".join(f"{part}\0" for part in _arguments(stored)),)
            for name in (f"{outbox.plain}_row", f"{outbox.plain}_all")
        ]
    write = {"mariadb": _mariadb_trigger, "sqlite": _sqlite_trigger}[make]
    return [
        OutboxTrigger(
            stored.record.name,
            stored.schema,
            stored.table,
            outbox.trigger_of(stored, operation),
            body if make == "mariadb" else head + body,
        )
        for stored in tables
        for event, operation in _EVENTS
        for head, body in (write(outbox, stored, event, operation),)
    ]


def triggers_view(table: str) -> str:
    """Return the view in which a reader on MariaDB sees the triggers of the outbox ``table``."""
    return f"{table}_triggers"


def transactions_view(table: str) -> str:
    """Return the view in which a reader on MariaDB sees since when transactions are open."""
    return f"{table}_transactions"


def written_into(table: str) -> str:
    """Return what the function of the triggers holds on PostgreSQL, where it writes the outbox."""
    return f"INSERT INTO {_Outbox(table, _quote('postgresql'), True, None).quoted} "


def _require_schema(make: str, outbox: str, tables: Sequence[StoredTable]) -> None:
    """Raise ValueError where a trigger of MariaDB would write to an outbox beside its own table."""
    if make == "mariadb" and "." not in outbox and any(table.schema for table in tables):
        raise ValueError("table must name the schema of the outbox: records are in other schemas")


def purge_statement(make: str, days: int, table: str = "justice_gateway_outbox") -> str:
    """Return the statement that the owner runs daily: it deletes rows older than ``days``.

    The newest row always stays: by it the gateway knows that nothing after it was deleted.
    """
    outbox = _Outbox(table, _quote(make), True, None)
    newest = {
        "postgresql": f"SELECT id FROM {outbox.quoted} ORDER BY transaction_id DESC, id DESC",
        "mariadb": f"SELECT id FROM (SELECT id FROM {outbox.quoted} ORDER BY id DESC LIMIT 1) n",
        "sqlite": f"SELECT id FROM {outbox.quoted} ORDER BY id DESC",
    }[make]
    before = {
        "postgresql": f"now() - interval '{days:d} days'",
        "mariadb": f"UTC_TIMESTAMP(6) - INTERVAL {days:d} DAY",
        "sqlite": f"strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-{days:d} days')",
    }[make]
    limit = "" if make == "mariadb" else " LIMIT 1"
    return f"DELETE FROM {outbox.quoted} WHERE committed_at < {before} AND id <> ({newest}{limit})"


def _quote(make: str) -> Callable[[str], str]:
    if make not in {"postgresql", "mariadb", "sqlite"}:
        raise ValueError(f"there is no outbox for {make}, only for postgresql, mariadb and sqlite")
    dialect = sa.make_url(f"{make}://").get_dialect()()
    quoted: Callable[[str], str] = dialect.identifier_preparer.quote_identifier
    return quoted


def _text(value: str) -> str:
    """Return a literal. Names of columns with a backslash are none that anybody has."""
    return "'" + value.replace("'", "''") + "'"


def _postgresql(outbox: _Outbox, tables: Sequence[StoredTable]) -> Iterator[str]:
    name, plain = outbox.quoted, outbox.plain
    yield f"""CREATE TABLE {name} (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
    record text NOT NULL,
    operation text NOT NULL,
    identity text NOT NULL,
    row_before jsonb,
    row_after jsonb,
    committed_at timestamptz NOT NULL DEFAULT clock_timestamp()
)"""
    yield f"CREATE INDEX {outbox.quote(f'{plain}_order')} ON {name} (transaction_id, id)"
    function = ".".join([*map(outbox.quote, outbox.table.split(".")[:-1]), f"{plain}_write"])
    notify = (
        "" if outbox.notify is None else f"    PERFORM pg_notify({_text(outbox.notify)}, '');\n"
    )
    rows = "old_row, new_row" if outbox.holds_rows else "NULL, NULL"
    # TG_ARGV: record, column of its identity, columns. The writer may have another search_path.
    yield f"""CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT AS $outbox$
DECLARE
    names text[] := TG_ARGV[2]::text[];
    old_row jsonb;
    new_row jsonb;
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        INSERT INTO {name} (record, operation, identity) VALUES (TG_ARGV[0], 't', '');
        RETURN NULL;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        SELECT jsonb_object_agg(key, value) INTO old_row
        FROM jsonb_each(to_jsonb(OLD)) WHERE key = ANY (names);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        SELECT jsonb_object_agg(key, value) INTO new_row
        FROM jsonb_each(to_jsonb(NEW)) WHERE key = ANY (names);
    END IF;
    INSERT INTO {name} (record, operation, identity, row_before, row_after)
    VALUES (
        TG_ARGV[0],
        CASE TG_OP WHEN 'INSERT' THEN 'c' WHEN 'UPDATE' THEN 'u' ELSE 'd' END,
        rtrim(coalesce(new_row, old_row) ->> TG_ARGV[1]),
        {rows}
    );
{notify}    RETURN NULL;
END
$outbox$"""
    for stored in tables:
        call = f"EXECUTE FUNCTION {function}({', '.join(map(_text, _arguments(stored)))})"
        for trigger, event in (
            (f"{plain}_row", "INSERT OR UPDATE OR DELETE"),
            (f"{plain}_all", "TRUNCATE"),
        ):
            level = "STATEMENT" if event == "TRUNCATE" else "ROW"
            yield (
                f"CREATE TRIGGER {outbox.quote(trigger)} AFTER {event} "
                f"ON {outbox.table_of(stored)} FOR EACH {level} {call}"
            )


def _arguments(stored: StoredTable) -> tuple[str, str, str]:
    """Return the arguments of a trigger on PostgreSQL: record, identity, columns."""
    columns = ", ".join(f'"{_escaped(column)}"' for column in stored.names)
    return stored.record.name, stored.at(stored.record.identity), f"{{{columns}}}"


def _escaped(name: str) -> str:
    return name.replace("\\", "\\\\").replace('"', '\\"')


def _mariadb(outbox: _Outbox, tables: Sequence[StoredTable]) -> Iterator[str]:
    yield f"""CREATE TABLE {outbox.quoted} (
    id bigint AUTO_INCREMENT PRIMARY KEY,
    record varchar(100) NOT NULL,
    operation char(1) NOT NULL,
    identity varchar(255) NOT NULL,
    row_before longtext,
    row_after longtext,
    committed_at datetime(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6))
) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"""
    yield f"""CREATE SQL SECURITY DEFINER VIEW {outbox.quoted_view} AS
SELECT EVENT_OBJECT_SCHEMA AS table_schema, EVENT_OBJECT_TABLE AS table_name,
    TRIGGER_NAME AS name, ACTION_STATEMENT AS body, CREATED AS created
FROM information_schema.TRIGGERS
WHERE TRIGGER_SCHEMA IN ({outbox.schemas_of(tables)})
    AND LEFT(TRIGGER_NAME, {len(outbox.plain) + 1}) = {_text(f"{outbox.plain}_")}"""
    # The moments of INNODB_TRX are those of the server's machine, in whole seconds.
    yield f"""CREATE SQL SECURITY DEFINER VIEW {outbox.quoted_transactions_view} AS
SELECT CONVERT_TZ(MIN(trx_started), 'SYSTEM', '+00:00') AS oldest
FROM information_schema.INNODB_TRX"""
    yield from _row_triggers(outbox, tables, _mariadb_trigger)


def _mariadb_trigger(
    outbox: _Outbox, stored: StoredTable, event: str, operation: str
) -> tuple[str, str]:
    def pairs(names: Sequence[str], row: str) -> str:
        listed = ", ".join(f"{_text(name)}, {row}.{outbox.quote(name)}" for name in names)
        return f"JSON_OBJECT({listed})"

    return _row_trigger(outbox, stored, event, operation, pairs)


def _sqlite(outbox: _Outbox, tables: Sequence[StoredTable]) -> Iterator[str]:
    yield f"""CREATE TABLE {outbox.quoted} (
    id integer PRIMARY KEY AUTOINCREMENT,
    record text NOT NULL,
    operation text NOT NULL,
    identity text NOT NULL,
    row_before text,
    row_after text,
    committed_at text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
)"""
    yield from _row_triggers(outbox, tables, _sqlite_trigger)


def _sqlite_trigger(
    outbox: _Outbox, stored: StoredTable, event: str, operation: str
) -> tuple[str, str]:
    def pairs(names: Sequence[str], row: str) -> str:
        objects = []
        for start in range(0, len(names), _PAIRS):
            part = names[start : start + _PAIRS]
            listed = ", ".join(f"{_text(name)}, {row}.{outbox.quote(name)}" for name in part)
            objects.append(f"trim(json_object({listed}))")
        inner = " || ',' || ".join(f"substr({text}, 2, length({text}) - 2)" for text in objects)
        return objects[0] if len(objects) == 1 else f"'{{' || {inner} || '}}'"

    head, body = _row_trigger(outbox, stored, event, operation, pairs)
    return head, f"BEGIN {body}; END"


def _row_triggers(
    outbox: _Outbox,
    tables: Sequence[StoredTable],
    write: Callable[[_Outbox, StoredTable, str, str], tuple[str, str]],
) -> Iterator[str]:
    """Write a trigger for each table and kind of change."""
    for stored in tables:
        for event, operation in _EVENTS:
            yield "".join(write(outbox, stored, event, operation))


def _row_trigger(
    outbox: _Outbox,
    stored: StoredTable,
    event: str,
    operation: str,
    pairs: Callable[[Sequence[str], str], str],
) -> tuple[str, str]:
    """Return the head of a trigger and its statement. ``pairs``: a row as JSON."""
    identity = outbox.quote(stored.at(stored.record.identity))
    has_before, has_after = event != "INSERT", event != "DELETE"
    before = pairs(stored.names, "OLD") if has_before and outbox.holds_rows else "NULL"
    after = pairs(stored.names, "NEW") if has_after and outbox.holds_rows else "NULL"
    row = "NEW" if has_after else "OLD"
    trigger = outbox.quoted_trigger_of(stored, operation)
    columns = "record, operation, identity, row_before, row_after"
    values = f"{_text(stored.record.name)}, '{operation}', {row}.{identity}"
    head = f"CREATE TRIGGER {trigger} AFTER {event} ON {outbox.table_of(stored)} FOR EACH ROW\n"
    body = f"""INSERT INTO {outbox.quoted} ({columns})
VALUES ({values}, {before}, {after})"""
    return head, body
