"""The arguments of ``checkProcedure`` and ``checkProcedures``: code of a procedure, input, day.

They are made of what the schema has coerced, or of the JSON in a receipt.
"""

from __future__ import annotations

import enum
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from decimal import Decimal
from typing import Any, get_args, get_origin, get_type_hints

from strawberry.utils.str_converters import to_camel_case

from connectors.description import Coded
from connectors.values import OrganizationCode, ThingKey
from gateway.catalogue.checks import CheckBinding
from gateway.catalogue.entry_points import keys_of
from gateway.catalogue.organisations import codes_as_written, is_person_number
from gateway.errors import GatewayError
from gateway.procedures.checks.definition import Edition
from gateway.procedures.registry import procedure_of

#: How far ahead the day of a procedure may lie.
_MONTHS_AHEAD = 12


@dataclass(frozen=True, slots=True)
class CheckArguments:
    """What is checked. ``input``: an instance of the definition's input. ``at``: the day.

    ``keys``: of things and organisations in the input, as they are looked up, by field.
    ``requested_at``: the day that was named, None where it is today's.
    """

    code: str
    binding: CheckBinding
    edition: Edition
    input: Any
    at: date
    keys: Mapping[str, tuple[str, ...]]
    requested_at: date | None


def parse_check_arguments(
    checks: Mapping[str, CheckBinding], arguments: Mapping[str, object], today: date
) -> CheckArguments:
    """Return what is checked; ``arguments`` as the schema names and coerces them.

    Raises GatewayError PROCEDURE_UNKNOWN, or INVALID_VALUE for an input of another procedure, one
    that has a fault, and a day out of bounds.
    """
    binding, _ = find_check(checks, arguments, today)
    definition = binding.definition
    inputs = arguments["input"]
    assert isinstance(inputs, Mapping)
    value = inputs.get(to_camel_case(definition.name))
    if not isinstance(value, Mapping):
        message = f"input must be {to_camel_case(definition.name)}, as the code says"
        raise GatewayError("INVALID_VALUE", message)
    code, at = str(arguments["code"]), arguments.get("at")
    requested_at = at if isinstance(at, date) else None
    return _arguments(code, binding, _instance(definition.input, value), requested_at, today)


def find_check(
    checks: Mapping[str, CheckBinding], arguments: Mapping[str, object], today: date
) -> tuple[CheckBinding, Edition]:
    """Return the check that ``arguments`` name, and the law of the day.

    Raises GatewayError PROCEDURE_UNKNOWN, or INVALID_VALUE for a day out of bounds.
    """
    procedure = procedure_of(str(arguments["code"]))
    check = None if procedure is None else procedure.check
    binding = None if check is None else checks.get(check.name)
    if binding is None:
        raise GatewayError("PROCEDURE_UNKNOWN")
    at = arguments.get("at")
    return binding, _edition(binding, at if isinstance(at, date) else today, today)


def _arguments(
    code: str, binding: CheckBinding, checked: Any, requested_at: date | None, today: date
) -> CheckArguments:
    """Return what is checked; raises GatewayError INVALID_VALUE."""
    definition, day = binding.definition, requested_at or today
    edition = _edition(binding, day, today)
    fault = None if definition.find_fault is None else definition.find_fault(checked)
    if fault is not None:
        raise GatewayError("INVALID_VALUE", fault)
    return CheckArguments(code, binding, edition, checked, day, input_keys(checked), requested_at)


def input_keys(checked: Any) -> dict[str, tuple[str, ...]]:
    """Return how the keys of things and the codes of organisations in an input are looked up.

    By field; what is left out has none. Raises GatewayError INVALID_VALUE for a person's number in
    place of an organisation's code: the tax code of a household business is its owner's number, and
    people stand in roles.
    """
    keys: dict[str, tuple[str, ...]] = {}
    for name, hint in _hints(type(checked)).items():
        value, kinds = getattr(checked, name), {hint, *get_args(hint)}
        if value is not None and ThingKey in kinds:
            keys[name] = keys_of(value)
        if value is not None and OrganizationCode in kinds:
            if is_person_number(value):
                raise GatewayError("INVALID_VALUE", "a person is named by a role, not by a code")
            keys[name] = codes_as_written(value)
    return keys


