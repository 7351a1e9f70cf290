"""Examines every link between two tables: which lead to no row.

For ``justice-gateway doctor``. Findings hold names of columns and counts, never values.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, cast

import sqlalchemy as sa

from connectors.backends.base import Finding, SourceUnavailable
from connectors.backends.findings import table_name
from connectors.backends.record_maps import StoredTable
from connectors.backends.session import Session
from connectors.backends.statement import Idiom, LookupStatement

#: Seconds for all links of a database together.
SECONDS = 30.0


async def examine_links(
    session: Session, idiom: Idiom, lookups: Sequence[LookupStatement], seconds: float = SECONDS
) -> list[Finding]:
    """Count the rows through which others are reached (``Lookup.through``) and that lead to none.

    Joins each two tables once, whole. What exceeds ``seconds`` is a finding too.
    """
    until = time.perf_counter() + seconds
    links = {
        (lookup.holder.record.name, lookup.stored.record.name, lookup.link): lookup
        for lookup in lookups
        if lookup.link
    }
    findings: list[Finding] = []
    for lookup in links.values():
        holder, stored = lookup.holder, lookup.stored
        setting = ("records", holder.record.name)
        try:
            left = until - time.perf_counter()
            if left <= 0:
                raise SourceUnavailable("there was no time left")
            statement = _dangling(idiom, holder, stored, lookup.link)
            ((count,),) = await session.rows(statement, seconds=left)
        except SourceUnavailable as error:
            text = f"links from {table_name(holder)} were not looked through: {error}"
            advice = f"have its owner count those that name no row of {table_name(stored)}"
            findings.append(Finding("links", text, advice, setting))
            continue
        if count:
            text = (
                f"{count} rows of {table_name(holder)} name no row that is in {table_name(stored)}"
            )
            advice = "have them mended: the lists of the people they name are PARTIAL until then"
            findings.append(Finding("links", text, advice, setting))
    return findings


def _dangling(idiom: Idiom, holder: StoredTable, stored: StoredTable, link: str) -> sa.Select[Any]:
    """Count the links that no lookup can follow, compared as lookups compare them."""
    links = sa.table(holder.table, sa.column(holder.at(link)), schema=holder.schema).alias("named")
    targets = sa.table(stored.table, sa.column(stored.at(link)), schema=stored.schema).alias("kept")
    link_column, target_column = links.c[holder.at(link)], targets.c[stored.at(link)]
    same = idiom.exact(target_column) == idiom.exact(link_column)
    if idiom.unlike is not None:
        same |= idiom.unlike(target_column, link_column)
    joined = links.outerjoin(targets, sa.and_(target_column == link_column, same))
    select = sa.select(sa.func.count()).select_from(joined).where(target_column.is_(None))
    return cast("sa.Select[Any]", select)
