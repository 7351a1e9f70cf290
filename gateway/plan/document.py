"""Documents: a text parsed, validated and looked through, once.

Pure code: no I/O, nothing of fetching, HTTP or access. What is said of a document depends on
neither caller nor values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
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

from gateway.catalogue.entry_points import KEY_SCALAR
from gateway.catalogue.verification import FIELD as VERIFY
from gateway.errors import GatewayError
from gateway.plan.document_limits import parse_within
from gateway.plan.graphql_compat import release_rule
from gateway.plan.syntax import INTROSPECTION_FIELDS, walk_nodes
from gateway.plan.validation import rules_for, validate
from gateway.settings import Limits

#: The scalar whose presence among the arguments means that a document names a person.
PERSON_SCALAR = "PersonNumber"
#: Root fields whose answer is about persons.
PERSON_FIELDS = frozenset({"person", "persons", "me", VERIFY})
#: Those of them that name a person.
_NAMING_FIELDS = PERSON_FIELDS - {"me"}
_MOST_ERRORS = 20
#: Errors that names are suggested in: each name is compared with all that the schema has there.
_MOST_SUGGESTIONS = 3
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

    ``name`` is None for an anonymous operation. ``root_fields``: names of the root fields that may
    be asked, fragments expanded. ``conditions``: the variables that ``@include`` and ``@skip`` may
    ask, sorted. ``finds_things``: records are found by the key of a thing.
    """

    name: str | None
    kind: OperationType
    variables: tuple[VariableDefinitionNode, ...]
    root_fields: frozenset[str]
    conditions: tuple[str, ...]
    finds_things: bool

    @property
    def introspects(self) -> bool:
        """Whether the schema is asked about itself (``__typename`` does not count)."""
        return not self.root_fields.isdisjoint(INTROSPECTION_FIELDS)

    @property
    def names_persons(self) -> bool:
        """Whether the answer is about persons whom the operation names."""
        return not self.root_fields.isdisjoint(_NAMING_FIELDS)

    @property
    def opens_persons(self) -> bool:
        """Whether persons whom the operation names are shown, not only verified."""
        return not self.root_fields.isdisjoint({"person", "persons"})

    @property
    def reads_own_view(self) -> bool:
        """Whether the answer is the citizen's own view."""
        return "me" in self.root_fields

    @property
    def reads_persons(self) -> bool:
        """Whether the answer is about persons, or of records that may name some."""
        return self.finds_things or not self.root_fields.isdisjoint(PERSON_FIELDS)


@dataclass(frozen=True, slots=True)
class Document:
    """A valid document.

    ``digest``: SHA-256 of its text, hex. ``names_person``: some argument takes a person's number.
    ``tokens``: how many it has; each takes some 500 bytes of memory while its tree is kept.
    ``ast``: its tree, None where it is not kept.
    """

    text: str
    digest: str
    operations: Mapping[str | None, Operation]
    names_person: bool
    tokens: int
    ast: DocumentNode | None

    def tree(self) -> DocumentNode:
        """Return the tree; parsed again, at some 2 us a token, where it is not kept."""
        return parse(self.text) if self.ast is None else self.ast

    def without_tree(self) -> Document:
        """Return the document as it is kept where plans answer it.

        A tree is thousands of objects that every full collection of garbage would have to visit,
        and the event loop waits for that.
        """
        return replace(self, ast=None)

    def operation(self, name: str | None) -> Operation:
        """Return the operation to run (GraphQL specification 6.1, GetOperation).

        Raises GatewayError OPERATION_NOT_FOUND when there is no such one, or several and no name.
        """
        if name is None and len(self.operations) == 1:
            return next(iter(self.operations.values()))
        found = self.operations.get(name) if name is not None else None
        if found is None:
            raise GatewayError("OPERATION_NOT_FOUND")
        return found


