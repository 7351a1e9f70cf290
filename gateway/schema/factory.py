"""From descriptions to strawberry types.

Strawberry is fed at run time: every type is made with ``create_type`` out of the neutral
description, so that a connector alone decides what the schema shows
(``docs/decisions/0002-feeding-strawberry.md``). Record and section fields are all nullable. A row
reaches the resolvers as a ``View``: nested dictionaries in which fields that the caller may not see
hold ``DeniedValue``.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from inspect import Parameter, Signature
from types import FunctionType, new_class
from typing import Any, get_args

import strawberry
from stdnum.vn import mst
from strawberry import UNSET, Info
from strawberry.annotation import StrawberryAnnotation
from strawberry.tools import create_type
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver
from strawberry.types.lazy_type import LazyType

from connectors.description import (
    Coded,
    Database,
    Field,
    Kind,
    Lookup,
    Record,
    Row,
    Sensitivity,
    Struct,
    Text,
)
from connectors.values import PartialDate, PersonNumber
from gateway.audit.touched import note_numbers
from gateway.catalogue.sections import child_lists
from gateway.errors import GatewayError
from gateway.people.identification import Shortfall

_ANYWHERE = Parameter.POSITIONAL_OR_KEYWORD
_BY_NAME = Parameter.KEYWORD_ONLY

#: Where a struct keeps the numbers in it, seen or not; no field is called so.
_NUMBERS = ""

_PYTHON: dict[Kind, object] = {
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


@dataclass(frozen=True, slots=True)
class DeniedValue:
    """Stands in a view for a value that the caller may not see, whether or not there is one."""

    missing: tuple[str, ...]

    def error(self) -> GatewayError:
        """Return the error that says what is missing."""
        return GatewayError("FORBIDDEN", details={"missing": list(self.missing)})


class View(dict[str, object]):
    """A row as resolvers see it.

    ``own``: up to what sensitivity it is the citizen's who asks. ``sections``: where it is noted
    what was read of the person whose row it is. ``about``: that person's numbers, () for a thing.
    ``shortfall``: where it is noted which lists that hang on it may lack rows.
    """

    own: Sensitivity | None = None
    sections: set[str]
    about: tuple[str, ...]
    shortfall: Shortfall


def value_of(source: object, name: str) -> object:
    """Resolve a plain field: the schema's default resolver.

    Raises FORBIDDEN for a value that the caller may not see.
    """
    value = source[name] if isinstance(source, dict) else getattr(source, name)
    if isinstance(value, DeniedValue):
        raise value.error()
    return value.name if isinstance(value, Coded) else value


def view(
    record: Record, row: Row, missing: Sequence[tuple[str, ...]], own: Sensitivity | None
) -> View:
    """Turn a row into what resolvers see.

    ``missing``: for each column what the caller lacks. A struct is null only if all of it may be
    seen and all of it is empty, so that a null never stands for a denial.
    """
    flat = {
        column.path: DeniedValue(lacks) if lacks else value
        for column, value, lacks in zip(record.columns, row, missing, strict=True)
    }
    stored = {column.path: value for column, value in zip(record.columns, row, strict=True)}
    found = View(_nested(record.fields, (), flat, stored))
    found.own = own
    return found


def _nested(
    fields: Iterable[Field],
    path: tuple[str, ...],
    flat: dict[tuple[str, ...], object],
    stored: dict[tuple[str, ...], object],
) -> dict[str, object]:
    nested: dict[str, object] = {}
    for one in fields:
        here = (*path, one.name)
        if one.struct is None:
            nested[one.name] = flat[here]
        else:
            value = _struct_value(_nested(one.struct.fields, here, flat, stored))
            if isinstance(value, dict):
                value[_NUMBERS] = [stored[*here, number] for number in _numbers(one)]
            nested[one.name] = value
    return nested


def _numbers(one: Field) -> list[str]:
    """Return the fields of a struct that say whom it is about."""
    inside = one.struct.fields if one.struct else ()
    return [inner.name for inner in inside if inner.kind is Kind.PERSON_NUMBER]


def _struct_value(inner: dict[str, object]) -> object:
    values = list(inner.values())
    if all(isinstance(value, DeniedValue) for value in values):
        return values[0]
    return None if all(value is None for value in values) else inner


@dataclass(frozen=True)
class Later(LazyType[Any, Any]):
    """A type that does not exist yet while those that lead to it are made."""

    find: Callable[[], type] | None = None

    def resolve_type(self) -> type[Any]:
        """Return the type; only called once all types are there."""
        assert self.find is not None
        return self.find()


def list_of(kind: Any) -> Any:
    """Return the annotation of a list of ``kind``, a type made at run time."""
    return list[kind]


def plain(name: str, annotation: object, title: Text | str | None = None) -> StrawberryField:
    """Return a field that is read from its source by name (snake case here, camel case there)."""
    return StrawberryField(
        python_name=name,
        type_annotation=StrawberryAnnotation(annotation),
        description=str(title) if title is not None else None,
    )


def resolved(
    name: str,
    annotation: object,
    resolver: Callable[..., object],
    arguments: Mapping[str, object] | None = None,
    title: Text | str | None = None,
    defaults: Mapping[str, object] | None = None,
) -> StrawberryField:
    """Return a field with a resolver.

    ``arguments`` are the types of the resolver's parameters beyond ``self`` and ``info``: they are
    known only once the databases are, so the signature that strawberry reads is put together here,
    on a copy of the function. One that may be null can be left out; ``defaults`` are shown.
    """
    parameters = [Parameter("self", _ANYWHERE), Parameter("info", _ANYWHERE, annotation=Info)]
    for argument, kind in (arguments or {}).items():
        optional = type(None) in get_args(
            get_args(kind)[0] if hasattr(kind, "__metadata__") else kind
        )
        default = (defaults or {}).get(argument, UNSET if optional else Parameter.empty)
        parameters.append(Parameter(argument, _BY_NAME, default=default, annotation=kind))
    assert isinstance(resolver, FunctionType)
    own = FunctionType(
        resolver.__code__,
        resolver.__globals__,
        resolver.__name__,
        resolver.__defaults__,
        resolver.__closure__,
    )
    own.__kwdefaults__ = resolver.__kwdefaults__
    # Functions may carry a signature (PEP 362); typeshed's class does not say so.
    own.__signature__ = Signature(parameters, return_annotation=annotation)  # type: ignore[attr-defined]
    return StrawberryField(
        python_name=name,
        type_annotation=StrawberryAnnotation(annotation),
        description=str(title) if title is not None else None,
        base_resolver=StrawberryResolver(own),
    )


def _mentioning(name: str, annotation: object, title: Text) -> StrawberryField:
    """Return a plain field whose value says whom a record is about: that is noted."""

    def shown(self: dict[str, object], info: Info) -> object:
        value = value_of(self, name)
        numbers = value[_NUMBERS] if isinstance(value, dict) else [value]
        for number in numbers:
            note_numbers(info.context.state.trail, number)
        return value

    return resolved(name, annotation, shown, title=title)


def implementing(
    interface: Any, name: str, fields: Iterable[StrawberryField], title: Text | str
) -> Any:
    """Return an object type that has ``fields`` and those of ``interface``.

    ``create_type`` knows no base classes, which is how strawberry learns of interfaces. A value is
    of this type because the field that it was read from is.
    """
    own = {one.python_name: one for one in fields}
    namespace = {
        **own,
        "__annotations__": {field: one.type for field, one in own.items()},
        "is_type_of": lambda _value, _info: True,
    }
    made = new_class(name, (interface,), {}, lambda body: body.update(namespace))
    return strawberry.type(made, description=str(title))


def _where(origin: object) -> str:
    """Say where a type comes from, as closely as is known: file and line, or module."""
    if isinstance(origin, Record):
        return origin.where
    return str(getattr(origin, "__module__", origin))


def _validity(one: Field) -> StrawberryField:
    """Return the field that says whether an enterprise code has its check digit right."""

    def is_valid(self: dict[str, object], info: Info) -> bool | None:
        code = value_of(self, one.name)
        return None if code is None else bool(mst.is_valid(str(code)))

    title = Text(
        f"{one.title.vi}: chữ số kiểm tra đúng", f"{one.title.en}: the check digit is right"
    )
    return resolved(f"{one.name}_is_valid", bool | None, is_valid, title=title)


class Types:
    """Makes each GraphQL type of a schema over ``databases`` once. Not shared between schemas."""

    def __init__(self, databases: Iterable[Database]) -> None:
        self._made: dict[str, tuple[object, Any]] = {}
        self._databases = tuple(databases)

    def hanging_on(self, record: Record) -> list[tuple[Record, Lookup, str]]:
        """Return the lists that hang on ``record``: whose they are, and by which of its columns."""
        return child_lists(record, self._databases)

    def named(self, name: str, origin: object, make: Callable[[], Any]) -> Any:
        """Return the type called ``name``, made from ``origin`` once.

        Raises ValueError when another declaration already has that name.
        """
        if name not in self._made:
            self._made[name] = (origin, make())
        known, made = self._made[name]
        if known != origin:
            raise ValueError(
                f"two declarations are called {name}: {_where(known)}, {_where(origin)}"
            )
        return made

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
        self, name: str, fields: list[StrawberryField], title: Text | str, interface: Any = None
    ) -> Any:
        """Return an object type made of ``fields``, beside those of ``interface``."""
        if interface is None:
            return self.named(name, name, lambda: create_type(name, fields, description=str(title)))
        return self.named(name, name, lambda: implementing(interface, name, fields, title))

    def interface(self, name: str, fields: list[StrawberryField], title: Text | str) -> Any:
        """Return an interface made of ``fields``."""

        def make() -> Any:
            return create_type(name, fields, is_interface=True, description=str(title))

        return self.named(name, name, make)

    def struct(self, declared: Struct, links: Callable[[Field], StrawberryField]) -> Any:
        """Return the object type of a struct."""
        return self.named(
            declared.name,
            declared,
            lambda: create_type(
                declared.name, self.fields(declared.fields, links), description=str(declared.title)
            ),
        )

    def fields(
        self, declared: Iterable[Field], links: Callable[[Field], StrawberryField]
    ) -> list[StrawberryField]:
        """Return the GraphQL fields of declared ones; ``links`` makes those to persons."""
        made: list[StrawberryField] = []
        for one in declared:
            make = _mentioning if one.kind is Kind.PERSON_NUMBER or _numbers(one) else plain
            made.append(make(one.name, self._annotation(one, links), one.title))
            if one.person is not None:
                made.append(links(one))
            if one.kind is Kind.ENTERPRISE_CODE and not one.many:
                made.append(_validity(one))
        return made

    def _annotation(self, one: Field, links: Callable[[Field], StrawberryField]) -> Any:
        if one.struct is not None:
            return self.struct(one.struct, links) | None
        inner: Any = self.enumeration(one.enumeration) if one.enumeration else _PYTHON[one.kind]
        return list_of(inner) | None if one.many else inner | None
