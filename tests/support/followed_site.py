"""A site that follows a register: PostgreSQL, Redis, NATS and two gateways, each a process."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import httpx2

from gateway.access.tokens import issue
from gateway.changes.changes import log_options
from gateway.changes.engines import make_event_log
from gateway.changes.log import EventLog
from gateway.changes.sealed_events import USE, SealedEvents
from gateway.keys.files import create_missing
from gateway.keys.keyring import load_ring, load_signing
from gateway.runtime.clock import SystemClock
from gateway.settings import load
from gateway.storage.sealing import Sealing
from tests.support.death_register import create_register, create_register_without_outbox
from tests.support.debezium_process import DebeziumProcess
from tests.support.server_processes import ServerProcess, free, postgresql_process, program
from tests.support.servers import Server

#: Copies of extracts, for which deaths are shown whole.
PURPOSE = "2.000635"
_SETTINGS = """
public_metrics = true
[audit]
checkpoint_seconds = 60
[numbers]
reference = "none"
[rates]
enforced = false
[limits]
deadline = 20
[redis]
url = "redis://127.0.0.1:{redis}"
timeout = 0.5
[changes]
engine = "{engine}"
lease_seconds = 3
heartbeat_seconds = 0.25
{url}
[databases.civil_status]
url = "postgresql://postgres@127.0.0.1:{postgres}/postgres"
group = "OPERATING"
timeout = 10
fresh = 600
cache_lag = 1.0
changes = {{ {source} }}
"""
_SOURCES = {
    "outbox": 'source = "outbox", listen = true',
    "debezium": 'source = "debezium", url = "{broker}", topic = "justice.public", '
    "whole_before = true",
}


@dataclass(frozen=True)
class FollowedSite:
    """What runs: servers by name (``postgres redis nats gateway-1 gateway-2``, or ``debezium``)."""

    servers: dict[str, ServerProcess | DebeziumProcess]
    register: Server
    config: Path

    @property
    def urls(self) -> list[str]:
        """Where the gateways listen."""
        names = ("gateway-1", "gateway-2")
        return [f"http://127.0.0.1:{self.servers[name].port}" for name in names]

    async def create_register(self) -> None:
        """Create the tables, empty, as the change source needs them."""
        if "debezium" in self.servers:
            await create_register_without_outbox(self.register)
        else:
            await create_register(self.register, listen=True)
        await self.register.execute("CREATE INDEX ON deaths (citizen_id)")

    def token(self) -> str:
        """Return the token of an officer who may read civil status."""
        settings = load(self.config)
        return issue(
            load_signing(settings, "token")[0], settings.access, SystemClock().now(),
            subject="officer", client="desk", scopes=("civil_status:read",), purposes=(PURPOSE,),
        )  # fmt: skip

    def metrics(self) -> str:
        """Return what the gateways that answer say of changes, for a test that fails."""
        lines = []
        for url in self.urls:
            with suppress(httpx2.HTTPError):
                text = httpx2.get(f"{url}/metrics", trust_env=False, timeout=5).text
                lines += [url, *(line for line in text.splitlines() if _is_about_changes(line))]
        return "\n".join(lines)

    def last_log_lines(self) -> str:
        """Return the last lines of the log of each server, for a test that fails."""
        lines = []
        for name, server in self.servers.items():
            text = server.log.read_text("utf-8") if server.log.exists() else ""
            lines += [f"{name}: {line[:300]}" for line in text.splitlines()[-10:]]
        return "\n".join(lines)

    def event_log(self) -> EventLog:
        """Return the event log, as another process has it."""
        settings = load(self.config)
        events = SealedEvents(Sealing(load_ring(settings, "cache"), USE))
        return make_event_log(log_options(settings), events, SystemClock())


def _is_about_changes(line: str) -> bool:
    return line.startswith(("justice_gateway_changes", "justice_gateway_life_events"))


@contextmanager
def followed_site(
    folder: Path, engine: Literal["redis", "nats"], source: Literal["outbox", "debezium"]
) -> Iterator[FollowedSite]:
    """Run a site until the block ends; its register is empty, and only servers run yet.

    ``engine``: of the event log; Debezium writes to a stream of the same server.
    """
    with ExitStack() as stack:
        servers: dict[str, ServerProcess | DebeziumProcess] = {
            "postgres": _postgresql(folder / "postgres", source),
            "redis": _redis(folder),
            "nats": _nats(folder),
        }
        broker = f"{engine}://127.0.0.1:{servers[engine].port}"
        url = f'url = "{broker}"' if engine == "nats" else ""
        config = folder / "gateway.toml"
        config.write_text(
            _SETTINGS.format(
                engine=engine,
                url=url,
                redis=servers["redis"].port,
                postgres=servers["postgres"].port,
                source=_SOURCES[source].format(broker=broker),
            )
        )
        create_missing(load(config), demo=False)
        for name in ("gateway-1", "gateway-2"):
            servers[name] = _gateway(folder, config, name)
        if source == "debezium":
            servers["debezium"] = DebeziumProcess(
                servers["postgres"].port, broker, folder / "debezium.log"
            )
        for server in servers.values():
            stack.callback(server.kill)
        for name in ("postgres", "redis", "nats"):
            servers[name].start()
        register = Server("postgresql", servers["postgres"].port, "postgres", "postgres")
        yield FollowedSite(servers, register, config)


def _postgresql(folder: Path, source: str) -> ServerProcess:
    server = postgresql_process(folder)
    if source == "debezium":
        server.command += ["-c", "wal_level=logical"]
    return server


def _redis(folder: Path) -> ServerProcess:
    port = free()
    command = [
        program("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder),
        "--save", "", "--appendonly", "yes", "--appendfsync", "always",
        "--maxmemory-policy", "noeviction",
    ]  # fmt: skip
    return ServerProcess(command, port, folder / "redis.log")


def _nats(folder: Path) -> ServerProcess:
    port = free()
    command = [
        program("nats-server"), "--addr", "127.0.0.1", "--port", str(port),
        "--jetstream", "--store_dir", str(folder / "nats"),
    ]  # fmt: skip
    return ServerProcess(command, port, folder / "nats.log")


def _gateway(folder: Path, config: Path, name: str) -> ServerProcess:
    port = free()
    serve = [sys.executable, "-m", "gateway", "serve", "--port", str(port), "--config", str(config)]
    environment = {**os.environ, "JUSTICE_GATEWAY_AUDIT__FOLDER": str(folder / f"journal-{name}")}
    return ServerProcess(serve, port, folder / f"{name}.log", environment=environment)
