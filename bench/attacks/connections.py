"""Clients that send slowly, incompletely or without end, and their cost to other clients.

    python -m bench.attacks.connections [--seconds 10]

A gateway serves the population in memory on its own core. A caller with a token sends W1 forty
times a second over four connections; its latency is measured without an attack and under each
attack. Attackers use the same address as the caller, which is the worst case, and reconnect when
they are disconnected, up to 200 times a second. Takes a little over twice ``--seconds`` for each of
the eight attacks.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING

import httpx2
import orjson
from rich.table import Table

from bench.load import Server, serving
from bench.report import console
from bench.world import document, numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

PEOPLE = 200
_REQUESTS_PER_SECOND = 40
_CLIENTS = 4
_CONNECTS_PER_SECOND = 200
_CLIENT_CORE = "1"
_PIECE = 65_536

_HEAD = b"POST /graphql HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
_BODY = b'{"query": "{databases {name}}", "variables": {"x": "' + b"y" * 250_000 + b'"}}'
_POST = _HEAD + b"Content-Length: %d\r\n\r\n" % len(_BODY)
_CHUNKED = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
_GET = b"GET /graphql?query={__typename} HTTP/1.1\r\nHost: bench\r\n"


@dataclass(frozen=True, slots=True)
class Attack:
    """So many ``connections``, each of which sends ``start``, and ``more`` every second."""

    connections: int
    start: bytes
    more: bytes = b""


ATTACKS = {
    "500 that connect and say nothing": Attack(500, b""),
    "500 with a byte of headers a second": Attack(500, _GET + b"X-A: ", b"a"),
    "500 with 480 kB of unfinished headers": Attack(500, _GET + b"X-A: " + b"a" * 480_000),
    "800 bodies but for the last byte": Attack(800, _POST + _BODY[:-1]),
    "500 bodies of a byte a second": Attack(500, _POST, b" "),
    "2 with an Accept of 20 MB": Attack(
        2, _GET + b"Accept: " + b"text/html;q=0.1," * 1_250_000 + b"\r\n\r\n"
    ),
    "8 with 256 kB of one-byte chunks": Attack(8, _CHUNKED + b"1\r\n \r\n" * 43_000),
    "8 with 4,000 pipelined requests": Attack(8, (_GET + b"\r\n") * 4_000),
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--attack")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    if options.attack:
        asyncio.run(_attack(ATTACKS[options.attack], options.port, options.seconds))
        return
    table = Table(
        "attack",
        "p50 quiet",
        "p99 quiet",
        "p50 ms",
        "p99 ms",
        "ratio",
        "errors",
        "open",
        "MB",
        "CPU %",
    )
    with tempfile.TemporaryDirectory() as folder:
        for place, name in enumerate(ATTACKS):
            home = Path(folder) / str(place)
            home.mkdir()
            with serving(home, "plan", PEOPLE) as server:
                table.add_row(name, *asyncio.run(_measure(server, name, options.seconds)))
    console.print(table)


async def _measure(server: Server, name: str, seconds: float) -> list[str]:
    await _ask(server, 2.0)
    with _processor(server) as idle:
        quiet, none = await _ask(server, seconds)
    before = server.megabytes()
    with _attacked(server, name, seconds + 4.0):
        await asyncio.sleep(2.0)  # the attack has begun; now it is at its full height
        with _processor(server) as busy:
            attacked, errors = await _ask(server, seconds)
        grown, open_files = server.megabytes() - before, _open_files(server)
    ratio = f"{_p99(attacked) / _p99(quiet):.1f}"
    figures = [median(quiet), _p99(quiet), median(attacked), _p99(attacked)]
    cells = [f"{figure * 1e3:.1f}" for figure in figures]
    share = f"{idle[0]:.0f} -> {busy[0]:.0f}"
    return [*cells, ratio, str(errors + none), str(open_files), f"+{grown:.0f}", share]


@contextmanager
def _processor(server: Server) -> Iterator[list[float]]:
    """Fill in how much of a processor, in percent, the server has until the block ends."""
    share: list[float] = []
    start, before = time.perf_counter(), server.seconds()[0]
    yield share
    share.append(100 * (server.seconds()[0] - before) / (time.perf_counter() - start))


def _p99(times: list[float]) -> float:
    return quantiles(times, n=100)[98]


def _open_files(server: Server) -> int:
    return len(list(Path(f"/proc/{server.pid}/fd").iterdir()))


@contextmanager
def _attacked(server: Server, name: str, seconds: float) -> Iterator[None]:
    """Attack from a process of its own until the block ends, ``seconds`` at most."""
    # It takes what the other client of that core leaves: that one's waiting is not the gateway's.
    command = ["taskset", "-c", _CLIENT_CORE, "chrt", "--idle", "0"]
    command += [sys.executable, "-m", __spec__.name, "--attack", name]
    command += ["--port", str(server.port), "--seconds", str(seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()  # it has begun
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


async def _ask(server: Server, seconds: float) -> tuple[list[float], int]:
    """Ask at a steady rate; return how long each answer took, and how many were none.

    Each question has its moment: an answer that is late delays no question but its own client's.
    """
    people, times, errors = numbers(PEOPLE), list[float](), 0
    address = f"http://127.0.0.1:{server.port}/graphql"
    request_headers = {**server.headers, "content-type": "application/json"}

    async def client(http: httpx2.AsyncClient, start: float, place: int) -> None:
        nonlocal errors
        for turn in count(place, _CLIENTS):
            due = start + turn / _REQUESTS_PER_SECOND
            if due > start + seconds:
                return
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            body = orjson.dumps(
                {"query": document(), "variables": {"id": people[turn % len(people)]}}
            )
            try:
                answer = await http.post(address, content=body, headers=request_headers)
                errors += answer.status_code != 200
            except httpx2.TransportError:
                errors += 1
            times.append(time.perf_counter() - due)

    async with AsyncExitStack() as stack:
        # Each takes tens of milliseconds to make, which are not the gateway's.
        clients = [
            await stack.enter_async_context(httpx2.AsyncClient(timeout=30, trust_env=False))
            for _ in range(_CLIENTS)
        ]
        start = time.perf_counter()
        await asyncio.gather(*(client(http, start, place) for place, http in enumerate(clients)))
    return times, errors


async def _attack(attack: Attack, port: int, seconds: float) -> None:
    """Hold the connections until the time is up; each that is closed is made anew."""
    print("begun", flush=True)
    turns = asyncio.Semaphore(0)

    async def allow() -> None:
        while True:
            turns.release()
            await asyncio.sleep(1 / _CONNECTS_PER_SECOND)  # the pace of the attack

    async def hold() -> None:
        while True:
            await turns.acquire()
            with suppress(OSError):
                await _hold(attack, port)

    holders: list[Callable[[], Awaitable[None]]] = [allow, *[hold] * attack.connections]
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.gather(*(holder() for holder in holders))


async def _hold(attack: Attack, port: int) -> None:
    """Send as the attack has it until the other side closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    closed = asyncio.ensure_future(reader.read(-1))
    sending = asyncio.ensure_future(_send(attack, writer))
    try:
        await closed
    finally:
        sending.cancel()
        writer.transport.abort()
        await asyncio.gather(closed, sending, return_exceptions=True)


async def _send(attack: Attack, writer: asyncio.StreamWriter) -> None:
    """Send piece by piece, so that the attacker spends little on what is not taken."""
    for start in range(0, len(attack.start), _PIECE):
        writer.write(attack.start[start : start + _PIECE])
        await writer.drain()
    while attack.more:
        await asyncio.sleep(1.0)  # the pace of the attack
        writer.write(attack.more)
        await writer.drain()


if __name__ == "__main__":
    main()
