"""Bindings: from the GraphQL names of the planned types back to the declared databases.

The schema and the plans are derived from the same descriptions. Both take the lists of a record
from ``child_lists``, and those of a section from ``person_lists``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from strawberry.utils.str_converters import to_camel_case

from connectors.description import Database, Field, Kind, Lookup, Record
from gateway.catalogue.checks import CheckBinding, checks_of
from gateway.catalogue.entry_points import EntryPoint, entries_of
from gateway.catalogue.organisations import organisation_lists
from gateway.catalogue.verification import Verification, verification_of
from gateway.derived.event_lists import EventCatalogue, collect_event_lists
from gateway.derived.registry import derived_of
from gateway.derived.view import PERSON, DerivedView, ListReads, reads_of

#: People whom one column of a row may lead to. A row that names more of them leads to none, with an
#: error: their cost must be known before anything is read.
MOST_LINKED = 50


@dataclass(frozen=True, slots=True)
class FieldBinding:
    """A declared field, read from its column; or a struct."""

    field: Field


@dataclass(frozen=True, slots=True)
class ValidityBinding:
    """Whether the enterprise code in a field has its check digit right."""

    field: Field


@dataclass(frozen=True, slots=True)
class PersonLinkBinding:
    """The person whose number a field holds; the people, where it holds several."""

    field: Field


@dataclass(frozen=True, slots=True)
class RecordIdBinding:
    """The opaque name of a record."""


@dataclass(frozen=True, slots=True)
class ListBinding:
    """A list of records. ``column``: of the record it hangs on, None where it is a person's."""

    record: Record
    lookup: Lookup
    column: str | None = None


Binding = FieldBinding | ValidityBinding | PersonLinkBinding | RecordIdBinding | ListBinding


@dataclass(frozen=True, slots=True)
class DerivedBinding:
    """A derived view, with record and lookup of each list that it reads."""

    derived: DerivedView
    reads: ListReads

    @property
    def databases(self) -> tuple[str, ...]:
        """The databases that it reads."""
        return tuple(dict.fromkeys(record.database for record, _ in self.reads.values()))


@dataclass(frozen=True, slots=True)
class SectionBinding:
    """A database's part of a person's view: its lists by GraphQL name, in declared order.

    ``computed``: its derived views, likewise.
    """

    database: Database
    lists: Mapping[str, ListBinding]
    computed: Mapping[str, DerivedBinding]


@dataclass(frozen=True, slots=True)
class Bindings:
    """The bindings of a set of databases.

    ``sections``: field of Person -> section. ``facts``: field of Person -> derived view.
    ``organisations``: field of Organization -> section. ``types``: record or struct -> fields.
    ``entries``: root field -> entry. ``verification``: what verifies a person, None where nothing
    does. ``events``: the lists that timelines are made of. ``checks``: the checks of procedures, by
    name.

    Records and structs have one name each in the whole schema (``gateway.schema.factory``).
    """

    sections: Mapping[str, SectionBinding]
    facts: Mapping[str, DerivedBinding]
    organisations: Mapping[str, SectionBinding]
    types: Mapping[str, Mapping[str, Binding]]
    entries: Mapping[str, EntryPoint]
    verification: Verification | None
    events: EventCatalogue
    checks: Mapping[str, CheckBinding]


def bind_sections(databases: Iterable[Database]) -> Bindings:
    """Return the bindings of ``databases``. Pure; done once for the same databases."""
    return _bind_declared(tuple(databases))


@lru_cache(maxsize=16)
def _bind_declared(declared: tuple[Database, ...]) -> Bindings:
    types: dict[str, dict[str, Binding]] = {}
    for record in (record for database in declared for record in database.records):
        fields = {"recordId": RecordIdBinding(), **_fields(record.fields, types)}
        for child, lookup, column in child_lists(record, declared):
            fields[to_camel_case(lookup.name)] = ListBinding(child, lookup, column)
        types[record.type_name] = fields
    sections = {
        to_camel_case(database.name): SectionBinding(
            database,
            {name: ListBinding(*read) for name, read in person_lists(database).items()},
            derived_views(database.name, [database]),
        )
        for database in declared
        if database.records
    }
    facts = derived_views(PERSON, declared)
    return Bindings(
        sections,
        facts,
        _bind_organisations(declared),
        types,
        entries_of(declared),
        verification_of(declared),
        collect_event_lists(declared),
        checks_of(declared),
    )


def _bind_organisations(databases: Iterable[Database]) -> dict[str, SectionBinding]:
    """Return the sections of an organisation, by GraphQL name."""
    lists_of = {database: organisation_lists(database) for database in databases}
    return {
        to_camel_case(database.name): SectionBinding(
            database, {name: ListBinding(*read) for name, read in lists.items()}, {}
        )
        for database, lists in lists_of.items()
        if lists
    }


def person_lists(database: Database) -> dict[str, tuple[Record, Lookup]]:
    """Return the lists of ``database`` that are keyed by a person's number, by GraphQL name."""
    return {
        to_camel_case(lookup.name): (record, lookup)
        for record in database.records
        for lookup in record.lookups
        if lookup.on is None and lookup.entry is None and not lookup.hidden
    }


def list_names(record: Record) -> list[str]:
    """Return the GraphQL names of the lists of a record, without those found by a key."""
    shown = (lookup for lookup in record.lookups if not lookup.hidden and lookup.entry is None)
    return [to_camel_case(lookup.name) for lookup in shown]


def derived_views(place: str, databases: Sequence[Database]) -> dict[str, DerivedBinding]:
    """Return the derived views of which ``databases`` declare all lists, by GraphQL name.

    ``place``: the database whose section has them, or ``PERSON``.
    """
    views = {}
    for view in derived_of(place):
        reads = reads_of(view, databases)
        if reads is not None:
            views[to_camel_case(view.name)] = DerivedBinding(view, reads)
    return views


def child_lists(parent: Record, databases: Iterable[Database]) -> list[tuple[Record, Lookup, str]]:
    """Return the lists below rows of ``parent``: record, lookup and the column of ``parent``."""
    return [
        (record, lookup, lookup.on[1])
        for database in databases
        if database.name == parent.database
        for record in database.records
        for lookup in record.lookups
        if lookup.on is not None and lookup.on[0] == parent.name
    ]


def _fields(fields: Iterable[Field], types: dict[str, dict[str, Binding]]) -> dict[str, Binding]:
    bindings: dict[str, Binding] = {}
    for field in fields:
        bindings[to_camel_case(field.name)] = FieldBinding(field)
        if field.struct is not None and field.struct.name not in types:
            types[field.struct.name] = _fields(field.struct.fields, types)
        if field.person is not None:
            bindings[to_camel_case(field.person)] = PersonLinkBinding(field)
        if field.kind is Kind.ENTERPRISE_CODE and not field.many:
            bindings[to_camel_case(f"{field.name}_is_valid")] = ValidityBinding(field)
    return bindings
