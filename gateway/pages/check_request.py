"""The operation that the page of a procedure sends: one document for each procedure, never a text.

What is typed goes into variables. Numbers of people other than those typed are not selected, so
that a page can't name anybody's relatives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

import orjson
from graphql import GraphQLObjectType, GraphQLSchema, get_named_type, is_leaf_type
from strawberry.utils.str_converters import to_camel_case

from connectors.description import Text
from connectors.values import PersonNumber
from gateway.execution.parameters import Parameters, ReceivedRequest
from gateway.procedures.checks.definition import CheckDefinition

_DOCUMENT = """query ProcedurePage($code: String!, $input: CheckInput!, $at: Date) {{
  checkProcedure(code: $code, input: $input, at: $at) {{
    outcome at factsAsOf law competentBody {{ vi en }} deadline {{ amount unit law {{ vi en }} }}
    groups {{ code title {{ vi en }} group anySuffices state }}
    rules {{ code title {{ vi en }} group state reason sentence {{ vi en }} law {{ vi en }}
      evidence {{ database record asOf }} }}
    papers {{ code name {{ vi en }} replacedBy state }}
    sources {{ state database {{ name title {{ vi en }} }} }}
    silent {{ name title {{ vi en }} owner {{ vi en }} contact }}{more}
  }}
}}"""


def receive_check(
    schema: GraphQLSchema, definition: CheckDefinition, variables: Mapping[str, object]
) -> ReceivedRequest:
    """Return the request that checks a case, as if it had come over GraphQL."""
    query = _document(schema, definition)
    return ReceivedRequest(_parse, orjson.dumps({"query": query, "variables": variables}))


def _parse(body: bytes, _operation: str | None) -> Parameters:
    sent = orjson.loads(body)
    return Parameters(sent["query"], None, sent["variables"], in_url=False)


@cache
def _document(schema: GraphQLSchema, definition: CheckDefinition) -> str:
    results = " ".join(
        f"{to_camel_case(result.name)}{selection}"
        for result in definition.results
        if (selection := select_value(result.kind)) is not None
    )
    more = f"\n    results {{ {results} }}" if results else ""
    return _DOCUMENT.format(more=more + _select_receipt(schema))


def select_value(kind: Any) -> str | None:
    """Return what to select below a value of ``kind``: empty for a leaf, None: do not select it.

    ``kind``: a scalar, an enumeration, a Text, a dataclass with titles, a list of these, or null.
    """
    kind = inner_kind(kind)
    if kind is PersonNumber:
        return None
    if kind is Text:
        return " { vi en }"
    if not (isinstance(kind, type) and is_dataclass(kind)):
        return ""
    hints = get_type_hints(kind)
    selected = " ".join(
        f"{to_camel_case(field.name)}{below}"
        for field in fields(kind)
        if (below := select_value(hints[field.name])) is not None
    )
    return f" {{ {selected} }}" if selected else None


def inner_kind(kind: Any) -> Any:
    """Return a type without lists around it, and without null."""
    while True:
        members = get_args(kind)
        if get_origin(kind) in {list, tuple}:
            kind = members[0]
        elif type(None) in members:
            (kind,) = (member for member in members if member is not type(None))
        else:
            return kind


def _select_receipt(schema: GraphQLSchema) -> str:
    """Return the selection of the receipt, empty where this gateway gives none."""
    check = schema.type_map["ProcedureCheck"]
    assert isinstance(check, GraphQLObjectType)
    receipt = check.fields.get("receipt")
    if receipt is None:
        return ""
    kind = get_named_type(receipt.type)
    if not isinstance(kind, GraphQLObjectType):
        return " receipt"
    leaves = (
        name for name, field in kind.fields.items() if is_leaf_type(get_named_type(field.type))
    )
    return f" receipt {{ {' '.join(leaves)} }}"
