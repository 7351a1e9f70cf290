"""The language in which a connector declares its database.

A record is a plain annotated class; each field is one line::

    @struct("Nơi", "Place")
    class Place:
        commune: str | None = field("xã, phường", "Commune", BASIC)

    @record(
        ("Khai sinh", "Birth registration"),
        lookups=[lookup("births", "Khai sinh", "Births", by="citizen_id")],
        identity="event_id", date="registration_date", status="status",
        events=[event("birth_date", "BORN", "sinh", "born")],
    )
    class Birth:
        event_id: str = field("mã sự kiện", "Event id", BASIC)
        citizen_id: PersonNumber = field("số định danh", "Person number", BASIC, person="person")
        birth_place: Place | None = field("nơi sinh", "Place of birth", BASIC)

    DATABASE = database("civil_status", ..., records=[Birth])

``X | None`` declares that the source may have no value. A row without a value of a plain ``X`` is
unreadable (inside a struct nothing is required). ``tuple[X, ...]`` is a list. ``database`` turns
the classes into a frozen description (``connectors.description``) and raises DeclarationError,
naming class and field, for contradictions.
"""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from connectors.change_rules import ChangeMark, resolve_changes
from connectors.description import (
    Coded,
    Column,
    Coverage,
    Database,
    EventKind,
    Field,
    Group,
    Kind,
    Lookup,
    Record,
    RecordEvent,
    RootField,
    Sensitivity,
    Struct,
    Text,
)
from connectors.values import EnterpriseCode, PartialDate, PersonNumber

PUBLIC, BASIC, SENSITIVE, RESTRICTED = Sensitivity

_T = TypeVar("_T")

#: The code of a kind of event.
_CODE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
_DATES = frozenset({Kind.DATE, Kind.PARTIAL_DATE, Kind.DATETIME})
#: What the key of an entry, or the code of an organisation, may be.
_TEXT = frozenset({Kind.STRING, Kind.ENTERPRISE_CODE})

_KINDS: dict[object, Kind] = {
    str: Kind.STRING,
    int: Kind.INTEGER,
    bool: Kind.BOOLEAN,
    Decimal: Kind.DECIMAL,
    date: Kind.DATE,
    PartialDate: Kind.PARTIAL_DATE,
    datetime: Kind.DATETIME,
    PersonNumber: Kind.PERSON_NUMBER,
    EnterpriseCode: Kind.ENTERPRISE_CODE,
}


class DeclarationError(Exception):
    """A connector's declaration contradicts itself.

    The message starts with file and line and names class and field.
    """


#: Where a class body keeps its field marks: a name declared twice leaves one behind.
_MARKS = "__field_marks__"


@dataclass(frozen=True, slots=True)
class _FieldMark:
    title: Text
    sensitivity: Sensitivity
    person: str | None
    dimension: bool
    where: str


#: A date that is an event, as declared: column, kind, and the list if it is not the first.
EventMark = tuple[str, EventKind, str | None]


@dataclass(frozen=True, slots=True)
class _RecordMark:
    where: str
    name: str
    title: Text
    lookups: tuple[Lookup, ...]
    identity: str
    date: str | None
    status: str | None
    single: bool
    limit: int
    reserve: int
    coverage: Coverage | None
    sensitivity: Sensitivity
    events: tuple[EventMark, ...]
    province: str | None
    birth_date: str | None
    changes: tuple[ChangeMark, ...]


def field(
    vi: str,
    en: str,
    sensitivity: Sensitivity,
    *,
    person: str | None = None,
    dimension: bool = False,
) -> Any:
    """Declare a field: its title in both languages and its sensitivity.

    ``person`` names the GraphQL field that leads to the person whose number this is (a list of
    people where the field holds several); ``dimension`` lets statistics group by it.
    """
    frame = sys._getframe(1)
    mark = _FieldMark(Text(vi, en), sensitivity, person, dimension, _where(frame))
    frame.f_locals.setdefault(_MARKS, []).append(mark)
    return mark


def _where(frame: types.FrameType) -> str:
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def lookup(
    name: str,
    vi: str,
    en: str,
    *,
    by: str | Sequence[str],
    on: tuple[str, str] | None = None,
    hidden: bool = False,
    through: tuple[str, str] | None = None,
    entry: tuple[str, str] | None = None,
    organisation: str | None = None,
) -> Lookup:
    """Declare a list of records reached by a key; see ``description.Lookup``.

    ``by`` names fields, dotted inside structs (``mother.citizen_id``). ``entry``: the root field of
    the schema that leads to the list, and its argument, where the key is not a person's number.
    ``organisation``: the list's name in an organisation's section, where the key is its code; a
    list of people's under that name is read for those whose citizen ID is their tax code.
    """
    fields = (by,) if isinstance(by, str) else tuple(by)
    by = tuple(f.replace(".", "_") for f in fields)
    way = None if entry is None else RootField(*entry)
    hidden = hidden or organisation is not None
    return Lookup(name, Text(vi, en), by, on, hidden, through, way, organisation)


