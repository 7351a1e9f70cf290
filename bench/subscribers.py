"""Subscribers: their memory, how soon an event arrives, and what they cost others.

``python -m bench.subscribers``, two minutes. One process serves 1,000 subscribers over WebSocket,
each of a client of its own with an interest in one person, over an event log of SQLite. Measured
are the memory of the process with and without them, the time from the append of an event to its
arrival at the one whom it concerns, the time until an event of a source has reached all, and the
CPU time of W1 beside 200 subscribers for whom nothing happens, in turn with none.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import orjson
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from bench.load import Server, load
from bench.measure import Figures
from bench.report import save, show, surroundings
from bench.site import CASE_NUMBER, headers, settings
from bench.world import backends, databases, numbers
from gateway.access.caller import Caller
from gateway.access.tokens import issue
from gateway.app import build_app
from gateway.changes.changes import Changes, log_options
from gateway.changes.engines import make_event_log
from gateway.changes.event import LifeEvent, LifeEventKind
from gateway.changes.interests import Interest, InterestStore
from gateway.changes.log import EventLog, FollowState, SourceStatus
from gateway.changes.sealed_events import USE, SealedEvents
from gateway.http.server import options, raise_open_files
from gateway.keys.keyring import load_ring, load_signing
from gateway.procedures.procedure import UNIFIED
from gateway.runtime.clock import SystemClock
from gateway.runtime.garbage import tune_process
from gateway.settings import FollowSettings, InterestTerms, Purpose, Settings, StreamSettings
from gateway.storage.sealing import Sealing

SUBSCRIBERS, IDLE, PEOPLE = 1_000, 200, 2_000
EVENTS, SOURCE_EVENTS, ROUNDS, SECONDS = 200, 2, 3, 4
_SCOPES = ("events:read", "notary:read")
_QUERY = """subscription { lifeEvents { edges { node { id kind } } pageInfo { endCursor }
  sources { state completeUntil } } }"""
_PATIENCE = 60.0
_MEMORY = Path("/dev/shm")


def _settings(folder: Path) -> Settings:
    terms = InterestTerms.model_validate({"kinds": ["BLOCK_PLACED"], "days": 30})
    base = settings(folder)
    return base.model_copy(
        update={
            "purposes": {UNIFIED: Purpose(interests=terms)},
            "subscriptions": StreamSettings(total=SUBSCRIBERS, heartbeat=120),
            "connections": base.connections.model_copy(
                update={"per_address": 2 * SUBSCRIBERS, "total": 2 * SUBSCRIBERS}
            ),
        }
    )


def _token(configuration: Settings, client: str) -> str:
    return issue(
        load_signing(configuration, "token")[0],
        configuration.access,
        SystemClock().now(),
        subject=client,
        client=client,
        scopes=_SCOPES,
        purposes=[UNIFIED],
    )


# The server's process


def serve(folder: Path, port: int) -> None:
    """Serve until interrupted; each line of standard input is a person to whom something happens.

    An empty line: something happens to a source.
    """
    configuration = _settings(folder)
    raise_open_files(configuration.connections.total)
    app = build_app(configuration, databases(), backends=backends(PEOPLE))
    clock = SystemClock()
    sealing = Sealing(load_ring(configuration, "cache"), USE)
    events = make_event_log(log_options(configuration), SealedEvents(sealing), clock)
    followed = {"notary": FollowSettings(source="watermark")}
    changes = Changes(configuration.changes, events, followed)
    resources = replace(app.state.service.resources, changes=changes)
    app.state.service = replace(app.state.service, resources=resources)

    async def run() -> None:
        await events.open()
        await _register(resources.interests, events)
        config = uvicorn.Config(app, host="127.0.0.1", port=port, **options(configuration))
        appending = asyncio.create_task(_append(events))
        await uvicorn.Server(config).serve()
        appending.cancel()

    tune_process()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    asyncio.run(run())


async def _register(interests: InterestStore, events: EventLog) -> None:
    now, position = SystemClock().now(), await events.end()
    for place, number in enumerate(numbers(PEOPLE)[:SUBSCRIBERS]):
        caller = replace(_caller(f"bench-{place}"), case_number=CASE_NUMBER)
        interest = Interest(
            f"i{place}",
            caller,
            number,
            frozenset({number}),
            frozenset({LifeEventKind.BLOCK_PLACED}),
            now,
            now + timedelta(days=1),
            position,
        )
        assert await interests.put([interest], 10, now)


def _caller(client: str) -> Caller:
    return Caller(client, None, client, frozenset(_SCOPES), frozenset({UNIFIED}), purpose=UNIFIED)


async def _append(events: EventLog) -> None:
    """Append an event for each line; its id is the time of the append, in nanoseconds."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await events.acquire("notary", "bench", 3_600)
    while line := await reader.readline():
        person, now = line.decode().strip() or None, SystemClock().now()
        kind = LifeEventKind.BLOCK_PLACED if person else LifeEventKind.SOURCE_RESUMED
        record, row = ("preventive_infos", "R1") if person else (None, None)
        began = str(time.monotonic_ns())
        event = LifeEvent(began, kind, "notary", person, record, row, None, now, now)
        status = SourceStatus("notary", FollowState.FOLLOWED, now, None, now, "")
        await events.append("bench", [event], status)


