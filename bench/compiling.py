"""The cost of compiling, and the delay it causes: ``python -m bench.compiling``, some minutes.

The largest documents that the limits admit are compiled in the thread of
``gateway.execution.plan_cache`` while a ticker on the event loop is due to wake every millisecond.
The longest gap between two wakings is the time for which the loop was blocked. It is measured on an
otherwise idle loop, and on one that also answers W1. Gaps are wall-clock time: on a busy machine,
look at the gaps of the idle loop first.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

import uvloop
from graphql import GraphQLSchema

from bench.documents import shapes
from bench.measure import Figures
from bench.report import console, save, show, surroundings
from bench.site import Site, site
from bench.world import PEOPLE, databases, numbers
from gateway.catalogue.sections import bind_sections
from gateway.execution.operation import OperationRequest
from gateway.execution.prepare import prepare
from gateway.plan.compile import analyse_operation, select_operation
from gateway.plan.document import parse_document
from gateway.plan.permissions import Permissions
from gateway.runtime.garbage import tune_process
from gateway.settings import Limits
from gateway.shape.codegen import compile_plan

DOCUMENTS = 20
GOAL_MS = 10.0
_IDLE_SECONDS = 5.0
_TICK = 0.001
#: Documents as large as by default, but as many and as costly as may be: nothing is answered.
_LIMITS = Limits(new_documents_per_minute=1_000_000, cost=10**12)


def main() -> None:
    """Measure, print tables, write the results."""
    figures: Figures = {"surroundings": surroundings(), "documents of each shape": DOCUMENTS}
    with tempfile.TemporaryDirectory() as folder:
        figures |= uvloop.run(_measure(Path(folder)))
    console.print(f"written: {save('compiling', figures)}")


async def _measure(folder: Path) -> Figures:
    async with site(folder, PEOPLE, _LIMITS) as gateway:
        documents = shapes(
            gateway.service.resources.schema, _LIMITS, DOCUMENTS * len(_WAYS) * 2 + 5
        )
        costs = {
            name: _costs(gateway.service.resources.schema, texts[-5:])
            for name, texts in documents.items()
        }
        _show_costs(costs)
        waits: dict[str, Figures] = {}
        for way, apply in _WAYS.items():
            with apply():
                waits[way] = await _waits(gateway, documents)
            _show_waits(way, waits[way])
        return {"costs": costs, "waits": waits, "goal_ms": GOAL_MS}


def _costs(schema: GraphQLSchema, texts: list[str]) -> Figures:
    """Return CPU milliseconds for each step from text to plan, with nothing else running."""
    bindings = bind_sections(databases())
    steps: dict[str, list[float]] = {
        name: [] for name in ("document", "analysis", "plan", "longest single compile()")
    }
    sizes = []
    for text in texts:
        moments = [time.process_time()]
        document = parse_document(schema, _LIMITS, text)
        moments.append(time.process_time())
        selection = select_operation(
            schema, document, document.operation(None), {"id": "001090012345"}
        )
        prepared = analyse_operation(schema, bindings, selection)
        assert prepared.analysis is not None
        moments.append(time.process_time())
        permissions = Permissions(((),) * len(prepared.needs), citizen=False)
        plan = compile_plan(prepared.analysis, permissions)
        moments.append(time.process_time())
        for name, start, end in zip(steps, moments, moments[1:], strict=False):
            steps[name].append((end - start) * 1e3)
        steps["longest single compile()"].append(_longest_compile(plan.source_text))
        sizes.append((document.tokens, prepared.fields, len(text)))
    medians: Figures = {name: round(median(took), 2) for name, took in steps.items()}
    tokens, fields, size = sizes[0]
    return {"tokens": tokens, "fields": fields, "bytes": size, **medians}


def _longest_compile(source: str) -> float:
    """Return the milliseconds for the function that takes longest: compiling holds the GIL."""
    longest = 0.0
    for function in source.split("\ndef "):
        text = function if function.startswith("def ") else f"def {function}"
        start = time.process_time()
        compile(text, "<plan>", "exec")
        longest = max(longest, time.process_time() - start)
    return longest * 1e3


@dataclass(slots=True)
class _Ticker:
    """Gaps between wakings of a task that is due to wake every millisecond."""

    gaps: list[float] = field(default_factory=list)

    def figures(self) -> Figures:
        """Return the longest, in milliseconds, and how many were beyond the goal."""
        gaps_ms = sorted(gap * 1e3 for gap in self.gaps)
        return {
            "longest_ms": round(gaps_ms[-1], 1),
            "p99_ms": round(quantiles(gaps_ms, n=100)[-1], 1),
            "beyond goal": sum(gap > GOAL_MS for gap in gaps_ms),
            "wakings": len(gaps_ms),
        }


@asynccontextmanager
async def _ticking() -> AsyncIterator[_Ticker]:
    ticker = _Ticker()

    async def tick() -> None:
        last = time.perf_counter()
        while True:
            await asyncio.sleep(_TICK)
            now = time.perf_counter()
            ticker.gaps.append(now - last)
            last = now

    task = asyncio.create_task(tick())
    try:
        yield ticker
    finally:
        task.cancel()


@dataclass(slots=True)
class _Pauses:
    """Pauses for garbage collection, in any thread: no other thread runs meanwhile."""

    start: float = 0.0
    longest: float = 0.0

    def note(self, phase: str, _info: dict[str, int]) -> None:
        if phase == "start":
            self.start = time.perf_counter()
        else:
            self.longest = max(self.longest, time.perf_counter() - self.start)


@contextmanager
def _pauses() -> Iterator[_Pauses]:
    pauses = _Pauses()
    gc.callbacks.append(pauses.note)
    try:
        yield pauses
    finally:
        gc.callbacks.remove(pauses.note)


@asynccontextmanager
async def _answering(gateway: Site, active: bool) -> AsyncIterator[list[float]]:
    """Answer W1 about one person after another during the block; yields each duration."""
    durations: list[float] = []
    people = numbers()

    async def answer() -> None:
        while True:
            for number in people:
                start = time.perf_counter()
                await gateway.answer(number)
                durations.append(time.perf_counter() - start)
                await asyncio.sleep(0)

    if active:
        await gateway.answer(people[0])
    task = asyncio.create_task(answer()) if active else None
    try:
        yield durations
    finally:
        if task is not None:
            task.cancel()


async def _waits(gateway: Site, documents: dict[str, list[str]]) -> Figures:
    """Return the longest gaps, idle and busy: without compiling, then for each shape."""
    longest_gaps: Figures = {}
    for busy in (False, True):
        kind = "W1" if busy else "idle"
        longest_gaps[f"nothing, {kind}"] = await _wait(gateway, [], busy)
        for name, texts in documents.items():
            fresh = [texts.pop(0) for _ in range(DOCUMENTS)]
            longest_gaps[f"{name}, {kind}"] = await _wait(gateway, fresh, busy)
    return longest_gaps


async def _wait(gateway: Site, texts: list[str], busy: bool) -> Figures:
    gc.collect()
    async with _answering(gateway, busy) as durations, _ticking() as ticker:
        with _pauses() as pauses:
            start = time.perf_counter()
            if not texts:
                await asyncio.sleep(_IDLE_SECONDS)
            for text in texts:
                await _compile(gateway, text)
            seconds = time.perf_counter() - start
    figures = {**ticker.figures(), "longest gc ms": round(pauses.longest * 1e3, 1)}
    if texts:
        figures["ms a document"] = round(seconds / len(texts) * 1e3)
    if durations:
        figures["W1 answers a second"] = round(len(durations) / seconds)
        figures["W1 median ms"] = round(median(durations) * 1e3, 1)
        figures["W1 longest ms"] = round(max(durations) * 1e3, 1)
    return figures


async def _compile(gateway: Site, text: str) -> None:
    """Compile a document as a request does."""
    resources, caller = gateway.service.resources, gateway.caller
    document = await resources.plans.document(text, caller.client)
    variables = {"id": "001090012345"}
    request = OperationRequest(document, document.operation(None), variables, caller, 0.0)
    executable = await prepare(resources, request)
    assert executable is not None
    assert executable.plan is not None


@contextmanager
def _default_collector() -> Iterator[None]:
    """Python's defaults: full collections visit all objects; threads switch after 5 ms."""
    yield


