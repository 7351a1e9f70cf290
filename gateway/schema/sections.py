"""Sections: a database's part of a person's view, derived from the declaration of its records."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

import strawberry
from strawberry.types.field import StrawberryField

from connectors.description import Database, Field, Lookup, Record, Sensitivity, Text
from gateway.answer import Answer, SourceReport, worst
from gateway.audit.touched import note_numbers, note_read
from gateway.catalogue.entry_points import EntryPoint, keys_of
from gateway.catalogue.own_view import FOUND, own_below
from gateway.catalogue.sections import DerivedBinding, derived_views, person_lists
from gateway.derived.conclude import DerivedValue
from gateway.errors import GatewayError
from gateway.execution.reference import Person, ReferenceContext
from gateway.fetch.read import Read
from gateway.people.identification import Shortfall, says_none
from gateway.plan.list_arguments import DEFAULT_FIRST, ListArguments, Order, parse_list_arguments
from gateway.schema.factory import (
    DeniedValue,
    Later,
    Types,
    View,
    implementing,
    list_of,
    plain,
    resolved,
    view,
)
from gateway.schema.interfaces import (
    record_interface,
    record_list_interface,
    section_interface,
    single_record_interface,
)
from gateway.schema.requires_scopes import require, require_any, require_each
from gateway.schema.scalars import ThingKey
from gateway.schema.selected_fields import selected
from gateway.schema.shared_types import database_type, source_type


@dataclass(frozen=True, slots=True)
class PersonSection:
    """A section being answered; ``lists``: the reads of those selected in it."""

    person: Person
    database: Database
    lists: tuple[Read, ...]


def section_field(types: Types, database: Database, person: Later) -> StrawberryField:
    """Return the field of Person that leads to ``database``'s section."""
    lists = person_lists(database)

    def open_section(self: Person, info: strawberry.Info) -> PersonSection:
        names = selected(info._raw_info, "fresh")
        found = (Read(*lists[name], fresh) for name, fresh in names.items() if name in lists)
        return PersonSection(self, database, tuple(found))

    fields = [_list_field(types, *one, person) for one in lists.values()]
    worst_of = resolved(
        "source",
        source_type(types) | None,
        _section_source,
        title=Text(
            "tình trạng xấu nhất của các danh sách được hỏi",
            "the worst state of the lists selected here; alone, that of the first list",
        ),
    )
    worst_of.deprecation_reason = (
        "It depends on what else is selected. Read the source of each list instead."
    )
    fields.append(worst_of)
    fields += [_derived_field(types, one) for one in derived_views(database).values()]
    fields.append(
        resolved(
            "database",
            database_type(types),
            _section_database,
            title=Text("cơ sở dữ liệu của phần này", "the database of this section"),
        )
    )
    name = "".join(part.capitalize() for part in database.name.split("_"))
    made = types.object(f"{name}Section", fields, database.title, section_interface(types))
    return resolved(database.name, made | None, open_section, title=database.title)


def _derived_field(types: Types, computed: DerivedBinding) -> StrawberryField:
    """Return the field of a derived view of the section's person."""

    async def derive(
        self: PersonSection,
        info: strawberry.Info,
        as_of: date | None = None,
        sector: str | None = None,
    ) -> DerivedValue:
        context: ReferenceContext = info.context
        rules, person = context.rules, self.person
        given = {"asOf": as_of, "sector": sector}
        asked = rules.derived_question(computed, given, person.own)
        missing = () if person.own else rules.caller.missing_for(computed.derived, None)
        if missing:
            error = GatewayError("FORBIDDEN", details={"missing": list(missing)})
            context.problem(info._raw_info, error)
            value = rules.denied_view(computed, asked)
        else:
            value, record, answer = await rules.derive(computed, person.numbers, asked)
            context.report(info._raw_info, record, answer)
            person.note_shortfall(answer, info._raw_info)
        context.state.note_derived(computed, person.sections, value.source.state)
        return value

    derived = computed.derived
    made = types.object(
        derived.type_name,
        [
            plain("value", bool | None, Text("true, false; null: không rõ", "null: not known")),
            plain("as_of", date, Text("vào ngày", "on which day")),
            plain("source", source_type(types) | None, Text("báo cáo nguồn", "source")),
        ],
        derived.title,
    )
    arguments: dict[str, object] = {"as_of": date | None, "sector": str | None}
    field = resolved(derived.name, made | None, derive, arguments, derived.title)
    return require(field, derived, Sensitivity.BASIC)


