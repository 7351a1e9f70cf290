"""Arguments of generated operations: literals, variables, and the values of the variables."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    get_named_type,
)

from connectors.registry import installed_databases
from gateway.catalogue.entry_points import KEY_SCALAR
from gateway.derived.event_lists import collect_event_lists
from tests.support.outline import Argument, Choice

#: A person's name and date of birth, as far as they are known.
Details = tuple[str | None, str | None]

_NAMES = (
    "id",
    "n",
    "v",
    "class",
    "None",
    "self",
    "_",
    "__v",
    "from",
    "if",
    "k0",
    "p",
    "on",
    "null",
)
_FIRSTS = (1, 1, 2, 2, 3, 5, 10, 50, 200)
_BAD_FIRSTS = (0, -1, 201, 2_147_483_647)
_FROM = (
    *("1900-01-01", "0001-01-01", "1975-04-30") * 2, "1999-12-31", "2010-01-31", "2024-02-29",
)  # fmt: skip
_TO = (
    "2015-06-15", "2023-03-01", *("2025-06-30", "2030-01-01", "2030-01-01", "9999-12-31") * 2,
)  # fmt: skip
_TEXTS: Sequence[object] = ("Person", "Query", "Sex", "Matching", "Không ai", "")
_STRANGERS: Sequence[str] = (
    "001099999999",
    "123000000",
    "999999999999",
    "000000000",
    "079300000007",
)
#: Of the right form, and of no list.
_CURSOR = "AAAAAQAAAAAAAAAAAAAAAAAAAAA="
_EVENTS = collect_event_lists(installed_databases())
#: What the arguments of a timeline choose from.
_CHOICES: Mapping[str, Sequence[str]] = {
    "databases": sorted(_EVENTS.databases),
    "kinds": sorted(_EVENTS.titles),
    "after": (_CURSOR,),
}
#: Values of the scalars that arguments have.
_SCALARS: Mapping[str, Sequence[object]] = {
    "Date": _FROM,
    "Boolean": (True, False),
    "PersonNumber": _STRANGERS,
    "ThingKey": ("K-1", "no such thing"),
    "OrganizationCode": ("0100109106", "0100109106-001", "mã cũ 12", "Nguyễn Văn Hòa"),
    "PartialDate": ("1990", "1990-02", "1990-02-03"),
    "Decimal": ("0", "1500000", "12.50"),
}


class Ref(str):
    """A reference to a variable in place of a value."""

    __slots__ = ()


class _Absent:
    """The value of a variable that the request leaves out."""


ABSENT = _Absent()


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the document.

    ``non_null``: it may stand where null must not. ``value``: in the request, or ABSENT.
    ``intended``: the value that it was created for.
    """

    name: str
    base: str
    suffix: str
    default: str | None
    non_null: bool
    value: object
    intended: object

    @property
    def definition(self) -> str:
        """The variable as an operation declares it."""
        default = "" if self.default is None else f" = {self.default}"
        return f"${self.name}: {self.base}{self.suffix}{default}"