@contextmanager
def _serving_collector() -> Iterator[None]:
    """The settings of ``justice-gateway serve`` (``gateway.runtime.garbage.tune_process``)."""
    before = sys.getswitchinterval()
    tune_process()
    try:
        yield
    finally:
        sys.setswitchinterval(before)
        gc.unfreeze()


_WAYS = {"as Python has it": _default_collector, "as it serves": _serving_collector}


def _show_costs(costs: dict[str, Figures]) -> None:
    head = ("shape", *next(iter(costs.values())))
    lines = [(name, *figures.values()) for name, figures in costs.items()]
    show("compiling the largest documents, ms of CPU in quiet (median)", head, lines)


def _show_waits(way: str, waits: Figures) -> None:
    columns = (
        "longest_ms", "p99_ms", "beyond goal", "wakings", "longest gc ms", "ms a document",
        "W1 answers a second", "W1 median ms", "W1 longest ms",
    )  # fmt: skip
    head = ("gap ms", "p99", ">10 ms", "of", "gc ms", "ms/doc", "W1/s", "W1 p50", "W1 max")
    lines = []
    for name, figures in waits.items():
        assert isinstance(figures, dict)
        lines.append((name, *(figures.get(column, "") for column in columns)))
    show(f"how long the loop stood still, {way}", ("compiled", *head), lines)


if __name__ == "__main__":
    main()
