"""Incomplete and endless requests to a gateway process: others are answered, and it stops."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx2
import pytest

from tests.support.server_processes import ServerProcess, free

_BODY = json.dumps({"query": "{databases {name}}", "variables": {"x": "y" * 250_000}}).encode()
_POST = (
    b"POST /graphql HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n" % len(_BODY)
)
_PATIENCE = 60.0


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[ServerProcess]:
    config = tmp_path / "gateway.toml"
    config.write_text(
        "[rates]\nanonymous_per_minute = 1_000_000\n[limits]\nanonymous_body_bytes = 262_144\n"
    )
    command = [sys.executable, "-m", "gateway"]
    subprocess.run([*command, "keys", "--config", str(config)], check=True, capture_output=True)
    port = free()
    serve = [*command, "serve", "--config", str(config), "--port", str(port)]
    process = ServerProcess(serve, port, tmp_path / "log")
    process.start()
    yield process
    process.kill()


def connect(gateway: ServerProcess, stack: ExitStack, data: bytes) -> socket.socket:
    """Connect and send; who is closed meanwhile is no error."""
    client = stack.enter_context(socket.create_connection(("127.0.0.1", gateway.port), _PATIENCE))
    with suppress(ConnectionError):
        client.sendall(data)
    return client


def is_answered(gateway: ServerProcess) -> None:
    answer = httpx2.post(
        f"http://127.0.0.1:{gateway.port}/graphql",
        content=_BODY,
        headers={"content-type": "application/json"},
        timeout=_PATIENCE,
        trust_env=False,
    )
    assert answer.status_code == 200
    assert answer.json()["data"]["databases"]


def memory(gateway: ServerProcess) -> int:
    """Return what the process holds, in bytes."""
    assert gateway.process is not None
    pages = Path(f"/proc/{gateway.process.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def is_open(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        while client.recv(4_096):
            pass
        return False
    except BlockingIOError:
        return True
    except ConnectionError:
        return False


@pytest.mark.long
def test_a_half_sent_request_does_not_keep_a_stopping_process(gateway: ServerProcess) -> None:
    with ExitStack() as stack:
        connect(gateway, stack, _POST + _BODY[:-1])
        connect(gateway, stack, _POST[:50])
        is_answered(gateway)
        assert gateway.process is not None
        gateway.process.send_signal(signal.SIGTERM)
        gateway.process.wait(timeout=_PATIENCE)  # the clients are still there


@pytest.mark.long
def test_half_sent_bodies_take_bounded_room_and_nobody_waits_for_them(
    gateway: ServerProcess,
) -> None:
    for _ in range(3):
        is_answered(gateway)
    before = memory(gateway)
    with ExitStack() as stack:
        clients = [connect(gateway, stack, _POST + _BODY[:-1]) for _ in range(800)]
        is_answered(gateway)
        assert memory(gateway) - before < 120_000_000
        assert sum(is_open(client) for client in clients) <= 256


@pytest.mark.long
def test_unfinished_headers_take_bounded_room_and_nobody_waits_for_them(
    gateway: ServerProcess,
) -> None:
    for _ in range(3):
        is_answered(gateway)
    before = memory(gateway)
    head = _POST[:-2] + b"X-A: " + b"a" * 480_000
    with ExitStack() as stack:
        for _ in range(500):
            connect(gateway, stack, head)
        is_answered(gateway)
        assert memory(gateway) - before < 60_000_000


@pytest.mark.long
def test_an_accept_without_end_is_refused(gateway: ServerProcess) -> None:
    with ExitStack() as stack:
        head = b"GET /graphql?query={__typename} HTTP/1.1\r\nHost: here\r\nAccept: "
        client = connect(gateway, stack, head + b"text/html;q=0.1," * 1_250_000)
        with suppress(ConnectionError):
            refusal = client.recv(100)
            assert not refusal or refusal.startswith(b"HTTP/1.1 431 ")
        is_answered(gateway)
