"""Sections: a database's part of a person's view, derived from the declaration of its records."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import strawberry
from strawberry.types.field import StrawberryField

from connectors.description import Database, Lookup, Record, Text
from gateway.answer import SourceReport, worst
from gateway.catalogue.read import Read
from gateway.catalogue.sections import derived_views, person_lists
from gateway.execution.reference import Person, ReferenceContext
from gateway.schema.derived_fields import derived_field
from gateway.schema.factory import TypeFactory
from gateway.schema.field_definitions import DeferredType, resolved_field
from gateway.schema.interfaces import section_interface
from gateway.schema.record_lists import (
    ListSubject,
    answer_list,
    list_field,
    list_type,
    parse_resolver_arguments,
)
from gateway.schema.selected_fields import fields_selected_below
from gateway.schema.shared_types import database_type, source_type


@dataclass(frozen=True, slots=True)
class PersonSection:
    """A section that is being answered. ``lists``: the reads of those selected in it."""

    person: Person
    database: Database
    lists: tuple[Read, ...]


def section_field(types: TypeFactory, database: Database, person: DeferredType) -> StrawberryField:
    """Return the field of Person that leads to the section of ``database``."""
    lists = person_lists(database)
    views = derived_views(database.name, [database])

    def open_section(self: Person, info: strawberry.Info) -> PersonSection:
        selected = fields_selected_below(info._raw_info, "fresh")
        reads = (Read(*lists[name], fresh) for name, fresh in selected.items() if name in lists)
        return PersonSection(self, database, tuple(reads))

    fields = [
        *(_person_list_field(types, record, lookup, person) for record, lookup in lists.values()),
        _source_field(types),
        *(derived_field(types, binding, _person_of) for binding in views.values()),
        database_field(types),
    ]
    name = "".join(part.capitalize() for part in database.name.split("_"))
    kind = types.object(f"{name}Section", fields, database.title, section_interface(types))
    return resolved_field(database.name, kind | None, open_section, title=database.title)


def database_field(types: TypeFactory) -> StrawberryField:
    """Return the field of a section that describes its database."""
    title = Text("cơ sở dữ liệu của phần này", "the database of this section")
    return resolved_field("database", database_type(types), _describe_database, title=title)


def _describe_database(self: PersonSection, info: strawberry.Info) -> Database:
    context: ReferenceContext = info.context
    return context.resources.sources[self.database.name].database


def _source_field(types: TypeFactory) -> StrawberryField:
    """Return the field of the worst source report of a section."""
    field = resolved_field(
        "source",
        source_type(types) | None,
        _worst_report,
        title=Text(
            "tình trạng xấu nhất của các danh sách được hỏi",
            "the worst state of the lists selected here; alone, that of the first list",
        ),
    )
    field.deprecation_reason = (
        "It depends on what else is selected. Read the source of each list instead."
    )
    return field


async def _worst_report(self: PersonSection, info: strawberry.Info) -> SourceReport:
    context: ReferenceContext = info.context
    if self.lists:
        answers = await asyncio.gather(*(context.read(self.person, read) for read in self.lists))
        state = worst(answer.report.state for answer in answers)
        return next(answer.report for answer in answers if answer.report.state is state)
    record = self.database.records[0]
    answer = await context.read(self.person, Read(record, record.lookups[0]))
    context.report(info._raw_info, record, answer)
    self.person.note_shortfall(answer, info._raw_info)
    return answer.report


def _person_list_field(
    types: TypeFactory, record: Record, lookup: Lookup, person: DeferredType
) -> StrawberryField:
    """Return the field of a list of records about the section's person."""
    read = Read(record, lookup)

    async def read_records(self: PersonSection, info: strawberry.Info, **arguments: Any) -> object:
        return await read_list(self, info, read, arguments)

    return list_field(types, lookup, record, list_type(types, record, person), read_records)


async def read_list(
    section: PersonSection, info: strawberry.Info, read: Read, arguments: Mapping[str, Any]
) -> object:
    """Return a list of records about the person, or the organisation, of ``section``."""
    context: ReferenceContext = info.context
    parsed = parse_resolver_arguments(read.record, arguments)
    person = section.person
    answer = await context.read(person, read.with_freshness(parsed.fresh))
    person.note_shortfall(answer, info._raw_info)
    subject = ListSubject(person.sections, person.numbers.all, person.shortfall)
    return answer_list(info, read, answer, person.own_view, parsed, subject)


def _person_of(section: PersonSection) -> Person:
    return section.person
