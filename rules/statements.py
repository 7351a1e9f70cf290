"""The rules as SQL over whole databases: one statement for each case of a rule.

For a national run. The statements are SQLAlchemy Core, so that each engine gets its dialect, and
use nothing that PostgreSQL, DuckDB and Spark do not all have: joins by equality, EXISTS, LIKE,
``translate``, ``replace``, ``trim``, ``substr``, ``length``, ``split_part``, CASE. Tables are named
by database and record (``civil_status.births``); ``preparation`` makes what the cases read: whose
number each is, and the lists with their person. They find what ``rules.row_program`` finds for each
person.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from connectors.description import Kind, Lookup, Record
from connectors.population import DATABASE as POPULATION
from rules.expression import (
    DATABASES,
    ColumnTerm,
    Comparison,
    Condition,
    Conjunction,
    ConstantTerm,
    DateComparison,
    Disjunction,
    Form,
    IdentityOrder,
    Likeness,
    ListRead,
    Membership,
    NoRow,
    PersonCheck,
    Presence,
    RowVariable,
    Term,
    Today,
    forms_of,
    inner_rows,
)
from rules.row_program import RuleLists
from rules.rule import Case, ConflictRule, Side
from rules.text_forms import LastPart, Replace, Slice, Substitute, TextForm, Translate, Trim, Wrap

#: Columns of a list beside those of its record.
_PERSON = "person"
_NUMBERS = "person_numbers"
_KNOWN_NUMBERS = "known_numbers"
_CITIZEN_ID_LENGTH = 12
#: The legal day in ISO 8601 is a parameter of the statements.
TODAY = "today"
#: The column of entries of the civil status books by which findings are counted by year.
REGISTRATION_DATE = "registration_date"

_Element = sa.ColumnElement[Any]


class _ByteOrder(sa.ColumnElement[str]):
    """Text that is ordered by code points, as Python does, and not by the rules of a language."""

    inherit_cache = True
    type = sa.Text()

    def __init__(self, text: _Element) -> None:
        self.text = text


@compiles(_ByteOrder)
def _plain(element: _ByteOrder, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.text, **options)


@compiles(_ByteOrder, "postgresql")
def _in_c(element: _ByteOrder, compiler: SQLCompiler, **options: Any) -> str:
    return f'({compiler.process(element.text, **options)} COLLATE "C")'


@dataclass(frozen=True, slots=True)
class PreparedTable:
    """A table that the cases read: its name, the statement that makes it, its indexed columns.

    ``read``: the list that it holds; None for the table of numbers.
    """

    name: str
    statement: sa.Select[Any] | sa.CompoundSelect[Any]
    keys: tuple[str, ...]
    read: ListRead | None = None


@dataclass(frozen=True, slots=True)
class CaseStatement:
    """The statement of a case; a row of its result is a finding.

    Columns: the person's number, and for each side the identity of its row and then what it shows,
    as text; last, where it was asked for, the date of registration of each side that can have one.
    """

    rule: ConflictRule
    case: Case
    statement: sa.Select[Any]

    def record_ids(self, row: Sequence[Any]) -> tuple[str, ...]:
        """Return the identity of the row of each side."""
        return tuple(str(row[place]) for place in self._places())

    def values(self, row: Sequence[Any]) -> tuple[tuple[str | None, ...], ...]:
        """Return what each side shows, as text."""
        return tuple(
            tuple(row[place + 1 : place + 1 + len(side.columns)])
            for place, side in zip(self._places(), self.case.sides, strict=True)
        )

    def registration_date(self, row: Sequence[Any]) -> str | None:
        """Return the date of registration of the first side that has one."""
        first = 1 + sum(1 + len(side.columns) for side in self.case.sides)
        dates = row[first : first + len(registered_sides(self.case))]
        return next((day for day in dates if day is not None), None)

    def _places(self) -> Iterator[int]:
        place = 1
        for side in self.case.sides:
            yield place
            place += 1 + len(side.columns)


@dataclass(frozen=True, slots=True)
class RuleStatements:
    """All statements of the rules: first the tables, in this order, then the cases."""

    preparation: tuple[PreparedTable, ...]
    cases: tuple[CaseStatement, ...]


def registered_sides(case: Case) -> tuple[Side, ...]:
    """Return the sides whose records say when they were registered."""
    return tuple(side for side in case.sides if REGISTRATION_DATE in side.row.record.positions)


def _unknown_lists(
    cases: Sequence[tuple[ConflictRule, Case]], with_registration_dates: bool
) -> dict[ListRead, _ListTable]:
    """Return the tables of lists under unknown numbers that cases about numbers read."""
    lists: dict[ListRead, _ListTable] = {}
    for _, case in cases:
        for row in case.rows:
            lists.setdefault(row.read, _UnknownNumberListTable(row.read, row.record))
        for read, column in case.columns_read():
            if read in lists:
                lists[read].columns[column] = None
        if with_registration_dates:
            for side in registered_sides(case):
                lists[side.row.read].columns[REGISTRATION_DATE] = None
    return lists


def rule_statements(
    rules: Sequence[ConflictRule], *, with_registration_dates: bool = False
) -> RuleStatements:
    """Return the statements for ``rules``.

    The "person" of rules about numbers that nobody holds is the number. All rules cost some 250 ms,
    once: a run needs the statements twice.
    """
    return _rule_statements(tuple(rules), with_registration_dates)


@lru_cache(maxsize=16)
def _rule_statements(
    rules: tuple[ConflictRule, ...], with_registration_dates: bool
) -> RuleStatements:
    rule_lists = RuleLists([rule for rule in rules if not rule.is_of_numbers])
    number_cases = [(rule, case) for rule in rules if rule.is_of_numbers for case in rule.cases]
    lists = {read: _ListTable(read, rule_lists.records[read]) for read in rule_lists.reads}
    for _, case in number_cases:
        for row in inner_rows(case.where):
            lists.setdefault(row.read, _ListTable(row.read, row.record))
        for read, column in case.columns_read():
            if read in case.complete_reads:
                lists[read].columns[column] = None
    for _, case in rule_lists.cases:
        for read, column in case.columns_read():
            lists[read].columns[column] = None
        for item in forms_of(case.where):
            lists[item.column.row.read].add_form(item.column.name, item.form)
        if with_registration_dates:
            for side in registered_sides(case):
                lists[side.row.read].columns[REGISTRATION_DATE] = None
    for read in rule_lists.reads:
        if read.hung is not None:
            lists[ListRead(read.database, read.hung[0])].columns[read.hung[1]] = None
    in_order = sorted(lists.values(), key=lambda table: table.read.hung is not None)
    tables = (_numbers_table(), *(table.prepared() for table in in_order))
    cases = [
        CaseStatement(rule, case, _Statement(lists).of(case, with_registration_dates))
        for rule, case in rule_lists.cases
    ]
    if number_cases:
        unknown = _unknown_lists(number_cases, with_registration_dates)
        tables += (_known_numbers_table(),)
        tables += tuple(table.prepared() for table in unknown.values())
        cases += [
            CaseStatement(rule, case, _Statement(lists | unknown).of(case, with_registration_dates))
            for rule, case in number_cases
        ]
    return RuleStatements(tables, tuple(cases))


class _ListTable:
    """The table of a list: each row once for each person under whose numbers it is.

    Beside the ``columns`` that the rules read it has the forms of them that are ``compared``, so
    that they are computed once a row.
    """

    def __init__(self, read: ListRead, record: Record) -> None:
        self.read = read
        self.record = record
        self.name = _list_name(read.database, read.lookup)
        self.columns: dict[str, None] = {record.identity: None}
        self.forms: dict[str, tuple[str, TextForm]] = {}
        #: The forms that the table has: those of which others are made are not among them.
        self.compared: dict[str, None] = {}

    def add_form(self, column: str, text_form: TextForm) -> None:
        """Add a form of a column that a case compares, with the forms that it is made of."""
        self.compared[_form_name(column, text_form)] = None
        base: TextForm | None = text_form
        while base is not None:
            self.forms[_form_name(column, base)] = column, base
            base = base.base

    @property
    def table(self) -> sa.TableClause:
        """The table as the cases read it."""
        names = (_PERSON, *self.columns, *self.compared)
        return sa.table(
            self.name,
            *(sa.column(name, sa.Text()) for name in names),
        )

    def prepared(self) -> PreparedTable:
        """Return the statement that makes the table."""
        # UNION removes the second appearance of a row that two of its columns lead to.
        parts = list(self._rows_by_person())
        statement: Any = parts[0].distinct() if len(parts) == 1 else sa.union(*parts)
        depths = [_depth(text_form) for _, text_form in self.forms.values()]
        for depth in range(max(depths, default=-1) + 1):
            statement = self._with_forms(statement, depth)
        if self.forms:
            rows = statement.subquery()
            names = (_PERSON, *self.columns, *self.compared)
            statement = sa.select(*(rows.c[name] for name in names))
        return PreparedTable(self.table.name, statement, (_PERSON,), self.read)

    def _lookup(self) -> Lookup:
        return next(lookup for lookup in self.record.lookups if lookup.name == self.read.lookup)

    def _shown(self, source: sa.TableClause) -> list[_Element]:
        return [sa.cast(source.c[name], sa.Text()).label(name) for name in self.columns]

    def _rows_by_person(self) -> Iterator[sa.Select[Any]]:
        """Yield the rows with their person, for each column that leads to them."""
        source = _source(self.record)
        for keys, column in _keys(self.read, self._lookup()):
            yield sa.select(keys.c.person.label(_PERSON), *self._shown(source)).select_from(
                keys.join(source, keys.c.key == source.c[column])
            )

    def _with_forms(self, statement: Any, depth: int) -> Any:
        """Add the forms that are made of those of lower depth."""
        rows = statement.subquery()
        forms = [
            text_expression(
                text_form,
                rows.c[column if text_form.base is None else _form_name(column, text_form.base)],
            ).label(name)
            for name, (column, text_form) in self.forms.items()
            if _depth(text_form) == depth
        ]
        return sa.select(*rows.c, *forms) if forms else statement


def _form_name(column: str, text_form: TextForm) -> str:
    return f"{column}_{text_form.name}".replace(" ", "_")


def _depth(text_form: TextForm) -> int:
    return 0 if text_form.base is None else 1 + _depth(text_form.base)


def _list_name(database: str, lookup: str) -> str:
    return f"{database}_{lookup}_list"


def _numbers_table() -> PreparedTable:
    """Return the table of all numbers that are one person's, with the present number."""
    identity = _source(POPULATION.by_name["identity"])
    earlier = _source(POPULATION.by_name["earlier_numbers"])
    numbers = sa.union(
        sa.select(identity.c.citizen_id.label("number"), identity.c.citizen_id.label(_PERSON)),
        sa.select(earlier.c.number, earlier.c.citizen_id),
    ).subquery()
    statement = (
        sa.select(numbers.c.number, sa.func.min(numbers.c.person).label(_PERSON))
        .group_by(numbers.c.number)
        .having(sa.func.count(sa.distinct(numbers.c.person)) == 1)
    )
    return PreparedTable(_NUMBERS, statement, ("number", _PERSON))


