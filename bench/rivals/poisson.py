"""An open loop: requests arrive regardless of how long earlier ones take.

    python -m bench.rivals.poisson PORT RATE SECONDS BODY IDS HEADERS

Arrivals are a Poisson process. The time of an answer counts from the arrival of its request, so
that it includes waiting for a connection. Prints one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections import deque
from pathlib import Path
from typing import cast

import uvloop

_CONNECTIONS = 128


class _Connection(asyncio.Protocol):
    """One HTTP connection, with one request at a time on it."""

    def __init__(self, load: _Load) -> None:
        self._load = load
        self._arrived = 0.0
        self._remaining = 0
        self._head = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def send(self, arrived: float, request: bytes) -> None:
        assert self.transport is not None
        self._arrived, self._remaining, self._head = arrived, -1, b""
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self._remaining < 0:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self._head[:end].lower()
            if not head.startswith(b"http/1.1 200"):
                self._load.errors += 1
            length = head.split(b"content-length:")[1].split(b"\r\n")[0]
            self._remaining = int(length) - (len(self._head) - end - 4)
        else:
            self._remaining -= len(data)
        if self._remaining <= 0:
            self._load.answered(self, self._arrived)

    def connection_lost(self, error: Exception | None) -> None:
        self._load.connection_lost(self)


class _Load:
    def __init__(self) -> None:
        self.errors = 0
        self.durations: list[float] = []
        self._idle: deque[_Connection] = deque()  # in turn: a server closes idle ones
        self._waiting: deque[tuple[float, bytes]] = deque()

    def add(self, connection: _Connection) -> None:
        self._idle.append(connection)

    def arrive(self, at: float, request: bytes) -> None:
        if self._idle:
            self._idle.popleft().send(at, request)
        else:
            self._waiting.append((at, request))

    def connection_lost(self, connection: _Connection) -> None:
        if connection in self._idle:
            self._idle.remove(connection)
        else:
            self.errors += 1

    def answered(self, connection: _Connection, arrived: float) -> None:
        self.durations.append(time.perf_counter() - arrived)
        if self._waiting:
            connection.send(*self._waiting.popleft())
        else:
            self._idle.append(connection)


async def _run(port: int, rate: float, seconds: float, body: str, ids: list[str],
               headers: str) -> dict[str, float]:  # fmt: skip
    load, loop = _Load(), asyncio.get_running_loop()
    for _ in range(_CONNECTIONS):
        _, connection = await loop.create_connection(lambda: _Connection(load), "127.0.0.1", port)
        load.add(connection)
    rng = random.Random(11)
    before, _, after = body.partition("@")
    head = f"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}"
    start = at = time.perf_counter()
    deadline = start + seconds
    while at < deadline:
        at += rng.expovariate(rate)
        delay = at - time.perf_counter()
        if delay > 0:  # until the next arrival
            await asyncio.sleep(delay)
        content = f"{before}{rng.choice(ids)}{after}".encode()
        load.arrive(at, f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
        if delay <= 0:  # behind time: answers must be taken in all the same
            await asyncio.sleep(0)
    errors = load.errors
    # What is still under way has a second: left out, the slowest would not count.
    await asyncio.sleep(1)
    durations = sorted(load.durations)
    return {
        "rate": rate,
        "answered_per_second": round(len(durations) / seconds, 1),
        "p50_ms": round(durations[len(durations) // 2] * 1e3, 3),
        "p99_ms": round(durations[int(len(durations) * 0.99)] * 1e3, 3),
        "errors": errors,
    }


if __name__ == "__main__":
    port, rate, seconds = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    body, ids = Path(sys.argv[4]).read_text(), Path(sys.argv[5]).read_text().split()
    headers = Path(sys.argv[6]).read_bytes().decode()
    print(json.dumps(uvloop.run(_run(port, rate, seconds, body, ids, headers))))