@dataclass(slots=True)
class Variables:
    """The variables of a document while it is generated."""

    rng: Random
    declared: dict[str, Variable] = field(default_factory=dict)

    def ref(self, kind: GraphQLInputType, required: bool, defaulted: bool, value: object) -> Ref:
        """Return a variable that holds ``value`` (or another of its type) for a place of ``kind``.

        ``required``: null is invalid in this place. ``defaulted``: the place has a default value.
        """
        nullable_kind = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        base, strict = str(nullable_kind), required and not defaulted
        candidates = [
            variable
            for variable in self.declared.values()
            if variable.base == base and (variable.non_null or not strict)
        ]
        if self.rng.random() < 0.8:
            candidates = [variable for variable in candidates if variable.intended == value]
        if candidates and self.rng.random() < 0.3:
            return Ref(f"${self.rng.choice(candidates).name}")
        made = self._new_variable(nullable_kind, base, self._form(required, strict), value)
        self.declared[made.name] = made
        return Ref(f"${made.name}")

    def non_null(self, kind: GraphQLInputType, value: object) -> Ref:
        """Return a new variable that may not be null, as the one field of an input has to be."""
        nullable_kind = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        form = self.rng.choice(("!", "!", "! ="))
        made = self._new_variable(nullable_kind, str(nullable_kind), form, value)
        self.declared[made.name] = made
        return Ref(f"${made.name}")

    def _form(self, required: bool, strict: bool) -> str:
        if strict:
            return self.rng.choice(("!", "!", "! =", "="))
        if required:
            return self.rng.choice(("!", "! =", "=", ""))
        return self.rng.choice(("!", "! =", "=", "", "", "= null"))

    def _new_variable(
        self, kind: GraphQLInputType, base: str, form: str, value: object
    ) -> Variable:
        """Return a new variable whose default or value in the request is ``value``."""
        name, suffix = self._name(), "!" if form.startswith("!") else ""
        default, sent = None, value
        if form == "= null":
            default, sent = "null", self.rng.choice((value, value, None, ABSENT))
        elif form.endswith("="):
            other = some_value(self.rng, kind, name)
            default = literal(self.rng, kind, other)
            if self.rng.random() < 0.5 or other is None:
                default, sent = literal(self.rng, kind, value), ABSENT
        elif not form and self.rng.random() < 0.4:
            sent = self.rng.choice((None, ABSENT, ABSENT))
        is_non_null = bool(suffix) or (default is not None and default != "null")
        if sent is None and self.rng.random() < 0.7 and not is_non_null:
            sent = ABSENT
        return Variable(name, base, suffix, default, is_non_null, sent, value)

    def _name(self) -> str:
        name = self.rng.choice(_NAMES)
        while name in self.declared:
            name = f"{name}{len(self.declared)}"
        return name


def literal(rng: Random, kind: GraphQLInputType, value: object) -> str:
    """Return ``value`` as a literal of type ``kind``."""
    if isinstance(kind, GraphQLNonNull):
        kind = kind.of_type
    if isinstance(value, Ref) or value is None:
        return value or "null"
    if isinstance(kind, GraphQLList):
        items = value if isinstance(value, list) else [value]
        text = ", ".join(literal(rng, kind.of_type, item) for item in items)
        return f"[{text}]" if items is value else text
    if isinstance(kind, GraphQLInputObjectType):
        assert isinstance(value, dict)
        inner = (f"{k}: {literal(rng, kind.fields[k].type, v)}" for k, v in value.items())
        return "{" + ", ".join(inner) + "}"
    if isinstance(kind, GraphQLEnumType) or not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return _string(rng, value)


def _string(rng: Random, value: str) -> str:
    if rng.random() < 0.1 and value.isprintable() and not {'"', "\\"} & set(value):
        return f'"""{value}"""'
    return json.dumps(value, ensure_ascii=rng.random() < 0.3)


def some_value(rng: Random, kind: GraphQLInputType, name: str) -> object:
    """Return a value of ``kind`` for argument ``name``; for ``first`` sometimes an invalid one.

    Only for the types of arguments of lists, and the types nested in them.
    """
    if isinstance(kind, GraphQLNonNull):
        kind = kind.of_type
    if isinstance(kind, GraphQLList):
        return [
            some_value(rng, kind.of_type, name) for _ in range(rng.choice((1, 2, 2, 3, 3, 4, 0)))
        ]
    if isinstance(kind, GraphQLEnumType):
        return rng.choice(tuple(kind.values))
    if isinstance(kind, GraphQLInputObjectType):
        return _some_object(rng, kind)
    scalar = get_named_type(kind).name
    if scalar == "Int":
        return rng.choice(_BAD_FIRSTS if rng.random() < 0.06 else _FIRSTS)
    if scalar == "Date" and (name == "to" or rng.random() < 0.1):
        return rng.choice(_TO)
    choices = _SCALARS.get(scalar, _TEXTS)
    if scalar == "String" and rng.random() < 0.97:
        choices = _CHOICES.get(name, choices)
    return rng.choice(choices)