_number_of = sa.table(_NUMBERS, sa.column("number", sa.Text()), sa.column(_PERSON, sa.Text()))


def _source(record: Record) -> sa.TableClause:
    return sa.table(
        record.table, *(sa.column(column.name) for column in record.columns), schema=record.database
    )


class _UnknownNumberListTable(_ListTable):
    """The table of the rows of a list under citizen IDs that nobody holds.

    The person is the number. Old identity cards have another length, and are left out.
    """

    def __init__(self, read: ListRead, record: Record) -> None:
        super().__init__(read, record)
        self.name = f"{self.name}_of_unknown_numbers"

    def _rows_by_person(self) -> Iterator[sa.Select[Any]]:
        source, lookup = _source(self.record), self._lookup()
        record, holder = self.record, source
        joined: sa.FromClause = source
        if lookup.through is not None:
            name, column = lookup.through
            record = DATABASES[self.read.database].by_name[name]
            holder = _source(record)
            joined = holder.join(source, holder.c[column] == source.c[column])
        for name in lookup.by:
            if record.column(name).field.kind is not Kind.PERSON_NUMBER:
                continue
            number = sa.cast(holder.c[name], sa.Text())
            selected: list[_Element] = [number.label(_PERSON), *self._shown(source)]
            is_known = sa.exists().where(_known_number.c.number == number)
            has_length = sa.func.length(number) == sa.literal(_CITIZEN_ID_LENGTH)
            yield sa.select(*selected).select_from(joined).where(has_length, ~is_known)


