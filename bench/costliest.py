"""The cost of the costliest document of 10 kB: ``python -m bench.costliest``, about a minute.

The documents come in families, each grown to 10 kB and to the largest size that the limits admit:
documents that are known to slow down lexers, parsers and validators, and the largest documents of
the schema. Each takes the same steps from text to plan as in ``gateway.execution.plan_cache``,
until it is ready or refused, with suggestions as for callers who may introspect.

Figures are CPU milliseconds of one thread, the least of several turns, in a process that is tuned
as ``justice-gateway serve`` is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from graphql import GraphQLSchema
from rich.table import Table

from bench.documents import shapes
from bench.report import console, save, surroundings
from bench.world import databases
from gateway.catalogue.sections import Bindings, bind_sections
from gateway.errors import GatewayError
from gateway.plan.compile import analyse_operation, select_operation
from gateway.plan.document import InvalidDocument, parse_document, suggest_names
from gateway.plan.permissions import Permissions
from gateway.runtime.garbage import tune_process
from gateway.schema.build import build_schema
from gateway.settings import Limits
from gateway.shape.codegen import compile_plan

BYTES = 10 * 1024
GOAL_MS = 20.0
_TURNS = 5
_SHOWN = 20
_VALUES = {"id": "001090012345", "ids": ["001090012345"]}
_W1 = Path(__file__).with_name("w1.graphql")
_LIMITS = Limits()
T = TypeVar("T")


@dataclass(frozen=True)
class Cost:
    """What a document of ``size`` bytes cost: milliseconds in all and by step."""

    size: int
    outcome: str
    ms: float
    steps: dict[str, float]


def main() -> None:
    """Measure every family, print the worst, write the results."""
    schema, bindings = build_schema(databases()), bind_sections(databases())
    tune_process()
    costs = {name: _cost(schema, bindings, text) for name, text in families(schema).items()}
    _show(costs)
    documents = {name: asdict(cost) for name, cost in costs.items()}
    figures = {"surroundings": surroundings(), "goal_ms": GOAL_MS, "documents": documents}
    console.print(f"written: {save('costliest', figures)}")


def _show(costs: dict[str, Cost]) -> None:
    table = Table(title=f"the costliest documents of {BYTES} bytes")
    for heading in ("document", "bytes", "outcome", "ms of CPU", "steps"):
        table.add_column(heading)
    worst = sorted(costs.items(), key=lambda item: -item[1].ms)
    for name, cost in worst[:_SHOWN]:
        steps = ", ".join(f"{step} {ms:.1f}" for step, ms in cost.steps.items())
        table.add_row(name, str(cost.size), cost.outcome, f"{cost.ms:.1f}", steps)
    console.print(table)


def _cost(schema: GraphQLSchema, bindings: Bindings, text: str) -> Cost:
    """Return milliseconds for each step, and the outcome."""
    least: dict[str, float] = {}
    outcome = ""
    for _ in range(_TURNS):
        steps, outcome = _steps(schema, bindings, text)
        least = {name: min(duration, least.get(name, duration)) for name, duration in steps.items()}
    return Cost(len(text.encode()), outcome, sum(least.values()), least)


def _steps(schema: GraphQLSchema, bindings: Bindings, text: str) -> tuple[dict[str, float], str]:
    steps: dict[str, float] = {}
    try:
        document = _timed(steps, "document", partial(parse_document, schema, _LIMITS, text))
        operation = document.operations[next(iter(document.operations))]
        selection = select_operation(schema, document, operation, _VALUES)
        if operation.reads_persons:
            prepared = _timed(
                steps, "analysis", partial(analyse_operation, schema, bindings, selection)
            )
            assert prepared.analysis is not None
            permissions = Permissions(tuple(() for _ in prepared.needs), citizen=False)
            _timed(steps, "plan", partial(compile_plan, prepared.analysis, permissions))
    except (GatewayError, InvalidDocument) as error:
        if isinstance(error, InvalidDocument) and error.code == "VALIDATION_FAILED":
            _timed(steps, "suggestions", partial(suggest_names, schema, _LIMITS, text))
        return steps, error.code if isinstance(error, InvalidDocument) else error.code.name
    return steps, "ready"


def _timed(steps: dict[str, float], name: str, work: Callable[[], T]) -> T:
    start = time.thread_time()
    try:
        return work()
    finally:
        steps[name] = (time.thread_time() - start) * 1e3


def families(schema: GraphQLSchema) -> dict[str, str]:
    """Return the documents of all families, at most 10 kB each, by name."""
    documents = {"W1 of the benchmarks": _W1.read_text("utf-8")}
    for name, (head, part, tail) in _GROWN.items():
        documents[f"{name}, 10 kB"] = _repeat_part(head, part, tail, BYTES)
        documents[f"{name}, within limits"] = _largest(head, part, tail, schema)
    for name, (text,) in shapes(schema, _LIMITS, 1, BYTES).items():
        documents[f"{name}, within limits"] = text
    roomy = _LIMITS.model_copy(update={"tokens": 5_000, "fields": 5_000})
    for name, (text,) in shapes(schema, roomy, 1, BYTES).items():
        documents[f"{name}, 10 kB"] = text
    return documents


def _repeat_part(head: str, part: str, tail: str, most: int) -> str:
    """Repeat ``part`` (``@``: its number) between ``head`` and ``tail``, up to ``most`` bytes."""
    parts: list[str] = []
    size = len(head.encode()) + len(tail.encode())
    while True:
        following = part.replace("@", str(len(parts)))
        size += len(following.encode())
        if size > most:
            return head + "".join(parts) + tail.replace("@", str(len(parts) - 1))
        parts.append(following)


def _largest(head: str, part: str, tail: str, schema: GraphQLSchema) -> str:
    """Return the largest of the family that no limit refuses; valid or not."""
    low, high = len(head) + len(tail) + len(part), BYTES
    while high - low > len(part):
        middle = (low + high) // 2
        try:
            parse_document(schema, _LIMITS, _repeat_part(head, part, tail, middle))
        except GatewayError:
            high = middle
            continue
        except InvalidDocument:
            pass
        low = middle
    return _repeat_part(head, part, tail, low)


_FIELD = "databases{name}"
_LONG = "accessLogEntriesOfThePersonThatIsAskedFor"
#: Head, part (``@``: its number) and tail of each family.
_GROWN: dict[str, tuple[str, str, str]] = {
    "operations": ("", "query Q@{__typename} ", ""),
    "operations with variables": ("", "query Q@($v:Boolean!){x:__typename@include(if:$v)} ", ""),
    "operations that share a fragment": (
        "fragment F on Query{a:__typename@skip(if:$v) b:__typename@skip(if:$v)}",
        "query Q@($v:Boolean!){...F} ", "",
    ),
    "anonymous operations": ("", "{__typename} ", ""),
    "variables, unused": ("query Q(", "$v@:Int ", "){__typename}"),
    "variables of no type": ("query Q(", "$v@:T@ ", "){__typename}"),
    "variables of one name": ("query Q(", "$v:Int ", "){__typename}"),
    "variables with lists by default": ("query Q(", "$v@:[[Int]]=[[1 2]] ", "){__typename}"),
    "fragments, unused": ("{__typename} ", "fragment F@ on Query{__typename} ", ""),
    "fragments that spread all others": (
        "{...F0 ...F1 ...F2 ...F3}",
        "fragment F@ on Query{...F0 ...F1 ...F2 ...F3 ...F4 ...F5 ...F6 databases{name}} ", "",
    ),
    "fragments in a chain": ("{...F0}", "fragment F@ on Query{...F@1 __typename} ", ""),
    "fragments of one name": ("{...F}", "fragment F on Query{__typename} ", ""),
    "spreads of what is not there": ("{", "...F@ ", "}"),
    "one field": ("{", "__typename ", "}"),
    "one field with children": ("{", _FIELD, "}"),
    "fields in conflict": ("{", "a:databases{name} a:databases{group} ", "}"),
    "unknown fields": ("{", "f@ ", "}"),
    "unknown fields with long names": ("query Q{person(id:\"1\"){", f"{_LONG}@ ", "}}"),
    "unknown arguments": ("{databases(", "group@:1 ", "){name}}"),
    "one argument": ("{databases(", "group:OPERATING ", "){name}}"),
    "unknown directives": ("{__typename", "@a@ ", "}"),
    "one directive": ("{__typename", "@skip(if:true)", "}"),
    "inline fragments": ("{", "...{__typename}", "}"),
    "inline fragments of no type": ("{", "...on T@{__typename}", "}"),
    "a list": ("{databases(group:[", "1 ", "]){name}}"),
    "a list of unknown members": ("{databases(group:[", "OPERATINH ", "]){name}}"),
    "an object": ("{databases(group:{", "a@:1 ", "}){name}}"),
    "an object with one member": ("{databases(group:{", "a:1 ", "}){name}}"),
    "lists in lists": ("{databases(group:", "[", "){name}}"),
    "selections in selections": ("", "{a", ""),
    "a string": ("{databases(group:\"", "x", "\"){name}}"),
    "a string of escapes": ("{databases(group:\"", "\\u00e9", "\"){name}}"),
    "a string without an end": ("{databases(group:\"", "x", ""),
    "a block string": ('{databases(group:\"\"\"', " x\n", '\"\"\"){name}}'),
    "a block string of quotes": ('{databases(group:\"\"\"', '\\\"\"\"', '\"\"\"){name}}'),
    "strings": ("{databases(group:[", '\"\" ', "]){name}}"),
    "a number": ("{databases(group:", "1", "){name}}"),
    "a name": ("{a", "a", "}"),
    "blanks": ("{", " ", "__typename}"),
    "lines": ("{", "\n", "__typename}"),
    "commas": ("{", ",", "__typename}"),
    "a comment": ("{__typename} #", "x", ""),
    "comments": ("{__typename}", "#\n", ""),
    "introspection": ("{__schema{", "types{fields{name} kind} ", "}}"),
    "introspection, nested": (
        "{__schema{types{", "fields{type{fields{type{name}}}} ", "name}}}"),
    "databases": ("query Q@{", "databases(group:OPERATING){name title{vi en} group} ", "}"),
    "persons": ("query Q($id:PersonNumber!){", "p@:person(id:$id){id notices{code}} ", "}"),
}  # fmt: skip


if __name__ == "__main__":
    main()
