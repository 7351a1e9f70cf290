"""The rules as one Python function over the rows of one person.

Conditions become source text: a comparison of two columns is an indexing of two tuples. What
depends on the first row only is decided before the second list is walked. Building the program
costs some milliseconds, once; a check some tens of microseconds a person, without I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from connectors.description import Row
from connectors.values import PartialDate
from rules.expression import (
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
    columns_of,
    forms_of,
    inner_rows,
)
from rules.rule import Case, ConflictRule
from rules.text_forms import text_function

_Lists = Sequence[Sequence[Row] | None]
#: Takes the lists in the order of ``RowProgram.reads``, those of them that are complete, the
#: person's numbers, the legal day; gives the place of a case and the rows of its sides.
_Check = Callable[[_Lists, _Lists, frozenset[str], date], list[tuple[int, tuple[Row, ...]]]]


@dataclass(frozen=True, slots=True)
class ConflictFinding:
    """Records that contradict each other: the rule, its case, and a row for each side."""

    rule: ConflictRule
    case: Case
    rows: tuple[Row, ...]

    def record_ids(self) -> tuple[str, ...]:
        """Return the identity of the row of each side."""
        return tuple(
            str(row[side.row.record.positions[side.row.record.identity]])
            for side, row in zip(self.case.sides, self.rows, strict=True)
        )

    def values(self) -> tuple[tuple[str | None, ...], ...]:
        """Return what each side shows, as text, in the order of its columns."""
        return tuple(
            tuple(_shown(row[side.row.record.positions[name]]) for name in side.columns)
            for side, row in zip(self.case.sides, self.rows, strict=True)
        )


def _shown(value: object) -> str | None:
    return None if value is None else str(value)


class RuleLists:
    """The lists that rules read. Immutable.

    ``reads``: every list once, in the order of the cases. ``records``: of which record each is.
    ``cases``: every case with its rule, in the order of the rules.
    """

    def __init__(self, rules: Sequence[ConflictRule]) -> None:
        self.rules = tuple(rules)
        self.cases = tuple((rule, case) for rule in rules for case in rule.cases)
        reads = (row.read for _, case in self.cases for row in _all_rows(case))
        self.reads = tuple(dict.fromkeys(reads))
        self.records = {row.read: row.record for _, case in self.cases for row in _all_rows(case)}


class RowProgram(RuleLists):
    """Rules that are ready to run. Immutable; one instance serves all requests.

    ``reads``: the lists to be given to ``check``, in this order.
    """

    def __init__(self, rules: Sequence[ConflictRule]) -> None:
        super().__init__(rules)
        self._check = _compiled([case for _, case in self.cases], self.reads)

    def check(
        self,
        lists: _Lists,
        numbers: frozenset[str],
        today: date,
        complete_lists: _Lists | None = None,
    ) -> list[ConflictFinding]:
        """Return what contradicts, in the order of the rules.

        ``lists``: rows in the order of ``reads``; None for a list that could not be read: cases
        that need it find nothing, so the caller must say that they were not checked.
        ``complete_lists``: the same, with None for lists of which rows may be missing too: from
        them nothing follows that there is no such row. ``numbers``: all numbers of the person.
        ``today``: the legal day.
        """
        complete_lists = lists if complete_lists is None else complete_lists
        return [
            ConflictFinding(*self.cases[place], rows)
            for place, rows in self._check(lists, complete_lists, numbers, today)
        ]


def _all_rows(case: Case) -> Iterator[RowVariable]:
    yield from case.rows
    yield from inner_rows(case.where)


def _compiled(cases: Sequence[Case], reads: Sequence[ListRead]) -> _Check:
    """Compile cases to one function of lists, numbers and day."""
    writer = _Writer({read: f"list{place}" for place, read in enumerate(reads)})
    source = writer.function(cases)
    namespace: dict[str, object] = dict(writer.names)
    exec(compile(source, "<rules>", "exec"), namespace)  # noqa: S102 - written below from rules
    check = namespace["check"]
    assert callable(check)
    return check


#: The function of each operator of a comparison of dates.
_DATE_FUNCTIONS = {"=": "_agree", "!=": "_disagree", "<": "_before"}


class _Writer:
    """Writes the source of all cases. ``lists``: the variable that holds each list."""

    def __init__(self, lists: dict[ListRead, str]) -> None:
        self._lists = lists
        self._variables: dict[RowVariable, str] = {}
        #: What the source refers to by name.
        self.names: dict[str, object] = {
            "_text": str,
            "_agree": _agree,
            "_disagree": _disagree,
            "_before": _before,
            "_like": _like,
        }

    def function(self, cases: Sequence[Case]) -> str:
        """Return the source of ``check``: a loop a side for each case."""
        lines = [
            "def check(lists, complete_lists, numbers, today):",
            f"    [{', '.join(self._lists.values())}] = lists",
            f"    [{', '.join(map(_complete, self._lists.values()))}] = complete_lists",
            "    result = []",
        ]
        for place, case in enumerate(cases):
            lines += self._case(place, case)
        return "\n".join([*lines, "    return result"])

    def _case(self, place: int, case: Case) -> Iterator[str]:
        """Yield the lines of a case: what depends on the first row alone is decided first."""
        self._variables |= {row: f"row{number}" for number, row in enumerate(case.rows)}
        lists = [self._lists[row.read] for row in case.rows]
        complete = sorted(_complete(self._lists[read]) for read in case.complete_reads)
        tests = [*lists, *(f"{name} is not None" for name in complete)]
        yield f"    if {' and '.join(dict.fromkeys(tests))}:"
        waiting, bound, indent = list(case.where.parts), set[RowVariable](), " " * 8
        for row in case.rows:
            yield f"{indent}for {self._variables[row]} in {self._lists[row.read]}:"
            indent += "    "
            bound.add(row)
            is_last = row is case.rows[-1]
            ready = [
                part
                for part in waiting
                if is_last or (_outer_rows(part) <= bound and not any(forms_of(part)))
            ]
            waiting = [part for part in waiting if part not in ready]
            if ready:
                yield f"{indent}if not ({' and '.join(map(self.condition, ready))}):"
                yield f"{indent}    continue"
        rows = ", ".join(self._variables[row] for row in case.rows)
        yield f"{indent}result.append(({place}, ({rows},)))"

    def condition(self, item: Condition) -> str:
        """Return the source of a condition, which is True or False."""
        match item:
            case Conjunction(parts):
                source = f"({' and '.join(self.condition(part) for part in parts)})"
            case Disjunction(parts):
                source = f"({' or '.join(self.condition(part) for part in parts)})"
            case Comparison(operator, left, right):
                operator = "==" if operator == "=" else operator
                source = self._guarded(
                    [left, right], f"{self.term(left)} {operator} {self.term(right)}"
                )
            case DateComparison(operator, left, right):
                name = _DATE_FUNCTIONS[operator]
                source = self._guarded(
                    [left, right], f"{name}({self.date(left)}, {self.date(right)})"
                )
            case Likeness(text, pattern, holds):
                test = f"_like({self.term(text)}, {self.term(pattern)})"
                source = self._guarded([text, pattern], test if holds else f"not {test}")
            case Membership(column, codes):
                source = f"{self.raw(column)} in {codes!r}"
            case Presence(column, present):
                source = f"{self.raw(column)} is {'not ' if present else ''}None"
            case PersonCheck(column, same):
                test = f"{self.raw(column)} {'' if same else 'not '}in numbers"
                source = self._guarded([column], test)
            case IdentityOrder(first, second):
                left, right = first[first.record.identity], second[second.record.identity]
                source = f"{self.raw(left)} < {self.raw(right)}"
            case NoRow(row, where):
                variable = self._variables[row] = f"inner{len(self._variables)}"
                test = self.condition(where)
                source = f"not any({test} for {variable} in {_complete(self._lists[row.read])})"
        return source

    def _guarded(self, terms: Sequence[Term], test: str) -> str:
        columns = dict.fromkeys(column for term in terms for column in columns_of(term))
        guards = [f"{self.raw(column)} is not None" for column in columns]
        return f"({' and '.join([*guards, test])})"

    def raw(self, column: ColumnTerm) -> str:
        """Return the source of a column's value as the row holds it."""
        return f"{self._variables[column.row]}[{column.row.record.positions[column.name]}]"

    def term(self, item: Term) -> str:
        """Return the source of a term's text; its columns are known to have values."""
        match item:
            case ColumnTerm():
                return f"_text({self.raw(item)})" if item.is_date else self.raw(item)
            case ConstantTerm(text):
                return repr(text)
            case Today():
                return "_text(today)"
            case Form(text_form, column):
                name = f"_form_{text_form.name.replace(' ', '_')}"
                self.names[name] = text_function(text_form)
                return f"{name}({self.term(column)})"

    def date(self, item: Term) -> str:
        """Return the source of a date, as a row holds it."""
        match item:
            case ColumnTerm():
                return self.raw(item)
            case ConstantTerm(text):
                name = f"_day{text.replace('-', '')}"
                self.names[name] = PartialDate.parse(text)
                return name
            case _:
                return "today"


