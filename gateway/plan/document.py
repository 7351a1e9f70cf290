"""Documents: parsed, validated and analysed once per text.

Pure code: no I/O, nothing of fetching, HTTP or access. What is kept does not depend on the caller.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLSchema,
    GraphQLType,
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
#: How long the kept texts may be on average; a long comment is cheap to send and dear to keep.
_KEPT_LENGTH = 4_000


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


#: Makes the exception with which a document is refused.
Refusal = Callable[[], GatewayError | InvalidDocument]


class Documents:
    """Keeps documents by the hash of their text; bounded, the least used go first.

    Bounded in number and in the length of all texts together. Refusals are kept too, so that
    sending the same bad document again costs nothing; each time a new exception is raised, since
    one that was raised holds on to the request it was raised in.
    """

    def __init__(self, schema: GraphQLSchema, limits: Limits) -> None:
        self._schema = schema
        self._limits = limits
        self._kept: OrderedDict[bytes, tuple[Document | Refusal, int]] = OrderedDict()
        self._length = 0

    def get(self, text: str) -> Document:
        """Return the document of ``text``; raises InvalidDocument or GatewayError (limits)."""
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        if digest in self._kept:
            self._kept.move_to_end(digest)
        else:
            self._keep(digest, self._compile(text, digest.hex()), len(text))
        found, _ = self._kept[digest]
        if isinstance(found, Document):
            return found
        raise found()

    def _keep(self, digest: bytes, found: Document | Refusal, length: int) -> None:
        self._kept[digest] = found, length
        self._length += length
        most = self._limits.documents
        while len(self._kept) > 1 and (
            len(self._kept) > most or self._length > most * _KEPT_LENGTH
        ):
            _, (_, dropped) = self._kept.popitem(last=False)
            self._length -= dropped

    def _compile(self, text: str, digest: str) -> Document | Refusal:
        try:
            ast = parse_within(text, self._limits)
        except GatewayError as error:
            return partial(GatewayError, error.code.name, error.message, details=error.details)
        except GraphQLError as error:
            return partial(InvalidDocument, "SYNTAX_ERROR", (error.with_traceback(None),))
        errors = validate(self._schema, ast, max_errors=_MOST_ERRORS, hide_suggestions=True)
        if errors:
            return partial(InvalidDocument, "VALIDATION_FAILED", tuple(errors))
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
            roots = frozenset(_root_fields(node.selection_set, fragments, set()))
            operations[name] = Operation(name, node.operation, roots)
    return Document(digest, ast, operations, _names_person(schema, ast))


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


def _names_person(schema: GraphQLSchema, ast: DocumentNode) -> bool:
    types = TypeInfo(schema)
    named = False

    class Look(Visitor):
        def enter_argument(self, *_: object) -> VisitorAction:
            nonlocal named
            argument = types.get_argument()
            named = named or (argument is not None and _takes_person(argument.type, set()))
            return None

    visit(ast, TypeInfoVisitor(types, Look()))
    return named


def _takes_person(kind: GraphQLType, seen: set[str]) -> bool:
    """Whether a value of this input type can hold a person's number, however deep."""
    inner = get_named_type(kind)
    if not isinstance(inner, GraphQLInputObjectType) or inner.name in seen:
        return inner.name == PERSON_SCALAR
    seen.add(inner.name)
    return any(_takes_person(field.type, seen) for field in inner.fields.values())
