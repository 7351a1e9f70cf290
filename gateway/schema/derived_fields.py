"""Derived views as fields: of the section of a database, or of Person itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from typing import Any, get_args, get_origin, get_type_hints

import strawberry
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

from connectors.description import Coded, Text
from gateway.answer import State
from gateway.catalogue.sections import DerivedBinding
from gateway.derived.conclude import DerivedValue, FactValue, Subject
from gateway.derived.people import numbers_in
from gateway.derived.view import DerivedView, UnknownReason
from gateway.errors import GatewayError
from gateway.execution.derivation import answer_view, denied_view, derive, question_of, view_problem
from gateway.execution.reference import Person, ReferenceContext
from gateway.schema.factory import TypeFactory
from gateway.schema.field_definitions import attribute_field, list_annotation, resolved_field
from gateway.schema.requires_scopes import require_scopes
from gateway.schema.shared_types import source_type, text_type

#: The types of arguments, by the names that views give them.
_ARGUMENTS: dict[str, object] = {
    "as_of": date | None,
    "sector": str | None,
    "valid_on": date | None,
    "recorded_by": date | None,
    "rules": list[str] | None,
}


def derived_field(
    types: TypeFactory, binding: DerivedBinding, person_of: Callable[[Any], Person]
) -> StrawberryField:
    """Return the field of a derived view. ``person_of``: whose it is, by the field's object."""

    async def resolve(
        self: Any, info: strawberry.Info, **arguments: Any
    ) -> DerivedValue | FactValue:
        values = {to_camel_case(name): value for name, value in arguments.items()}
        return await _derive(binding, person_of(self), info, values)

    derived = binding.derived
    kind = _fact_type(types, derived) if derived.is_of_person else _view_type(types, derived)
    arguments = {name: _ARGUMENTS[name] for name in derived.arguments}
    field = resolved_field(derived.name, kind | None, resolve, arguments, derived.title)
    return require_scopes(field, derived, derived.sensitivity)


async def _derive(
    binding: DerivedBinding, person: Person, info: strawberry.Info, values: dict[str, object]
) -> DerivedValue | FactValue:
    context: ReferenceContext = info.context
    rules, state = context.rules, context.state
    question = question_of(rules, binding, values, person.is_own)
    missing = () if person.is_own else rules.caller.missing_for(binding.derived, None)
    if missing:
        error = GatewayError("FORBIDDEN", details={"missing": list(missing)})
        context.problem(info._raw_info, error)
        denied = denied_view(rules, binding, question)
        state.note_derived(binding, person.sections, denied.state)
        return denied
    subject = Subject(person.numbers.all, person.numbers.identification, person.is_own)
    conclusion, evidence = await derive(rules, binding, subject, question, context.numbers)
    problem, has_rows = view_problem(rules, evidence)
    if problem is not None:
        context.problem(info._raw_info, problem)
    if person.reason is not None and has_rows:
        person.shortfall.note(person.reason, tuple(info._raw_info.path.as_list()))
    value = answer_view(rules, conclusion, evidence)
    for number in numbers_in(value.value):
        state.trail.note_mentioned(number)
    state.note_evidence(person.sections, evidence)
    state.note_derived(binding, person.sections, value.state)
    return value


def _view_type(types: TypeFactory, derived: DerivedView) -> Any:
    """Return the type that a view of a section answers."""
    unknown = Text("true, false; null: không rõ", "null: not known")
    return types.object(
        derived.type_name,
        [
            attribute_field("value", value_annotation(types, derived.value) | None, unknown),
            attribute_field("as_of", date, Text("vào ngày", "on which day")),
            attribute_field("source", source_type(types) | None, Text("báo cáo nguồn", "source")),
        ],
        derived.title,
    )


def _fact_type(types: TypeFactory, derived: DerivedView) -> Any:
    """Return the type that a view of a person answers."""
    return types.object(
        derived.type_name,
        [
            attribute_field(
                "value",
                value_annotation(types, derived.value) | None,
                Text("giá trị; null: không rõ, xem reason", "null: not known, see reason"),
            ),
            attribute_field(
                "state",
                types.enumeration(State),
                Text("tình trạng xấu nhất của các nguồn", "the worst state of what it rests on"),
            ),
            attribute_field(
                "reason",
                types.enumeration(UnknownReason) | None,
                Text("vì sao không rõ", "why the value is not known"),
            ),
            attribute_field("valid_on", date, Text("đúng vào ngày", "of which day it holds")),
            attribute_field(
                "recorded_by",
                date | None,
                Text(
                    "theo nội dung các sổ đến hết ngày; null: hiện nay",
                    "by what the registers held at the end of this day; null: now",
                ),
            ),
            attribute_field(
                "basis",
                list_annotation(basis_type(types)) | None,
                Text(
                    "các bản ghi làm căn cứ mà người hỏi được xem; null: không rõ giá trị",
                    "the records it rests on that the caller may read; null: no value",
                ),
            ),
            attribute_field(
                "sources",
                list_annotation(source_type(types)),
                Text("báo cáo của các danh sách đã đọc", "reports of the lists that were read"),
            ),
        ],
        derived.title,
    )


def basis_type(types: TypeFactory) -> Any:
    """Return the type of a record that a fact rests on."""
    return types.object(
        "FactBasis",
        [
            attribute_field("database", str, Text("cơ sở dữ liệu", "database")),
            attribute_field("record", str, Text("loại bản ghi", "kind of record")),
            attribute_field("id", str, Text("recordId của bản ghi", "recordId of the record")),
            attribute_field(
                "as_of",
                datetime | None,
                Text("nguồn công bố dữ liệu tính đến", "what the source itself states, or null"),
            ),
        ],
        Text("Căn cứ", "A record that a fact rests on"),
    )


def value_annotation(types: TypeFactory, kind: Any) -> Any:
    """Return the annotation of a value: a scalar, an enumeration, a dataclass, or a list.

    The fields of a dataclass carry their titles: ``Annotated[str | None, Text(...)]``.
    """
    if get_origin(kind) is list:
        return list_annotation(value_annotation(types, get_args(kind)[0]))
    members = get_args(kind)
    if type(None) in members:
        (inner,) = (member for member in members if member is not type(None))
        return value_annotation(types, inner) | None
    if isinstance(kind, type) and issubclass(kind, Coded):
        return types.enumeration(kind)
    if kind is Text:
        return text_type(types)
    if isinstance(kind, type) and is_dataclass(kind):
        return _struct_type(types, kind)
    return kind


def _struct_type(types: TypeFactory, kind: type) -> Any:
    """Return the object type of a dataclass."""
    hints = get_type_hints(kind, include_extras=True)

    def make(name: str) -> StrawberryField:
        hint, title = get_args(hints[name])[:2]
        return attribute_field(name, value_annotation(types, hint), title)

    assert is_dataclass(kind)
    title = (kind.__doc__ or "").split("\n")[0]
    return types.object(kind.__name__, [make(field.name) for field in fields(kind)], title)
