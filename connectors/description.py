"""The frozen description of databases and records.

A connector's annotated classes (``connectors.declaration``) are turned once, at import, into these
objects. Schema, SQL, scopes, documentation and the synthetic tables are derived from them; nothing
downstream reads the classes again. Everything here is immutable, hashable and free of I/O.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property


@dataclass(frozen=True, slots=True)
class Text:
    """A phrase in Vietnamese and in English."""

    vi: str
    en: str

    def __str__(self) -> str:
        """Return both languages on one line, Vietnamese first."""
        return f"{self.vi} / {self.en}"


@cache
def _title(member: Coded) -> Text:
    vi, en = member.value
    return Text(vi, en)


class Coded(enum.Enum):
    """An enumeration of a database: each member is ``NAME = (Vietnamese, English)``.

    The *name* of the member is the code that is stored and that GraphQL shows.
    """

    #: Members are compared by identity; the hash that ``enum`` has is a call of Python.
    __hash__ = object.__hash__

    @property
    def title(self) -> Text:
        """The member's title in both languages."""
        return _title(self)


class Sensitivity(enum.IntEnum):
    """How sensitive a field is (``domain.md`` section 2; Decree 356/2025 Art. 3 and 4)."""

    __hash__ = int.__hash__

    PUBLIC = 0
    BASIC = 1
    SENSITIVE = 2
    RESTRICTED = 3


class Group(Coded):
    """The lifecycle group of a database. Groups are configuration: they change over time."""

    OPERATING = "đang vận hành", "operating"
    UNDER_CONSTRUCTION = "đang xây dựng", "under construction"
    BUILT_NOT_OPERATING = "đã xây dựng, chưa vận hành", "built, not yet operating"
    PLANNED = "dự kiến xây dựng", "planned"


class Kind(enum.Enum):
    """The type of a leaf of a record; ``connectors.codec`` decodes each."""

    STRING = "string"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    DECIMAL = "decimal"
    DATE = "date"
    PARTIAL_DATE = "partial date"
    DATETIME = "datetime"
    PERSON_NUMBER = "person number"
    ENTERPRISE_CODE = "enterprise code"
    ENUM = "enum"
    STRUCT = "struct"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record or of a struct.

    ``required``: a row without a value here is unreadable (BAD_RECORD). Use it only where the
    record is meaningless without the value: digitised records lack almost everything else.
    ``many``: a list of values, stored as JSON text. ``person``: the field holds the number of a
    person; the value names the GraphQL field that leads to that person. ``dimension``: statistics
    may group by it.
    """

    name: str
    title: Text
    kind: Kind
    sensitivity: Sensitivity
    required: bool = False
    many: bool = False
    enumeration: type[Coded] | None = None
    struct: Struct | None = None
    person: str | None = None
    dimension: bool = False


@dataclass(frozen=True)
class Struct:
    """A named group of fields that is stored flat, column by column."""

    name: str
    title: Text
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One leaf of a record as it is stored: ``birth_place_commune`` for ``birth_place.commune``.

    ``sensitivity`` is the highest on the way down to the leaf. A row in which a ``required``
    column has no value is unreadable.
    """

    name: str
    path: tuple[str, ...]
    field: Field
    sensitivity: Sensitivity
    required: bool


@dataclass(frozen=True, slots=True)
class RootField:
    """A root field of the schema that finds records by another key than a person's number."""

    field: str
    argument: str


@dataclass(frozen=True, slots=True)
class Lookup:
    """A list of records and the key that leads to it.

    ``by``: names of the columns that may hold the key; a row is found if any of them does (a
    marriage by husband or wife). ``on``: ``(record, column)`` of the parent record of the list;
    None when the key is a person's number. ``hidden``: used by the gateway itself, not shown in the
    schema. ``through``: ``(record, column)``; ``by`` then names columns of *that* record, and the
    list holds the rows whose ``column`` equals the ``column`` of a row found there. ``entry``:
    callers name the key, of a thing, by a root field. ``organisation``: the key is the code of an
    organisation, and the list stands in its section under this name.
    """

    name: str
    title: Text
    by: tuple[str, ...]
    on: tuple[str, str] | None = None
    hidden: bool = False
    through: tuple[str, str] | None = None
    entry: RootField | None = None
    organisation: str | None = None


@dataclass(frozen=True, slots=True)
class EventKind:
    """A kind of event in people's lives, in whichever databases: ``MARRIED``.

    Databases that record the same kind of event declare the same ``code`` with the same title.
    """

    code: str
    title: Text


@dataclass(frozen=True, slots=True)
class RecordEvent:
    """A date of a record that is an event in the life of whoever's list the record is in.

    ``column``: holds the date. ``lookup``: the list in which the date is such an event; the same
    birth is another event for the child than for its parents.
    """

    column: str
    kind: EventKind
    lookup: str

    @property
    def code(self) -> str:
        """The code of the kind of event."""
        return self.kind.code

    @property
    def title(self) -> Text:
        """The title of the kind of event."""
        return self.kind.title


@dataclass(frozen=True, slots=True)
class RowTest:
    """True of the rows whose ``column`` has one of ``values``; None among them: or has no value."""

    column: str
    values: frozenset[object]

    def holds(self, record: Record, row: Row) -> bool:
        """Say whether it is true of ``row``, a decoded row of ``record``."""
        return row[record.positions[self.column]] in self.values


