"""Documents, analyses and plans that the gateways of a process share.

They are pure functions of a schema, a text and permissions, and most of what a gateway does that is
asked once. Each gateway has caches of its own still.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from threading import Lock

from cachetools import LRUCache
from graphql import DocumentNode, GraphQLSchema, parse

from gateway.catalogue.sections import Bindings
from gateway.execution.plan_cache import Compiler
from gateway.plan.compile import (
    AnalysedOperation,
    Conditions,
    SelectedOperation,
    analyse_operation,
    tree_conditions,
)
from gateway.plan.document import Document, parse_document
from gateway.plan.permissions import Permissions
from gateway.plan.plan import Plan
from gateway.plan.selection import Analysis
from gateway.shape.codegen import compile_plan

_ENTRIES = 256
#: By the identity of the schema and the bindings, which the value keeps alive.
_Analysed = tuple[GraphQLSchema, Bindings, AnalysedOperation]
_analysed: LRUCache[tuple[int, int, Conditions], _Analysed] = LRUCache(_ENTRIES)
#: By the identity of the analysis, which the value keeps alive.
_planned: LRUCache[tuple[int, Permissions], tuple[Analysis, Plan]] = LRUCache(_ENTRIES)
#: Each gateway compiles in a thread of its own.
_lock = Lock()

#: A document is parsed for the same limits alone: they refuse some.
_parse_once = lru_cache(maxsize=_ENTRIES)(parse_document)


@lru_cache(maxsize=_ENTRIES)
def _tree(text: str) -> DocumentNode:
    return parse(text)


def with_tree(document: Document) -> Document:
    """Return ``document`` with its tree, which the reference executor parses each time."""
    return replace(document, ast=document.ast or _tree(document.text))


def _analyse_once(
    schema: GraphQLSchema, bindings: Bindings, chosen: SelectedOperation
) -> AnalysedOperation:
    key = (id(schema), id(bindings), tree_conditions(chosen))
    with _lock:
        entry = _analysed.get(key)
    if entry is None:
        entry = (schema, bindings, analyse_operation(schema, bindings, chosen))
        with _lock:
            _analysed[key] = entry
    return entry[-1]


def _generate_once(analysis: Analysis, permissions: Permissions) -> Plan:
    key = (id(analysis), permissions)
    with _lock:
        entry = _planned.get(key)
    if entry is None:
        entry = (analysis, compile_plan(analysis, permissions))
        with _lock:
            _planned[key] = entry
    return entry[-1]


SHARED = Compiler(_parse_once, _analyse_once, _generate_once)
