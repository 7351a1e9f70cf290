"""The findings that all makes of database share: what is wrong with a source, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.backends.base import Finding
from connectors.backends.record_maps import StoredTable
from connectors.backends.statement import LookupStatement
from connectors.description import Column, Kind

#: The key in lookups that a server explains.
KEY = "000000000000"

#: Families of types, by the beginnings of their names.
_FAMILIES = {
    "text": ("char", "varchar", "text", "tinytext", "mediumtext", "longtext", "bpchar", "enum"),
    "whole": ("int", "bigint", "smallint", "mediumint", "tinyint"),
    "decimal": ("numeric", "decimal"),
    "float": ("float", "double", "real"),
    "date": ("date",),
    "moment": ("timestamp", "datetime"),
    "truth": ("bool",),
    "bytes": ("bytea", "blob", "binary", "varbinary", "longblob"),
    "json": ("json",),
}
#: The families of types that hold each kind without conversion.
_FITTING: dict[Kind, set[str]] = {
    Kind.STRING: {"text"},
    Kind.INTEGER: {"whole", "text"},
    Kind.BOOLEAN: {"truth", "whole", "text"},
    Kind.DECIMAL: {"decimal", "whole", "text"},
    Kind.DATE: {"date", "text"},
    Kind.PARTIAL_DATE: {"date", "text"},
    Kind.DATETIME: {"moment", "text"},
    Kind.PERSON_NUMBER: {"text"},
    Kind.ENTERPRISE_CODE: {"text"},
    Kind.ENUM: {"text"},
}


def tables_of_lookups(lookups: Sequence[LookupStatement]) -> list[StoredTable]:
    """Return the tables of all lookups, each once."""
    return list(dict.fromkeys(stored for lookup in lookups for stored in lookup.tables))


def table_name(stored: StoredTable) -> str:
    """Return the name of a table, with its schema if it has one."""
    return stored.table if stored.schema is None else f"{stored.schema}.{stored.table}"


def unencrypted(host: str, encrypted: bool, local: bool) -> Iterator[Finding]:
    """Report a connection that crosses a network without encryption."""
    if not encrypted and not local:
        text = f"the way to {host} is not encrypted"
        yield Finding("tls", text, "set tls to verify", ("tls",))


def session_findings(only_read: bool, bound: bool) -> Iterator[Finding]:
    """Report a connection that could write, or run statements without a limit."""
    if not only_read:
        text = "the server would let the gateway write"
        yield Finding("session", text, "make its role read-only", ("url",))
    if not bound:
        text = "the server lets statements run without end"
        yield Finding("session", text, "set a statement timeout for the gateway's role", ("url",))


def table_findings(
    stored: StoredTable, exists: bool, columns: Mapping[str, str], hidden: bool = False
) -> list[Finding]:
    """Report what a table lacks.

    ``columns``: the columns that exist and may be read, with their types. ``hidden``: a table of
    that name is in a schema that the role may not use. A missing table or column (``is_broken``)
    makes further checks impossible.
    """
    name, setting = table_name(stored), ("records", stored.record.name)
    if not exists and hidden:
        text = f"table {name} for {stored.record.name} is in a schema that the role may not use"
        return [Finding("tables", text, "GRANT USAGE ON its schema to the role", ("url",))]
    if not exists:
        text = f"there is no table {name} for {stored.record.name}"
        advice = "name its table in settings, or say mapped = false: it is NOT_OPERATING as it is"
        return [Finding("tables", text, advice, (*setting, "table"))]
    ours = {stored_name: column for column, stored_name in stored.columns.items()}
    findings = []
    for stored_name in stored.names:
        if stored_name not in columns:
            text = f"column {stored_name} of {name} is not there, or may not be read"
            advice = "name the column in settings, list it as missing, or grant SELECT on it"
            findings.append(
                Finding(
                    "columns",
                    text,
                    advice,
                    (*setting, "columns", ours.get(stored_name, stored_name)),
                )
            )
    return findings or list(_types(stored, columns))


def _types(stored: StoredTable, columns: Mapping[str, str]) -> Iterator[Finding]:
    for ours, stored_name in stored.columns.items():
        column, kind = stored.record.column(ours), columns[stored_name]
        if ours in stored.converted or _fits(column, kind):
            continue
        text = f"column {stored_name} of {table_name(stored)} is {kind}, which does not hold {ours}"
        advice = "read it through a view that casts it, or map it by values or dates"
        setting = ("records", stored.record.name, "columns", ours)
        yield Finding("types", text, advice, setting)


def _fits(column: Column, kind: str) -> bool:
    """Whether a type holds what ``column`` declares. Unknown types pass: rows are checked later."""
    name = kind.lower()
    family = next(
        (name_of_family for name_of_family, begin in _FAMILIES.items() if name.startswith(begin)),
        None,
    )
    if name.endswith("[]") or family == "json":
        return column.field.many
    if column.field.many:
        return family in {"text", None}
    return family is None or family in _FITTING[column.field.kind]


def searchable(
    lookups: Sequence[LookupStatement], broken: set[StoredTable]
) -> list[LookupStatement]:
    """Return the lookups none of whose tables is ``broken``."""
    return [lookup for lookup in lookups if not any(stored in broken for stored in lookup.tables)]


def is_broken(findings: Sequence[Finding]) -> bool:
    """Whether a table with these findings cannot be searched at all."""
    return any(finding.topic in {"tables", "columns"} for finding in findings)


def plan_failure(lookup: LookupStatement, reason: str) -> Finding:
    """Report a lookup whose statement the server refuses."""
    text = f"{lookup.holder.table} cannot be searched as it is: {reason}"
    setting = ("records", lookup.holder.record.name, "table")
    return Finding("columns", text, "compare its columns with the connector's", setting)


def index_findings(lookup: LookupStatement, read_whole: set[str]) -> Iterator[Finding]:
    """Report the tables of a lookup that the server would read whole."""
    for stored in lookup.tables:
        if stored.table in read_whole:
            keys = lookup.keys if stored is lookup.holder else (stored.at(lookup.link),)
            text = f"{', '.join(keys)} of {stored.table}: without an index it is read whole"
            advice = " ".join(f"CREATE INDEX ON {table_name(stored)} ({key});" for key in keys)
            setting = ("records", stored.record.name, "table")
            yield Finding("index", text, f"have its owner make one: {advice}", setting)


def nodes(plan: object) -> Iterator[dict[str, Any]]:
    """Yield every object within a plan that a server gives as JSON."""
    if isinstance(plan, dict):
        yield plan
        plan = list(plan.values())
    if isinstance(plan, list):
        for value in plan:
            yield from nodes(value)
