"""The one statement that a lookup needs, for any SQL database."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from connectors.description import Lookup, Record

#: The statement's expanding parameter.
KEYS = "keys"

#: Rows start with the key that they were found for, then the columns of the record.
MATCHED = "_matched"

_PLACE = "_place"


def statement(record: Record, lookup: Lookup) -> sa.Select[tuple[object, ...]]:
    """Return the statement that finds rows of ``record`` by ``lookup``, for the keys in ``KEYS``.

    Its rows are the matched key, then the columns of ``record`` in order, untyped, so that nothing
    stands between the driver's values and ``connectors.codec``. They come in the order of
    ``Backend.fetch``, at most ``record.limit + 1`` for each key: one more than is given, which
    tells that there are more.

    Every column of the lookup is searched by its own arm of a union, so that each can use its
    index; an arm leaves out what an earlier one finds for the same key.
    """
    table = sa.table(record.table, *(sa.column(column.name) for column in record.columns))
    keys = sa.bindparam(KEYS, expanding=True, type_=sa.String())
    arms = []
    for place, name in enumerate(lookup.by):
        column = table.c[name]
        elsewhere = [column.is_distinct_from(table.c[other]) for other in lookup.by[:place]]
        arms.append(sa.select(column.label(MATCHED), *table.c).where(column.in_(keys), *elsewhere))
    found = sa.union_all(*arms).subquery()
    ranked = sa.select(*found.c, _place(record, found).label(_PLACE)).subquery()
    return (
        sa.select(*(column for column in ranked.c if column.name != _PLACE))
        .where(ranked.c[_PLACE] <= record.limit + 1)
        .order_by(ranked.c[MATCHED], ranked.c[_PLACE])
    )


def _place(record: Record, found: sa.Subquery) -> sa.Over[int]:
    """Number the rows of each key: newest first, unknown dates last, then by identity.

    ``x IS NULL`` before ``x`` puts missing values last in databases that lack NULLS LAST as well.
    """
    order: list[sa.ColumnElement[Any]] = []
    if record.date is not None:
        date = found.c[record.date]
        order += [date.is_(None), date.desc()]
    identity = found.c[record.identity]
    order += [identity.is_(None), identity]
    return sa.func.row_number().over(partition_by=found.c[MATCHED], order_by=order)
