"""Tables of the sample database on real servers, as declared or as another office keeps them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal

from connectors.backends.record_maps import RecordMap
from connectors.codec import encode_text
from connectors.description import Database, Kind, Record
from connectors.tables import STATEMENT_TABLE
from connectors.values import PartialDate
from tests.support.backend_samples import DATABASE, RawRows
from tests.support.servers import Connection, Server

Raw = Mapping[str, object]

#: What the types of values are called. Values of several types are text.
_TYPES: Mapping[str, Mapping[type, str]] = {
    "postgresql": {
        bool: "boolean",
        int: "bigint",
        Decimal: "numeric",
        date: "date",
        datetime: "timestamptz",
        bytes: "bytea",
    },
    "mariadb": {
        bool: "boolean",
        int: "bigint",
        Decimal: "decimal(30,2)",
        date: "date",
        bytes: "varbinary(255)",
    },
}

_CODES = {"CALM": "1", "LOUD": "2"}
_MOODS = {code: value for value, code in _CODES.items()}
_WAYS = ("%d/%m/%Y", "%m/%Y", "%Y")
_PLACE = ("xa", "huyen", "tinh")


def _foreign_name(name: str) -> str:
    return f"Cột {name}"


def _map(record: Record) -> RecordMap:
    names = {column.name: column for column in record.columns}
    return RecordMap(
        table=f"kho_{record.table}",
        columns={name: _foreign_name(name) for name in names if name != "spot_name"},
        values={name: _MOODS for name, column in names.items() if column.field.kind is Kind.ENUM},
        dates={
            name: _WAYS for name, column in names.items() if column.field.kind is Kind.PARTIAL_DATE
        },
        join={"spot_name": _PLACE} if "spot_name" in names else {},
    )


#: Every record of the sample under other names.
MAPS = {record.name: _map(record) for record in DATABASE.records}


def foreign_rows(rows: RawRows) -> dict[str, list[dict[str, object]]]:
    """Return rows of the sample database as ``MAPS`` finds them."""
    return {
        name: [_foreign_row(DATABASE.by_name[name], raw) for raw in raws]
        for name, raws in rows.items()
    }


def _foreign_row(record: Record, raw: Raw) -> dict[str, object]:
    foreign: dict[str, object] = {}
    for column in record.columns:
        value = raw.get(column.name)
        if column.name == "spot_name":
            foreign |= dict(zip(_PLACE, (value, "", None), strict=True))
        elif column.field.kind is Kind.ENUM:
            foreign[_foreign_name(column.name)] = _foreign_code(value)
        elif column.field.kind is Kind.PARTIAL_DATE:
            foreign[_foreign_name(column.name)] = _their_date(value)
        else:
            foreign[_foreign_name(column.name)] = value
    return foreign


def _foreign_code(value: object) -> object:
    if isinstance(value, tuple | list):
        return [_CODES.get(str(item), item) for item in value]
    if isinstance(value, str) and value.startswith("["):
        return json.dumps(_foreign_code(json.loads(value)))
    return _CODES.get(str(value), value)


def _their_date(value: object) -> object:
    text = str(value) if isinstance(value, PartialDate) else value
    if isinstance(text, str) and re.fullmatch(r"\d{4}(-\d\d){0,2}", text):
        return "/".join(reversed(text.split("-")))
    return text


async def write_server(
    server: Server,
    rows: RawRows,
    as_of: object = None,
    described: Database = DATABASE,
    *,
    foreign: bool = False,
) -> None:
    """Put the tables of ``rows`` in place of all that the server's database holds."""
    async with server.connected() as connection:  # a new one for each table is most of the time
        await _empty(connection, server.make)
        for name, raws in (foreign_rows(rows) if foreign else rows).items():
            record = described.by_name[name]
            names = [column.name for column in record.columns]
            table = record.table
            if foreign:
                names, table = list(_foreign_row(record, {})), f"kho_{record.table}"
            keys = _keys(described, foreign)
            await _write(connection, server.make, table, names, keys, list(raws))
        if as_of is not None:
            statement = [{"as_of": encode_text(as_of)}]
            await _write(connection, server.make, STATEMENT_TABLE, ["as_of"], set(), statement)


def _keys(described: Database, foreign: bool) -> set[str]:
    lookups = [lookup for record in described.records for lookup in record.lookups]
    keys = {name for lookup in lookups for name in (*lookup.by, *(lookup.through or ())[1:])}
    return {_foreign_name(name) for name in keys} if foreign else keys


async def _empty(connection: Connection, make: str) -> None:
    if make == "postgresql":
        await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        return
    for kind, statement_kind in (("VIEW", "VIEW"), ("BASE TABLE", "TABLE")):
        names = await connection.value(
            "SELECT group_concat('`', table_name, '`') FROM information_schema.tables "
            f"WHERE table_schema = database() AND table_type = '{kind}'"
        )
        if names is not None:
            await connection.execute(f"DROP {statement_kind} {names}")


async def _write(
    connection: Connection,
    make: str,
    table: str,
    names: list[str],
    keys: set[str],
    rows: Iterable[Raw],
) -> None:
    quote = '"' if make == "postgresql" else "`"
    raws = [[raw.get(name) for name in names] for raw in rows]
    columns, indexes, values = [], [], []
    for place, name in enumerate(names):
        kind, stored = _stored(make, [raw[place] for raw in raws], name in keys)
        columns.append(f"{quote}{name}{quote} {kind}")
        values.append(stored)
        if name in keys and make == "postgresql":
            indexes.append(f"CREATE INDEX ix_{table}_{place} ON {table} ({quote}{name}{quote})")
        elif name in keys:
            indexes.append(f"INDEX ix_{table}_{place} ({quote}{name}{quote})")
    if make == "postgresql":
        await connection.execute("; ".join((_create(table, columns), *indexes)))
    else:
        await connection.execute(_create(table, columns + indexes))
    marks = [f"${n}" if make == "postgresql" else "%s" for n in range(1, len(names) + 1)]
    if raws:
        rows_of_it = list(zip(*values, strict=True))
        await connection.executemany(f"INSERT INTO {table} VALUES ({', '.join(marks)})", rows_of_it)


def _create(table: str, parts: list[str]) -> str:
    return f"CREATE TABLE {table} ({', '.join(parts)})"


def _stored(make: str, values: list[object], key: bool) -> tuple[str, list[object]]:
    """Return the type of a column that can hold ``values``, and what it holds of them."""
    types = {type(value) for value in values if value is not None}
    kind = _TYPES[make].get(next(iter(types))) if len(types) == 1 else None
    if kind is None or not all(_fits_integer(value) for value in values):
        text = "varchar(255)" if key and make == "mariadb" else "text"
        return text, [None if value is None else _as_text(value) for value in values]
    return kind, values


def _fits_integer(value: object) -> bool:
    """Whether every make of server holds ``value`` in its own type."""
    if isinstance(value, Decimal):
        return abs(value) < 10**27
    if isinstance(value, date):
        return value.year >= 1000
    return not isinstance(value, int) or -(2**63) <= value < 2**63


def _as_text(value: object) -> str:
    encoded = encode_text(value)
    return str(encoded).lower() if isinstance(encoded, bool) else str(encoded)
