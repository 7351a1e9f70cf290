"""Builds the one statement that a lookup needs, for any SQL database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from connectors.backends.record_maps import StoredTable
from connectors.description import Kind, Lookup

#: The statement's one parameter: the keys.
KEYS = "keys"

#: Rows start with the matched key; the columns of ``StoredTable.names`` follow.
MATCHED = "_matched"

#: Rows of one key that the backend sorts, where the source cannot; more make the key fail.
SORTED_HERE = 5_000

#: Digits of a citizen ID.
_CITIZEN_ID = 12

_PLACE = "_place"
_LINK = "_link"
_SAME = "_same"

_Column = sa.ColumnElement[Any]


@dataclass(frozen=True, slots=True)
class Idiom:
    """The SQL of one make of database.

    ``among``: the column holds one of the keys, so that its index is used; it may match more than
    the keys themselves (other case, other accents). ``exact``: the value as text that compares and
    sorts by its characters alone, whatever the collation of its column. ``odd``: the value holds
    other characters than digits. ``row``: the column that numbers the rows of a table, where rows
    found by an index have to be read once more by it: SQLite takes the key from the index alone,
    whatever the table holds. ``unlike``: two equal columns are equal although they are written
    differently, 7 and 7.00; None: never.
    """

    among: Callable[[_Column], sa.ColumnElement[bool]]
    exact: Callable[[_Column], _Column]
    odd: Callable[[_Column], sa.ColumnElement[bool]]
    row: str | None = None
    unlike: Callable[[_Column, _Column], sa.ColumnElement[bool]] | None = None


def in_keys(column: _Column) -> sa.ColumnElement[bool]:
    """Return ``column IN (...)``, one marker for each key."""
    return column.in_(sa.bindparam(KEYS, expanding=True, type_=sa.String()))


#: SQLite compares by bytes, unless the collation of a column differs.
SQLITE = Idiom(
    in_keys,
    lambda column: sa.collate(column, "BINARY"),
    lambda column: column.op("GLOB", return_type=sa.Boolean())("*[^0-9]*"),
    row="_rowid_",
)


@dataclass(frozen=True, eq=False)
class LookupStatement:
    """The statement of a lookup at one source.

    ``statement`` has the parameter ``KEYS``. ``unsorted`` gives all its rows, in any order and not
    limited: a source has least work with it. ``by_row`` is the same lookup where the make has
    ``Idiom.row``; it gives None for the key of a row that does not hold it. ``stored``: the table
    of the rows. ``holder``: the table in which ``keys`` are searched, by their names there.
    ``link``: the declared column by which ``stored`` is reached from it, where it is another table.
    ``whole``: a whole number may be a key; not so for the number of a person or an enterprise.
    ``place``: the column that numbers the rows of each key from 1, up to ``most``. ``normalised``:
    keys are numbers of people, stored in several spellings.
    """

    statement: sa.Select[Any]
    unsorted: sa.SelectBase
    stored: StoredTable
    holder: StoredTable
    keys: tuple[str, ...]
    link: str
    whole: bool
    lookup: Lookup
    place: sa.ColumnElement[int]
    most: int
    normalised: bool = False
    by_row: LookupStatement | None = None

    @property
    def tables(self) -> tuple[StoredTable, ...]:
        """The tables that must exist."""
        return (self.stored,) if self.holder is self.stored else (self.stored, self.holder)

    @property
    def sorts(self) -> bool:
        """Whether the rows of a key come in order; those of several spellings do not."""
        return self.stored.sorts and not self.normalised

    def within(self, places: range) -> sa.Select[Any]:
        """Return the statement for the rows of each key at ``places``."""
        return self.statement.where(self.place.between(places[0], places[-1]))

    def in_idiom(self, idiom: Idiom) -> LookupStatement:
        """Return the same lookup in another idiom."""
        through = None if self.lookup.through is None else self.holder
        return lookup_statement(idiom, self.stored, self.lookup, through)


def lookup_statement(
    idiom: Idiom, stored: StoredTable, lookup: Lookup, through: StoredTable | None = None
) -> LookupStatement:
    """Build the statement that finds rows of ``stored`` by ``lookup``.

    ``through`` is the table of the record that ``lookup.through`` names, if any.

    A row is the matched key, then ``stored.names``, untyped, so that nothing stands between the
    driver's values and ``connectors.codec``. Rows come in the order of ``Backend.fetch``, at most
    ``record.fetch_limit + 1`` for each key: one more than is returned shows that there are more.
    Where the source cannot sort by date (``StoredTable.sorts``) there may be ``SORTED_HERE``.

    Every column of the lookup is searched by its own arm of a union, so that each can use its
    index; an arm leaves out what an earlier one finds for the same key.
    """
    plain = _lookup_statement(idiom, stored, lookup, through, None)
    if idiom.row is None:
        return plain
    return replace(plain, by_row=_lookup_statement(idiom, stored, lookup, through, idiom.row))


def _lookup_statement(
    idiom: Idiom, stored: StoredTable, lookup: Lookup, through: StoredTable | None, row: str | None
) -> LookupStatement:
    """Build a lookup whose rows are read once more by the column ``row``, if any."""
    unsorted: sa.SelectBase
    if through is None:
        unsorted = _direct(idiom, stored, lookup, row)
    else:
        unsorted = _through(idiom, stored, lookup, through, row)
    candidates = unsorted.subquery()
    ranked = sa.select(*candidates.c, _place(idiom, stored, candidates).label(_PLACE)).subquery()
    most = 1 + (stored.record.fetch_limit if stored.sorts else SORTED_HERE)
    place = ranked.c[_PLACE]
    statement = (
        sa.select(*(column for column in ranked.c if column is not place))
        .where(place <= most)
        .order_by(ranked.c[MATCHED], place)
    )
    holder = through or stored
    keys = tuple(holder.at(name) for name in lookup.by)
    kinds = {holder.record.column(name).field.kind for name in lookup.by}
    link = "" if lookup.through is None else lookup.through[1]
    whole, spelt = kinds == {Kind.STRING}, holder.normalised and Kind.PERSON_NUMBER in kinds
    return LookupStatement(
        statement, unsorted, stored, holder, keys, link, whole, lookup, place, most, spelt
    )


@dataclass(frozen=True, slots=True)
class _Table:
    """A table as it is searched, ``index``, and as its rows are read, ``rows``: mostly the same."""

    index: sa.FromClause
    rows: sa.FromClause
    row: str | None

    @classmethod
    def of(cls, stored: StoredTable, row: str | None) -> _Table:
        names = stored.names if row is None else (*stored.names, row)
        rows = sa.table(stored.table, *(sa.column(name) for name in names), schema=stored.schema)
        return cls(rows if row is None else rows.alias(f"_by_{stored.table}"), rows, row)

    def joined(self, start: sa.FromClause | None = None, *on: sa.ColumnElement[bool]) -> Any:
        """Return the FROM clause: ``start``, if any, the index, and the rows.

        Rows of ``start`` remain even where no row of this table belongs to them.
        """
        whole = self.index if start is None else start.outerjoin(self.index, sa.and_(*on))
        if self.row is None:
            return whole
        return whole.outerjoin(self.rows, self.rows.c[self.row] == self.index.c[self.row])

    def borne(self, idiom: Idiom, name: str, value: _Column, *, absent: bool = False) -> _Column:
        """Return ``value`` for rows whose column ``name`` equals what the index holds.

        ``absent``: also where the index has no row.
        """
        if self.row is None:
            return value
        same = idiom.exact(self.rows.c[name]) == idiom.exact(self.index.c[name])
        if absent:
            same |= self.index.c[self.row].is_(None)
        return sa.case((same, value))


def _direct(
    idiom: Idiom, stored: StoredTable, lookup: Lookup, row: str | None
) -> sa.CompoundSelect[Any]:
    """Find rows by their own columns, one arm for each."""
    table = _Table.of(stored, row)
    columns = [table.rows.c[name] for name in stored.names]
    arms = []
    by = [stored.at(name) for name in lookup.by]
    for place, name in enumerate(by):
        column = table.index.c[name]
        exact = idiom.exact(column)
        earlier = (idiom.exact(table.rows.c[other]) for other in by[:place])
        elsewhere = [exact.is_distinct_from(other) for other in earlier]
        matched = table.borne(idiom, name, exact).label(MATCHED)
        arm = sa.select(matched, *columns).select_from(table.joined())
        among = _among(idiom, stored, lookup, lookup.by[place], column)
        arms.append(arm.where(among, *elsewhere))
    return sa.union_all(*arms)


def _among(
    idiom: Idiom, holder: StoredTable, lookup: Lookup, name: str, column: _Column
) -> sa.ColumnElement[bool]:
    """Return the condition that ``column``, declared as ``name``, holds one of the keys.

    Where numbers of people are searched among the codes of enterprises, only what is a citizen ID
    counts: a spelling of somebody's number may be a company's code.
    """
    among = idiom.among(column)
    kinds = {holder.record.column(other).field.kind for other in lookup.by}
    kind = holder.record.column(name).field.kind
    if kind is not Kind.ENTERPRISE_CODE or Kind.PERSON_NUMBER not in kinds:
        return among
    is_citizen_id = sa.func.length(idiom.exact(column)) == _CITIZEN_ID
    return sa.and_(among, is_citizen_id, sa.not_(idiom.odd(column)))


def _through(
    idiom: Idiom, stored: StoredTable, lookup: Lookup, through: StoredTable, row: str | None
) -> sa.Select[Any]:
    """Find rows by columns of the record through which they are reached.

    A key may occur there several times (debtor and owner): UNION keeps one of each. The link is
    compared twice: as it is, for the index, and exactly, since a collation may treat two as equal.
    A link that is null, or names no row, gives a row of nulls, which cannot be read: the key has
    something there, so the answer must not be that it has none.
    """
    assert lookup.through is not None
    name = lookup.through[1]
    holder, table = _Table.of(through, row), _Table.of(stored, row)
    link = holder.rows.c[through.at(name)]
    arms = []
    for name_by in lookup.by:
        by = through.at(name_by)
        column = holder.index.c[by]
        matched = holder.borne(idiom, by, idiom.exact(column)).label(MATCHED)
        arm = sa.select(matched, link.label(_LINK), idiom.exact(link).label(_SAME))
        among = _among(idiom, through, lookup, name_by, column)
        arms.append(arm.select_from(holder.joined()).where(among))
    named = sa.union(*arms).subquery()
    column_of_link = table.index.c[stored.at(name)]
    same = idiom.exact(column_of_link) == named.c[_SAME]
    if idiom.unlike is not None:
        same |= idiom.unlike(column_of_link, named.c[_LINK])
    matched = table.borne(idiom, stored.at(name), named.c[MATCHED], absent=True).label(MATCHED)
    columns = [table.rows.c[name_by] for name_by in stored.names]
    joined = table.joined(named, column_of_link == named.c[_LINK], same)
    return sa.select(matched, *columns).select_from(joined)


def _place(idiom: Idiom, stored: StoredTable, rows: sa.Subquery) -> sa.Over[int]:
    """Number the rows of each key: newest first, unknown dates last, then by identity.

    ``x IS NULL`` before ``x`` puts missing values last, also in databases without NULLS LAST.
    """
    order: list[_Column] = []
    if stored.date is not None:
        date = rows.c[stored.date]
        order += [date.is_(None), idiom.exact(date).desc()]
    identity = rows.c[stored.at(stored.record.identity)]
    order += [identity.is_(None), idiom.exact(identity)]
    return sa.func.row_number().over(partition_by=rows.c[MATCHED], order_by=order)