def event(column: str, code: str, vi: str, en: str, *, within: str | None = None) -> EventMark:
    """Declare that a date is an event, for the timeline of the person whose list it is in.

    ``column`` names the field, dotted inside structs. ``code``: of the kind of event, in capitals;
    ``vi``, ``en``: its title. ``within``: the list in which it is such an event, else the first of
    the record. A date without a value is no event.
    """
    return column.replace(".", "_"), EventKind(code, Text(vi, en)), within


def struct(vi: str, en: str) -> Callable[[type[_T]], type[_T]]:
    """Declare a class as a struct: a named group of fields stored flat in its record."""

    def mark(cls: type[_T]) -> type[_T]:
        setattr(cls, "__struct__", Text(vi, en))  # noqa: B010 - any class, as mypy sees it, lacks it
        return cls

    return mark


def record(
    title: tuple[str, str],
    *,
    lookups: Sequence[Lookup],
    identity: str,
    name: str | None = None,
    date: str | None = None,
    status: str | None = None,
    single: bool = False,
    limit: int = 200,
    reserve: int = 0,
    coverage: Coverage | None = None,
    sensitivity: Sensitivity = Sensitivity.PUBLIC,
    events: Sequence[EventMark] = (),
    province: str | None = None,
    birth_date: str | None = None,
    changes: Sequence[ChangeMark] = (),
) -> Callable[[type[_T]], type[_T]]:
    """Declare a class as a record.

    Its name, and its table's, is ``name``, or the name of its first lookup. No field of it is less
    sensitive than ``sensitivity``. ``province``: a field with the code of a province, or a number
    of a person, whose first digits are one; ``birth_date``: a date. Statistics count by them.
    ``changes``: which changes are events (``connectors.change_rules``); by default, none.
    """
    where = _where(sys._getframe(1))

    def mark(cls: type[_T]) -> type[_T]:
        record_mark = _RecordMark(
            where=where,
            name=name or lookups[0].name,
            title=Text(*title),
            lookups=tuple(lookups),
            identity=identity,
            date=date,
            status=status,
            single=single,
            limit=limit,
            reserve=reserve,
            coverage=coverage,
            sensitivity=sensitivity,
            events=tuple(events),
            province=province and province.replace(".", "_"),
            birth_date=birth_date and birth_date.replace(".", "_"),
            changes=tuple(changes),
        )
        setattr(cls, "__record__", record_mark)  # noqa: B010 - as in struct()
        return cls

    return mark


def database(
    name: str,
    *,
    title: tuple[str, str],
    owner: tuple[str, str],
    legal_basis: Sequence[str],
    group: Group,
    coverage: Coverage | None = None,
    records: Sequence[type] = (),
    contact: str | None = None,
) -> Database:
    """Turn declared classes into the frozen description of a database."""
    described = tuple(_record(name, cls) for cls in records)
    _check_names(name, records)
    for description, cls in zip(described, records, strict=True):
        _check(f"{_mark(cls).where}: {name}.{description.name}", description)
    _check_lookups(name, described)
    _check_entries(name, described)
    _check_organisations(name, described)
    try:
        described = resolve_changes(described, [_mark(cls).changes for cls in records])
    except ValueError as error:
        raise DeclarationError(str(error)) from None
    return Database(
        name,
        Text(*title),
        Text(*owner),
        tuple(legal_basis),
        group,
        coverage or Coverage(),
        described,
        contact,
    )


def _mark(cls: type) -> _RecordMark:
    mark = cls.__dict__.get("__record__")
    if not isinstance(mark, _RecordMark):
        raise DeclarationError(f"{cls.__module__}.{cls.__name__} is not declared with @record")
    return mark


def _record(database_name: str, cls: type) -> Record:
    mark = _mark(cls)
    fields = _fields(cls)
    return Record(
        database=database_name,
        name=mark.name,
        type_name=cls.__name__,
        title=mark.title,
        table=mark.name,
        fields=fields,
        columns=tuple(_columns(fields, (), mark.sensitivity)),
        lookups=mark.lookups,
        identity=mark.identity,
        date=mark.date,
        status=mark.status,
        single=mark.single,
        limit=mark.limit,
        coverage=mark.coverage,
        reserve=mark.reserve,
        events=tuple(
            RecordEvent(column, kind, within or mark.lookups[0].name)
            for column, kind, within in mark.events
        ),
        where=mark.where,
        province=mark.province,
        birth_date=mark.birth_date,
    )