def restore_check_arguments(
    checks: Mapping[str, CheckBinding],
    code: str,
    values: Mapping[str, Any],
    at: str | None,
    today: date,
) -> CheckArguments:
    """Return what is checked again; ``values``: from ``input_as_json``.

    Raises ValueError for what fits no procedure of today, GatewayError as ``parse_check_arguments``
    does.
    """
    procedure = procedure_of(code)
    check = None if procedure is None else procedure.check
    binding = None if check is None else checks.get(check.name)
    if binding is None:
        raise ValueError("there is no such procedure any more")
    requested_at = None if at is None else date.fromisoformat(at)
    try:
        checked = _from_json(binding.definition.input, values)
    except (TypeError, LookupError, AttributeError, ArithmeticError):
        raise ValueError("the input is not that of the procedure") from None
    return _arguments(code, binding, checked, requested_at, today)


def input_as_json(value: Any) -> Any:
    """Return a value of an input as JSON, by the names of the schema, without what is not given."""
    if is_dataclass(value):
        members = {field.name: getattr(value, field.name) for field in fields(value)}
        return {
            to_camel_case(name): input_as_json(member)
            for name, member in members.items()
            if member is not None
        }
    if isinstance(value, list | tuple):
        return [input_as_json(item) for item in value]
    if isinstance(value, Coded):
        return value.name
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _from_json(hint: Any, value: Any) -> Any:
    """Return what ``input_as_json`` was given; ``hint``: its type."""
    if value is None:
        return None
    if isinstance(hint, types.UnionType) or type(None) in get_args(hint):
        (hint,) = (member for member in get_args(hint) if member is not type(None))
    if get_origin(hint) in {list, tuple}:
        return tuple(_from_json(get_args(hint)[0], item) for item in value)
    kind = getattr(hint, "__supertype__", hint)
    if is_dataclass(kind):
        hints = _hints(kind)
        names = {to_camel_case(name): name for name in hints}
        return hint(**{names[key]: _from_json(hints[names[key]], v) for key, v in value.items()})
    if issubclass(kind, Coded):
        return kind[value]
    read = _SCALARS.get(kind)
    if read is None and not isinstance(value, kind):
        raise TypeError
    return value if read is None else read(value)


#: Scalars that JSON has as text.
_SCALARS: Mapping[type, Callable[[str], object]] = {date: date.fromisoformat, Decimal: Decimal}


def numbers_named(checks: Mapping[str, CheckBinding], arguments: Mapping[str, object]) -> list[str]:
    """Return the numbers that an input names, of whatever procedure: for limits and journal.

    Of a queue of cases those of all.
    """
    cases = arguments.get("cases")
    if isinstance(cases, list):
        return [number for case in cases for number in numbers_named(checks, case)]
    inputs = arguments.get("input")
    numbers: list[str] = []
    for name, binding in checks.items():
        value = inputs.get(to_camel_case(name)) if isinstance(inputs, Mapping) else None
        for role in binding.definition.role_definitions:
            named = value.get(to_camel_case(role.name)) if isinstance(value, Mapping) else None
            numbers += named if isinstance(named, list) else [named] if named else []
    return [str(number) for number in numbers]


#: The types of dataclasses of inputs: to resolve them takes 100 us each time.
_HINTS: dict[Any, Mapping[str, Any]] = {}


def _hints(kind: Any) -> Mapping[str, Any]:
    hints = _HINTS.get(kind)
    if hints is None:
        hints = _HINTS[kind] = get_type_hints(kind)
    return hints


def _edition(binding: CheckBinding, day: date, today: date) -> Edition:
    year, month = divmod(today.year * 12 + today.month - 1 + _MONTHS_AHEAD, 12)
    if (day.year, day.month, day.day) > (year, month + 1, today.day):
        raise GatewayError("INVALID_VALUE", f"at must be within {_MONTHS_AHEAD} months from today")
    edition = binding.definition.edition(day)
    if edition is None:
        first = binding.definition.editions[0].since
        raise GatewayError("INVALID_VALUE", f"at must not be before {first.isoformat()}")
    return edition


def _instance(kind: Any, value: Mapping[str, object]) -> Any:
    """Return the dataclass ``kind`` with the values of an input object."""
    hints = _hints(kind)
    values = {
        field.name: _value(hints[field.name], value[to_camel_case(field.name)])
        for field in fields(kind)
        if to_camel_case(field.name) in value
    }
    return kind(**values)


def _value(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(hint, types.UnionType) or (get_origin(hint) is not None and hint is not list):
        members = [member for member in get_args(hint) if member is not type(None)]
        if isinstance(value, list):
            inner = members[0]
            element = get_args(inner)[0] if get_origin(inner) is list else inner
            return tuple(_value(element, item) for item in value)
        hint = members[0]
    if isinstance(value, enum.Enum) and isinstance(hint, type) and issubclass(hint, Coded):
        return hint[value.value]
    if is_dataclass(hint) and isinstance(value, Mapping):
        return _instance(hint, value)
    return value
