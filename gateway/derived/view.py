"""Derived views: how one is declared, and what its function is given and returns.

A view is one file: the rule with its legal source in the docstring, a pure function, and a
``DerivedView``; ``gateway.derived.registry.ALL`` lists them. A view of a person reads lists of any
databases, all of them in one wave::

    def life_status(evidence: Evidence) -> Conclusion:
        \"\"\"Law on Civil Status 60/2014/QH13 Art. 32-34: the book of deaths.\"\"\"
        deaths = evidence.list("civil_status.deaths")
        for row in deaths.rows:
            if deaths.value(row, "status") in IN_FORCE:
                return Conclusion.of(LifeState.DEAD, deaths.basis(row))
        if deaths.reason is not None:  # failed, truncated, stale, unreadable ...
            return Conclusion.unknown(deaths.reason)
        return Conclusion.of(LifeState.ALIVE)

    DERIVED = DerivedView(
        database=PERSON,  # a field of Person; otherwise of the section of this database
        name="life_status",  # lifeStatus in the schema, person.life_status in scopes and journal
        type_name="LifeStatusFact",
        title=Text("tình trạng sống", "whether the person lives"),
        value=LifeState,  # bool, str, date, an enumeration, a dataclass, or list[...] of these
        lists=("civil_status.deaths",),
        compute=life_status,
    )

What depends on rows comes in later waves: the function calls ``evidence.under(list, keys)``, whose
rows are empty and not complete until they are read, and ``evidence.person(number)``, None until it
is known whose number it is. It is called again when they are there, and whatever it asks for in one
call is read in one wave. ``later`` declares those lists, with how many keys they take at most.

The function never sees a row that protection hides from the caller (an adoption, a replaced birth),
nor one that the register did not hold on ``recordedBy``. A list that is not complete says so with a
reason, and "none" must not be concluded from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from connectors.description import Coded, Database, Lookup, Record, Row, Sensitivity, Text
from gateway.answer import Answer, Identification

#: In place of a database: the view is a field of Person itself, with scopes of this name.
PERSON = "person"


class UnknownReason(Coded):
    """Why the value of a fact is not known."""

    DENIED = "mã truy cập không đủ quyền", "scope or purpose lacking"
    NOT_IDENTIFIED = "chưa xác định được người", "nobody is known by this number"
    NUMBERS_INCOMPLETE = (
        "chưa xác định đủ các số của người này",
        "not all numbers are known under which records may be filed",
    )
    SOURCE_FAILED = "nguồn không trả lời", "a database did not answer"
    NOT_OPERATING = "nguồn chưa vận hành", "a database or record is not live here"
    STALE = "chỉ có dữ liệu lưu tạm", "there are older rows only, because a database failed"
    UNREADABLE = "có bản ghi không đọc được", "a record could not be read"
    TRUNCATED = "có nhiều bản ghi hơn số đọc được", "there are more records than were read"
    NOT_COVERED = (
        "sự việc có thể chưa được đăng ký hoặc chưa số hóa",
        "what happened may not be in the registers: not registered, or not digitised",
    )
    NOT_RECORDED = "bản ghi thiếu nội dung quyết định", "a record lacks what decides"
    CONTRADICTORY = "các bản ghi mâu thuẫn", "records contradict each other"
    NOT_BORN = "chưa sinh vào ngày đó", "the person was not born yet on that day"
    NO_HISTORY = (
        "nguồn không lưu nội dung của thời điểm đó",
        "the register does not say what it held on that day",
    )
    TOO_MANY_PEOPLE = "quá nhiều người", "it would take more people than may be looked at"
    NOT_IN_OWN_RECORDS = (
        "không có trong hồ sơ của chính công dân",
        "it does not stand in the citizen's own records",
    )


@dataclass(frozen=True, slots=True)
class Basis:
    """A row that a value rests on, in the list that it was read from."""

    facts: Facts
    row: Row


@dataclass(frozen=True, slots=True)
class BasisRecord:
    """A record that a fact rests on: ``id`` is its ``recordId``; ``as_of``: the source's word."""

    database: str
    record: str
    id: str
    as_of: datetime | None


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """The rows of one list that a view rests on.

    ``complete``: they are all that there are; ``reason``: why not. ``name``: of the list
    (``database.lookup``). ``answer``: where they come from; None in tests. ``is_read``: False while
    they are on their way: the function is called again.
    """

    record: Record
    rows: Sequence[Row]
    complete: bool
    reason: UnknownReason | None = None
    name: str = ""
    answer: Answer | None = None
    is_read: bool = True

    def value(self, row: Row, column: str) -> Any:
        """Return a column of a row by its name."""
        return row[self.record.positions[column]]

    def code(self, row: Row, column: str) -> str | None:
        """Return the code of an enumeration in a row."""
        value = self.value(row, column)
        return value.name if isinstance(value, Coded) else value

    def basis(self, *rows: Row) -> tuple[Basis, ...]:
        """Return ``rows`` as what a value rests on."""
        return tuple(Basis(self, row) for row in rows)