def _fields(cls: type) -> tuple[Field, ...]:
    """Describe the fields of a class, those of its base classes first."""
    hints = get_type_hints(cls)
    marks: dict[str, _FieldMark] = {}
    for base in reversed(cls.__mro__):
        class_marks = {n: m for n, m in vars(base).items() if isinstance(m, _FieldMark)}
        for mark in vars(base).get(_MARKS, ()):
            if not any(mark is class_mark for class_mark in class_marks.values()):
                raise DeclarationError(f"{mark.where}: {base.__name__} declares a field twice")
        marks |= class_marks
    if not marks:
        raise DeclarationError(f"{cls.__name__} declares no fields")
    for bare in hints.keys() - marks.keys():
        raise DeclarationError(f"{cls.__name__}.{bare} is annotated but not declared with field()")
    return tuple(_field(cls, name, hints[name], mark) for name, mark in marks.items())


def _field(cls: type, name: str, hint: object, mark: _FieldMark) -> Field:
    where = f"{mark.where}: {cls.__name__}.{name}"
    inner, optional = _without_none(hint)
    many = get_origin(inner) is tuple
    if many:
        inner = get_args(inner)[0]
    enumeration = inner if isinstance(inner, type) and issubclass(inner, Coded) else None
    nested = _struct(inner) if hasattr(inner, "__struct__") else None
    kind = Kind.ENUM if enumeration else Kind.STRUCT if nested else _KINDS.get(inner)
    if kind is None:
        raise DeclarationError(f"{where} has a type that records cannot hold: {hint}")
    if many and nested:
        raise DeclarationError(f"{where}: a list of structs is a record of its own, hung on this")
    if mark.person and kind is not Kind.PERSON_NUMBER:
        raise DeclarationError(f"{where} names a person but is no PersonNumber")
    return Field(
        name=name,
        title=mark.title,
        kind=kind,
        sensitivity=mark.sensitivity,
        required=not optional and not nested,
        many=many,
        enumeration=enumeration,
        struct=nested,
        person=mark.person,
        dimension=mark.dimension,
    )


def _without_none(hint: object) -> tuple[object, bool]:
    if get_origin(hint) in (Union, types.UnionType):
        rest = [arg for arg in get_args(hint) if arg is not type(None)]
        if len(rest) == 1:
            return rest[0], True
    return hint, False


_STRUCTS: dict[type, Struct] = {}


def _struct(cls: object) -> Struct:
    """Describe a struct once: the same class is the same GraphQL type everywhere."""
    assert isinstance(cls, type)
    if cls not in _STRUCTS:
        _STRUCTS[cls] = Struct(cls.__name__, vars(cls)["__struct__"], _fields(cls))
    return _STRUCTS[cls]


def _columns(
    fields: tuple[Field, ...],
    path: tuple[str, ...],
    above: Sensitivity,
) -> Iterator[Column]:
    for leaf in fields:
        leaf_path = (*path, leaf.name)
        sensitivity = max(above, leaf.sensitivity)
        if leaf.struct is not None:
            yield from _columns(leaf.struct.fields, leaf_path, sensitivity)
        else:
            # Whether a struct is there at all is up to the source: its leaves are never required.
            yield Column(
                "_".join(leaf_path), leaf_path, leaf, sensitivity, leaf.required and not path
            )


def _check_names(name: str, records: Sequence[type]) -> None:
    """Refuse two records of one name: the second would silently replace the first."""
    seen: dict[str, str] = {}
    for mark in (_mark(cls) for cls in records):
        if mark.name in seen:
            where = f"{mark.where}: {name}.{mark.name}"
            raise DeclarationError(f"{where} is declared at {seen[mark.name]} already")
        seen[mark.name] = mark.where


def _check(where: str, record: Record) -> None:
    columns = [column.name for column in record.columns]
    if len(set(columns)) != len(columns):
        raise DeclarationError(f"{where}: two fields flatten to the same column")
    counted_by = (record.date, record.status, record.province, record.birth_date)
    used = [record.identity, *(name for name in counted_by if name)]
    used += [column for lookup in record.lookups if not lookup.through for column in lookup.by]
    used += [lookup.through[1] for lookup in record.lookups if lookup.through]
    for column in used:
        if column not in columns:
            raise DeclarationError(f"{where}: there is no field {column}")
    if not record.column(record.identity).required:
        # Backends tell a link that leads nowhere by a row without identity, which can't be read.
        raise DeclarationError(
            f"{where}: {record.identity} is the identity, so it must be required"
        )
    for name in (record.date, record.birth_date):
        if name and record.column(name).field.kind not in _DATES:
            raise DeclarationError(f"{where}: {name} is no date")
    if record.status and record.column(record.status).field.kind is not Kind.ENUM:
        raise DeclarationError(f"{where}: {record.status} is no enumeration")
    _check_events(where, record)


