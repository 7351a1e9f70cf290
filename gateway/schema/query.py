"""The root fields: person, persons, me, databases, myAccess."""

from __future__ import annotations

import asyncio
from typing import Any

import strawberry
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

from connectors.description import Database, Group, Text
from connectors.values import PartialDate, PersonNumber
from gateway.answer import Identification
from gateway.audit.touched import Role
from gateway.catalogue.entry_points import entries_of
from gateway.errors import GatewayError
from gateway.execution.reference import Person, ReferenceContext
from gateway.people.matching import Matching as Wanted
from gateway.people.matching import open_named, open_person, require_matching
from gateway.people.notices import Notice
from gateway.people.numbers import PersonNumbers, population_of
from gateway.schema.access_log import access_log_field
from gateway.schema.factory import TypeFactory
from gateway.schema.field_definitions import DeferredType, list_annotation, resolved_field
from gateway.schema.lookups import lookup_field
from gateway.schema.my_access import my_access_field
from gateway.schema.scalars import CitizenID
from gateway.schema.sections import section_field
from gateway.schema.selected_fields import fields_selected_below
from gateway.schema.shared_types import database_type, notice_type
from gateway.schema.verify_person import verify_fields


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


def query_fields(types: TypeFactory, databases: tuple[Database, ...]) -> list[StrawberryField]:
    """Return the fields of Query over ``databases``.

    Raises ValueError for an entry that is called as another of them.
    """
    person = DeferredType("Person", "", find=lambda: types.named("Person", "Person", _no_type))
    _person_type(types, databases, person)
    number_title = Text("một người theo số định danh", "one person, by number")
    fields = [
        resolved_field("person", person | None, _person, _PERSON_ARGUMENTS, number_title),
        resolved_field(
            "persons",
            list_annotation(person | None) | None,
            _persons,
            {"ids": list[PersonNumber]},
            Text("nhiều người, giữ nguyên thứ tự", "persons, in the order asked, repeats kept"),
        ),
        resolved_field(
            "me",
            person | None,
            _me,
            title=Text("công dân xem dữ liệu của chính mình", "the citizen's own view"),
        ),
        resolved_field(
            "databases",
            list_annotation(database_type(types)),
            _databases(databases),
            {"group": types.enumeration(Group) | None},
            Text("danh mục cơ sở dữ liệu", "the catalogue of databases"),
        ),
        my_access_field(types),
        *verify_fields(types, databases),
    ]
    entries = entries_of(databases)
    taken = {to_camel_case(one.python_name) for one in fields}
    for name, entry in entries.items():
        if name in taken:
            raise ValueError(f"{entry.record.where}: no entry can be called {name}, it is taken")
    return [*fields, *(lookup_field(types, one, person) for one in entries.values())]


_PERSON_ARGUMENTS: dict[str, object] = {"id": PersonNumber, "matching": MatchingInput | None}


def _no_type() -> Any:
    raise AssertionError("Person is made before it is looked for")


def _person_type(types: TypeFactory, databases: tuple[Database, ...], person: DeferredType) -> Any:
    fields = [
        resolved_field(
            "id",
            CitizenID | None,
            _present_number,
            title=Text(
                "số định danh hiện tại; null nếu người này không có",
                "the present number; null where the person has none",
            ),
        ),
        resolved_field(
            "asked_as",
            PersonNumber,
            _asked_number,
            title=Text("số đã được hỏi", "the number that was asked"),
        ),
        resolved_field(
            "identification",
            types.enumeration(Identification) | None,
            _identification,
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
            _notices,
            title=Text("điều cần lưu ý", "what must not be missed"),
        ),
    ]
    fields.append(access_log_field(types))
    fields += [section_field(types, one, person) for one in databases if one.records]
    title = Text("Một người, theo số định danh", "A person, by number")
    return types.object("Person", fields, title)


def _present_number(self: Person, info: strawberry.Info) -> str | None:
    return self.numbers.present


def _asked_number(self: Person, info: strawberry.Info) -> str:
    return self.numbers.asked


def _identification(self: Person, info: strawberry.Info) -> str | None:
    context: ReferenceContext = info.context
    if context.rules.may_list(self.own_view):
        return self.numbers.identification.name
    context.problem(
        info._raw_info, GatewayError("FORBIDDEN", details={"missing": ["<database>:read"]})
    )
    return None


def _notices(self: Person, info: strawberry.Info) -> tuple[Notice, ...]:
    context: ReferenceContext = info.context
    return context.notices(self)


async def _person(
    self: Any,
    info: strawberry.Info,
    id: PersonNumber,  # noqa: A002 - the argument's name in the schema
    matching: MatchingInput | None = None,
) -> Person | None:
    context: ReferenceContext = info.context
    context.state.name_persons([id])
    wanted = None if matching is None else Wanted(matching.name, matching.birth_date)
    require_matching(context.rules.matching, wanted)
    return await _named(context, info, id, wanted)


async def _persons(
    self: Any, info: strawberry.Info, ids: list[PersonNumber]
) -> list[Person | None]:
    context: ReferenceContext = info.context
    context.state.name_persons(ids)
    require_matching(context.rules.matching, None)
    found = await asyncio.gather(
        *(_named(context, info, one, None, place) for place, one in enumerate(ids)),
    )
    return list(found)


async def _me(self: Any, info: strawberry.Info) -> Person | None:
    context: ReferenceContext = info.context
    citizen = context.rules.caller.citizen
    if citizen is None:
        raise GatewayError("FORBIDDEN", "me is the citizen's own view", details={"missing": ["me"]})
    return _opened(context, info, await context.numbers(citizen), own=True)


async def _named(
    context: ReferenceContext,
    info: strawberry.Info,
    number: PersonNumber,
    wanted: Wanted | None,
    place: int | None = None,
) -> Person | None:
    """Open a person whom the caller named; None with an error beside it where nobody is shown."""
    try:
        if not context.rules.caller.may_name_persons:
            raise GatewayError("FORBIDDEN", details={"missing": ["<database>:read"]})
        matches = wanted is not None and wanted.says_something
        if matches:
            context.rules.refuse_early(number)
        numbers = await context.numbers(number)
        attempt = context.rules.attempt(numbers) if matches else None
        population = population_of(context.resources.sources)
        identity = population.identity.record if population else None
        async with context.rules.count_attempt(attempt):
            open_named(numbers, wanted, identity, attempt, context.rules.matching.required)
        return _opened(context, info, numbers, own=False, place=place)
    except GatewayError as error:
        context.problem(info._raw_info, error, place)
        return None


def _opened(
    context: ReferenceContext,
    info: strawberry.Info,
    numbers: PersonNumbers,
    own: bool,
    place: int | None = None,
) -> Person:
    """Return the person, unless the number leads to none or to several.

    Notices go into the answer's extensions where the field is not selected (design section 6.6).
    """
    open_person(numbers)
    person = context.opened(info._raw_info, numbers, own, Role.NAMED, place)
    if "notices" not in fields_selected_below(info._raw_info, ""):
        context.mirror(info._raw_info, person, place)
    return person


def _databases(databases: tuple[Database, ...]) -> Any:
    def catalogue(
        self: Any, info: strawberry.Info, group: Any = strawberry.UNSET
    ) -> list[Database]:
        context: ReferenceContext = info.context
        shown = [context.resources.sources[one.name].database for one in databases]
        wanted = getattr(group, "value", None)
        return [one for one in shown if wanted is None or one.group.name == wanted]

    return catalogue
