"""The tables of a declared database, as SQLAlchemy Core metadata.

Used to select from a source and to create the synthetic databases. Temporal and decimal columns are
text in SQLite, which has no such types; ``connectors.codec`` reads both forms.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from connectors.description import Column, Database, Kind, Record

#: A one-row table in which a source may state how fresh it is (``as_of``, ISO 8601 in UTC).
STATEMENT_TABLE = "source_statement"

_TYPES: dict[Kind, sa.types.TypeEngine[Any]] = {
    Kind.STRING: sa.Text(),
    Kind.INTEGER: sa.BigInteger(),
    Kind.BOOLEAN: sa.Boolean(),
    Kind.DECIMAL: sa.Numeric(20, 2).with_variant(sa.Text(), "sqlite"),
    Kind.DATE: sa.Date().with_variant(sa.Text(), "sqlite"),
    Kind.PARTIAL_DATE: sa.String(10),
    # MariaDB's own types keep no zone, and a moment without one is none.
    Kind.DATETIME: sa.DateTime(timezone=True)
    .with_variant(sa.Text(), "sqlite")
    .with_variant(sa.String(40), "mysql", "mariadb"),
    Kind.PERSON_NUMBER: sa.String(12),
    Kind.ENTERPRISE_CODE: sa.String(14),
    Kind.ENUM: sa.String(64),
}


#: MariaDB indexes no text without an end.
_INDEXED_TEXT = sa.Text().with_variant(sa.String(255), "mysql", "mariadb")


def metadata_of(database: Database) -> sa.MetaData:
    """Return the tables of ``database``: one per record, every lookup column indexed."""
    metadata = sa.MetaData()
    for record in database.records:
        keys = _keys(database, record)
        sa.Table(
            record.table,
            metadata,
            *(_column(column, column.name in keys) for column in record.columns),
        )
    sa.Table(STATEMENT_TABLE, metadata, sa.Column("as_of", sa.Text, nullable=False))
    return metadata


def _keys(database: Database, record: Record) -> set[str]:
    """Return the columns of ``record`` by which any lookup of ``database`` searches."""
    keys: set[str] = set()
    for reached in database.records:
        for lookup in reached.lookups:
            other, link = lookup.through or (reached.name, None)
            if other == record.name:
                keys.update(lookup.by)
            if link is not None and record.name in {other, reached.name}:
                keys.add(link)
    return keys


def _column(column: Column, indexed: bool) -> sa.Column[Any]:
    kind = sa.Text() if column.field.many else _TYPES[column.field.kind]
    if indexed and isinstance(kind, sa.Text):
        kind = _INDEXED_TEXT
    return sa.Column(column.name, kind, nullable=True, index=indexed)
