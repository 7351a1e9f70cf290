"""Organisations: their type, and the root field that opens one by its code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import strawberry
from strawberry.types.field import StrawberryField

from connectors.description import Database, Lookup, Record, Text
from connectors.values import OrganizationCode
from gateway.audit.touched import Role
from gateway.catalogue.organisations import (
    FIELD,
    TYPE,
    is_person_number,
    journal_code,
    lookup_by_number,
    organisation_lists,
)
from gateway.catalogue.read import Read
from gateway.errors import GatewayError
from gateway.execution.reference import Person, ReferenceContext
from gateway.people.matching import open_organisation, require_organisation_matching
from gateway.schema.access_log import access_log_field
from gateway.schema.factory import TypeFactory
from gateway.schema.field_definitions import DeferredType, resolved_field
from gateway.schema.interfaces import section_interface
from gateway.schema.record_lists import list_field, list_type
from gateway.schema.sections import PersonSection, database_field, read_list

_SECTION = "OrganizationSection"


def organization_root_fields(
    types: TypeFactory, databases: tuple[Database, ...], person: DeferredType
) -> list[StrawberryField]:
    """Return the root field that opens an organisation; none where no database knows any."""
    listing = [database for database in databases if organisation_lists(database)]
    if not listing:
        return []
    code = resolved_field(
        "code",
        OrganizationCode,
        _resolve_code,
        title=Text("mã đã được hỏi", "the code that was asked"),
    )
    sections = (_section_field(types, database, person) for database in listing)
    fields = [code, access_log_field(types), *sections]
    title = Text(
        "Một tổ chức, hộ kinh doanh, theo mã như ghi trong hồ sơ",
        "An organisation or household business, by its code as records write it",
    )
    kind = types.object(TYPE, fields, title, is_type_of=_is_organisation)
    root = resolved_field(
        FIELD,
        kind | None,
        _open_by_code,
        {"code": OrganizationCode},
        Text(
            "một tổ chức theo mã số doanh nghiệp, mã số thuế hoặc mã định danh",
            "an organisation, by enterprise code, tax code or organisation number",
        ),
    )
    return [root]


def _is_organisation(value: object, _info: object) -> bool:
    return isinstance(value, Person) and value.is_organisation


def _resolve_code(self: Person, info: strawberry.Info) -> str:
    return self.numbers.requested


async def _open_by_code(self: Any, info: strawberry.Info, code: OrganizationCode) -> Person | None:
    context: ReferenceContext = info.context
    context.state.name_persons([journal_code(code)])
    return await open_organisation_by_code(context, info, code)


async def open_organisation_by_code(
    context: ReferenceContext, info: strawberry.Info, code: str, place: int | None = None
) -> Person:
    """Open an organisation whom the caller names. ``place``: in a list of such.

    Raises GatewayError FORBIDDEN, MATCHING_REQUIRED, NUMBER_CONFLICT or NUMBER_UNRESOLVED.
    """
    if not context.rules.caller.may_name_persons:
        raise GatewayError("FORBIDDEN", details={"missing": ["<database>:read"]})
    require_organisation_matching(context.rules.matching, code)
    numbers = await context.numbers(code)
    open_organisation(numbers)
    opened = context.opened(info._raw_info, numbers, False, Role.NAMED, place)
    organisation = replace(opened, is_organisation=True)
    if is_person_number(code):
        context.mirror(info._raw_info, organisation, place)
    return organisation


def _section_field(types: TypeFactory, database: Database, person: DeferredType) -> StrawberryField:
    """Return the field of Organization that leads to the section of ``database``."""

    def open_section(self: Person, info: strawberry.Info) -> PersonSection:
        return PersonSection(self, database, ())

    lists = organisation_lists(database).items()
    fields = [
        *(_list_field(types, name, record, lookup, person) for name, (record, lookup) in lists),
        database_field(types),
    ]
    name = "".join(part.capitalize() for part in database.name.split("_"))
    kind = types.object(f"{name}{_SECTION}", fields, database.title, section_interface(types))
    return resolved_field(database.name, kind | None, open_section, title=database.title)


def _list_field(
    types: TypeFactory, name: str, record: Record, lookup: Lookup, person: DeferredType
) -> StrawberryField:
    """Return the field of a list of records that name the section's organisation."""
    by_code, by_number = Read(record, lookup), Read(record, lookup_by_number(record, lookup))

    async def read_records(self: PersonSection, info: strawberry.Info, **arguments: Any) -> object:
        is_household = is_person_number(self.person.numbers.requested)
        return await read_list(self, info, by_number if is_household else by_code, arguments)

    assert lookup.organisation is not None
    kind = list_type(types, record, person)
    return list_field(types, lookup, record, kind, read_records, name=lookup.organisation)
