"""Documents: a text that is parsed, validated and described, once.

Pure code: no I/O, nothing of fetching, HTTP or access. A description depends on neither caller nor
values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FieldsOnCorrectTypeRule,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLSchema,
    GraphQLType,
    KnownArgumentNamesRule,
    KnownTypeNamesRule,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    ValidationContext,
    ValidationRule,
    ValuesOfCorrectTypeRule,
    VariableDefinitionNode,
    VariableNode,
    get_named_type,
    parse,
)
from graphql.language import InlineFragmentNode

from gateway.catalogue.checks import ASK_AGAIN, CASES, RECHECK
from gateway.catalogue.checks import FIELD as CHECK
from gateway.catalogue.entities import ANY_SCALAR, ENTITIES, SERVICE
from gateway.catalogue.entry_points import KEY_SCALAR
from gateway.catalogue.life_events import EVENT_FIELDS, INTEREST_MUTATIONS, REGISTER
from gateway.catalogue.organisations import CODE_SCALAR
from gateway.catalogue.organisations import FIELD as ORGANISATION
from gateway.catalogue.verification import FIELD as VERIFY
from gateway.errors import GatewayError
from gateway.plan.defer_directive import DEFER
from gateway.plan.document_limits import parse_within
from gateway.plan.graphql_compat import release_rule
from gateway.plan.syntax import INTROSPECTION_FIELDS, walk_nodes
from gateway.plan.validation import rules_for, validate
from gateway.plan.variables import PlainVariables, plain_variables
from gateway.settings import Limits

#: The root field of statistics.
STATISTICS = "statistics"
#: The scalar of a person's number: a document with an argument of this type names a person.
PERSON_SCALAR = "PersonNumber"
#: Root fields whose answer is about persons, or an organisation.
PERSON_FIELDS = frozenset(
    {"person", "persons", "me", ORGANISATION, ENTITIES, VERIFY, CHECK, CASES, RECHECK}
)
#: Those of them that name a person.
_NAMING_FIELDS = (PERSON_FIELDS - {"me"}) | {ASK_AGAIN, REGISTER}
#: Root fields that show the schema: to a client, and to the builder of a federated graph.
_SCHEMA_FIELDS = INTROSPECTION_FIELDS | {SERVICE}
#: Faults of a document that are reported at most.
_MAX_ERRORS = 20
#: Faults with suggestions at most: a name is compared with all that the schema has in its place.
_MAX_SUGGESTIONS = 3
#: The rules that suggest names.
_SUGGESTING: tuple[type[Any], ...] = (
    FieldsOnCorrectTypeRule,
    KnownArgumentNamesRule,
    KnownTypeNamesRule,
    ValuesOfCorrectTypeRule,
)


class InvalidDocument(Exception):
    """A document that is not GraphQL or does not fit the schema; ``errors`` say where."""

    def __init__(self, code: str, errors: tuple[GraphQLError, ...]) -> None:
        self.code = code
        self.errors = errors
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a document.

    ``name``: None for an anonymous operation. ``root_fields``: names of its root fields, fragments
    expanded, whatever directives exclude. ``conditions``: the variables that stand in directives,
    sorted. ``finds_things``: a root field finds records by the key of a thing. ``introspects``: the
    schema itself is selected (``__typename`` does not count). ``names_persons``: the answer is of
    persons whom the operation names. ``reads_own_view``: it is the citizen's own view.
    ``names_cases``: all of these persons stand in cases that have numbers of their own.
    ``defers``: a fragment of the document has ``@defer``.
    ``reads_persons``: it is of persons, or of records that may name some. ``counts_records``: it
    has statistics, which name nobody. ``reads_events``: it has events of people, or interests in
    them. ``plain_variables``: its
    variables, if all are plain.
    """

    name: str | None
    kind: OperationType
    variables: tuple[VariableDefinitionNode, ...]
    root_fields: frozenset[str]
    conditions: tuple[str, ...]
    finds_things: bool
    defers: bool = False
    plain_variables: PlainVariables | None = field(default=None, compare=False, repr=False)
    introspects: bool = field(init=False)
    names_persons: bool = field(init=False)
    names_cases: bool = field(init=False)
    reads_own_view: bool = field(init=False)
    reads_persons: bool = field(init=False)
    counts_records: bool = field(init=False)
    reads_events: bool = field(init=False)

    def __post_init__(self) -> None:
        """Decide what follows from the root fields: once, since every request asks for it."""
        decide = partial(object.__setattr__, self)
        decide("introspects", not self.root_fields.isdisjoint(_SCHEMA_FIELDS))
        naming = self.root_fields & _NAMING_FIELDS
        decide("names_persons", bool(naming))
        decide("names_cases", naming == {CASES} and not self.finds_things)
        decide("reads_own_view", "me" in self.root_fields)
        names_persons = not self.root_fields.isdisjoint(PERSON_FIELDS)
        decide("reads_persons", self.finds_things or names_persons)
        decide("counts_records", STATISTICS in self.root_fields)
        events = EVENT_FIELDS | INTEREST_MUTATIONS
        decide("reads_events", not self.root_fields.isdisjoint(events))

    @property
    def opens_persons(self) -> bool:
        """Whether persons whom the operation names are shown, not only verified."""
        return not self.root_fields.isdisjoint({"person", "persons", ORGANISATION, ENTITIES})


