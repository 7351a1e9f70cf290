"""Validation by the rules of graphql-core, in two thirds of its time.

graphql-core spends most of its time in visiting: it offers every node to every rule, names
included, though no rule visits names. Here a node is offered to the rules that visit its kind, and
names are skipped. Rules about ``@defer`` and ``@stream`` are skipped if the schema has neither.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    Node,
    ParallelVisitor,
    TypeInfo,
    TypeInfoVisitor,
    ValidationContext,
    ValidationRule,
    specified_rules,
    visit,
)
from graphql.language.ast import QUERY_DOCUMENT_KEYS
from graphql.language.visitor import BREAK, SKIP, EnterLeaveVisitor, VisitorActionEnum

_KEYS = {
    kind: tuple(key for key in keys if key not in {"name", "alias"})
    for kind, keys in QUERY_DOCUMENT_KEYS.items()
}
_INCREMENTAL = frozenset(
    {
        "DeferStreamDirectiveLabel",
        "DeferStreamDirectiveOnRootField",
        "DeferStreamDirectiveOnValidOperationsRule",
        "StreamDirectiveOnListField",
    }
)
#: Builds a rule for a document: its class, or a function.
Rule = Callable[[ValidationContext], ValidationRule]


class _TooManyErrors(Exception):
    """Stops a visit that has found as many faults as are reported."""


def rules_for(schema: GraphQLSchema) -> tuple[type[Any], ...]:
    """Return the specified rules that can find a fault in documents for ``schema``."""
    incremental = any(directive.name in {"defer", "stream"} for directive in schema.directives)
    return tuple(
        rule for rule in specified_rules if incremental or rule.__name__ not in _INCREMENTAL
    )


def validate(
    schema: GraphQLSchema,
    document: DocumentNode,
    rules: Sequence[Rule],
    max_errors: int,
    hide_suggestions: bool,
) -> list[GraphQLError]:
    """Return the faults of ``document``, at most ``max_errors``, in the order of their discovery.

    The document must be within the limits (``gateway.plan.document_limits``): they bound the
    recursion. Costs about 20 us a token.
    """
    errors: list[GraphQLError] = []

    def report(error: GraphQLError) -> None:
        errors.append(error)
        if len(errors) >= max_errors:
            raise _TooManyErrors

    types = TypeInfo(schema)
    context = ValidationContext(schema, document, types, report, hide_suggestions=hide_suggestions)
    visitor = TypeInfoVisitor(types, _Visitors([rule(context) for rule in rules]))
    try:
        visit(document, visitor, _KEYS)
    except _TooManyErrors:
        return errors
    return errors


class _Visitors(ParallelVisitor):
    """Calls for each kind of node only those visitors that visit it."""

    def get_enter_leave_for_kind(self, kind: str) -> EnterLeaveVisitor:
        """Return what to call on entering and leaving a node of ``kind``."""
        pair = self.enter_leave_map.get(kind)
        if pair is None:
            pair = self.enter_leave_map[kind] = self._build_pair(kind)
        return pair

    def _build_pair(self, kind: str) -> EnterLeaveVisitor:
        methods = [
            (place, *visitor.get_enter_leave_for_kind(kind))
            for place, visitor in enumerate(self.visitors)
        ]
        enters = [(place, enter) for place, enter, _ in methods if enter is not None]
        leaves = [(place, leave) for place, enter, leave in methods if enter or leave]
        skipping = self.skipping

        def enter(node: Node, *args: Any) -> None:
            for place, method in enters:
                if skipping[place] is None:
                    _note(skipping, place, node, method(node, *args))

        def leave(node: Node, *args: Any) -> None:
            for place, method in leaves:
                if skipping[place] is node:
                    skipping[place] = None
                elif skipping[place] is None and method is not None:
                    _note(skipping, place, None, method(node, *args))

        return EnterLeaveVisitor(enter if enters else None, leave if leaves else None)


def _note(skipping: list[Any], place: int, node: Node | None, verdict: object) -> None:
    """Note that a visitor skips what is below ``node``, or all that follows."""
    if verdict is None:
        return
    if verdict is SKIP or verdict is False:
        skipping[place] = node
    elif verdict is BREAK or verdict is True:
        skipping[place] = VisitorActionEnum.BREAK