def _some_object(rng: Random, kind: GraphQLInputObjectType) -> dict[str, object]:
    """Return an object with what it needs, or one thing of it."""
    required = [
        name for name, field in kind.fields.items() if isinstance(field.type, GraphQLNonNull)
    ]
    names = required or [rng.choice([*kind.fields])]
    return {name: some_value(rng, kind.fields[name].type, name) for name in names}


@dataclass(frozen=True, slots=True)
class People:
    """Numbers of persons, details of some of them, and keys of things by their root field.

    ``purpose``: for which they are asked about.
    """

    numbers: Sequence[str]
    details: Mapping[str, Details]
    thing_keys: Mapping[str, Sequence[str]] = field(default_factory=dict)
    purpose: str | None = None

    def draw(self, rng: Random) -> str:
        """Return the number of a person, rarely a number that nobody has."""
        strange = not self.numbers or rng.random() < 0.03
        return rng.choice(_STRANGERS if strange else self.numbers)


def arguments(variables: Variables, people: People, choice: Choice) -> str:
    """Return the arguments for a field as text, with its parentheses; empty for none."""
    if not choice.arguments:
        return ""
    match choice.name:
        case "person":
            parts = list(_person(variables, people, *choice.arguments))
        case "persons":
            parts = [_persons(variables, people, choice.arguments[0])]
        case "organization":
            parts = [_organisation(variables, people, choice.arguments[0])]
        case "verifyPerson":
            parts = list(_verification(variables, people, *choice.arguments))
        case _ if get_named_type(choice.arguments[0].kind).name == KEY_SCALAR:
            key, *listed = choice.arguments
            listed_arguments = (_listed(variables, argument, 0.2) for argument in listed)
            parts = [
                _by_key(variables, people.thing_keys.get(choice.name) or ("K-1",), key),
                *(text for text in listed_arguments if text is not None),
            ]
        case _:
            is_frequent = variables.rng.random() < 0.35 or choice.name == "databases"
            chance = 0.4 if is_frequent else 0.02
            listed_arguments = (
                _listed(variables, argument, chance) for argument in choice.arguments
            )
            parts = [text for text in listed_arguments if text is not None]
    variables.rng.shuffle(parts)
    return f"({', '.join(parts)})" if parts else ""


def _listed(variables: Variables, argument: Argument, chance: float) -> str | None:
    """Return an argument of a list, None where it is left out."""
    rng, strict = variables.rng, argument.required and not argument.defaulted
    if argument.name == "after":  # a cursor that does not fit leaves nothing to compare
        chance *= 0.1
    if not strict and rng.random() > chance:
        return None
    if not argument.required and rng.random() < 0.08:
        return f"{argument.name}: null"
    value = some_value(rng, argument.kind, argument.name)
    if rng.random() < 0.45:
        value = _with_variables(variables, argument, value)
    elif isinstance(value, list) and len(value) == 1 and rng.random() < 0.3:
        value = value[0]
    return f"{argument.name}: {literal(rng, argument.kind, value)}"


def _with_variables(variables: Variables, argument: Argument, value: object) -> object:
    """Put a variable in place of ``value``, or of one of its elements."""
    kind = argument.kind
    if isinstance(value, list) and value and variables.rng.random() < 0.4:
        inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        assert isinstance(inner, GraphQLList)
        return [variables.ref(inner.of_type, True, False, value[0]), *value[1:]]
    return variables.ref(kind, argument.required, argument.defaulted, value)


def _person(
    variables: Variables, people: People, number: Argument, matching: Argument
) -> Iterator[str]:
    rng, person = variables.rng, people.draw(variables.rng)
    value = person if rng.random() < 0.5 else variables.ref(number.kind, True, False, person)
    yield f"{number.name}: {literal(rng, number.kind, value)}"
    if rng.random() < 0.16:
        expected = _matching(variables, matching.kind, people.details.get(person, (None, None)))
        yield f"{matching.name}: {literal(rng, matching.kind, expected)}"