@dataclass(frozen=True, slots=True)
class Document:
    """A valid document.

    ``digest``: SHA-256 of its text, hex. ``names_person``: some argument takes a person's number.
    ``tokens``: how many it has; each takes some 500 bytes of memory as long as the tree is kept.
    ``ast``: its tree, None in a document without one.
    """

    text: str
    digest: str
    operations: Mapping[str | None, Operation]
    names_person: bool
    tokens: int
    ast: DocumentNode | None

    def tree(self) -> DocumentNode:
        """Return the tree; parses the text again, at some 2 us a token, if there is none."""
        return parse(self.text) if self.ast is None else self.ast

    def without_tree(self) -> Document:
        """Return the document for a cache, if plans answer it.

        A tree is thousands of objects. Every full garbage collection would visit them while the
        event loop waits.
        """
        return replace(self, ast=None)

    def operation(self, name: str | None) -> Operation:
        """Return the operation to run (GraphQL specification 6.1, GetOperation).

        Raises GatewayError OPERATION_NOT_FOUND if no operation has this name, or if there are
        several and no name.
        """
        if name is None and len(self.operations) == 1:
            return next(iter(self.operations.values()))
        operation = self.operations.get(name) if name is not None else None
        if operation is None:
            raise GatewayError("OPERATION_NOT_FOUND")
        return operation


def document_digest(text: str) -> str:
    """Return the SHA-256 of ``text``, hex: the identity of a document.

    Costs 1 us for a document that is sent again and again, and 5 us for a new one of 3 kB.
    """
    return _cached_digest(text) if len(text) <= _REMEMBERED else _digest(text)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


#: Characters of a text whose digest is remembered: 256 of them take a few megabytes at most.
_REMEMBERED = 16_384
_cached_digest = lru_cache(maxsize=256)(_digest)


def parse_document(schema: GraphQLSchema, limits: Limits, text: str) -> Document:
    """Parse, validate and describe ``text``.

    Costs about 100 us a field, most of it validation. Raises GatewayError for a document beyond the
    limits, InvalidDocument for text that is not GraphQL or does not fit the schema.
    """
    try:
        ast = parse_within(text, limits)
    except GraphQLError as error:
        raise InvalidDocument("SYNTAX_ERROR", (error.with_traceback(None),)) from None
    errors, names_person = _validate(schema, ast)
    if errors:
        raise InvalidDocument("VALIDATION_FAILED", tuple(errors))
    return describe_document(schema, ast, text, names_person)


def suggest_names(schema: GraphQLSchema, limits: Limits, text: str) -> list[GraphQLError]:
    """Return the first faults in the names of an invalid document, with suggestions.

    Only for callers who may introspect: suggestions reveal names of the schema. Costs up to a
    millisecond a fault beside validation.
    """
    ast = parse_within(text, limits)
    faults = validate(schema, ast, _SUGGESTING, _MAX_SUGGESTIONS, hide_suggestions=False)
    _cut_tokens(ast)
    return faults