@dataclass(frozen=True, slots=True)
class Question:
    """What a view is asked.

    ``valid_on``: of which day the answer is to hold. ``recorded_by``: from what the registers held
    by the end of that day; None: hold now. ``today``: the legal date. ``sector``: of violations.
    ``rules``: codes of conflict rules, None: all.
    """

    valid_on: date
    today: date
    recorded_by: date | None = None
    sector: str | None = None
    rules: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What follows: a value and the rows that it rests on, or why it is not known."""

    value: object
    reason: UnknownReason | None = None
    basis: tuple[Basis, ...] = ()

    @staticmethod
    def of(value: object, *basis: tuple[Basis, ...]) -> Conclusion:
        """Return that the value is known, and what it rests on."""
        return Conclusion(value, None, tuple(row for rows in basis for row in rows))

    @staticmethod
    def unknown(reason: UnknownReason) -> Conclusion:
        """Return that the value is not known."""
        return Conclusion(None, reason)


@dataclass(frozen=True, slots=True)
class RelatedPerson:
    """Somebody to whom records lead. ``numbers``: all that are theirs alone, the present one first.

    ``is_shared``: the number belongs to several people, so that nobody is shown.
    """

    numbers: tuple[str, ...]
    identification: Identification
    is_shared: bool = False


class Evidence(Protocol):
    """What is known for a view of one person, and the way to ask for more."""

    @property
    def question(self) -> Question:
        """What is asked."""

    @property
    def numbers(self) -> tuple[str, ...]:
        """The person's numbers, the present one first."""

    @property
    def identification(self) -> Identification:
        """Whether the person is identified."""

    @property
    def is_own_view(self) -> bool:
        """Whether it is the citizen's own view, which shows what stands in their records only."""

    def list(self, name: str) -> Facts:
        """Return a list of ``DerivedView.lists``, under the person's numbers."""

    def under(self, name: str, keys: Sequence[str], of: RelatedPerson | None = None) -> Facts:
        """Return a list under other keys; until they are read, one that is not complete.

        ``of``: the person whose numbers ``keys`` are, where they are somebody's.
        """

    def person(self, number: str) -> RelatedPerson | None:
        """Return whose ``number`` is; None until that is known."""

    def may_show(self, name: str, column: str) -> bool:
        """Say whether the caller may see a column of the person's list."""


@dataclass(frozen=True, slots=True)
class LaterReads:
    """A list that is read in a later wave.

    ``keys``: how many at most; the name of a list: as many as its rows.
    """

    name: str
    keys: int | str


@dataclass(frozen=True, eq=False)
class DerivedView:
    """One derived view of a person. Equal to itself only.

    ``database``: whose section has the field, or ``PERSON``. ``type_name``: of what it answers;
    ``value``: of its value. ``lists``: ``database.lookup``, read under the person's numbers.
    ``later``: lists of later waves; ``people``: how many other people are looked at, at most.
    ``compute``: pure; see above. ``arguments``: by which names of ``Question`` it is asked.
    ``history_purposes``: purposes for which it is answered of days before today, None for all;
    citizens always may ask. ``sensitivity``: of the scope that opens it. ``accepts_cached``: rows
    read before, within the freshness that settings allow, are complete. ``needs_full_coverage``: a
    list that covers a part of the country or of time does not say "none". ``reads_what_is_shown``:
    the value shows what records say, so that the function itself asks for lists, and only for those
    that the caller may see. ``complete_value``: makes the value of the schema out of the
    function's; it is given what names the record of a basis, None where the caller may not read it.
    """

    database: str
    name: str
    type_name: str
    title: Text
    lists: tuple[str, ...]
    compute: Callable[[Evidence], Conclusion]
    value: object = bool
    later: tuple[LaterReads, ...] = ()
    people: int = 0
    arguments: tuple[str, ...] = ("valid_on", "recorded_by")
    history_purposes: frozenset[str] | None = None
    sensitivity: Sensitivity = Sensitivity.BASIC
    accepts_cached: bool = True
    needs_full_coverage: bool = False
    reads_what_is_shown: bool = False
    complete_value: Callable[[Any, Callable[[Basis], BasisRecord | None]], object] | None = None

    @property
    def is_of_person(self) -> bool:
        """Whether it is a field of Person itself."""
        return self.database == PERSON

    @property
    def reads(self) -> tuple[str, ...]:
        """Every list that it may read, those of the first wave first."""
        return tuple(dict.fromkeys((*self.lists, *(later.name for later in self.later))))


#: Record and lookup of each list, by ``database.lookup``.
ListReads = Mapping[str, tuple[Record, Lookup]]


def reads_of(derived: DerivedView, databases: Sequence[Database]) -> ListReads | None:
    """Return record and lookup of every list of the view; None: one of them is not declared."""
    declared = {
        f"{database.name}.{lookup.name}": (record, lookup)
        for database in databases
        for record in database.records
        for lookup in record.lookups
    }
    if not declared.keys() >= set(derived.reads):
        return None
    return {name: declared[name] for name in derived.reads}


@dataclass(slots=True)
class Needs:
    """What an evaluation lacked: lists under keys, and whose numbers are."""

    lists: dict[tuple[str, tuple[str, ...]], None] = field(default_factory=dict)
    people: dict[str, None] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Return whether anything was lacking."""
        return bool(self.lists or self.people)
