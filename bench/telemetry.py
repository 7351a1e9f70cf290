"""The cost of request logging and metrics: microseconds of CPU a request, log to /dev/null.

python -m bench.telemetry             # 10 seconds
"""

from __future__ import annotations

import asyncio
import os
import sys
from types import SimpleNamespace
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bench.measure import in_turn
from bench.report import save, surroundings
from gateway.access.caller import Caller
from gateway.http.telemetry import Telemetry
from gateway.runtime.clock import SystemClock
from gateway.telemetry.logs import configure

ROUNDS, REQUESTS = 15, 5_000
_CALLER = Caller(client="civil-status-desk", agency="H29.12")
_REQUEST_ID = "5f0c9e21aa01b2c3d4e5f60718293a4b"


async def _answer(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})


async def _receive() -> Message:
    return {"type": "http.disconnect"}


async def _send(_message: Message) -> None:
    pass


def _scope(log: bool) -> Scope:
    settings = SimpleNamespace(request_log=log)
    resources = SimpleNamespace(clock=SystemClock(), settings=settings)
    return {
        "type": "http",
        "method": "POST",
        "app": SimpleNamespace(state=SimpleNamespace(service=SimpleNamespace(resources=resources))),
        "route": SimpleNamespace(name="graphql"),
        "state": {"caller": _CALLER, "request_id": _REQUEST_ID},
    }


def _run(app: ASGIApp, scope: Scope) -> None:
    async def requests() -> None:
        for _ in range(REQUESTS):
            await app(scope, _receive, _send)

    asyncio.run(requests())


def main() -> None:
    """Print and save the costs."""
    stderr, sys.stderr = sys.stderr, open(os.devnull, "w")  # noqa: SIM115, PTH123 - until the end
    configure()
    sys.stderr, app = stderr, Telemetry(_answer)
    variants = {
        "nothing": lambda: _run(_answer, _scope(False)),
        "metrics": lambda: _run(app, _scope(False)),
        "metrics and log": lambda: _run(app, _scope(True)),
    }
    costs = in_turn(variants, dict.fromkeys(variants, REQUESTS), ROUNDS)
    results: dict[str, Any] = {name: cost.figures() for name, cost in costs.items()}
    save("telemetry", {"surroundings": surroundings(), **results})
    for name, figures in results.items():
        print(f"{name:16} {figures}")


if __name__ == "__main__":
    main()
