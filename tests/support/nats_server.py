"""A real NATS server with JetStream on a free port, which a test can stop and start."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nats
import pytest

from tests.support.redis_server import free_port

#: The server's program, None where it is not installed.
NATS_SERVER = shutil.which("nats-server", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
_PATIENCE = 20.0


@contextmanager
def nats_process(folder: Path) -> Iterator[NatsServer]:
    """Run a NATS until the block ends; skips the test where there is none to run."""
    if NATS_SERVER is None:
        if os.environ.get("REQUIRE_SERVICES"):
            pytest.fail("nats-server is missing")
        pytest.skip("nats-server is missing")
    server = NatsServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


class NatsServer:
    """A NATS of this test's own, on a port of its own, with its streams in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert NATS_SERVER is not None
        options = ["-js", "-sd", str(self.folder), "-a", "127.0.0.1", "-p", str(self.port)]
        self._process = subprocess.Popen([NATS_SERVER, *options], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1.0) as probe:
                    assert probe.recv(4) == b"INFO"
            except OSError:
                assert time.monotonic() < deadline, "nats-server does not come up"
                time.sleep(0.01)  # between two looks, not instead of one
            else:
                return

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    async def delete_stream(self, name: str) -> None:
        client = await nats.connect(f"nats://127.0.0.1:{self.port}")
        await client.jetstream().delete_stream(name)
        await client.close()
