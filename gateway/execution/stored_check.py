"""A check as JSON and back, for tickets: whatever dataclasses it consists of, by their types.

Databases stand by name. Nothing that is not declared comes back: JSON of another version of the
gateway raises ValueError.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from types import SimpleNamespace
from typing import Any, Union, get_args, get_origin, get_type_hints

import orjson

from connectors.description import Coded, Database
from connectors.values import PartialDate
from gateway.execution.checking import CheckReceipt, ProcedureCheck
from gateway.procedures.checks.definition import CheckDefinition

#: Databases by name.
Databases = Mapping[str, Database]


def encode_check(check: ProcedureCheck) -> bytes:
    """Return a check as JSON, with its receipt, which is issued now."""
    content = {name: _plain(getattr(check, name)) for name in _declared()}
    results = {name: _plain(value) for name, value in vars(check.results).items()}
    return orjson.dumps({**content, "results": results, "receipt": check.receipt})


def decode_check(
    encoded: bytes, definition: CheckDefinition, databases: Databases
) -> ProcedureCheck:
    """Return the check that ``encode_check`` made JSON of; raises ValueError."""
    kinds = {result.name: result.kind for result in definition.results}
    try:
        content = orjson.loads(encoded)
        values = {
            name: _value(hint, content[name], databases) for name, hint in _declared().items()
        }
        results = {
            name: _value(kinds.get(name), value, databases)
            for name, value in content["results"].items()
        }
        receipt = CheckReceipt(_cannot_issue, str(content["receipt"]))
        return ProcedureCheck(**values, results=SimpleNamespace(**results), issued=receipt)
    except (KeyError, TypeError, LookupError, ArithmeticError) as error:
        raise ValueError("it is no check of this version") from error


def _declared() -> Mapping[str, Any]:
    """Return the fields whose types say how they are stored."""
    hints = _hints(ProcedureCheck)
    return {name: hint for name, hint in hints.items() if name not in {"results", "issued"}}


def _cannot_issue(check: ProcedureCheck) -> str:
    raise AssertionError("the receipt was issued with the check")


def _plain(value: Any) -> Any:
    """Return ``value`` as JSON has it."""
    if isinstance(value, tuple | list | frozenset):
        return [_plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, Database | PartialDate | type):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    return _text(value)


def _text(value: Any) -> Any:
    if isinstance(value, Coded | Database):
        return value.name
    if isinstance(value, date):  # and moments
        return value.isoformat()
    return str(value) if isinstance(value, Decimal | PartialDate) else value


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    return get_type_hints(kind)


def _value(kind: Any, value: Any, databases: Databases) -> Any:
    """Return ``value``, of JSON, as ``kind``."""
    if value is None or kind is Any:
        return value
    origin = get_origin(kind)
    if origin in {types.UnionType, Union}:
        (inner,) = (member for member in get_args(kind) if member is not type(None))
        return _value(inner, value, databases)
    if origin in {tuple, list, frozenset}:
        element = get_args(kind)[0]
        return origin(_value(element, item, databases) for item in value)
    return _single(kind, value, databases)


def _single(kind: Any, value: Any, databases: Databases) -> Any:
    if kind is Database:
        return databases[value]
    if issubclass(kind, Coded):
        return kind[value]
    if kind in {date, datetime}:
        return kind.fromisoformat(value)
    if kind is PartialDate:
        return PartialDate.parse(value)
    if is_dataclass(kind):
        return kind(**dict(_fields(kind, value, databases)))  # type: ignore[operator]
    return kind(value) if kind is Decimal or issubclass(kind, str) else value


def _fields(kind: Any, value: Mapping[str, Any], databases: Databases) -> Iterator[tuple[str, Any]]:
    hints = _hints(kind)
    for field in fields(kind):
        yield field.name, _value(hints[field.name], value[field.name], databases)