def _section_database(self: PersonSection, info: strawberry.Info) -> Database:
    context: ReferenceContext = info.context
    return context.resources.sources[self.database.name].database


async def _section_source(self: PersonSection, info: strawberry.Info) -> SourceReport:
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


def _list_field(types: Types, record: Record, lookup: Lookup, person: Later) -> StrawberryField:
    """Return the field of a list of records about a person."""
    read = Read(record, lookup)

    async def of_section(self: PersonSection, info: strawberry.Info, **arguments: Any) -> object:
        context: ReferenceContext = info.context
        asked = _wanted(record, arguments)
        person = self.person
        answer = await context.read(person, read.with_freshness(asked.fresh))
        person.note_shortfall(answer, info._raw_info)
        about = _About(person.sections, person.numbers.all, person.shortfall)
        return _answered(info, read, answer, person.own_view, asked, about)

    return _field(types, record, lookup, person, of_section)


def _hung_field(
    types: Types, record: Record, lookup: Lookup, column: str, person: Later
) -> StrawberryField:
    """Return the field of a list that hangs on another record by its ``column``."""
    read = Read(record, lookup)

    async def of_record(self: View, info: strawberry.Info, **arguments: Any) -> object:
        context: ReferenceContext = info.context
        key = self[column]
        if isinstance(key, DeniedValue):
            raise key.error()
        asked = _wanted(record, arguments)
        own = own_below(self.own, record)
        about = _About(self.sections, self.about, self.shortfall)
        if key is None:
            answer = context.rules.incomplete(record, own)
            if answer.rows is not None:
                self.shortfall.note("KEY_NOT_RECORDED", tuple(info._raw_info.path.as_list()))
        else:
            fresh = read.with_freshness(asked.fresh)
            answer = await context.rules.read(fresh, [str(key)], own, None, self.about)
            note_read(self.sections, record, answer)
        context.state.note(record, answer.report.state)
        return _answered(info, read, answer, own, asked, about)

    # Later: records may hang on one another in a circle.
    made = Later(record.type_name, "", find=lambda: _list_type(types, record, person))
    return _list(types, record, lookup, made, of_record)


#: What the argument of an entry cannot be called.
_TAKEN = frozenset(
    {
        "first",
        "after",
        "order",
        "since",
        "until",
        "from",
        "to",
        "status",
        "fresh",
        "self",
        "info",
        "root",
    }
)


def entry_field(types: Types, entry: EntryPoint, person: Later) -> StrawberryField:
    """Return the root field that leads to records by the key of a thing."""
    record, lookup = entry.record, entry.lookup
    read = Read(record, lookup)

    async def find(self: Any, info: strawberry.Info, **arguments: Any) -> object:
        context: ReferenceContext = info.context
        missing = context.rules.caller.missing_for(entry, None)
        if missing:
            raise GatewayError("FORBIDDEN", details={"missing": list(missing)})
        keys = keys_of(arguments[entry.argument])
        asked = _wanted(record, arguments)
        answer = await context.rules.read(read.with_freshness(asked.fresh), keys, FOUND, None)
        context.state.note(record, answer.report.state)
        about = _About(set(), (), context.shortfall(info._raw_info))
        return _answered(info, read, answer, FOUND, asked, about)

    made = _list_type(types, record, person)
    listed = _arguments(types, record)
    if entry.argument in _TAKEN:
        raise ValueError(f"{record.where}: {entry.argument} is an argument of lists already")
    arguments = {entry.argument: ThingKey, **listed}
    defaults = {"first": DEFAULT_FIRST}
    field = resolved(entry.field, made | None, find, arguments, lookup.title, defaults)
    return require_any(field, (entry.scope,))


