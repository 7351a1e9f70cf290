"""The tables of the published findings: those that are declared, and what follows corrections.

The gateway reads the declared columns alone. The others stay with the operator: the keyed hash of
the person, the place of the case and the digest of the rules, by which the next run is compared;
the history of each finding; the runs that were published.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import sqlalchemy as sa

from connectors.reconciliation import DATABASE
from connectors.tables import STATEMENT_TABLE, metadata_of

#: Digests and keyed hashes; MariaDB indexes no text without an end.
_HASH = sa.String(128)
_RUN = sa.String(100)
_MOMENT = sa.String(40)


@dataclass(frozen=True, slots=True)
class PublishedTables:
    """All tables, and the temporary ones into which a run is read.

    ``findings``, ``sides``, ``rules``, ``statement``: declared, with more columns. ``runs``: each
    published run, in their order. ``history``: each change of a finding's state.
    """

    metadata: sa.MetaData
    findings: sa.Table
    sides: sa.Table
    rules: sa.Table
    statement: sa.Table
    runs: sa.Table
    history: sa.Table
    run_findings: sa.Table
    run_sides: sa.Table
    run_cases: sa.Table
    run_unchecked: sa.Table


@cache
def published_tables() -> PublishedTables:
    """Return the tables; nothing is created."""
    metadata = metadata_of(DATABASE)
    findings, sides, rules, statement = (
        metadata.tables[name]
        for name in ("findings", "finding_sides", "rule_coverage", STATEMENT_TABLE)
    )
    for column in _comparison_columns():
        findings.append_column(column, replace_existing=True)
    runs = sa.Table(
        "published_runs",
        metadata,
        # Two who publish at once take the same place, so that the second is refused.
        sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("run", _RUN, nullable=False, unique=True),
        sa.Column("started", _MOMENT, nullable=False),
        sa.Column("rules", _HASH, nullable=False),
        sa.Column("published_at", _MOMENT, nullable=False),
    )
    history = sa.Table(
        "finding_history",
        metadata,
        sa.Column("finding_id", _HASH, nullable=False, index=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("run", _RUN),
        sa.Column("reference", sa.Text),
    )
    return PublishedTables(
        metadata, findings, sides, rules, statement, runs, history, *_temporary(findings, sides)
    )


def _comparison_columns() -> tuple[sa.Column[object], ...]:
    """Return what a finding is compared by with the next run; the gateway reads only its id."""
    return (
        sa.Column("finding_id", _HASH, nullable=False, unique=True),
        sa.Column("case_place", sa.Integer, nullable=False),
        sa.Column("person", _HASH, nullable=False),
        sa.Column("rules", _HASH, nullable=False),
    )


def _temporary(findings: sa.Table, sides: sa.Table) -> tuple[sa.Table, ...]:
    """Return the tables of a run, which only its connection sees.

    ``run_cases``: the cases that it checked. ``run_unchecked``: for whom it did not.
    """
    metadata = sa.MetaData()
    temporary = ["TEMPORARY"]
    names = ("citizen_id", "rule", "severity", "case_place")
    run_findings = sa.Table(
        "run_findings",
        metadata,
        sa.Column("finding_id", _HASH, primary_key=True),
        *(sa.Column(name, findings.c[name].type) for name in names),
        sa.Column("person", _HASH, index=True),
        prefixes=temporary,
    )
    side_columns = (sa.Column(column.name, column.type) for column in sides.c)
    run_sides = sa.Table("run_sides", metadata, *side_columns, prefixes=temporary)

    def case_key() -> tuple[sa.Column[str], sa.Column[int]]:
        place = sa.Column("case_place", sa.Integer, primary_key=True, autoincrement=False)
        return sa.Column("rule", sa.String(64), primary_key=True), place

    run_cases = sa.Table("run_cases", metadata, *case_key(), prefixes=temporary)
    person = sa.Column("person", _HASH, primary_key=True)
    unchecked = sa.Table("run_unchecked", metadata, *case_key(), person, prefixes=temporary)
    return run_findings, run_sides, run_cases, unchecked