def _check_events(where: str, record: Record) -> None:
    """Refuse events that cannot be placed, or that a timeline must not show."""
    lists = {entry.name for entry in record.lookups if not entry.hidden and entry.entry is None}
    if len({(event.column, event.lookup) for event in record.events}) < len(record.events):
        raise DeclarationError(f"{where} declares an event twice")
    for declared in record.events:
        place = f"{where}: the event {declared.kind.code}"
        if _CODE.fullmatch(declared.kind.code) is None:
            raise DeclarationError(f"{place} must be called in capitals, like MARRIED")
        if declared.lookup not in lists:
            raise DeclarationError(f"{place} is in no list {declared.lookup}")
        if declared.column not in record.positions:
            raise DeclarationError(f"{place} has no field {declared.column}")
        column = record.column(declared.column)
        if column.field.kind not in _DATES or column.field.many:
            raise DeclarationError(f"{place}: {declared.column} is no date")
        if column.sensitivity is Sensitivity.RESTRICTED:
            # What is RESTRICTED may be hidden by its very existence (adoptions, wills).
            raise DeclarationError(f"{place}: {declared.column} is RESTRICTED")


def _check_lookups(name: str, records: tuple[Record, ...]) -> None:
    parents = {record.name: record for record in records}
    seen: dict[str, str] = {}
    for record in records:
        for entry in record.lookups:
            where = f"{record.where}: {name}.{entry.name}"
            if entry.name in seen:
                raise DeclarationError(f"{where}: two lists are called so, see {seen[entry.name]}")
            seen[entry.name] = record.where
            _check_through(where, parents, entry)
            _check_parent(where, parents, entry)
            if entry.on is not None and any(event.lookup == entry.name for event in record.events):
                _check_parent_of_events(where, parents[entry.on[0]])


def _check_parent(where: str, parents: dict[str, Record], entry: Lookup) -> None:
    if entry.entry is not None and (entry.on is not None or entry.hidden):
        raise DeclarationError(f"{where} is an entry: it hangs on nothing and is not hidden")
    if entry.on is None:
        return
    if entry.hidden:
        raise DeclarationError(f"{where} hangs on a record, so it cannot be hidden")
    parent, column = entry.on
    if parent not in parents or column not in parents[parent].positions:
        raise DeclarationError(f"{where} hangs on {parent}.{column}: no such")


def _check_parent_of_events(where: str, parent: Record) -> None:
    """Require that the rows on which events hang are found by a person's number."""
    first = parent.lookups[0]
    if first.on is not None or first.entry is not None or first.hidden:
        raise DeclarationError(f"{where} has events, but {parent.name} is no list of a person")


def _check_entries(name: str, records: tuple[Record, ...]) -> None:
    """Refuse root fields whose key is no text, and filters that would reveal sensitive fields.

    The PUBLIC fields of a thing are open to whoever may find it. A filter by a more sensitive field
    would reveal its value.
    """
    if not any(entry.entry for record in records for entry in record.lookups):
        return
    by_name = {record.name: record for record in records}
    for record in records:
        for entry in record.lookups:
            holder = by_name[entry.through[0]] if entry.through else record
            if entry.entry and any(holder.column(key).field.kind not in _TEXT for key in entry.by):
                raise DeclarationError(
                    f"{record.where}: {name}.{entry.name} is an entry: its key is text, and "
                    "nobody's number"
                )
        public = any(column.sensitivity is Sensitivity.PUBLIC for column in record.columns)
        for filtered in (record.date, record.status):
            if public and filtered and record.column(filtered).sensitivity > Sensitivity.PUBLIC:
                raise DeclarationError(
                    f"{record.where}: {name}.{record.name} has PUBLIC fields, and {filtered}, "
                    "which it is filtered by, is kept closer: an entry would give it away"
                )


def _check_organisations(name: str, records: tuple[Record, ...]) -> None:
    """Refuse lists of organisations whose key is no text. They are hidden, so they hang nowhere."""
    by_name = {record.name: record for record in records}
    for record in records:
        for entry in record.lookups:
            holder = by_name[entry.through[0]] if entry.through else record
            kinds = {holder.column(key).field.kind for key in entry.by}
            if entry.organisation is not None and not kinds <= _TEXT:
                raise DeclarationError(
                    f"{record.where}: {name}.{entry.name} is of an organisation: its key is text, "
                    "and nobody's number"
                )


def _check_through(where: str, records: dict[str, Record], entry: Lookup) -> None:
    if entry.through is None:
        return
    other, column = entry.through
    for needed in (column, *entry.by):
        if other not in records or needed not in records[other].positions:
            raise DeclarationError(f"{where} goes through {other}.{needed}: no such")
