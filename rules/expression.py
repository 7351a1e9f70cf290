"""The language of the rules: conditions over the rows that are filed under one person.

A rule is written once, as a value of these classes, and two executions run it:
``rules.row_program`` over rows in memory, ``rules.statements`` as SQL over whole databases. So the
language is small, and each word means the same in both:

- Every term is text: a code by its name, a date in ISO 8601 as far as it is recorded (``1957``,
  ``1957-03``). A term that needs a value which is missing has no value.
- Every condition holds or does not hold. A comparison with a missing value does not hold. There is
  no "not": its meaning for missing values is where SQL and Python part. What must be negated has a
  word of its own (``differ``, ``unlike``, ``no_row``).
- Dates are compared as far as both are recorded: ``1957`` and ``1957-03-02`` agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from connectors.administrative_violations import DATABASE as ADMINISTRATIVE_VIOLATIONS
from connectors.civil_enforcement import DATABASE as CIVIL_ENFORCEMENT
from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.description import Kind, Record
from connectors.legal_aid import DATABASE as LEGAL_AID
from connectors.notary import DATABASE as NOTARY
from connectors.population import DATABASE as POPULATION
from connectors.security_measures import DATABASE as SECURITY_MEASURES
from rules.text_forms import TextForm

#: The databases that rules may read, by name.
DATABASES = {
    database.name: database
    for database in (
        POPULATION,
        CIVIL_STATUS,
        LEGAL_AID,
        NOTARY,
        CIVIL_ENFORCEMENT,
        ADMINISTRATIVE_VIOLATIONS,
        SECURITY_MEASURES,
    )
}
_TEXTS = frozenset({Kind.STRING, Kind.ENUM, Kind.PERSON_NUMBER})
DATES = frozenset({Kind.DATE, Kind.PARTIAL_DATE})


@dataclass(frozen=True, slots=True)
class ListRead:
    """A list that rules read: the rows of a lookup under the numbers of a person.

    ``hung``: instead, under the values of a column of another such list (lookup, column).
    """

    database: str
    lookup: str
    hung: tuple[str, str] | None = None


@dataclass(frozen=True, eq=False, slots=True)
class RowVariable:
    """Any row of a list. Equal to itself only: two variables are two rows of the list."""

    read: ListRead
    record: Record

    def __getitem__(self, column: str) -> ColumnTerm:
        """Return a column of the row; raises KeyError where rules cannot read it as text."""
        declared = self.record.column(column).field
        if declared.many or declared.kind not in _TEXTS | DATES:
            raise KeyError(f"{self.record.name}.{column} is no text, code, number or date")
        return ColumnTerm(self, column)


def any_row(database: str, lookup: str, hung: tuple[str, str] | None = None) -> RowVariable:
    """Return a variable for the rows of a declared list; raises KeyError for one that is not."""
    for record in DATABASES[database].records:
        if any(declared.name == lookup for declared in record.lookups):
            return RowVariable(ListRead(database, lookup, hung), record)
    raise KeyError(f"{database} has no list {lookup}")


@dataclass(frozen=True, slots=True)
class ColumnTerm:
    """A column of a row, as text."""

    row: RowVariable
    name: str

    @property
    def is_date(self) -> bool:
        """Whether it holds a date, which may be incomplete."""
        return self.row.record.column(self.name).field.kind in DATES


@dataclass(frozen=True, slots=True)
class ConstantTerm:
    """Text that stands in the rule: a code, or a date in ISO 8601."""

    text: str


@dataclass(frozen=True, slots=True)
class Today:
    """The legal day on which the rules are checked."""


@dataclass(frozen=True, slots=True)
class Form:
    """The text of a column in another form, such as the letters of a name without tone marks."""

    form: TextForm
    column: ColumnTerm


Term = ColumnTerm | ConstantTerm | Today | Form


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both terms have a value, and these are the same text, or (``operator`` ``!=``) are not."""

    operator: str
    left: Term
    right: Term


@dataclass(frozen=True, slots=True)
class DateComparison:
    """Both dates are recorded and, as far as both are, stand so: ``=``, ``!=`` or ``<``."""

    operator: str
    left: ColumnTerm | ConstantTerm | Today
    right: ColumnTerm | ConstantTerm | Today


@dataclass(frozen=True, slots=True)
class Likeness:
    """Both terms have a value, and the text has, or has not, the pattern of SQL's LIKE."""

    text: Term
    pattern: Term
    holds: bool


@dataclass(frozen=True, slots=True)
class Membership:
    """The value of a column is one of these codes."""

    column: ColumnTerm
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Presence:
    """The column has a value, or (``present`` False) has none."""

    column: ColumnTerm
    present: bool


@dataclass(frozen=True, slots=True)
class PersonCheck:
    """The column holds a number of the person, or (``same`` False) that of somebody else."""

    column: ColumnTerm
    same: bool


