"""The way of a request to its execution and back: ``python -m bench.door``, ten seconds.

uvicorn's protocol is fed by 32 connections of which the kernel knows nothing, in one process. So
what is measured is Python alone, steadier than under load; the kernel adds some 12 us. The journal
and the log of requests are left out, and executing W1 is a constant.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import uvicorn
import uvloop
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.server import ServerState

from bench.measure import Cost, Figures
from bench.report import save, show, surroundings
from bench.site import headers, settings
from bench.world import backends, databases, document, numbers
from connectors.description import Group
from gateway.app import build_app
from gateway.audit.entry import describe_touched
from gateway.audit.record import Recorder
from gateway.audit.touched import Trail
from gateway.cache.answer_store import AnswerStore
from gateway.execution.operation import ExecutableOperation, OperationRequest, Result
from gateway.execution.resources import ExecutionResources
from gateway.http.server import options
from gateway.runtime.garbage import tune_process
from gateway.service import Service
from gateway.settings import DatabaseSettings, RateLimits, Settings

CONNECTIONS, ROUNDS, WARMING, PEOPLE = 32, 300, 20, 50
#: As many bytes as the answer to W1 has.
_DATA = orjson.dumps({"person": {"id": "0" * 12, "text": "x" * 2_300}})
_HEADERS = [
    (b"content-type", b"application/json; charset=utf-8"),
    (b"content-length", b"%d" % len(_DATA)),
    *((b"x-header-%d" % number, b"x" * 20) for number in range(10)),
]


class Transport:
    """Takes what a connection writes, and says nothing of it to the kernel."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.is_closed = False

    def write(self, content: bytes) -> None:
        self.written.append(content)

    def is_closing(self) -> bool:
        return self.is_closed

    def get_extra_info(self, name: str, default: object = None) -> object:
        return {"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)}.get(name, default)

    def close(self) -> None:
        self.is_closed = True

    abort = pause_reading = resume_reading = close


async def _bare(_scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive())["more_body"]:
        pass
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _DATA})


async def measure(
    app: ASGIApp, uvicorn_options: dict[str, Any], requests: Sequence[bytes], status: bytes = b"200"
) -> Cost:
    """Return what one request costs ``app``; all must be answered with ``status``."""
    config = uvicorn.Config(app, lifespan="off", **uvicorn_options)
    config.load()
    state, transports = ServerState(), [Transport() for _ in range(CONNECTIONS)]
    state.default_headers = [(b"date", b"Mon, 30 Nov 2026 02:00:00 GMT")]
    make: Callable[..., Any] = config.http_protocol_class
    connections = [make(config=config, server_state=state, app_state={}) for _ in transports]
    for connection, transport in zip(connections, transports, strict=True):
        connection.connection_made(transport)
    place, rounds = count(), []
    for number in range(WARMING + ROUNDS):
        began = time.perf_counter()
        for connection in connections:
            # Each request comes as bytes of its own, whose hash nobody knows.
            connection.data_received(bytes(bytearray(requests[next(place) % len(requests)])))
        while not all(len(transport.written) == 2 for transport in transports):
            assert not any(transport.is_closed for transport in transports)
            await asyncio.sleep(0)
        if number >= WARMING:
            rounds.append((time.perf_counter() - began) / CONNECTIONS * 1e6)
        for transport in transports:
            assert transport.written[0].startswith(b"HTTP/1.1 " + status), transport.written
            transport.written.clear()
    for connection in connections:
        connection.connection_lost(None)
    return Cost(sorted(rounds)[len(rounds) // 2], min(rounds))


@dataclass(frozen=True, slots=True)
class _Silent(Recorder):
    """Writes no entries of answers."""

    async def record_answer(self, *_arguments: object, **_named: object) -> None:
        """Write nothing."""


class _NoAnswers(AnswerStore[Any]):
    """Keeps no answers."""

    def get(self, *_: object) -> None:
        """Return None."""


async def _constant(
    resources: ExecutionResources, _request: OperationRequest, _: ExecutableOperation | None
) -> Result:
    trail = Trail()
    touched = describe_touched(resources.person_hash, trail.touches(), {})
    return Result(orjson.Fragment(_DATA), (), (), trail, {}, touched)


@contextmanager
def _site() -> Iterator[tuple[Settings, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        fresh = DatabaseSettings(group=Group.OPERATING, fresh=86_400)
        made = settings(Path(folder)).model_copy(
            update={
                "request_log": False,
                "rates": RateLimits(anonymous_per_minute=10**9),
                "databases": {database.name: fresh for database in databases()},
            }
        )
        yield made, build_app(made, databases(), backends=backends(PEOPLE))


async def run() -> dict[str, Cost]:
    """Return the costs, by what is measured."""
    with _site() as (made, app):
        tune_process()
        async with app.router.lifespan_context(app):
            service: Service = app.state.service
            recorder = {
                field.name: getattr(service.recorder, field.name) for field in fields(Recorder)
            }
            resources = replace(service.resources, recorder=_Silent(**recorder))
            quiet = replace(service, resources=resources)
            unready = replace(resources, answers=_NoAnswers(resources.cache, 0))
            known, stranger = _requests(headers(made)), _requests({"Authorization": "Bearer x"})
            plain = {"access_log": False, "log_config": None, "server_header": False, "ws": "none"}
            costs = {
                "bare ASGI": await measure(_bare, plain, known),
                "and limits of connections": await measure(_bare, options(made), known),
            }
            app.state.service = quiet
            costs["ready answer"] = await measure(app, options(made), known)
            costs["token that is none"] = await measure(app, options(made), stranger, b"401")
            app.state.service = replace(quiet, resources=unready, execute=_constant)
            costs["W1, prepared only"] = await measure(app, options(made), known)
            return costs


def _requests(named: dict[str, str]) -> list[bytes]:
    lines = [
        "POST /graphql HTTP/1.1",
        "Host: gateway",
        "Content-Type: application/json",
        "Accept: application/json",
        *(f"{name}: {value}" for name, value in named.items()),
    ]
    head = "\r\n".join(lines).encode()
    bodies = [
        orjson.dumps({"query": document(), "variables": {"id": number}})
        for number in numbers(PEOPLE)
    ]
    return [b"%b\r\nContent-Length: %d\r\n\r\n%b" % (head, len(body), body) for body in bodies]


def main() -> None:
    """Measure, print, and write ``results/door.json``."""
    costs = uvloop.run(run())
    lines = [(name, round(cost.median, 1), round(cost.least, 1)) for name, cost in costs.items()]
    show("the way to the execution and back, us a request", ("", "median", "least"), lines)
    figures: Figures = {name: cost.figures() for name, cost in costs.items()}
    save("door", {"surroundings": surroundings(), **figures})


if __name__ == "__main__":
    main()
