"""Documents: parsed, validated and analysed once per text.

Pure code: no I/O, nothing of fetching, HTTP or access. What is kept does not depend on the caller.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    VisitorAction,
    get_named_type,
    validate,
    visit,
)
from graphql.language import InlineFragmentNode, Visitor

from gateway.errors import GatewayError
from gateway.limits.document import parse_within
from gateway.settings import Limits

#: The scalar whose presence among the arguments means that a document names a person.
PERSON_SCALAR = "PersonNumber"
#: Root fields whose answer is about persons.
PERSON_FIELDS = frozenset({"person", "persons", "me"})
_INTROSPECTION = frozenset({"__schema", "__type"})
_MOST_ERRORS = 20


class InvalidDocument(Exception):
    """A document that is not GraphQL or does not fit the schema; ``errors`` say where."""

    def __init__(self, code: str, errors: tuple[GraphQLError, ...]) -> None:
        self.code = code
        self.errors = errors
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a document.

    ``root_fields``: names of the root fields that may be asked, fragments expanded. ``name`` is
    None for an anonymous operation.
    """

    name: str | None
    kind: OperationType
    root_fields: frozenset[str]

    @property
    def introspects(self) -> bool:
        """Whether the schema is asked about itself (``__typename`` does not count)."""
        return not self.root_fields.isdisjoint(_INTROSPECTION)

    @property
    def reads_persons(self) -> bool:
        """Whether the answer is about persons."""
        return not self.root_fields.isdisjoint(PERSON_FIELDS)


@dataclass(frozen=True, slots=True)
class Document:
    """A valid document. ``names_person``: some argument takes a person's number."""

    digest: str
    ast: DocumentNode
    operations: Mapping[str | None, Operation]
    names_person: bool

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


class Documents:
    """Keeps documents by the hash of their text; bounded, the least used go first.

    Refusals are kept too, so that sending the same bad document again costs nothing.
    """

    def __init__(self, schema: GraphQLSchema, limits: Limits) -> None:
        self._schema = schema
        self._limits = limits
        self._kept: OrderedDict[bytes, Document | GatewayError | InvalidDocument] = OrderedDict()

    def get(self, text: str) -> Document:
        """Return the document of ``text``; raises InvalidDocument or GatewayError (limits)."""
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        found = self._kept.get(digest)
        if found is None:
            found = self._compile(text, digest.hex())
            self._kept[digest] = found
            if len(self._kept) > self._limits.documents:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(digest)
        if isinstance(found, Document):
            return found
        raise found.with_traceback(None)

    def _compile(self, text: str, digest: str) -> Document | GatewayError | InvalidDocument:
        try:
            ast = parse_within(text, self._limits)
        except GatewayError as error:
            return error
        except GraphQLError as error:
            return InvalidDocument("SYNTAX_ERROR", (error,))
        errors = validate(self._schema, ast, max_errors=_MOST_ERRORS, hide_suggestions=True)
        if errors:
            return InvalidDocument("VALIDATION_FAILED", tuple(errors))
        return analyse(self._schema, ast, digest)


def analyse(schema: GraphQLSchema, ast: DocumentNode, digest: str) -> Document:
    """Say of a validated document what can be said before any caller or value is known."""
    fragments = {
        node.name.value: node
        for node in ast.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    operations: dict[str | None, Operation] = {}
    for node in ast.definitions:
        if isinstance(node, OperationDefinitionNode):
            name = node.name.value if node.name else None
            roots = frozenset(_root_fields(node.selection_set, fragments))
            operations[name] = Operation(name, node.operation, roots)
    return Document(digest, ast, operations, _names_person(schema, ast))


def _root_fields(
    selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> set[str]:
    found: set[str] = set()
    for selection in selections.selections:
        if isinstance(selection, FieldNode):
            found.add(selection.name.value)
        elif isinstance(selection, InlineFragmentNode):
            found |= _root_fields(selection.selection_set, fragments)
        elif isinstance(selection, FragmentSpreadNode):
            found |= _root_fields(fragments[selection.name.value].selection_set, fragments)
    return found


def _names_person(schema: GraphQLSchema, ast: DocumentNode) -> bool:
    types = TypeInfo(schema)
    named = False

    class Look(Visitor):
        def enter_argument(self, *_: object) -> VisitorAction:
            nonlocal named
            argument = types.get_argument()
            if argument is not None and get_named_type(argument.type).name == PERSON_SCALAR:
                named = True
            return None

    visit(ast, TypeInfoVisitor(types, Look()))
    return named
