"""An open loop: requests arrive when they arrive, however long the others take.

    python -m bench.rivals.poisson PORT RATE SECONDS BODY IDS HEADERS

Arrivals are a Poisson process; the time of an answer counts from its arrival, so that waiting for a
connection counts too. Prints one line of JSON.
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
        self._left = 0
        self._head = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def send(self, arrived: float, request: bytes) -> None:
        assert self.transport is not None
        self._arrived, self._left, self._head = arrived, -1, b""
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self._left < 0:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self._head[:end].lower()
            if not head.startswith(b"http/1.1 200"):
                self._load.errors += 1
            length = head.split(b"content-length:")[1].split(b"\r\n")[0]
            self._left = int(length) - (len(self._head) - end - 4)
        else:
            self._left -= len(data)
        if self._left <= 0:
            self._load.done(self, self._arrived)

    def connection_lost(self, error: Exception | None) -> None:
        self._load.lost(self)


class _Load:
    def __init__(self) -> None:
        self.errors = 0
        self.took: list[float] = []
        self._idle: deque[_Connection] = deque()  # in turn: a server closes idle ones
        self._waiting: deque[tuple[float, bytes]] = deque()

    def add(self, connection: _Connection) -> None:
        self._idle.append(connection)

    def arrive(self, at: float, request: bytes) -> None:
        if self._idle:
            self._idle.popleft().send(at, request)
        else:
            self._waiting.append((at, request))

    def lost(self, connection: _Connection) -> None:
        if connection in self._idle:
            self._idle.remove(connection)
        else:
            self.errors += 1

    def done(self, connection: _Connection, arrived: float) -> None:
        self.took.append(time.perf_counter() - arrived)
        if self._waiting:
            connection.send(*self._waiting.popleft())
        else:
            self._idle.append(connection)


async def _run(port: int, rate: float, seconds: float, body: str, ids: list[str],
               headers: str) -> dict[str, float]:  # fmt: skip
    load, loop = _Load(), asyncio.get_running_loop()
    for _ in range(_CONNECTIONS):
        _, made = await loop.create_connection(lambda: _Connection(load), "127.0.0.1", port)
        load.add(made)
    rng = random.Random(11)
    before, _, after = body.partition("@")
    head = f"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}"
    began = at = time.perf_counter()
    until = began + seconds
    while at < until:
        at += rng.expovariate(rate)
        left = at - time.perf_counter()
        if left > 0:
            await asyncio.sleep(left)
        content = f"{before}{rng.choice(ids)}{after}".encode()
        load.arrive(at, f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
        if left <= 0:
            await asyncio.sleep(0)
    errors = load.errors
    # What is still under way has a second: left out, the slowest would not count.
    await asyncio.sleep(1)
    took = sorted(load.took)
    return {
        "rate": rate,
        "answered_per_second": round(len(took) / seconds, 1),
        "p50_ms": round(took[len(took) // 2] * 1e3, 3),
        "p99_ms": round(took[int(len(took) * 0.99)] * 1e3, 3),
        "errors": errors,
    }


if __name__ == "__main__":
    port, rate, seconds = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    body, ids = Path(sys.argv[4]).read_text(), Path(sys.argv[5]).read_text().split()
    headers = Path(sys.argv[6]).read_bytes().decode()
    print(json.dumps(uvloop.run(_run(port, rate, seconds, body, ids, headers))))