class ChangeTrigger(enum.Enum):
    """What of a row is news. A row *counts* where it passes ``ChangeRule.when``.

    CREATED: a row that counts was created. ENTERED: an existing row counts that did not before.
    NUMBERED: a row that counts, and did before, names a person whom it did not name. CHANGED: a row
    that counts, and did before, says something else in a field that is not RESTRICTED nor in
    ``ChangeRule.ignored``; of those whom it named before. DELETED: a row that counted was deleted.
    KEYED: a row that counts, and did before, gets the number by which ``ChangeRule.sole`` can be
    checked; of those whom it names and named before.
    """

    CREATED = "created"
    ENTERED = "entered"
    NUMBERED = "numbered"
    KEYED = "keyed"
    CHANGED = "changed"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class PeopleRead:
    """Rows that name the people whom a change concerns, where the changed row does not.

    The people are in ``ChangeRule.people`` of the rows of ``record`` that its list ``lookup`` has
    of the key in column ``key`` of the changed row.
    """

    record: str
    lookup: str
    key: str


@dataclass(frozen=True, slots=True)
class ChangeRule:
    """Which change of a row is an event in people's lives; ``connectors.changes.rules`` applies it.

    ``kind``: of the event, e.g. ``BIRTH``. ``lookup``: the list in which its people see the row.
    ``people``: columns with their numbers, of the changed row, or of the rows that ``read`` names.
    ``shown``: the record that the event names and the column of the changed row with its identity:
    a party's row tells of the case. ``date``: the column that says when it happened.

    ``triggers``, ``when``, ``unless``: a change is an event where a trigger applies to rows of
    which all of ``when`` are true. Where any of ``unless`` is true, of the row before or after,
    there is no event at all: the law conceals it, or it is no news. ``recent``: a column and days:
    nor where that date is unknown, or longer before the change. ``sole``: nor where that list has
    another row, concealed ones included, under the same number, or the row has no number: the
    gateway reads it. ``repeatable``: whether to tell it again where the source cannot tell whether
    it is news; if not, such a change is no event. ``ignored``: see ``ChangeTrigger.CHANGED``.
    """

    kind: str
    lookup: str
    people: tuple[str, ...]
    read: PeopleRead | None
    shown: tuple[str, str]
    date: str | None
    triggers: frozenset[ChangeTrigger]
    when: tuple[RowTest, ...]
    unless: tuple[RowTest, ...]
    recent: tuple[str, int] | None
    sole: str | None
    repeatable: bool
    ignored: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a record or database covers: an empty list means "none *within this*".

    ``provinces``: codes of the 34 provinces, None for the whole country. ``since``: first day of
    registration that is covered, None when not stated. ``includes`` / ``excludes``: kinds.
    ``unnumbered``: whether some records hold no number of the person, so that no lookup by number
    finds them; None when not stated.
    """

    provinces: tuple[str, ...] | None = None
    since: date | None = None
    includes: tuple[Text, ...] = ()
    excludes: tuple[Text, ...] = ()
    unnumbered: bool | None = None


@dataclass(frozen=True, eq=False)
class Record:
    """One kind of record in a database. Equal to itself only, so it is a cheap dictionary key.

    ``columns`` are the leaves in declared order; a row is a tuple in that order. ``identity``: the
    column that identifies a row of its table and breaks ties in order. ``date`` / ``status``: the
    columns behind the list arguments, None where there are none. ``single``: at most one row
    belongs to a key (``item`` instead of ``items``). ``limit``: how many rows of a key a list shows
    at most. ``reserve``: how many more a source is asked for, where rules of law may hide some;
    more than both makes the list ``truncated``. ``events``: the dates that stand in timelines, in
    the order in which they happen. ``where``: file and line of the declaration, for messages.
    ``province`` and ``birth_date``: the columns by which statistics count it by province and by age
    (``gateway.statistics``), None where they do not. ``changes``: which of its changes are events.
    """

    database: str
    name: str
    type_name: str
    title: Text
    table: str
    fields: tuple[Field, ...]
    columns: tuple[Column, ...]
    lookups: tuple[Lookup, ...]
    identity: str
    date: str | None
    status: str | None
    single: bool
    limit: int
    coverage: Coverage | None
    reserve: int = 0
    events: tuple[RecordEvent, ...] = ()
    where: str = ""
    province: str | None = None
    birth_date: str | None = None
    changes: tuple[ChangeRule, ...] = ()

    @property
    def fetch_limit(self) -> int:
        """How many rows of a key a source is asked for."""
        return self.limit + self.reserve

    @cached_property
    def positions(self) -> dict[str, int]:
        """Column name -> its position in a row."""
        return {column.name: place for place, column in enumerate(self.columns)}

    def column(self, name: str) -> Column:
        """Return the column called ``name``; raises KeyError when there is none."""
        return self.columns[self.positions[name]]


@dataclass(frozen=True)
class Database:
    """One specialised database: its owner, legal basis, lifecycle group and records.

    ``contact``: whom to call when it does not answer; None: nobody is named.
    """

    name: str
    title: Text
    owner: Text
    legal_basis: tuple[str, ...]
    group: Group
    coverage: Coverage
    records: tuple[Record, ...] = ()
    contact: str | None = None

    @cached_property
    def by_name(self) -> dict[str, Record]:
        """Record name -> record."""
        return {record.name: record for record in self.records}


#: One row of a record: decoded values in the order of ``Record.columns``.
Row = tuple[object, ...]