def _verification(
    variables: Variables,
    people: People,
    number: Argument,
    name: Argument,
    born: Argument,
    sex: Argument,
) -> Iterator[str]:
    """Yield the details of a person: mostly the true ones, sometimes others."""
    rng, person = variables.rng, people.draw(variables.rng)
    known_name, known_date = people.details.get(person, (None, None))
    details: tuple[tuple[Argument, object], ...] = (
        (number, person),
        (name, known_name if known_name and rng.random() < 0.8 else "Trần Thị Lan"),
        (born, known_date if known_date and rng.random() < 0.8 else "1990"),
        (sex, rng.choice(("MALE", "FEMALE", "UNDETERMINED"))),
    )
    for argument, value in details:
        written = value if rng.random() < 0.6 else variables.ref(argument.kind, True, False, value)
        yield f"{argument.name}: {literal(rng, argument.kind, written)}"


def _organisation(variables: Variables, people: People, code: Argument) -> str:
    """Return a code that records have, or the number of whoever runs a household business."""
    rng = variables.rng
    value: object = people.draw(rng)
    if rng.random() < 0.6 or len(str(value)) != len("001099999999"):
        value = rng.choice(_SCALARS["OrganizationCode"])
    if rng.random() < 0.5:
        value = variables.ref(code.kind, True, False, value)
    return f"{code.name}: {literal(rng, code.kind, value)}"


def _by_key(variables: Variables, keys: Sequence[str], key: Argument) -> str:
    rng = variables.rng
    value: object = rng.choice(keys)
    if rng.random() < 0.15:
        value = rng.choice(("no such thing", str(value).lower()))
    if rng.random() < 0.5:
        value = variables.ref(key.kind, True, False, value)
    return f"{key.name}: {literal(rng, key.kind, value)}"


def _persons(variables: Variables, people: People, numbers: Argument) -> str:
    rng = variables.rng
    inner = get_named_type(numbers.kind)
    assert isinstance(inner, GraphQLInputType)
    count = rng.choices((1, 2, 3, 4, 0, 51, 101), (30, 33, 20, 12, 3, 1, 1))[0]
    value: object = [people.draw(rng) for _ in range(count)]
    assert isinstance(value, list)
    if value and rng.random() < 0.2:
        value.append(value[0])
    if rng.random() < 0.4 or count > 10:
        value = variables.ref(numbers.kind, True, False, value)
    elif value and rng.random() < 0.4:
        place = rng.randrange(len(value))
        value[place] = variables.ref(GraphQLNonNull(inner), True, False, value[place])
    elif len(value) == 1 and rng.random() < 0.3:
        value = value[0]
    return f"{numbers.name}: {literal(rng, numbers.kind, value)}"


def _matching(variables: Variables, kind: GraphQLInputType, details: Details) -> object:
    """Return the details to match: mostly right, often partial, rarely null."""
    rng = variables.rng
    assert isinstance(kind, GraphQLInputObjectType)
    if rng.random() < 0.08:
        return None
    selected: dict[str, object] = {}
    for key, value in (("name", _name(rng, details[0])), ("birthDate", _born(rng, details[1]))):
        if rng.random() < 0.7:
            selected[key] = value if rng.random() < 0.93 else None
    if rng.random() < 0.3:
        return variables.ref(kind, False, False, selected)
    for key, detail in selected.items():
        if detail is not None and rng.random() < 0.35:
            selected[key] = variables.ref(kind.fields[key].type, False, True, detail)
    return selected


def _name(rng: Random, name: str | None) -> str:
    """Return an equivalent spelling of ``name``, or another person's name."""
    if name is None or rng.random() < 0.12:
        return rng.choice(("Trần Thị Lan", "", "Ông Tư"))
    ways = (name, name.upper(), f"  {name} ", unicodedata.normalize("NFD", name))
    return rng.choice(ways)


def _born(rng: Random, date: str | None) -> str:
    """Return a date of birth, complete or partial, or a wrong one."""
    if date is None or rng.random() < 0.12:
        return "1901-01-01"
    return rng.choice((date, date[:4], date[:7]))
