"""The gateway as a separate process, started and stopped by a test."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from connectors.registry import installed_databases

_START_WITHIN = 300.0


@dataclass(frozen=True)
class Process:
    """A running demo: where it listens, its folder and its tokens."""

    url: str
    folder: Path
    tokens: dict[str, Any]
    personas: list[dict[str, Any]]
    pid: int

    def ask(
        self,
        query: str,
        variables: Mapping[str, object] | None = None,
        caller: str = "officer",
        token: str | None = None,
    ) -> dict[str, Any]:
        """POST a document as one of the demo callers, or with ``token``, and return the body.

        The purpose stated is the first that the token grants.
        """
        token = token or self.tokens[caller]
        answer = httpx2.post(
            f"{self.url}/graphql",
            json={"query": query, "variables": variables},
            headers={"authorization": f"Bearer {token}", **stated(token)},
            timeout=150,
        )
        body: dict[str, Any] = answer.json()
        return body

    def tagged(self, *tags: str) -> str:
        """Return the number of a persona that has all ``tags``."""
        return str(
            next(persona["id"] for persona in self.personas if {*tags} <= {*persona["tags"]})
        )


def purposes_of(token: str) -> list[str]:
    """Return the purposes that ``token`` grants."""
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return list(claims.get("purposes") or ())


def stated(token: str) -> dict[str, str]:
    """Return the headers that state the first purpose that ``token`` grants, and a case."""
    purposes = purposes_of(token)
    return {"x-purpose": purposes[0], "x-case-number": "HS-DEMO-0001"} if purposes else {}


_NAMES = [database.name for database in installed_databases()]
#: As ``tests.support.running`` has it.
_PATIENCE = {
    "JUSTICE_GATEWAY_LIMITS__DEADLINE": "120",
    **{f"JUSTICE_GATEWAY_DATABASES__{name.upper()}__TIMEOUT": "120" for name in _NAMES},
}


def free_port() -> int:
    """Return a port on 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def demo_process(folder: Path, *, patient: bool = True) -> Iterator[Process]:
    """Run ``justice-gateway demo`` in ``folder`` until the block ends.

    ``patient``: its databases and requests have time enough for a busy machine.
    """
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "gateway",
        "demo",
        "--port",
        str(port),
        "--folder",
        str(folder),
    ]
    url = f"http://127.0.0.1:{port}"
    with _gateway(command, url, folder.parent / "demo.log", patient) as process:
        tokens: dict[str, Any] = json.loads((folder / "tokens.json").read_text("utf-8"))
        personas = json.loads((folder / "personas.json").read_text("utf-8"))
        yield Process(url, folder, tokens, personas, process.pid)


@contextmanager
def serve_process(config: Path, port: int, personas: list[dict[str, Any]]) -> Iterator[Process]:
    """Run ``justice-gateway serve`` with the settings in ``config`` until the block ends."""
    command = [sys.executable, "-m", "gateway", "serve", "--config", str(config)]
    url = f"http://127.0.0.1:{port}"
    command += ["--port", str(port)]
    with _gateway(command, url, config.parent / "serve.log", patient=True) as process:
        yield Process(url, config.parent, {}, personas, process.pid)


@contextmanager
def _gateway(
    command: list[str], url: str, log: Path, patient: bool
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "COLUMNS": "200", **(_PATIENCE if patient else {})},
        )
    try:
        _wait(process, url, log)
        yield process
    finally:
        process.terminate()
        process.wait(timeout=120)


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + _START_WITHIN
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the demo ended:\n{log.read_text()}")
        try:
            if httpx2.get(f"{url}/health/ready", timeout=2).status_code == 200:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.05)  # between two looks, not instead of one
    raise RuntimeError(f"the demo did not come up:\n{log.read_text()}")
