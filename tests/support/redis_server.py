"""A real Redis server on a free port, which a test can stop and start."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
import redis

#: The server's program, None where it is not installed.
REDIS_SERVER = shutil.which("redis-server", path=f"{os.environ.get('PATH', '')}:/usr/bin")
_PATIENCE = 20.0
_PORTS = count()


def need_redis() -> None:
    """Skip the test where no Redis is installed; where it has to be, fail."""
    if REDIS_SERVER is None:
        if os.environ.get("REQUIRE_SERVICES"):
            pytest.fail("redis-server is missing")
        pytest.skip("redis-server is missing")


@contextmanager
def redis_process(folder: Path, *, is_durable: bool = False) -> Iterator[Server]:
    """Run a Redis until the block ends; skips the test where there is none to run.

    ``is_durable``: every write is on disk before it is acknowledged.
    """
    need_redis()
    server = Server(folder, is_durable=is_durable)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        server.client.close()


def free_port() -> int:
    """Return a free port that stays this process's own while its server is stopped.

    Not one that the system gives out: it would give it to somebody else meanwhile.
    """
    for place in count():
        port = 20_000 + (os.getpid() % 100) * 100 + (next(_PORTS) + place) % 100
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise AssertionError("there is no end to counting")


class Server:
    """A Redis of this test's own, on a port of its own."""

    def __init__(self, folder: Path, *, is_durable: bool = False) -> None:
        self._folder = folder
        self._appendonly = ("yes", "--appendfsync", "always") if is_durable else ("no",)
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.client = redis.Redis(port=self.port)

    def start(self) -> None:
        assert REDIS_SERVER is not None
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder)]
        self._process = subprocess.Popen(
            [REDIS_SERVER, *options, "--save", "", "--appendonly", *self._appendonly],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                self.client.ping()
            except redis.ConnectionError:
                assert time.monotonic() < deadline, "redis-server does not come up"
                time.sleep(0.01)  # between two looks, not instead of one
            else:
                return

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