def describe_document(
    schema: GraphQLSchema, ast: DocumentNode, text: str, names_person: bool
) -> Document:
    """Return the document of a validated tree; cuts the links between its tokens.

    ``names_person``: some argument takes a person's number.
    """
    fragments = {
        node.name.value: node
        for node in ast.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    operations: dict[str | None, Operation] = {}
    lookup_fields = _lookup_fields(schema)
    directives = [node for node in walk_nodes(ast) if isinstance(node, DirectiveNode)]
    directive_variables = _variables_in_directives(directives)
    defers = any(directive.name.value == DEFER for directive in directives)
    for node in ast.definitions:
        if isinstance(node, OperationDefinitionNode):
            name = node.name.value if node.name else None
            roots = frozenset(_root_fields(node.selection_set, fragments, set()))
            variables = tuple(node.variable_definitions or ())
            operations[name] = Operation(
                name,
                node.operation,
                variables,
                roots,
                _conditions(directive_variables, variables),
                finds_things=not roots.isdisjoint(lookup_fields),
                defers=defers,
                plain_variables=plain_variables(schema, variables),
            )
    # A receipt may disclose whom it is about.
    holds_receipt = any(RECHECK in operation.root_fields for operation in operations.values())
    names_person = names_person or holds_receipt
    return Document(text, document_digest(text), operations, names_person, _cut_tokens(ast), ast)


def _lookup_fields(schema: GraphQLSchema) -> frozenset[str]:
    """Return the names of the root fields that find records by the key of a thing."""
    fields = schema.query_type.fields if schema.query_type else {}
    return frozenset(
        name
        for name, field in fields.items()
        if any(get_named_type(argument.type).name == KEY_SCALAR for argument in field.args.values())
    )


def _variables_in_directives(directives: Sequence[DirectiveNode]) -> frozenset[str]:
    """Return the names of the variables that stand in any of ``directives``."""
    values = (argument.value for directive in directives for argument in directive.arguments or ())
    return frozenset(value.name.value for value in values if isinstance(value, VariableNode))


def _conditions(
    directive_variables: frozenset[str], variables: tuple[VariableDefinitionNode, ...]
) -> tuple[str, ...]:
    """Return which of ``variables`` stand in directives, sorted."""
    return tuple(sorted(directive_variables & {node.variable.name.value for node in variables}))


def _cut_tokens(ast: DocumentNode) -> int:
    """Cut the links between the tokens of a tree; return how many tokens there are.

    They are linked both ways, so that any piece of the tree would keep all of them alive.
    """
    count, token = 0, ast.loc.start_token if ast.loc else None
    while token is not None:
        following = token.next
        token.prev = token.next = None
        count, token = count + 1, following
    return count


def _root_fields(
    selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], spread: set[str]
) -> set[str]:
    """Return the names of the fields; each fragment is visited once, however often spread."""
    names: set[str] = set()
    for selection in selections.selections:
        if isinstance(selection, FieldNode):
            names.add(selection.name.value)
        elif isinstance(selection, InlineFragmentNode):
            names |= _root_fields(selection.selection_set, fragments, spread)
        elif isinstance(selection, FragmentSpreadNode):
            name = selection.name.value
            if name not in spread:
                spread.add(name)
                names |= _root_fields(fragments[name].selection_set, fragments, spread)
    return names


class _NamesPerson(ValidationRule):
    """Not a rule: notes, beside the rules, whether an argument can hold a person's number."""

    names_person = False

    def enter_argument(self, *_: object) -> None:
        """Check one argument."""
        argument = self.context.get_argument()
        if argument is not None and _takes_person(argument.type, set()):
            self.names_person = True


def _validate(schema: GraphQLSchema, ast: DocumentNode) -> tuple[list[GraphQLError], bool]:
    """Return the faults of a document, and whether it names a person."""
    instances: list[ValidationRule] = []

    def collecting(rule: type[ValidationRule]) -> Any:
        def build(context: ValidationContext) -> ValidationRule:
            instances.append(rule(context))
            return instances[-1]

        return build

    rules = [collecting(rule) for rule in (*rules_for(schema), _NamesPerson)]
    errors = validate(schema, ast, rules, max_errors=_MAX_ERRORS, hide_suggestions=True)
    names_person = getattr(instances[-1], "names_person", False)
    for rule in instances:
        release_rule(rule)
    return errors, names_person


def _takes_person(kind: GraphQLType, visited: set[str]) -> bool:
    """Say whether a value of this input type can hold the number of a person or of a thing."""
    inner = get_named_type(kind)
    if not isinstance(inner, GraphQLInputObjectType) or inner.name in visited:
        return inner.name in {PERSON_SCALAR, KEY_SCALAR, CODE_SCALAR, ANY_SCALAR}
    visited.add(inner.name)
    return any(_takes_person(field.type, visited) for field in inner.fields.values())
