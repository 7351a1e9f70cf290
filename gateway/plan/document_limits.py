"""Limits on the size of a document, enforced before it is validated.

Validation compares fields that share a response key with each other, so a few kilobytes of
repeated fields cost seconds. It also follows fragments and variables for each operation. The walk
here merges selection sets as execution does and stops at the first limit. Its own cost is bounded
too: fragments expand to far more than the text, so every selection visited counts, over all
definitions together. ``bench.costliest`` measures the costliest documents within the limits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableDefinitionNode,
    parse,
)
from graphql.error import GraphQLSyntaxError

from gateway.errors import GatewayError
from gateway.plan.graphql_compat import exceeded_parser_limit
from gateway.plan.syntax import INTROSPECTION_FIELDS, walk_nodes
from gateway.settings import Limits

#: Selections that may be visited for each field that the limit permits.
_STEPS_PER_FIELD = 10


def parse_within(text: str, limits: Limits) -> DocumentNode:
    """Parse ``text``, unless it is larger than ``limits`` permit.

    Raises GatewayError with TOO_MANY_TOKENS, TOO_DEEP, TOO_MANY_ALIASES, TOO_MANY_DIRECTIVES,
    TOO_MANY_DEFINITIONS or TOO_MANY_FIELDS, and GraphQLSyntaxError for text that is not GraphQL.
    """
    if len(text) > limits.document_characters:  # a comment is one step of the lexer, however long
        message = f"The document has more than {limits.document_characters} characters."
        details = {"limit": limits.document_characters}
        raise GatewayError("TOO_MANY_TOKENS", message, details=details)
    try:
        document = parse(text, max_lexical_tokens=limits.tokens, max_comments=limits.tokens)
    except GraphQLSyntaxError as error:
        match exceeded_parser_limit(error):
            case "depth":
                raise _over("TOO_DEEP", limits.depth) from None
            case "tokens":
                raise _over("TOO_MANY_TOKENS", limits.tokens) from None
        raise
    _enforce_counts(document, limits)
    SelectionWalk(document, limits).enforce()
    return document


def _over(code: str, limit: int) -> GatewayError:
    return GatewayError(code, details={"limit": limit})


def _enforce_counts(document: DocumentNode, limits: Limits) -> None:
    aliases = directives = 0
    for kind, most in (
        (OperationDefinitionNode, limits.operations),
        (FragmentDefinitionNode, limits.fragments),
    ):
        if sum(isinstance(node, kind) for node in document.definitions) > most:
            raise _over("TOO_MANY_DEFINITIONS", most)
    variables = 0
    for node in walk_nodes(document):
        aliases += isinstance(node, FieldNode) and node.alias is not None
        directives += isinstance(node, DirectiveNode)
        variables += isinstance(node, VariableDefinitionNode)
    if variables > limits.variables:
        raise _over("TOO_MANY_DEFINITIONS", limits.variables)
    if aliases > limits.aliases:
        raise _over("TOO_MANY_ALIASES", limits.aliases)
    if directives > limits.directives:
        raise _over("TOO_MANY_DIRECTIVES", limits.directives)


def _is_of_schema(fragment: FragmentDefinitionNode) -> bool:
    return fragment.type_condition.name.value.startswith("__")


@dataclass(slots=True)
class SelectionWalk:
    """Walks every definition with fragments expanded and equal response keys merged.

    ``fields``: of the current definition so far. ``steps``: selections that were visited so far,
    of all definitions: what the walk costs.
    """

    document: DocumentNode
    limits: Limits
    fields: int = 0
    steps: int = 0

    def enforce(self) -> None:
        """Raise GatewayError TOO_DEEP or TOO_MANY_FIELDS at the first limit that is passed."""
        fragments = {
            node.name.value: node
            for node in self.document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        for node in self.document.definitions:
            if isinstance(node, OperationDefinitionNode | FragmentDefinitionNode):
                self.fields = 0
                self._enforce_level([node.selection_set], fragments, 1, self._depth_limit(node))

    def _depth_limit(self, node: OperationDefinitionNode | FragmentDefinitionNode) -> int:
        if isinstance(node, FragmentDefinitionNode) and _is_of_schema(node):
            return self.limits.introspection_depth
        return self.limits.depth

    def _enforce_level(
        self,
        sets: Sequence[SelectionSetNode],
        fragments: Mapping[str, FragmentDefinitionNode],
        depth: int,
        deepest: int,
    ) -> None:
        if depth > deepest:
            raise _over("TOO_DEEP", deepest)
        groups: dict[str, list[FieldNode]] = {}
        for node in self._fields(sets, fragments, set()):
            self.fields += 1
            group = groups.setdefault((node.alias or node.name).value, [])
            group.append(node)
            if self.fields > self.limits.fields or len(group) > self.limits.repeated_fields:
                raise _over("TOO_MANY_FIELDS", self.limits.fields)
        for group in groups.values():
            below = [node.selection_set for node in group if node.selection_set]
            if below:
                introspects = any(node.name.value in INTROSPECTION_FIELDS for node in group)
                allowed = self.limits.introspection_depth if introspects and depth == 1 else deepest
                self._enforce_level(below, fragments, depth + 1, allowed)

    def _fields(
        self,
        sets: Sequence[SelectionSetNode],
        fragments: Mapping[str, FragmentDefinitionNode],
        spread: set[str],
    ) -> Iterator[FieldNode]:
        """Yield the fields of ``sets`` and of the fragments in them, each fragment once."""
        for selection in (node for selections in sets for node in selections.selections):
            self.steps += 1
            if self.steps > self.limits.fields * _STEPS_PER_FIELD:
                raise _over("TOO_MANY_FIELDS", self.limits.fields)
            if isinstance(selection, FieldNode):
                yield selection
            elif isinstance(selection, InlineFragmentNode):
                yield from self._fields([selection.selection_set], fragments, spread)
            elif isinstance(selection, FragmentSpreadNode):
                name = selection.name.value
                if name not in spread and name in fragments:
                    spread.add(name)
                    yield from self._fields([fragments[name].selection_set], fragments, spread)
