"""Persons: their type, and the root fields that open them (``person``, ``persons``, ``me``)."""

from __future__ import annotations

import asyncio
from typing import Any

import strawberry
from strawberry.types.field import StrawberryField

from connectors.description import Database, Text
from connectors.values import PartialDate, PersonNumber
from gateway.answer import Identification
from gateway.audit.touched import Role
from gateway.catalogue.entities import MATCHING, PERSON_TYPE
from gateway.catalogue.sections import derived_views
from gateway.derived.event_lists import collect_event_lists
from gateway.derived.view import PERSON
from gateway.errors import GatewayError
from gateway.execution.reference import Person, ReferenceContext
from gateway.people.details import Matching
from gateway.people.matching import open_named, open_person, require_matching
from gateway.people.notices import Notice
from gateway.people.numbers import PersonNumbers, population_of
from gateway.schema.access_log import access_log_field
from gateway.schema.derived_fields import derived_field
from gateway.schema.factory import TypeFactory
from gateway.schema.field_definitions import DeferredType, list_annotation, resolved_field
from gateway.schema.my_interests import person_interests_field
from gateway.schema.scalars import CitizenID
from gateway.schema.sections import section_field
from gateway.schema.selected_fields import fields_selected_below
from gateway.schema.shared_types import notice_type
from gateway.schema.timeline import timeline_field


@strawberry.input(
    name="Matching",
    description="Thông tin đối chiếu với số định danh / What must agree with the number",
)
class MatchingInput:
    """Details that must agree with what the population database holds."""

    name: str | None = strawberry.field(default=None, description="họ, chữ đệm và tên / full name")
    birth_date: PartialDate | None = strawberry.field(
        default=None, description="ngày sinh / date of birth"
    )


@strawberry.type(
    name="PersonDetails",
    description="Thông tin về một người do phân hệ khác nêu / What another subgraph states",
)
class StatedDetails:
    """The key of a person with details that must agree (decision 94)."""

    id: PersonNumber | None = strawberry.field(description="số định danh / the number")
    birth_date: PartialDate | None = strawberry.field(description="ngày sinh / date of birth")
    name: str | None = strawberry.field(description="họ, chữ đệm và tên / full name")


def person_type(types: TypeFactory, databases: tuple[Database, ...]) -> DeferredType:
    """Make the type of a person with a section for each of ``databases``; return it, deferred.

    It has the derived views of a person too.

    Sections lead back to persons, so that the type cannot be used before it is made.
    """

    def raise_unmade() -> Any:
        raise AssertionError("Person is made before it is looked for")

    facts = derived_views(PERSON, databases)
    catalogue = collect_event_lists(databases)
    person = DeferredType(
        PERSON_TYPE, "", find=lambda: types.named(PERSON_TYPE, PERSON_TYPE, raise_unmade)
    )
    fields = [
        *_identity_fields(types),
        access_log_field(types),
        person_interests_field(types),
        *(derived_field(types, view, _same_person) for view in facts.values()),
        *([timeline_field(types, catalogue)] if catalogue.lists else []),
        *(section_field(types, database, person) for database in databases if database.records),
    ]
    title = Text("Một người, theo số định danh", "A person, by number")
    types.object(PERSON_TYPE, fields, title, is_type_of=_is_person)
    return person


def person_root_fields(types: TypeFactory, person: DeferredType) -> list[StrawberryField]:
    """Return the root fields that open persons."""
    return [
        resolved_field(
            "person",
            person | None,
            _open_by_number,
            {"id": PersonNumber, "matching": MatchingInput | None},
            Text("một người theo số định danh", "one person, by number"),
        ),
        resolved_field(
            "persons",
            list_annotation(person | None) | None,
            _open_by_numbers,
            {"ids": list[PersonNumber]},
            Text("nhiều người, giữ nguyên thứ tự", "persons, in the order asked, repeats kept"),
        ),
        resolved_field(
            "me",
            person | None,
            _open_own_view,
            title=Text("công dân xem dữ liệu của chính mình", "the citizen's own view"),
        ),
    ]


def _is_person(value: object, _info: object) -> bool:
    return isinstance(value, Person) and not value.is_organisation


def _same_person(person: Person) -> Person:
    return person


