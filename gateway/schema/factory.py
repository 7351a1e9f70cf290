"""From descriptions to strawberry types.

Strawberry is fed at run time: every type is made with ``create_type`` from the neutral description,
so that a connector alone decides what the schema shows
(``docs/decisions/0002-feeding-strawberry.md``). Fields of records and sections are all nullable.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from types import new_class
from typing import Any

import strawberry
from stdnum.vn import mst
from strawberry import Info
from strawberry.tools import create_type
from strawberry.types.field import StrawberryField

from connectors.description import Coded, Database, Field, Kind, Lookup, Record, Struct, Text
from connectors.values import PartialDate, PersonNumber
from gateway.audit.touched import note_numbers
from gateway.catalogue.sections import child_lists
from gateway.schema.field_definitions import attribute_field, list_annotation, resolved_field
from gateway.schema.row_views import NUMBERS, number_fields, resolve_value

_PYTHON_TYPES: dict[Kind, object] = {
    Kind.STRING: str,
    Kind.INTEGER: int,
    Kind.BOOLEAN: bool,
    Kind.DECIMAL: Decimal,
    Kind.DATE: date,
    Kind.PARTIAL_DATE: PartialDate,
    Kind.DATETIME: datetime,
    Kind.PERSON_NUMBER: PersonNumber,
    Kind.ENTERPRISE_CODE: str,
}

#: Makes the field of a person behind a declared field that holds a number.
_LinkField = Callable[[Field], StrawberryField]
#: Says whether a value is of a type; told what resolvers are told.
IsTypeOf = Callable[[Any, Any], bool]


class TypeFactory:
    """Makes each GraphQL type of a schema over ``databases`` once. Not shared between schemas."""

    def __init__(self, databases: Iterable[Database]) -> None:
        self._types: dict[str, tuple[object, Any]] = {}
        self._databases = tuple(databases)

    def child_lists(self, record: Record) -> list[tuple[Record, Lookup, str]]:
        """Return the lists that hang on ``record``: of which record, and by which column of it."""
        return child_lists(record, self._databases)

    def named(self, name: str, origin: object, make: Callable[[], Any]) -> Any:
        """Return the type called ``name``, made from ``origin`` once.

        Raises ValueError if another declaration already has that name.
        """
        if name not in self._types:
            self._types[name] = (origin, make())
        first, kind = self._types[name]
        if first != origin:
            raise ValueError(
                f"two declarations are called {name}: {_where(first)}, {_where(origin)}"
            )
        return kind

    def find(self, name: str) -> Any:
        """Return the type called ``name``, None where it is not made yet."""
        return self._types[name][1] if name in self._types else None

    def enumeration(self, coded: type[Coded]) -> Any:
        """Return the GraphQL enum of a declared enumeration."""

        def make() -> Any:
            members = {
                member.name: strawberry.enum_value(member.name, description=str(member.title))
                for member in coded
            }
            # The functional form takes names from a dictionary; mypy wants them written out.
            plain_enum: Any = enum.Enum(coded.__name__, members)  # type: ignore[misc]
            return strawberry.enum(plain_enum)

        return self.named(coded.__name__, coded, make)

    def object(
        self,
        name: str,
        fields: list[StrawberryField],
        title: Text | str,
        interface: Any = None,
        is_type_of: IsTypeOf | None = None,
    ) -> Any:
        """Return an object type made of ``fields``, beside those of ``interface``.

        ``is_type_of``: says whether a value is of this type, where the field that it was read from
        does not.
        """
        if interface is None and is_type_of is None:
            return self.named(name, name, lambda: create_type(name, fields, description=str(title)))
        bases, is_of_type = (interface,) if interface else (), is_type_of or _is_always
        return self.named(name, name, lambda: _derive_type(bases, name, fields, title, is_of_type))

    def interface(self, name: str, fields: list[StrawberryField], title: Text | str) -> Any:
        """Return an interface made of ``fields``."""

        def make() -> Any:
            return create_type(name, fields, is_interface=True, description=str(title))

        return self.named(name, name, make)

    def struct(self, declared: Struct, link_field: _LinkField) -> Any:
        """Return the object type of a struct."""

        def make() -> Any:
            fields = self.fields(declared.fields, link_field)
            return create_type(declared.name, fields, description=str(declared.title))

        return self.named(declared.name, declared, make)

    def fields(self, declared: Iterable[Field], link_field: _LinkField) -> list[StrawberryField]:
        """Return the GraphQL fields of ``declared``, with those that lead to persons."""
        fields: list[StrawberryField] = []
        for field in declared:
            names_person = field.kind is Kind.PERSON_NUMBER or number_fields(field)
            make = _number_field if names_person else attribute_field
            fields.append(make(field.name, self._annotation(field, link_field), field.title))
            if field.person is not None:
                fields.append(link_field(field))
            if field.kind is Kind.ENTERPRISE_CODE and not field.many:
                fields.append(_validity_field(field))
        return fields

    def _annotation(self, field: Field, link_field: _LinkField) -> Any:
        if field.struct is not None:
            return self.struct(field.struct, link_field) | None
        kind: Any = (
            self.enumeration(field.enumeration) if field.enumeration else _PYTHON_TYPES[field.kind]
        )
        return list_annotation(kind) | None if field.many else kind | None


def implement_interface(
    interface: Any, name: str, fields: Iterable[StrawberryField], title: Text | str
) -> Any:
    """Return an object type that has ``fields`` and those of ``interface``."""
    return _derive_type((interface,), name, fields, title, _is_always)


def _is_always(_value: object, _info: object) -> bool:
    """Say that a value is of its type because the field that it was read from is."""
    return True


def _derive_type(
    bases: tuple[type, ...],
    name: str,
    fields: Iterable[StrawberryField],
    title: Text | str,
    is_type_of: IsTypeOf,
) -> Any:
    """Return an object type.

    ``create_type`` knows no base classes, which is how strawberry learns of interfaces, and not how
    to tell whether a value is of the type.
    """
    by_name = {field.python_name: field for field in fields}
    namespace = {
        **by_name,
        "__annotations__": {field_name: field.type for field_name, field in by_name.items()},
        "is_type_of": is_type_of,
    }
    kind = new_class(name, bases, {}, lambda body: body.update(namespace))
    return strawberry.type(kind, description=str(title))


def _number_field(name: str, annotation: object, title: Text) -> StrawberryField:
    """Return a field whose value names persons: the trail notes their numbers when it is shown."""

    def show(self: dict[str, object], info: Info) -> object:
        value = resolve_value(self, name)
        numbers = value[NUMBERS] if isinstance(value, dict) else [value]
        for number in numbers:
            note_numbers(info.context.state.trail, number)
        return value

    return resolved_field(name, annotation, show, title=title)


def _validity_field(field: Field) -> StrawberryField:
    """Return the field that says whether an enterprise code has its check digit right."""

    def is_valid(self: dict[str, object], info: Info) -> bool | None:
        code = resolve_value(self, field.name)
        return None if code is None else bool(mst.is_valid(str(code)))

    title = Text(
        f"{field.title.vi}: chữ số kiểm tra đúng", f"{field.title.en}: the check digit is right"
    )
    return resolved_field(f"{field.name}_is_valid", bool | None, is_valid, title=title)


def _where(origin: object) -> str:
    """Say where a type comes from, as closely as is known: file and line, or module."""
    if isinstance(origin, Record):
        return origin.where
    return str(getattr(origin, "__module__", origin))
