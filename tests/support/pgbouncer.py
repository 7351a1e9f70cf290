"""A PgBouncer for a test, which assigns connections per transaction."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.servers import HOST, Server

_PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
_PATIENCE = 20.0


@contextmanager
def pgbouncer(server: Server, folder: Path) -> Iterator[int]:
    """Run one before ``server``, with two connections to it; yield its port."""
    if _PROGRAM is None and os.environ.get("REQUIRE_SERVICES"):
        pytest.fail("missing: pgbouncer")
    if _PROGRAM is None:
        pytest.skip("missing: pgbouncer")
    with socket.socket() as free:
        free.bind((HOST, 0))
        port: int = free.getsockname()[1]
    config = folder / "pgbouncer.ini"
    config.write_text(
        f"[databases]\n{server.name} = host={HOST} port={server.port} user={server.user}\n"
        f"[pgbouncer]\nlisten_addr = {HOST}\nlisten_port = {port}\nunix_socket_dir =\n"
        "auth_type = any\npool_mode = transaction\ndefault_pool_size = 2\n"
    )
    # It does not run as root: it reads its settings, and becomes somebody else.
    other = ["-u", "nobody"] if getpass.getuser() == "root" else []
    process = subprocess.Popen(
        [_PROGRAM, *other, str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _until_up(port)
        yield port
    finally:
        process.kill()
        process.wait()


def _until_up(port: int) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        with socket.socket() as probe:
            if not probe.connect_ex((HOST, port)):
                return
        assert time.monotonic() < deadline, "pgbouncer does not come up"
        time.sleep(0.01)  # between two looks, not instead of one