@dataclass(frozen=True, slots=True)
class IdentityOrder:
    """The first row comes before the second by identity: each pair of a list counts once."""

    first: RowVariable
    second: RowVariable


@dataclass(frozen=True, slots=True)
class Conjunction:
    """All parts hold."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Disjunction:
    """At least one part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class NoRow:
    """The list has no row of which the condition holds. It can be said of complete lists only."""

    row: RowVariable
    where: Condition


Condition = (
    Comparison
    | DateComparison
    | Likeness
    | Membership
    | Presence
    | PersonCheck
    | IdentityOrder
    | Conjunction
    | Disjunction
    | NoRow
)


def all_of(*parts: Condition) -> Conjunction:
    """Return the condition that all parts hold, flat: parts that are conjunctions are opened."""
    flat: list[Condition] = []
    for part in parts:
        flat += part.parts if isinstance(part, Conjunction) else (part,)
    return Conjunction(tuple(flat))


def any_of(*parts: Condition) -> Disjunction:
    """Return the condition that at least one part holds."""
    return Disjunction(parts)


def equal(left: Term, right: Term) -> Comparison:
    """Both have a value, and it is the same."""
    return Comparison("=", left, right)


def differ(left: Term, right: Term) -> Comparison:
    """Both have a value, and it is not the same."""
    return Comparison("!=", left, right)


def dates_disagree(left: ColumnTerm, right: ColumnTerm) -> DateComparison:
    """Both dates are recorded, and cannot be the same day."""
    return DateComparison("!=", left, right)


def dates_agree(left: ColumnTerm, right: ColumnTerm) -> DateComparison:
    """Both dates are recorded, and may be the same day."""
    return DateComparison("=", left, right)


def surely_before(
    earlier: ColumnTerm | ConstantTerm | Today, later: ColumnTerm | ConstantTerm | Today
) -> DateComparison:
    """Both dates are recorded, and the first is before the second, whatever is left open."""
    return DateComparison("<", earlier, later)


def like(text: Term, pattern: Term) -> Likeness:
    """The text has the pattern: ``%`` stands for any text."""
    return Likeness(text, pattern, True)


def unlike(text: Term, pattern: Term) -> Likeness:
    """Both have a value, and the text does not have the pattern."""
    return Likeness(text, pattern, False)


def is_among(column: ColumnTerm, *codes: str) -> Membership:
    """The column has one of these codes; raises KeyError for one that is not declared."""
    enumeration = column.row.record.column(column.name).field.enumeration
    if enumeration is not None:
        for code in codes:
            enumeration[code]
    return Membership(column, codes)


def is_absent(column: ColumnTerm) -> Presence:
    """The column has no value."""
    return Presence(column, False)


def is_present(column: ColumnTerm) -> Presence:
    """The column has a value."""
    return Presence(column, True)


def is_the_person(column: ColumnTerm) -> PersonCheck:
    """The number is a present or earlier one of the person."""
    return PersonCheck(column, True)


def is_somebody_else(column: ColumnTerm) -> PersonCheck:
    """There is a number, and it is none of the person's."""
    return PersonCheck(column, False)


def no_row(row: RowVariable, *conditions: Condition) -> NoRow:
    """The list of ``row`` has no row of which all these conditions hold."""
    return NoRow(row, all_of(*conditions))


def columns_of(item: Condition | Term) -> Iterator[ColumnTerm]:
    """Yield every column that a condition or term reads; those of inner rows too."""
    match item:
        case ColumnTerm():
            yield item
        case Form():
            yield item.column
        case Comparison() | DateComparison():
            yield from columns_of(item.left)
            yield from columns_of(item.right)
        case Likeness():
            yield from columns_of(item.text)
            yield from columns_of(item.pattern)
        case Membership() | Presence() | PersonCheck():
            yield item.column
        case IdentityOrder():
            yield item.first[item.first.record.identity]
            yield item.second[item.second.record.identity]
        case Conjunction() | Disjunction():
            for part in item.parts:
                yield from columns_of(part)
        case NoRow():
            yield from columns_of(item.where)
        case _:
            return


def forms_of(item: Condition | Term) -> Iterator[Form]:
    """Yield every form of a column that a condition computes."""
    match item:
        case Form():
            yield item
        case Comparison():
            yield from forms_of(item.left)
            yield from forms_of(item.right)
        case Likeness():
            yield from forms_of(item.text)
            yield from forms_of(item.pattern)
        case Conjunction() | Disjunction():
            for part in item.parts:
                yield from forms_of(part)
        case NoRow():
            yield from forms_of(item.where)
        case _:
            return


def inner_rows(item: Condition) -> Iterator[RowVariable]:
    """Yield the variables of ``no_row`` in a condition."""
    match item:
        case Conjunction() | Disjunction():
            for part in item.parts:
                yield from inner_rows(part)
        case NoRow():
            yield item.row
            yield from inner_rows(item.where)
        case _:
            return
