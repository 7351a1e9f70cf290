"""Lists of records and the records in them, derived from the declaration of each record.

Types refer to each other in circles: a record has child lists, whose records may have child lists,
and leads to persons, who have lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

import strawberry
from strawberry.types.field import StrawberryField

from connectors.description import Field, Lookup, Record, Sensitivity, Text
from gateway.answer import Answer
from gateway.audit.touched import note_numbers, note_read
from gateway.catalogue.own_view import narrow_open_up_to
from gateway.catalogue.read import Read
from gateway.catalogue.sections import MOST_LINKED
from gateway.errors import GatewayError
from gateway.execution.reference import Person, ReferenceContext
from gateway.people.identification import Shortfall, says_none
from gateway.plan.list_arguments import DEFAULT_FIRST, ListArguments, Order, parse_list_arguments
from gateway.schema.factory import TypeFactory, implement_interface
from gateway.schema.field_definitions import (
    DeferredType,
    attribute_field,
    list_annotation,
    resolved_field,
)
from gateway.schema.interfaces import (
    record_interface,
    record_list_interface,
    single_record_interface,
)
from gateway.schema.requires_scopes import require_column_scopes, require_scopes
from gateway.schema.row_views import DeniedValue, RowView, build_view


@dataclass(frozen=True, slots=True)
class ListSubject:
    """Whom the rows of a list are about.

    ``sections``: notes what is read of the person. ``numbers``: theirs, () for a thing.
    ``shortfall``: notes which lists may lack rows.
    """

    sections: set[str]
    numbers: tuple[str, ...]
    shortfall: Shortfall


def list_field(
    types: TypeFactory,
    lookup: Lookup,
    record: Record,
    kind: Any,
    resolver: Any,
    name: str | None = None,
) -> StrawberryField:
    """Return a field that answers a list of ``record``. ``kind``: its type, or a deferred one.

    ``name``: in place of the name of ``lookup``.
    """
    arguments = list_argument_types(types, record)
    defaults = {"first": DEFAULT_FIRST}
    field = resolved_field(
        name or lookup.name, kind | None, resolver, arguments, lookup.title, defaults
    )
    return require_scopes(field, record, Sensitivity.BASIC)


def list_type(types: TypeFactory, record: Record, person: DeferredType) -> Any:
    """Return the type of a list of ``record``, or of the only row that there can be."""
    item = _record_type(types, record, person)
    if record.single:
        exists = Text(
            "có hay không; null là chưa xác định được",
            "whether there is one; null: that is not known",
        )
        fields = [
            attribute_field("item", item | None, record.title),
            attribute_field("exists", bool | None, exists),
        ]
        name, interface = f"{record.type_name}Result", single_record_interface(types)
    else:
        fields = [attribute_field("items", list_annotation(item) | None, record.title)]
        name, interface = f"{record.type_name}List", record_list_interface(types)
    return types.object(name, fields, record.title, interface)


def list_argument_types(types: TypeFactory, record: Record) -> dict[str, object]:
    """Return the types of the arguments of a list of ``record``, by resolver parameter."""
    arguments: dict[str, object] = {"fresh": bool | None}
    if record.single:
        return arguments
    arguments["first"] = int
    arguments["after"] = str | None
    if record.date is not None:
        arguments["order"] = types.enumeration(Order) | None
        arguments["since"] = Annotated[date | None, strawberry.argument(name="from")]
        arguments["until"] = Annotated[date | None, strawberry.argument(name="to")]
    if record.status is not None:
        enumeration = record.column(record.status).field.enumeration
        assert enumeration is not None
        arguments["status"] = list_annotation(types.enumeration(enumeration)) | None
    return arguments


def parse_resolver_arguments(record: Record, arguments: Mapping[str, Any]) -> ListArguments:
    """Return the arguments of a list; strawberry passes ``from`` and ``to`` under other names."""
    names = {"since": "from", "until": "to"}
    by_schema_name = {names.get(name, name): value for name, value in arguments.items()}
    return parse_list_arguments(record, by_schema_name)


def answer_list(
    info: strawberry.Info,
    read: Read,
    answer: Answer,
    open_up_to: Sensitivity | None,
    arguments: ListArguments,
    subject: ListSubject,
) -> dict[str, object]:
    """Return an answer as the source of a list type, or of a single record's.

    ``open_up_to``: the sensitivity up to which the rows are open (``gateway.catalogue.own_view``).
    """
    context: ReferenceContext = info.context
    record, rules = read.record, context.rules
    context.report(info._raw_info, record, answer)
    page = rules.page(read, answer, arguments, open_up_to, with_ids=True, with_cursor=True)
    if not page.rows and not says_none(answer):
        unknown = dict.fromkeys(("items", "item", "exists", "next_cursor"))
        return {**unknown, "truncated": answer.truncated or None, "source": answer.report}
    columns = range(len(record.columns))
    missing = [rules.missing(record, position, open_up_to) for position in columns]
    items = [build_view(record, row, missing, open_up_to) for row in page.rows]
    for item, record_id in zip(items, page.ids, strict=True):
        item.sections, item.shortfall = subject.sections, subject.shortfall
        item.subject_numbers = subject.numbers
        item["record_id"] = record_id
    return {
        "items": items,
        "item": items[0] if items else None,
        "exists": bool(items),
        "truncated": page.truncated,
        "next_cursor": page.next_cursor,
        "source": answer.report,
    }


def _record_type(types: TypeFactory, record: Record, person: DeferredType) -> Any:
    """Return the object type of a record, with the lists that hang on it."""

    def link_field(field: Field) -> StrawberryField:
        return _person_link_field(field, person)

    def make() -> Any:
        child_fields = [
            _child_list_field(types, child, lookup, column, person)
            for child, lookup, column in types.child_lists(record)
        ]
        fields = types.fields(record.fields, link_field)
        require_column_scopes(fields, record)
        return implement_interface(
            record_interface(types), record.type_name, fields + child_fields, record.title
        )

    return types.named(record.type_name, record, make)


def _child_list_field(
    types: TypeFactory, record: Record, lookup: Lookup, column: str, person: DeferredType
) -> StrawberryField:
    """Return the field of a list that hangs on another record by its ``column``."""
    read = Read(record, lookup)

    async def read_list(self: RowView, info: strawberry.Info, **arguments: Any) -> object:
        context: ReferenceContext = info.context
        key = self[column]
        if isinstance(key, DeniedValue):
            raise key.error()
        parsed = parse_resolver_arguments(record, arguments)
        open_up_to = narrow_open_up_to(self.open_up_to, record)
        subject = ListSubject(self.sections, self.subject_numbers, self.shortfall)
        if key is None:
            answer = context.rules.incomplete(record, open_up_to)
            if answer.rows is not None:
                self.shortfall.note("KEY_NOT_RECORDED", tuple(info._raw_info.path.as_list()))
        else:
            answer = await context.rules.read(
                read.with_freshness(parsed.fresh),
                [str(key)],
                open_up_to,
                None,
                self.subject_numbers,
            )
            note_read(self.sections, record, answer)
        context.state.note(record, answer.report.state)
        return answer_list(info, read, answer, open_up_to, parsed, subject)

    # Deferred: records may hang on one another in a circle.
    kind = DeferredType(record.type_name, "", find=lambda: list_type(types, record, person))
    return list_field(types, lookup, record, kind, read_list)


def _person_link_field(field: Field, person: DeferredType) -> StrawberryField:
    """Return the field of the person whose number ``field`` holds."""

    async def open_person(self: dict[str, Any], info: strawberry.Info) -> Person | None:
        number = _linked_value(self, info, field)
        if number is None:
            return None
        context: ReferenceContext = info.context
        return context.person(info._raw_info, await context.numbers(str(number)))

    assert field.person is not None
    if field.many:
        return _people_link_field(field, person)
    title = Text(f"người có {field.title.vi}", f"the person behind: {field.title.en}")
    return resolved_field(field.person, person | None, open_person, title=title)


def _people_link_field(field: Field, person: DeferredType) -> StrawberryField:
    """Return the field of the people whose numbers ``field`` holds."""

    async def open_people(
        self: dict[str, Any], info: strawberry.Info
    ) -> list[Person | None] | None:
        numbers = _linked_value(self, info, field)
        if numbers is None:
            return None
        assert isinstance(numbers, tuple)
        if len(numbers) > MOST_LINKED:
            raise GatewayError("TOO_MANY_PERSONS", details={"limit": MOST_LINKED})
        return [
            await _open_linked(info, str(number), place) for place, number in enumerate(numbers)
        ]

    assert field.person is not None
    title = Text(f"những người có {field.title.vi}", f"the people behind: {field.title.en}")
    return resolved_field(
        field.person, list_annotation(person | None) | None, open_people, title=title
    )


async def _open_linked(info: strawberry.Info, number: str, place: int) -> Person | None:
    """Return a person of a list of people; None, with an error beside the data, for nobody."""
    context: ReferenceContext = info.context
    try:
        return context.person(info._raw_info, await context.numbers(number), place)
    except GatewayError as error:
        context.problem(info._raw_info, error, place)
        return None


def _linked_value(row: Mapping[str, Any], info: strawberry.Info, field: Field) -> object:
    """Return what ``field`` holds, noting whom it names; raises FORBIDDEN where it is denied."""
    value: object = row[field.name]
    if isinstance(value, DeniedValue):
        raise value.error()
    context: ReferenceContext = info.context
    note_numbers(context.state.trail, value)
    return value
