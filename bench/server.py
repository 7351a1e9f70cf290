"""A gateway over the population in memory as a process of its own, as the command line serves it.

``--way`` says who answers: ``plan`` is the gateway untouched, ``reference`` makes it take every
plan for missing, ``strawberry`` puts strawberry without caches in the place of both. Token, limits,
journal and HTTP are the same for all. With ``--samples`` the process looks at itself while it works
(``bench.verbs``) and writes what it saw when it is told to stop.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import uvicorn

from bench.inprocess import context, strawberry_schema
from bench.site import application
from bench.verbs import sampling, write
from bench.world import PEOPLE
from gateway.execution.execute import Outcome, ready
from gateway.execution.prepared_request import Asked, Ready
from gateway.execution.resources import ExecutionResources
from gateway.http import endpoint
from gateway.http.server import options
from gateway.runtime.garbage import tune_process
from gateway.shape.response import render_error

WAYS = ("plan", "reference", "strawberry")


@dataclass(frozen=True, slots=True)
class _Arguments:
    folder: Path
    port: int
    way: str
    people: int
    samples: Path | None


def main() -> None:
    """Serve until interrupted."""
    given = _arguments()
    app = application(given.folder, given.people)
    if given.way == "reference":
        _without_plans()
    elif given.way == "strawberry":
        _by_strawberry()
    tune_process()
    # uvicorn stops, then hands the signal on: without a handler that would end the process at once.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with ExitStack() as stack:
        if given.samples is not None:
            stack.callback(write, stack.enter_context(sampling()), given.samples)
        uvicorn.run(
            app,
            host="127.0.0.1",
            port=given.port,
            **options(app.state.service.resources.settings),
        )


def _arguments() -> _Arguments:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--way", choices=WAYS, default="plan")
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--samples", type=Path)
    given = parser.parse_args()
    return _Arguments(given.folder, given.port, given.way, given.people, given.samples)


def _without_plans() -> None:
    """Have every operation about persons answered field by field."""

    async def unplanned(resources: ExecutionResources, asked: Asked) -> Ready | None:
        made = await ready(resources, asked)
        return None if made is None else replace(made, unplanned="bench")

    vars(endpoint)["ready"] = unplanned


def _by_strawberry() -> None:
    """Have every operation parsed, validated and executed by strawberry, at each request."""
    schema = strawberry_schema()

    async def answered(resources: ExecutionResources, asked: Asked, made: Ready | None) -> Outcome:
        shared = context(resources, asked.caller, asked.deadline)
        given: Mapping[str, object] = asked.given or {}
        text = asked.chosen.document.text
        result = await schema.execute(text, dict(given), context_value=shared)
        errors = [render_error(one) for one in (*(result.errors or ()), *shared.problems)]
        return Outcome(result.data, errors, shared.mirrored, shared.trail, shared.states)

    vars(endpoint)["answered"] = answered


if __name__ == "__main__":
    main()
