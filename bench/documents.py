"""Documents as large as the limits admit, generated from the schema: the most costly to compile.

Each grows part by part, up to the last part that the limits admit. No two have the same text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)

from gateway.errors import GatewayError
from gateway.plan.document_limits import parse_within
from gateway.settings import Limits

_PERSON, _REPORT = "Person", "SourceReport"
_BASES = 4

#: A list of a person's records: the section it stands in, and what is selected of it.
Part = tuple[str, str]
Make = Callable[[Sequence[Part]], str]


def shapes(
    schema: GraphQLSchema, limits: Limits, count: int, longest: int | None = None
) -> dict[str, list[str]]:
    """Return ``count`` documents of each shape, no two of them the same text.

    ``longest``: how many characters they may have, beside what ``limits`` allow.
    """
    if longest is not None:
        limits = limits.model_copy(update={"document_characters": longest - len("# 999999\n")})
    variants: dict[str, tuple[Make, list[Part]]] = {
        "wide": (_wide, _all_sections(schema, structs=True)),
        "fragments": (_fragments, _spreading(schema)),
        "merged": (_merged, _all_sections(schema, structs=False)),
        "deep": (_deep, _linked(schema)),
    }
    documents = {}
    for name, (make, parts) in variants.items():
        bases = [_largest(make, _rotated(parts, number), limits) for number in range(_BASES)]
        documents[name] = [f"# {number}\n{bases[number % _BASES]}" for number in range(count)]
    return documents


def _rotated(parts: list[Part], number: int) -> list[Part]:
    """Return ``parts`` rotated, so that other parts exceed the limits."""
    start = number * 7 % len(parts)
    return parts[start:] + parts[:start]


def _largest(make: Make, parts: Sequence[Part], limits: Limits) -> str:
    """Add ``parts`` one by one, skip those that exceed the limits, and return the document."""
    accepted: list[Part] = []
    for part in parts:
        if _is_within(make([*accepted, part]), limits):
            accepted.append(part)
    return make(accepted)


def _is_within(text: str, limits: Limits) -> bool:
    try:
        parse_within(text, limits)
    except GatewayError:
        return False
    return True


def _inner(field: GraphQLField) -> GraphQLObjectType | None:
    """Return the object type of ``field``; None for a leaf, or where arguments are required."""
    kind = get_named_type(field.type)
    if not isinstance(kind, GraphQLObjectType):
        return None
    return None if any(is_required_argument(argument) for argument in field.args.values()) else kind


def _leaves(kind: GraphQLObjectType, structs: bool) -> str:
    """Select what a row holds: its leaves, and those of its structs."""
    parts = []
    for name, field in kind.fields.items():
        inner = _inner(field)
        if is_leaf_type(get_named_type(field.type)):
            parts.append(name)
        elif structs and inner is not None and not _leads_away(inner):
            parts.append(f"{name} {{ {_leaves(inner, structs)} }}")
    return " ".join(parts)


def _leads_away(kind: GraphQLObjectType) -> bool:
    return kind.name in {_PERSON, _REPORT} or bool({"items", "item"} & kind.fields.keys())


def _lists(schema: GraphQLSchema) -> Iterator[tuple[str, str, str, GraphQLObjectType]]:
    """Yield section, list, ``items`` or ``item``, and the record's type."""
    person = schema.type_map[_PERSON]
    assert isinstance(person, GraphQLObjectType)
    for section, field in person.fields.items():
        kind = _inner(field)
        for name, listed in kind.fields.items() if kind is not None else ():
            inner = _inner(listed)
            for rows in ("items", "item"):
                if inner is not None and rows in inner.fields:
                    row = _inner(inner.fields[rows])
                    assert row is not None
                    yield section, name, rows, row


def _all_sections(schema: GraphQLSchema, structs: bool) -> list[Part]:
    """Return each list of a person with all that its rows hold, and its source report."""
    return [
        (section, f"{name} {{ {rows} {{ {_leaves(row, structs)} }} source {{ state asOf }} }}")
        for section, name, rows, row in _lists(schema)
    ]


def _linked(schema: GraphQLSchema) -> list[Part]:
    """Return the lists whose rows lead to persons; ``@`` stands for what is selected of those."""
    return [
        (section, f"{name} {{ {rows} {{ {link} {{ @ }} }} }}")
        for section, name, rows, row in _lists(schema)
        for link, field in row.fields.items()
        if (inner := _inner(field)) is not None and inner.name == _PERSON
    ]


def _spreading(schema: GraphQLSchema) -> list[Part]:
    """Return the lists with a fragment for each of their structs, three times each."""
    parts = []
    for section, name, rows, row in _lists(schema):
        spreads = [
            f"{link} {{ ...{inner.name} }}"
            for link, field in row.fields.items()
            if (inner := _inner(field)) is not None and inner.name in _FRAGMENTS
        ]
        if spreads:
            parts.append((section, f"{name} {{ {rows} {{ {' '.join(spreads)} }} }}"))
    return parts * 3


_FRAGMENTS = {
    "Place": "asRecorded asOf facility communeCode provinceCode country",
    "IdDocument": "kind number issuedOn issuer",
    "Party": "kind name citizenId birthDate ethnicity nationality residence { ...Place } "
    "idDocument { ...IdDocument } organisationId enterpriseCode representative",
}


def _sections(parts: Sequence[Part]) -> str:
    """Return ``parts`` with each section once: a field may not be repeated often."""
    names = dict.fromkeys(section for section, _ in parts)
    return " ".join(
        f"{name} {{ {' '.join(text for section, text in parts if section == name)} }}"
        for name in names
    )


def _query(selected: str, definitions: str = "") -> str:
    return f"query Q($id: PersonNumber!) {{ {selected} }}\n{definitions}"


def _wide(parts: Sequence[Part]) -> str:
    """Select every field of one person."""
    return _query(f"person(id: $id) {{ id {_sections(parts)} }}")


def _fragments(parts: Sequence[Part]) -> str:
    """Select many fields in few words: fragments spread in every struct, of three persons."""
    roots = [
        f"p{number}: person(id: $id) {{ id {_sections(parts[number::3])} }}" for number in range(3)
    ]
    definitions = "\n".join(
        f"fragment {on} on {on} {{ {selection} }}" for on, selection in _FRAGMENTS.items()
    )
    return _query(" ".join(roots), definitions)


def _merged(parts: Sequence[Part]) -> str:
    """Select the same fields four times in the same place: validation compares them all."""
    spreads = " ".join(f"...F{number}" for number in range(4))
    selected = _sections(parts)
    definitions = "\n".join(f"fragment F{number} on Person {{ {selected} }}" for number in range(4))
    return _query(f"person(id: $id) {{ id {spreads} }}", definitions)


def _deep(parts: Sequence[Part]) -> str:
    """Select linked persons two levels deep, under as many aliases as the limits admit."""
    inner = _sections([(section, part.replace("@", "id askedAs")) for section, part in parts])
    ways = _sections([(section, part.replace("@", f"id {inner}")) for section, part in parts[:6]])
    aliases = " ".join(f"a{number}: askedAs" for number in range(30))
    return _query(f"person(id: $id) {{ {aliases} {ways} }}")