def _complete(list_name: str) -> str:
    """Return the variable that holds a list if it is complete."""
    return f"complete_{list_name}"


def _outer_rows(item: Condition) -> set[RowVariable]:
    """Return the rows of sides on which a condition depends."""
    return {column.row for column in columns_of(item)} - set(inner_rows(item))


_Day = date | PartialDate


def _agree(left: _Day, right: _Day) -> bool:
    """Say whether two dates may be the same day."""
    return not _disagree(left, right)


def _disagree(left: _Day, right: _Day) -> bool:
    """Say whether two dates differ as far as both are recorded."""
    if left.year != right.year:
        return True
    first, second = str(left), str(right)
    return first[: len(second)] != second[: len(first)]


def _before(left: _Day, right: _Day) -> bool:
    """Say whether the first date is before the second as far as both are recorded."""
    if left.year != right.year:
        return left.year < right.year
    first, second = str(left), str(right)
    return first[: len(second)] < second[: len(first)]


def _like(text: str, pattern: str) -> bool:
    """Say whether ``text`` has a pattern of SQL's LIKE in which ``%`` is the only sign."""
    first, *middle = pattern.split("%")
    if not middle:
        return text == pattern
    *middle, last = middle
    if not text.startswith(first):
        return False
    place, end = len(first), len(text) - len(last)
    for part in middle:
        place = text.find(part, place, end)
        if place < 0:
            return False
        place += len(part)
    return place <= end and text.endswith(last)
