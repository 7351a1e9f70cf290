"""The directive ``@defer`` of the GraphQL specification's draft for incremental delivery.

https://github.com/graphql/graphql-spec/pull/1110. What a plan makes of it: ``gateway.plan.defer``.
"""

from __future__ import annotations

from graphql import (
    DirectiveLocation,
    DirectiveNode,
    DocumentNode,
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLDirective,
    GraphQLNonNull,
    GraphQLString,
    Visitor,
    visit,
)
from graphql.language.visitor import REMOVE

#: The name of the directive.
DEFER = "defer"

DEFER_DIRECTIVE = GraphQLDirective(
    DEFER,
    (DirectiveLocation.FRAGMENT_SPREAD, DirectiveLocation.INLINE_FRAGMENT),
    {
        "if": GraphQLArgument(
            GraphQLNonNull(GraphQLBoolean),
            default_value=True,
            description="Có gửi sau hay không / Whether to defer at all",
        ),
        "label": GraphQLArgument(
            GraphQLString,
            description="Tên của đoạn trong các phần trả lời / What payloads call the fragment",
        ),
    },
    description=(
        "Đoạn này có thể được gửi sau phần đầu của câu trả lời / "
        "This fragment may be delivered after the first part of the answer"
    ),
)


class _Undeferred(Visitor):
    def enter_directive(self, node: DirectiveNode, *_: object) -> object:
        return REMOVE if node.name.value == DEFER else None


def without_defer(tree: DocumentNode) -> DocumentNode:
    """Return ``tree`` without ``@defer``: graphql-core answers with several payloads otherwise."""
    undeferred: DocumentNode = visit(tree, _Undeferred())
    return undeferred
