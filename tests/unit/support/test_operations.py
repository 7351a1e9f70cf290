"""Generated operations are valid, and cover what a client may write."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from random import Random

import pytest
from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    get_named_type,
    validate,
)

from connectors.registry import installed_databases
from gateway.plan.document_limits import parse_within
from gateway.settings import Limits
from tests.support.operations import Generated, operation
from tests.support.running import built

NUMBERS = ("001090012345", "001191054321", "123456789", "079085000001")
DETAILS = {"001090012345": ("Nguyễn Văn Hòa", "1990-02-03"), "123456789": ("Trần Thị Lan", "1991")}
SEEDS = range(500)
PLANNED = {"person", "persons", "me"}
NASTY = {"class", "None", "__proto__", "constructor", "self", "p", "r", "f", "def", "k0"}


@dataclass(frozen=True)
class Case:
    """A generated operation with its parsed document, and what comes up in it."""

    generated: Generated
    document: DocumentNode
    facts: frozenset[str]


@cache
def _schema() -> GraphQLSchema:
    return built(installed_databases())


def _generated(seed: int) -> Generated:
    return operation(Random(seed), _schema(), NUMBERS, DETAILS)


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    all_cases = []
    for seed in SEEDS:
        generated = _generated(seed)
        document = parse_within(generated.query, Limits())
        facts = frozenset((*_of_text(generated), *_of_document(document)))
        all_cases.append(Case(generated, document, facts))
    return all_cases


def test_every_operation_is_valid_and_within_the_limits(cases: list[Case]) -> None:
    for case in cases[::2]:
        assert validate(_schema(), case.document) == [], case.generated.query


def test_the_operation_to_run_is_in_the_document(cases: list[Case]) -> None:
    for case in cases:
        names = [
            operation.name.value if operation.name else None
            for operation in _operations(case.document)
        ]
        assert len(names) == 1 or case.generated.operation_name in names
        assert case.generated.operation_name in {None, *names}


def test_one_seed_is_one_operation() -> None:
    assert [_generated(seed) for seed in range(20)] == [_generated(seed) for seed in range(20)]


def test_operations_are_neither_all_small_nor_all_large(cases: list[Case]) -> None:
    sizes = sorted(len(re.findall(r"\w+", case.generated.query)) for case in cases)
    assert sizes[len(sizes) // 10] < 40
    assert sizes[len(sizes) // 2] > 40


EXPECTED = (
    *(f"root {name}" for name in ("person", "persons", "me", "databases", "__typename")),
    *(f"root {name}" for name in ("__schema", "__type", "checkProcedure")),
    "variable CheckInput!",
    "several roots", "planned beside databases", "planned beside introspection",
    "databases of a group", "a person twice", "matching", "an old number",
    *(f"alias on {kind}" for kind in ("root", "section", "list", "rows", "source", "link")),
    "alias on object", "alias on leaf", "one field with different arguments",
    "key repeated", "fragment nested", "fragment spread twice", "fragment with directive",
    "inline with type", "inline without type", "inline with directive", "opposite conditions",
    "include", "skip", "both directives", "literal condition", "variable condition",
    "skipped parent", "several operations",
    *(f"variable {kind}" for kind in ("Int", "Int!", "Date", "Order", "Boolean", "Boolean!")),
    *(f"variable {kind}" for kind in ("PersonNumber", "PersonNumber!", "[PersonNumber!]!")),
    *(f"variable {kind}" for kind in ("Matching", "String", "PartialDate", "list of codes")),
    "variable default", "variable default null", "variable null", "variable omitted",
    "variable in object", "variable in list", "variable that nobody declares",
    *(f"argument {name}" for name in ("first", "from", "to", "order", "status")),
    "argument null", "first beyond limits", "from later than to",
    *(f"source {name}" for name in ("asOf", "coverage", "database", "live", "records", "lists")),
    "section source alone", "section source beside lists", "notices", "truncated",
    "list on record", "link", "person behind a person", "third wave",
)  # fmt: skip


def test_what_a_client_may_write_comes_up(cases: list[Case]) -> None:
    counts = Counter(fact for case in cases for fact in case.facts)
    assert [fact for fact in EXPECTED if not counts[fact]] == []


def test_most_operations_ask_for_rows_of_persons(cases: list[Case]) -> None:
    cases_of_rows = [case for case in cases if "rows of persons" in case.facts]
    assert len(cases_of_rows) > 0.75 * len(cases)


_TEXTS = {
    "matching": r"matching:",
    "an old number": r'"123456789"',
    "a person twice": r'ids: \[[^]]*("\d+")[^]]*\1',
    "databases of a group": r"databases\(group: (?!null)",
    "variable default": r"\$\w+: [^$)]*= (?!null)",
    "variable default null": r"\$\w+: \w+ = null",
    "variable in object": r"\w+: \{[^}]*\$",
    "variable in list": r"\w+: \[[^]]*\$",
    "variable list of codes": r"\$\w+: \[\w+Status!\]",
    "argument null": r"(?:from|to|order|status): null",
    "first beyond limits": r"first: (?:0|-1|201|2147483647)\b",
    "literal condition": r"if: (?:true|false)",
    "variable condition": r"if: \$",
    "inline without type": r"\.\.\. ?[@{]",
}  # fmt: skip


def _of_text(generated: Generated) -> Iterator[str]:
    """Yield what is seen in the text and in what the variables are given."""
    text = generated.query
    yield from (fact for fact, pattern in _TEXTS.items() if re.search(pattern, text))
    declared = re.findall(r"\$(\w+): (\[?\w+!?\]?!?)", text)
    for name, kind in declared:
        yield f"variable {kind}"
        if name not in generated.variables:
            yield "variable omitted"
        elif generated.variables[name] is None:
            yield "variable null"
    if generated.variables.keys() - {name for name, _ in declared}:
        yield "variable that nobody declares"
    for arguments_text in re.findall(r"\([^()]*\)", text):
        dates = dict(re.findall(r'(from|to): "([\d-]+)"', arguments_text))
        if dates.get("from", "") > dates.get("to", "9"):
            yield "from later than to"


def _operations(document: DocumentNode) -> list[OperationDefinitionNode]:
    return [
        definition
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode)
    ]


def _of_document(document: DocumentNode) -> Iterator[str]:
    """Yield what is seen in the document, with its fragments where they are spread."""
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    walk = _Walk(fragments)
    operations = _operations(document)
    if len(operations) > 1:
        yield "several operations"
    for operation_node in operations:
        yield from walk.below(("Query",), operation_node.selection_set)
    if any(_spreads(fragment.selection_set) for fragment in fragments.values()):
        yield "fragment nested"
    if any(count > 1 for count in Counter(walk.spread).values()):
        yield "fragment spread twice"


def _spreads(selections: SelectionSetNode) -> bool:
    return any(isinstance(selection, FragmentSpreadNode) for selection in selections.selections)


@dataclass
class _Walk:
    """Walks down a document along the types of the schema."""

    fragments: dict[str, FragmentDefinitionNode]

    def __post_init__(self) -> None:
        self.spread: list[str] = []

    def below(self, trail: tuple[str, ...], selections: SelectionSetNode) -> Iterator[str]:
        """Yield what is seen in a selection set; ``trail``: the types on the way to it."""
        fields = list(self.fields(selections))
        names = [field.name.value for field in fields]
        keys = Counter(_key(field) for field in fields)
        if max(keys.values(), default=0) > 1:
            yield "key repeated"
        field_texts = {(field.name.value, *map(_text, field.arguments or ())) for field in fields}
        if len({name for name, *_ in field_texts}) < len(field_texts):
            yield "one field with different arguments"
        yield from _of_set(trail, set(names), len(keys))
        for selection in selections.selections:
            yield from _of_directives(selection.directives or ())
            yield from self.selection(trail, selection)
        for this_selection, next_selection in pairwise(selections.selections):
            if _opposite(this_selection, next_selection):
                yield "opposite conditions"

    def fields(self, selections: SelectionSetNode) -> Iterator[FieldNode]:
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                yield selection
            else:
                yield from self.fields(self.selections_of(selection))

    def selections_of(self, fragment: SelectionNode) -> SelectionSetNode:
        if isinstance(fragment, FragmentSpreadNode):
            return self.fragments[fragment.name.value].selection_set
        assert isinstance(fragment, InlineFragmentNode)
        return fragment.selection_set

    def selection(self, trail: tuple[str, ...], node: SelectionNode) -> Iterator[str]:
        if isinstance(node, FieldNode):
            yield from self.field(trail, node)
            return
        if isinstance(node, FragmentSpreadNode):
            self.spread.append(node.name.value)
        elif node.directives:
            yield "inline with directive"
        if isinstance(node, InlineFragmentNode) and node.type_condition:
            yield "inline with type"
        if isinstance(node, FragmentSpreadNode) and node.directives:
            yield "fragment with directive"
        yield from self.below(trail, self.selections_of(node))

    def field(self, trail: tuple[str, ...], node: FieldNode) -> Iterator[str]:
        name = node.name.value
        yield from (f"argument {argument.name.value}" for argument in node.arguments or ())
        kind = _schema().type_map[trail[-1]]
        assert isinstance(kind, GraphQLObjectType)
        field = kind.fields.get(name)
        inner = get_named_type(field.type) if field else None
        below = inner.name if isinstance(inner, GraphQLObjectType) else None
        place_kind = _place_kind(trail[-1], name, below)
        if node.alias and node.alias.value in NASTY:
            yield f"alias on {place_kind}"
        if place_kind == "list" and len(trail) > 2 and not trail[-1].endswith("Section"):
            yield "list on record"
        if place_kind == "rows" and "Person" in trail:
            yield "rows of persons"
        if node.selection_set is None or below is None:
            return
        if any(_is_skipped(directive) for directive in node.directives or ()):
            yield "skipped parent"
        yield from self.below((*trail, below), node.selection_set)


def _of_set(trail: tuple[str, ...], names: set[str], keys: int) -> Iterator[str]:
    """Yield what the fields selected at one place say: their names, and how many keys they have."""
    if trail == ("Query",):
        yield from (f"root {name}" for name in names)
        if keys > 1:
            yield "several roots"
        if names & PLANNED and "databases" in names:
            yield "planned beside databases"
        if names & PLANNED and names & {"__schema", "__type"}:
            yield "planned beside introspection"
    if trail[-1].endswith("Section") and "source" in names:
        yield "section source alone" if names == {"source"} else "section source beside lists"
    if "Source" in trail:
        yield from (f"source {name}" for name in names)
    yield from names & {"notices", "truncated"}
    persons = trail.count("Person")
    if trail[-1] == "Person" and persons > 1:
        yield "link"
        yield "third wave" if persons > 2 else "person behind a person"


def _place_kind(parent: str, name: str, below: str | None) -> str:
    if parent == "Query":
        return "root"
    if below is None:
        return "leaf"
    if below == "Person":
        return "link"
    for ending, place_kind in (("Section", "section"), ("List", "list"), ("Result", "list")):
        if below.endswith(ending):
            return place_kind
    return {"items": "rows", "item": "rows", "source": "source"}.get(name, "object")


def _key(node: FieldNode) -> str:
    return (node.alias or node.name).value


def _of_directives(directives: tuple[DirectiveNode, ...]) -> Iterator[str]:
    yield from (directive.name.value for directive in directives)
    if len(directives) > 1:
        yield "both directives"


def _is_skipped(directive: DirectiveNode) -> bool:
    return _text(directive) in {"@skip(if: true)", "@include(if: false)"}


def _text(node: Node) -> str:
    assert node.loc is not None
    return node.loc.source.body[node.loc.start : node.loc.end]


def _opposite(first_node: SelectionNode, second_node: SelectionNode) -> bool:
    """Say whether two fragments stand side by side of which one counts where the other does not."""
    pair = [
        directives
        for directives in (first_node.directives, second_node.directives)
        if directives and len(directives) == 1
    ]
    if len(pair) < 2 or isinstance(first_node, FieldNode) or isinstance(second_node, FieldNode):
        return False
    texts = sorted(_text(given) for (given,) in pair)
    return texts[1] == texts[0].replace("@include", "@skip") != texts[0]
