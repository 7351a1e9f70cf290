"""The tables that a register is loaded into, also where several registers share one database.

A register that shares its database, or whose tables have names of their own, gets its rows only: no
``source_statement``, and a progress table of its own name.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from connectors.synthetic.loading.target import PROGRESS, ServerTarget
from connectors.tables import STATEMENT_TABLE, metadata_of


@dataclass(frozen=True, slots=True)
class Layout:
    """The tables of one register on its server.

    ``by_record``: the table of each record that is kept, by the record's name. ``statement``: where
    it is stated how fresh the database is; None where other registers share it. ``progress``: see
    ``PROGRESS``.
    """

    by_record: dict[str, sa.Table]
    statement: sa.Table | None
    progress: sa.Table

    @property
    def tables(self) -> list[sa.Table]:
        """All tables that stay when the load is complete."""
        return [*self.by_record.values(), *([] if self.statement is None else [self.statement])]


def layout(target: ServerTarget, shared: bool) -> Layout:
    """Return the tables of ``target``. ``shared``: other registers are in the same database."""
    declared = metadata_of(target.database).tables
    metadata = sa.MetaData()
    by_record = {
        record.name: _named(declared[record.table], metadata, target.table(record))
        for record in target.database.records
        if target.keeps(record)
    }
    alone = not shared and target.tables is None
    first = next(iter(by_record.values()), None)
    progress = sa.Table(
        PROGRESS if alone else f"{PROGRESS}_{target.database.name}",
        metadata,
        sa.Column("load_of", sa.Text),
        sa.Column("chunks", sa.Integer),
        sa.Column("people", sa.Integer),
        schema=None if first is None else first.schema,
    )
    statement = _named(declared[STATEMENT_TABLE], metadata, STATEMENT_TABLE) if alone else None
    return Layout(by_record, statement, progress)


def _named(table: sa.Table, metadata: sa.MetaData, name: str) -> sa.Table:
    """Return ``table`` under a name, ``schema.table`` where it has a schema."""
    schema, _, bare = name.rpartition(".")
    if schema:
        return table.to_metadata(metadata, schema=schema, name=bare)
    return table.to_metadata(metadata, name=bare)