def _identity_fields(types: TypeFactory) -> list[StrawberryField]:
    return [
        resolved_field(
            "id",
            CitizenID | None,
            _resolve_present_number,
            title=Text(
                "số định danh hiện tại; null nếu người này không có",
                "the present number; null where the person has none",
            ),
        ),
        resolved_field(
            "asked_as",
            PersonNumber,
            _resolve_requested_number,
            title=Text("số đã được hỏi", "the number that was asked"),
        ),
        resolved_field(
            MATCHING,
            StatedDetails | None,
            _resolve_details,
            title=Text(
                "dành cho bộ định tuyến: do phân hệ khác nêu, ở đây luôn là null",
                "for routers: other subgraphs state it, here it is always null",
            ),
        ),
        resolved_field(
            "identification",
            types.enumeration(Identification) | None,
            _resolve_identification,
            title=Text(
                "đã xác định được người mang số này chưa; chỉ khi đã xác định (hoặc không đối "
                "chiếu theo cấu hình) danh sách rỗng mới có nghĩa là không có",
                "whether the person behind the number is known; only then (or where settings say "
                "that numbers are not checked) does an empty list mean none",
            ),
        ),
        resolved_field(
            "notices",
            list_annotation(notice_type(types)) | None,
            _resolve_notices,
            title=Text("điều cần lưu ý", "what must not be missed"),
        ),
    ]


def _resolve_details(self: Person, info: strawberry.Info) -> StatedDetails | None:
    return None


def _resolve_present_number(self: Person, info: strawberry.Info) -> str | None:
    return self.numbers.present


def _resolve_requested_number(self: Person, info: strawberry.Info) -> str:
    return self.numbers.requested


def _resolve_identification(self: Person, info: strawberry.Info) -> str | None:
    context: ReferenceContext = info.context
    if context.rules.may_list(self.own_view):
        return self.numbers.identification.name
    context.problem(
        info._raw_info, GatewayError("FORBIDDEN", details={"missing": ["<database>:read"]})
    )
    return None


def _resolve_notices(self: Person, info: strawberry.Info) -> tuple[Notice, ...]:
    context: ReferenceContext = info.context
    return context.notices(self)


async def _open_by_number(
    self: Any,
    info: strawberry.Info,
    id: PersonNumber,  # noqa: A002 - the argument's name in the schema
    matching: MatchingInput | None = None,
) -> Person | None:
    context: ReferenceContext = info.context
    context.state.name_persons([id])
    details = None if matching is None else Matching(matching.name, matching.birth_date)
    require_matching(context.rules.matching, details)
    return await open_named_person(context, info, id, details)


async def _open_by_numbers(
    self: Any, info: strawberry.Info, ids: list[PersonNumber]
) -> list[Person | None]:
    context: ReferenceContext = info.context
    context.state.name_persons(ids)
    require_matching(context.rules.matching, None)
    people = await asyncio.gather(
        *(
            open_named_person(context, info, number, None, place)
            for place, number in enumerate(ids)
        ),
    )
    return list(people)


async def _open_own_view(self: Any, info: strawberry.Info) -> Person | None:
    context: ReferenceContext = info.context
    citizen = context.rules.caller.citizen
    if citizen is None:
        raise GatewayError("FORBIDDEN", "me is the citizen's own view", details={"missing": ["me"]})
    return _open_person(context, info, await context.numbers(citizen), is_own_view=True)


async def open_named_person(
    context: ReferenceContext,
    info: strawberry.Info,
    number: str,
    details: Matching | None,
    place: int | None = None,
) -> Person | None:
    """Open a person whom the caller names; None, with an error beside the data, for nobody.

    ``details``: have to agree with the number. ``place``: in a list of people.
    """
    try:
        if not context.rules.caller.may_name_persons:
            raise GatewayError("FORBIDDEN", details={"missing": ["<database>:read"]})
        matches = details is not None and details.says_something
        if matches:
            context.rules.refuse_early(number)
        numbers = await context.numbers(number)
        attempt = context.rules.attempt(numbers) if matches else None
        population = population_of(context.resources.sources)
        identity = population.identity.record if population else None
        async with context.rules.count_attempt(attempt):
            open_named(numbers, details, identity, attempt, context.rules.matching.required)
        return _open_person(context, info, numbers, is_own_view=False, place=place)
    except GatewayError as error:
        context.problem(info._raw_info, error, place)
        return None


def _open_person(
    context: ReferenceContext,
    info: strawberry.Info,
    numbers: PersonNumbers,
    is_own_view: bool,
    place: int | None = None,
) -> Person:
    """Return the person; raises GatewayError if the number leads to none or to several.

    Notices go into the answer's extensions unless the field is selected (design section 6.6).
    """
    open_person(numbers)
    person = context.opened(info._raw_info, numbers, is_own_view, Role.NAMED, place)
    if "notices" not in fields_selected_below(info._raw_info, ""):
        context.mirror(info._raw_info, person, place)
    return person