def _known_numbers_table() -> PreparedTable:
    """Return the table of all numbers that somebody holds or held; the person is the number."""
    identity = _source(POPULATION.by_name["identity"])
    earlier = _source(POPULATION.by_name["earlier_numbers"])
    columns = (_number_of.c.number, identity.c.citizen_id, earlier.c.number)
    numbers = sa.union(
        *(sa.select(sa.cast(column, sa.Text()).label("number")) for column in columns)
    )
    rows = numbers.subquery()
    statement = sa.select(rows.c.number, rows.c.number.label(_PERSON))
    return PreparedTable(_KNOWN_NUMBERS, statement, ("number",))


_known_number = sa.table(_KNOWN_NUMBERS, sa.column("number", sa.Text()))


def _keys(read: ListRead, lookup: Lookup) -> Iterator[tuple[sa.Subquery, str]]:
    """Yield the keys of each person, and the column of the list that holds them."""
    if read.hung is not None:
        name, column = read.hung
        parent = sa.table(_list_name(read.database, name), sa.column(_PERSON), sa.column(column))
        keys = sa.select(parent.c.person, parent.c[column].label("key"))
        yield keys.distinct().subquery(), lookup.by[0]
        return
    if lookup.through is None:
        for column in lookup.by:
            yield (
                sa.select(_number_of.c.person, _number_of.c.number.label("key")).subquery(),
                column,
            )
        return
    link_name, column = lookup.through
    link = sa.table(
        link_name,
        sa.column(column),
        *(sa.column(name) for name in lookup.by),
        schema=read.database,
    )
    for name in lookup.by:
        linked = sa.select(_number_of.c.person, link.c[column].label("key")).select_from(
            _number_of.join(link, link.c[name] == _number_of.c.number)
        )
        yield linked.distinct().subquery(), column


