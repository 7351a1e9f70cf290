"""A gateway over the population in memory as a separate process, served as by the command line.

``--way`` selects the executor: ``plan`` is the unchanged gateway, ``reference`` executes every
operation without a plan, ``strawberry`` replaces both by strawberry without caches. Token, limits,
journal and HTTP are the same for all. With ``--samples`` the process samples its own stack
(``bench.verbs``) and writes the samples when it stops.
"""

from __future__ import annotations

import argparse
import signal
import sys
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import uvicorn

from bench.inprocess import context, strawberry_schema
from bench.site import application
from bench.verbs import sampling, write
from bench.world import PEOPLE
from gateway.execution.execute import execute
from gateway.execution.operation import ExecutableOperation, OperationRequest, Result
from gateway.execution.resources import ExecutionResources
from gateway.http.server import options
from gateway.runtime.garbage import tune_process
from gateway.service import Execute
from gateway.shape.response import render_error, render_problem

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
    arguments = _arguments()
    app = application(arguments.folder, arguments.people)
    if arguments.way == "reference":
        app.state.service = replace(app.state.service, execute=_execute_reference)
    elif arguments.way == "strawberry":
        app.state.service = replace(app.state.service, execute=_strawberry_executor())
    tune_process()
    # uvicorn stops, then hands the signal on: without a handler that would end the process at once.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with ExitStack() as stack:
        if arguments.samples is not None:
            stack.callback(write, stack.enter_context(sampling()), arguments.samples)
        uvicorn.run(
            app,
            host="127.0.0.1",
            port=arguments.port,
            **options(app.state.service.resources.settings),
        )


def _arguments() -> _Arguments:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--way", choices=WAYS, default="plan")
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--samples", type=Path)
    options = parser.parse_args()
    return _Arguments(options.folder, options.port, options.way, options.people, options.samples)


async def _execute_reference(
    resources: ExecutionResources,
    request: OperationRequest,
    executable: ExecutableOperation | None,
) -> Result:
    """Execute every operation about persons field by field."""
    if executable is not None:
        executable = replace(executable, unplanned="bench")
    return await execute(resources, request, executable)


def _strawberry_executor() -> Execute:
    """Return an executor by which strawberry parses, validates and executes at each request."""
    schema = strawberry_schema()

    async def execute_strawberry(
        resources: ExecutionResources,
        request: OperationRequest,
        executable: ExecutableOperation | None,
    ) -> Result:
        shared = context(resources, request.caller, request.deadline)
        variables = dict(request.variables or {})
        text = request.document.text
        result = await schema.execute(text, variables, context_value=shared)
        state = shared.state
        errors = [render_error(error) for error in result.errors or ()]
        errors += [render_problem(problem) for problem in state.problems]
        return Result(result.data, errors, state.mirrored, state.trail, state.states)

    return execute_strawberry


if __name__ == "__main__":
    main()