@dataclass(frozen=True, slots=True)
class _About:
    """Whose records are answered: where it is noted what of theirs is, and their numbers."""

    sections: set[str]
    numbers: tuple[str, ...]
    shortfall: Shortfall


def _answered(
    info: strawberry.Info,
    read: Read,
    answer: Answer,
    own: Sensitivity | None,
    asked: ListArguments,
    about: _About,
) -> dict[str, object]:
    """Shape an answer as the list (or single) type has it."""
    context: ReferenceContext = info.context
    record = read.record
    context.report(info._raw_info, record, answer)
    page = context.rules.page(read, answer, asked, own, with_ids=True, with_cursor=True)
    if not page.rows and not says_none(answer):
        unknown = dict.fromkeys(("items", "item", "exists", "next_cursor"))
        return {**unknown, "truncated": answer.truncated or None, "source": answer.report}
    missing = [context.rules.missing(record, at, own) for at in range(len(record.columns))]
    items = [view(record, row, missing, own) for row in page.rows]
    for one, record_id in zip(items, page.ids, strict=True):
        one.sections, one.about, one.shortfall = about.sections, about.numbers, about.shortfall
        one["record_id"] = record_id
    return {
        "items": items,
        "item": items[0] if items else None,
        "exists": bool(items),
        "truncated": page.truncated,
        "next_cursor": page.next_cursor,
        "source": answer.report,
    }


def _wanted(record: Record, arguments: dict[str, Any]) -> ListArguments:
    """Return what is wanted of a list; strawberry hands two of the arguments on renamed."""
    renamed = {"since": "from", "until": "to"}
    return parse_list_arguments(
        record, {renamed.get(name, name): one for name, one in arguments.items()}
    )


def _field(
    types: Types, record: Record, lookup: Lookup, person: Later, resolver: Any
) -> StrawberryField:
    return _list(types, record, lookup, _list_type(types, record, person), resolver)


def _list(
    types: Types, record: Record, lookup: Lookup, made: Any, resolver: Any
) -> StrawberryField:
    arguments = _arguments(types, record)
    field = resolved(
        lookup.name, made | None, resolver, arguments, lookup.title, {"first": DEFAULT_FIRST}
    )
    return require(field, record, Sensitivity.BASIC)


def _list_type(types: Types, record: Record, person: Later) -> Any:
    """Return the type of a list of a record, or of the one that there can be."""
    item = record_type(types, record, person)
    if record.single:
        there = Text(
            "có hay không; null là chưa xác định được",
            "whether there is one; null: that is not known",
        )
        fields = [plain("item", item | None, record.title), plain("exists", bool | None, there)]
        name, interface = f"{record.type_name}Result", single_record_interface(types)
    else:
        fields = [plain("items", list_of(item) | None, record.title)]
        name, interface = f"{record.type_name}List", record_list_interface(types)
    return types.object(name, fields, record.title, interface)


def _arguments(types: Types, record: Record) -> dict[str, object]:
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
        arguments["status"] = list_of(types.enumeration(enumeration)) | None
    return arguments


def record_type(types: Types, record: Record, person: Later) -> Any:
    """Return the object type of a record, with the lists that hang on it."""

    def link(one: Field) -> StrawberryField:
        return _person_link(one, person)

    def make() -> Any:
        hung = [
            _hung_field(types, child, lookup, column, person)
            for child, lookup, column in types.hanging_on(record)
        ]
        own = types.fields(record.fields, link)
        require_each(own, record)
        return implementing(record_interface(types), record.type_name, own + hung, record.title)

    return types.named(record.type_name, record, make)


def _person_link(one: Field, person: Later) -> StrawberryField:
    async def follow(self: dict[str, Any], info: strawberry.Info) -> Person | None:
        context: ReferenceContext = info.context
        number = self[one.name]
        if isinstance(number, DeniedValue):
            raise number.error()
        if number is None:
            return None
        note_numbers(context.state.trail, number)
        return context.person(info._raw_info, await context.numbers(str(number)))

    assert one.person is not None
    title = Text(f"người có {one.title.vi}", f"the person behind: {one.title.en}")
    return resolved(one.person, person | None, follow, title=title)
