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
_LINK = "_link"


def statement(
    record: Record, lookup: Lookup, through: Record | None = None
) -> sa.Select[tuple[object, ...]]:
    """Return the statement that finds rows of ``record`` by ``lookup``, for the keys in ``KEYS``.

    ``through`` is the record that ``lookup.through`` names, where it names one.

    Its rows are the matched key, then the columns of ``record`` in order, untyped, so that nothing
    stands between the driver's values and ``connectors.codec``. They come in the order of
    ``Backend.fetch``, at most ``record.asked + 1`` for each key: one more than is given, which
    tells that there are more.

    Every column of the lookup is searched by its own arm of a union, so that each can use its
    index; an arm leaves out what an earlier one finds for the same key.
    """
    table = sa.table(record.table, *(sa.column(column.name) for column in record.columns))
    found = (
        _direct(table, lookup) if through is None else _through(table, lookup, through)
    ).subquery()
    ranked = sa.select(*found.c, _place(record, found).label(_PLACE)).subquery()
    return (
        sa.select(*(column for column in ranked.c if column.name != _PLACE))
        .where(ranked.c[_PLACE] <= record.asked + 1)
        .order_by(ranked.c[MATCHED], ranked.c[_PLACE])
    )


def _keys() -> sa.BindParameter[str]:
    return sa.bindparam(KEYS, expanding=True, type_=sa.String())


def _direct(table: sa.TableClause, lookup: Lookup) -> sa.CompoundSelect[Any]:
    """Find rows by columns of their own, one arm for each."""
    arms = []
    for place, name in enumerate(lookup.by):
        column = table.c[name]
        elsewhere = [column.is_distinct_from(table.c[other]) for other in lookup.by[:place]]
        arms.append(
            sa.select(column.label(MATCHED), *table.c).where(column.in_(_keys()), *elsewhere)
        )
    return sa.union_all(*arms)


def _through(table: sa.TableClause, lookup: Lookup, through: Record) -> sa.Select[Any]:
    """Find rows by columns of the record that they are reached through.

    A key may be named there several times (debtor and owner): UNION leaves one of each.
    """
    assert lookup.through is not None
    name = lookup.through[1]
    other = sa.table(through.table, *(sa.column(one) for one in dict.fromkeys((name, *lookup.by))))
    named = sa.union(
        *(
            sa.select(other.c[one].label(MATCHED), other.c[name].label(_LINK)).where(
                other.c[one].in_(_keys())
            )
            for one in lookup.by
        )
    ).subquery()
    return sa.select(named.c[MATCHED], *table.c).join_from(
        named, table, table.c[name] == named.c[_LINK]
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
