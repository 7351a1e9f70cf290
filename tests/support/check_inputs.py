"""Arguments of generated checks of procedures: a code, an input of people and things, and a day.

Whatever checks are registered: inputs are made from their types in the schema.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from random import Random

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    get_named_type,
)
from strawberry.utils.str_converters import to_camel_case

from connectors.registry import installed_databases
from gateway.catalogue.checks import checks_of
from tests.support.arguments import People, Variables, literal, some_value
from tests.support.outline import Argument

#: Codes of which there is no check.
_NO_CODES = ("1.999999", "access-log-review", "", "1.000894.H9")
#: Days about the bounds, those on which laws change, and others; the day of the tests is in it.
_DAYS = (
    "2026-11-23", "2026-11-24", "2027-02-28", "2027-03-01", "2027-11-23", "2027-11-24",
    "2026-06-30", "2026-07-01", "2010-01-31", "1899-12-31", "0001-01-01", "9999-12-31",
)  # fmt: skip
_WITH_NUMBER = "PersonNumber"
#: Numbers of cases, and texts that are none.
_CASE_NUMBERS = ("HS-1", "HS-2", "HSĐ-3/2026/QĐ", "HS-4", "HS-5", "", "001090000001", "no number")
#: What an input needs though it may be null: where one of several names a person or a thing.
_NEEDED_TOO = {
    "NotarisedTransferInput": ("assetNumber",),
    "SecurityRegistrationInput": ("securingParty", "securedParty"),
}


@cache
def check_codes() -> Mapping[str, tuple[str, ...]]:
    """Return the codes of each check, by the field of its input."""
    return {
        to_camel_case(name): binding.procedure.codes
        for name, binding in checks_of(installed_databases()).items()
    }


def is_check(purpose: str | None) -> bool:
    """Say whether the procedure that ``purpose`` names has a check."""
    return any(purpose in codes for codes in check_codes().values())


def check_arguments(
    variables: Variables, people: People, arguments: Sequence[Argument]
) -> Iterator[str]:
    """Yield the arguments of a check; mostly one that the purpose is for, with an input of it.

    Or of a queue of cases, of which some have an input of another procedure.
    """
    rng, by_name = variables.rng, {argument.name: argument for argument in arguments}
    code, at = by_name["code"], by_name["at"]
    field = _field(rng, people.purpose)
    yield _written(variables, code, _code(rng, people.purpose, field), 0.4)
    if "cases" in by_name:
        yield f"cases: [{', '.join(_cases(variables, people, by_name['cases'].kind, field))}]"
    else:
        yield f"input: {_input(variables, people, by_name['input'].kind, field)}"
    if rng.random() < 0.35:
        day = rng.choice(_DAYS) if rng.random() < 0.95 else None
        yield _written(variables, at, day, 0.4)


def _cases(
    variables: Variables, people: People, kind: GraphQLInputType, field: str
) -> Iterator[str]:
    """Yield the cases of a queue."""
    rng, case = variables.rng, get_named_type(kind)
    assert isinstance(case, GraphQLInputObjectType)
    number, given = case.fields["caseNumber"].type, case.fields["input"].type
    for _ in range(rng.choice((0, 1, 2, 2, 3, 5))):
        written: object = rng.choice(_CASE_NUMBERS)
        if rng.random() < 0.3:
            written = variables.ref(number, True, False, written)
        inner = field if rng.random() < 0.9 else rng.choice([*check_codes()])
        text = _input(variables, people, given, inner)
        yield f"{{caseNumber: {literal(rng, number, written)}, input: {text}}}"


def _field(rng: Random, purpose: str | None) -> str:
    """Return the field of an input: mostly that of the purpose."""
    fitting = [name for name, codes in check_codes().items() if purpose in codes]
    return rng.choice(fitting if fitting and rng.random() < 0.93 else [*check_codes()])


def _code(rng: Random, purpose: str | None, field: str) -> str:
    if rng.random() < 0.06:
        return rng.choice((*_NO_CODES, *(code for each in check_codes().values() for code in each)))
    return purpose if purpose in check_codes()[field] else rng.choice(check_codes()[field])


def _written(variables: Variables, argument: Argument, value: object, share: float) -> str:
    """Return an argument, as a variable with the probability ``share``."""
    if variables.rng.random() < share:
        value = variables.ref(argument.kind, argument.required, argument.defaulted, value)
    return f"{argument.name}: {literal(variables.rng, argument.kind, value)}"


def _input(variables: Variables, people: People, kind: GraphQLInputType, field: str) -> str:
    """Return the input: a variable, or an object with variables at any depth."""
    rng, inputs = variables.rng, get_named_type(kind)
    assert isinstance(inputs, GraphQLInputObjectType)
    inner = inputs.fields[field].type
    value = input_value(rng, people, inner)
    draw = rng.random()
    if draw < 0.35:
        return variables.ref(kind, True, False, {field: value})
    if draw < 0.55:
        return f"{{{field}: {variables.non_null(inner, value)}}}"
    return f"{{{field}: {_object(variables, inner, value)}}}"


def _object(variables: Variables, kind: GraphQLInputType, value: object) -> str:
    """Return an object as a literal, with variables in place of some of its fields."""
    inputs = get_named_type(kind)
    assert isinstance(inputs, GraphQLInputObjectType)
    assert isinstance(value, Mapping)
    parts = []
    for name, inner in value.items():
        declared = inputs.fields[name]
        required = isinstance(declared.type, GraphQLNonNull)
        written = inner
        if variables.rng.random() < 0.35:
            written = variables.ref(declared.type, required, False, inner)
        parts.append(f"{name}: {literal(variables.rng, declared.type, written)}")
    variables.rng.shuffle(parts)
    return f"{{{', '.join(parts)}}}"


def input_value(rng: Random, people: People, kind: GraphQLInputType, name: str = "") -> object:
    """Return a value of an input type about ``people``; what may be null is sometimes left out."""
    if isinstance(kind, GraphQLNonNull):
        kind = kind.of_type
    if isinstance(kind, GraphQLList):
        count = rng.choice((1, 1, 2, 2, 3, 0, 12))
        return [input_value(rng, people, kind.of_type, name) for _ in range(count)]
    if isinstance(kind, GraphQLInputObjectType):
        return {
            inner: input_value(rng, people, field.type, inner)
            for inner, field in kind.fields.items()
            if isinstance(field.type, GraphQLNonNull) or rng.random() < 0.6
        }
    if get_named_type(kind).name == _WITH_NUMBER:
        return people.draw(rng)
    thing_keys = [key for keys in people.thing_keys.values() for key in keys]
    if get_named_type(kind).name == "String" and thing_keys and rng.random() < 0.7:
        return rng.choice(thing_keys)
    return some_value(rng, kind, name)


def plain_inputs(schema: GraphQLSchema, numbers: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield for each check a code, and an input as a literal with nothing but what it needs.

    ``numbers``: of the people in it, one after the other: numbers, or variables with their ``$``.
    """
    inputs = schema.type_map["CheckInput"]
    assert isinstance(inputs, GraphQLInputObjectType)
    for field, (code, *_) in check_codes().items():
        yield code, f"{{{field}: {_plain(inputs.fields[field].type, iter(numbers))}}}"


def _plain(kind: GraphQLInputType, numbers: Iterator[str]) -> str:
    if isinstance(kind, GraphQLNonNull):
        kind = kind.of_type
    if isinstance(kind, GraphQLList):
        return f"[{_plain(kind.of_type, numbers)}]"
    if isinstance(kind, GraphQLInputObjectType):
        names = [
            name
            for name, each in kind.fields.items()
            if isinstance(each.type, GraphQLNonNull) or name in _NEEDED_TOO.get(kind.name, ())
        ]
        needed = (f"{name}: {_plain(kind.fields[name].type, numbers)}" for name in names)
        return f"{{{', '.join(needed)}}}"
    if get_named_type(kind).name == _WITH_NUMBER:
        number = next(numbers)
        return number if number.startswith("$") else f'"{number}"'
    if isinstance(kind, GraphQLEnumType):
        return str(next(iter(kind.values)))
    rng = Random("plain")
    return literal(rng, kind, some_value(rng, kind, ""))