class _Statement:
    """Writes the statement of one case."""

    def __init__(self, lists: dict[ListRead, _ListTable]) -> None:
        self._lists = lists
        self._aliases: dict[RowVariable, Any] = {}

    def of(self, case: Case, with_registration_dates: bool) -> sa.Select[Any]:
        """Return the statement: the rows of all sides, joined by the person."""
        first, *rest = [self._alias(row) for row in case.rows]
        joined: Any = first
        for other in rest:
            joined = joined.join(other, other.c.person == first.c.person)
        selected = [first.c.person.label(_PERSON)]
        for place, side in enumerate(case.sides):
            alias = self._aliases[side.row]
            names = (side.row.record.identity, *side.columns)
            selected += [
                alias.c[name].label(f"side{place}_{number}") for number, name in enumerate(names)
            ]
        if with_registration_dates:
            selected += [
                self._aliases[side.row].c[REGISTRATION_DATE].label(f"registered{place}")
                for place, side in enumerate(registered_sides(case))
            ]
        return sa.select(*selected).select_from(joined).where(self.condition(case.where))

    def _alias(self, row: RowVariable) -> Any:
        alias = self._lists[row.read].table.alias(f"row{len(self._aliases)}")
        self._aliases[row] = alias
        return alias

    def condition(self, item: Condition) -> _Element:
        """Return a condition. Where it compares what is missing it is NULL, and does not hold."""
        test: _Element
        match item:
            case Conjunction(parts):
                test = sa.and_(*map(self.condition, parts))
            case Disjunction(parts):
                test = sa.or_(*map(self.condition, parts))
            case Comparison(operator, left, right):
                test = self.term(left).op(operator, is_comparison=True)(self.term(right))
            case DateComparison(operator, left, right):
                first, second = self.term(left), self.term(right)
                cut = sa.func.substr(first, 1, sa.func.length(second))
                other = sa.func.substr(second, 1, sa.func.length(first))
                test = cut.op(operator, is_comparison=True)(other)
            case Likeness(text, pattern, holds):
                likeness = self.term(text).like(self.term(pattern))
                test = likeness if holds else ~likeness
            case Membership(column, codes):
                test = self.term(column).in_(codes)
            case Presence(column, present):
                test = self.term(column).is_not(None) if present else self.term(column).is_(None)
            case PersonCheck(column, same):
                test = self._person_check(column, same)
            case IdentityOrder(first_row, second_row):
                first = self._aliases[first_row].c[first_row.record.identity]
                second = self._aliases[second_row].c[second_row.record.identity]
                test = _ByteOrder(first).op("<", is_comparison=True)(_ByteOrder(second))
            case NoRow(row, where):
                outer = next(iter(self._aliases.values()))
                inner = self._alias(row)
                test = ~sa.exists().where(inner.c.person == outer.c.person, self.condition(where))
        return test

    def _person_check(self, column: ColumnTerm, same: bool) -> _Element:
        number = _number_of.alias()
        is_the_persons = sa.exists().where(
            number.c.person == self._aliases[column.row].c.person,
            number.c.number == self.term(column),
        )
        if same:
            return is_the_persons
        return sa.and_(self.term(column).is_not(None), ~is_the_persons)

    def term(self, item: Term) -> _Element:
        """Return a term as text."""
        match item:
            case ColumnTerm(row, name):
                column: _Element = self._aliases[row].c[name]
                return column
            case ConstantTerm(text):
                return sa.literal(text, sa.Text())
            case Today():
                return sa.bindparam(TODAY, type_=sa.Text())
            case Form(text_form, base):
                form_column: _Element = self._aliases[base.row].c[_form_name(base.name, text_form)]
                return form_column


def text_expression(text_form: TextForm, text: _Element) -> _Element:
    """Return the SQL of the steps of a form over ``text``, which has the form's base already."""
    for step in text_form.steps:
        match step:
            case Translate(source, target):
                text = sa.func.translate(text, source, target, type_=sa.Text())
            case Replace(old, new):
                text = sa.func.replace(text, old, new, type_=sa.Text())
            case Trim():
                text = sa.func.trim(text, type_=sa.Text())
            case Wrap(before, behind):
                text = sa.literal(before, sa.Text()).concat(text).concat(behind)
            case Slice(start, length):
                text = sa.func.substr(text, start, length, type_=sa.Text())
            case Substitute(pairs):
                text = sa.case(dict(pairs), value=text, else_=text)
            case LastPart(separator):
                text = sa.func.split_part(text, separator, -1, type_=sa.Text())
    return text