def document_digest(text: str) -> str:
    """Return the SHA-256 of ``text``, hex: what a document is known by."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def parse_document(schema: GraphQLSchema, limits: Limits, text: str) -> Document:
    """Return the document of ``text``.

    Costs about 100 us a field, most of it validation. Raises GatewayError for what is beyond the
    limits, InvalidDocument for what is not GraphQL or does not fit the schema.
    """
    try:
        ast = parse_within(text, limits)
    except GraphQLError as error:
        raise InvalidDocument("SYNTAX_ERROR", (error.with_traceback(None),)) from None
    errors, names_person = _validated(schema, ast)
    if errors:
        raise InvalidDocument("VALIDATION_FAILED", tuple(errors))
    return describe_document(schema, ast, text, names_person)


def suggest_names(schema: GraphQLSchema, limits: Limits, text: str) -> list[GraphQLError]:
    """Return the first faults of an invalid document in names, with what the schema has instead.

    For callers who may introspect; others would learn names from them. Costs up to a millisecond a
    fault beside validation.
    """
    ast = parse_within(text, limits)
    found = validate(schema, ast, _SUGGESTING, _MOST_SUGGESTIONS, hide_suggestions=False)
    _cut_tokens(ast)
    return found


def describe_document(
    schema: GraphQLSchema, ast: DocumentNode, text: str, names_person: bool
) -> Document:
    """Say of a validated document what can be said before any caller or value is known."""
    fragments = {
        node.name.value: node
        for node in ast.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    operations: dict[str | None, Operation] = {}
    finding, asked = _finding(schema), _in_directives(ast)
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
                _conditions(asked, variables),
                finds_things=not roots.isdisjoint(finding),
            )
    return Document(text, document_digest(text), operations, names_person, _cut_tokens(ast), ast)


def _finding(schema: GraphQLSchema) -> frozenset[str]:
    """Return the root fields that find records by the key of a thing."""
    fields = schema.query_type.fields if schema.query_type else {}
    return frozenset(
        name
        for name, one in fields.items()
        if any(get_named_type(given.type).name == KEY_SCALAR for given in one.args.values())
    )


def _in_directives(ast: DocumentNode) -> frozenset[str]:
    """Return the names of the variables that stand in any directive of the document."""
    directives = (node for node in walk_nodes(ast) if isinstance(node, DirectiveNode))
    values = (given.value for one in directives for given in one.arguments or ())
    return frozenset(one.name.value for one in values if isinstance(one, VariableNode))


def _conditions(
    asked: frozenset[str], variables: tuple[VariableDefinitionNode, ...]
) -> tuple[str, ...]:
    """Return which of ``variables`` directives ask, sorted."""
    return tuple(sorted(asked & {one.variable.name.value for one in variables}))


def _cut_tokens(ast: DocumentNode) -> int:
    """Return how many tokens there are, and take each from its neighbours.

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
    """Return the names of the fields; each fragment is looked into once, however often spread."""
    found: set[str] = set()
    for selection in selections.selections:
        if isinstance(selection, FieldNode):
            found.add(selection.name.value)
        elif isinstance(selection, InlineFragmentNode):
            found |= _root_fields(selection.selection_set, fragments, spread)
        elif isinstance(selection, FragmentSpreadNode):
            name = selection.name.value
            if name not in spread:
                spread.add(name)
                found |= _root_fields(fragments[name].selection_set, fragments, spread)
    return found


class _NamesPerson(ValidationRule):
    """Not a rule: looks, beside the rules, whether any argument can hold a person's number."""

    found = False

    def enter_argument(self, *_: object) -> None:
        """Look at one argument."""
        argument = self.context.get_argument()
        if argument is not None and _takes_person(argument.type, set()):
            self.found = True


def _validated(schema: GraphQLSchema, ast: DocumentNode) -> tuple[list[GraphQLError], bool]:
    """Return the faults of a document, and whether it names a person."""
    made: list[ValidationRule] = []

    def remembered(rule: type[ValidationRule]) -> Any:
        def make(context: ValidationContext) -> ValidationRule:
            made.append(rule(context))
            return made[-1]

        return make

    rules = [remembered(rule) for rule in (*rules_for(schema), _NamesPerson)]
    errors = validate(schema, ast, rules, max_errors=_MOST_ERRORS, hide_suggestions=True)
    named = getattr(made[-1], "found", False)
    for rule in made:
        release_rule(rule)
    return errors, named


def _takes_person(kind: GraphQLType, seen: set[str]) -> bool:
    """Whether a value of this input type can hold the number of a person or of their things."""
    inner = get_named_type(kind)
    if not isinstance(inner, GraphQLInputObjectType) or inner.name in seen:
        return inner.name in {PERSON_SCALAR, KEY_SCALAR}
    seen.add(inner.name)
    return any(_takes_person(field.type, seen) for field in inner.fields.values())