# The process that measures


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, Server]]:
    """Run a server until the block ends."""
    port = 18_431
    command = (sys.executable, "-m", "bench.subscribers", "--serve", str(folder), str(port))
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=log, stderr=log
        )
    try:
        async with asyncio.timeout(_PATIENCE):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                except OSError:
                    await asyncio.sleep(0.2)  # between two looks, not instead of one
        yield process, Server("plan", port, process.pid, headers(_settings(folder)))
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def subscribers(
    folder: Path, server: Server, count: int
) -> AsyncIterator[Sequence[ClientConnection]]:
    """Subscribe ``count`` clients, each over a connection of its own, until the block ends."""
    configuration = _settings(folder)
    sockets: list[ClientConnection] = []
    async with AsyncExitStack() as stack:
        for place in range(count):
            socket = await stack.enter_async_context(
                connect(
                    f"ws://127.0.0.1:{server.port}/graphql",
                    subprotocols=[Subprotocol("graphql-transport-ws")],
                    compression=None,
                    ping_interval=None,
                    proxy=None,
                )
            )
            payload = {
                "Authorization": f"Bearer {_token(configuration, f'bench-{place}')}",
                "X-Purpose": UNIFIED,
            }
            await socket.send(
                orjson.dumps({"type": "connection_init", "payload": payload}).decode()
            )
            await socket.recv()
            message = {"type": "subscribe", "id": "1", "payload": {"query": _QUERY}}
            await socket.send(orjson.dumps(message).decode())
            assert "lifeEvents" in str(await socket.recv())
            sockets.append(socket)
        yield sockets


async def _arrival(socket: ClientConnection) -> float:
    """Return the milliseconds from the append of the next event to its arrival here."""
    async with asyncio.timeout(_PATIENCE):
        while True:
            feed = orjson.loads(await socket.recv())["payload"]["data"]["lifeEvents"]
            if feed["edges"]:
                return (time.monotonic_ns() - int(feed["edges"][-1]["node"]["id"])) / 1e6


async def _latencies(process: Any, sockets: Sequence[ClientConnection]) -> Figures:
    people = numbers(PEOPLE)
    for_one, for_all = [], []
    for turn in range(EVENTS):
        place = turn * 7 % len(sockets)
        process.stdin.write(f"{people[place]}\n".encode())
        for_one.append(await _arrival(sockets[place]))
    print(f"an event: {median(for_one):.1f} ms", flush=True)
    for _ in range(SOURCE_EVENTS):
        process.stdin.write(b"\n")
        for_all.append(max(await asyncio.gather(*map(_arrival, sockets))))
    return {
        "median_ms": round(median(for_one), 2),
        "p99_ms": round(quantiles(for_one, n=100)[98], 2),
        "until_all_have_an_event_of_a_source_ms": round(median(for_all), 1),
    }


async def _w1_beside_subscribers(folder: Path, server: Server) -> Figures:
    """Return the CPU time of W1 in turn without and with idle subscribers, and the ratio."""
    people = numbers(PEOPLE)
    costs: dict[bool, list[float]] = {False: [], True: []}
    await asyncio.to_thread(load, folder, server, people, 2)
    for _ in range(ROUNDS):
        costs[False].append(
            (await asyncio.to_thread(load, folder, server, people, SECONDS))["cpu_ms"]
        )
        async with subscribers(folder, server, IDLE):
            run = await asyncio.to_thread(load, folder, server, people, SECONDS)
            costs[True].append(run["cpu_ms"])
    alone, beside = median(costs[False]), median(costs[True])
    return {
        "alone_cpu_ms": round(alone, 4),
        f"beside_{IDLE}_cpu_ms": round(beside, 4),
        "ratio": round(beside / alone, 3),
    }


async def measure(folder: Path) -> dict[str, Figures]:
    """Return all figures."""
    raise_open_files(2 * SUBSCRIBERS)
    async with serving(folder) as (process, server):
        before = server.megabytes()
        async with subscribers(folder, server, SUBSCRIBERS) as sockets:
            memory = server.megabytes()
            print(f"{SUBSCRIBERS} subscribers: {memory:.0f} MB", flush=True)
            latency = await _latencies(process, sockets)
            after = server.megabytes()
        w1 = await _w1_beside_subscribers(folder, server)
    return {
        "memory": {
            "without_megabytes": round(before, 1),
            "with_megabytes": round(memory, 1),
            "after_events_megabytes": round(after, 1),
            "kilobytes_each": round((memory - before) * 1024 / SUBSCRIBERS, 1),
        },
        "latency": latency,
        "W1": w1,
    }


def main() -> None:
    """Measure, print and save; or serve for that."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", nargs=2)
    arguments = parser.parse_args()
    if arguments.serve is not None:
        serve(Path(arguments.serve[0]), int(arguments.serve[1]))
        return
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as name:
        figures = asyncio.run(measure(Path(name)))
    lines = [
        (part, name, figure) for part, each in figures.items() for name, figure in each.items()
    ]
    show("Subscribers", ("of", "figure", "value"), lines)
    print(save("subscribers", {"surroundings": surroundings(), **figures}))


if __name__ == "__main__":
    main()
