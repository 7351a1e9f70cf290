"""Event logs on real engines, and a process that appends until it is killed."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from gateway.changes.engines import EngineName, EventLogOptions, make_event_log
from gateway.changes.log import EventLog, EventLogEntry
from gateway.changes.positions import new_epoch
from gateway.runtime.clock import Clock, SystemClock
from tests.support.life_events import SEALED, followed, life_event
from tests.support.nats_server import NatsServer, nats_process
from tests.support.redis_server import Server as RedisServer
from tests.support.redis_server import redis_process

DATABASE, LEASE = "civil_status", 30.0
_ROOT = Path(__file__).parents[2]


@dataclass
class Engine:
    """An engine, and the log of a test in it. ``empty``: throws away what the engine has of it."""

    options: EventLogOptions
    empty: Callable[[], Awaitable[None]]
    clock: Clock = field(default_factory=SystemClock)

    @asynccontextmanager
    async def log(self, holder: str | None = None) -> AsyncIterator[EventLog]:
        """Give the log as another process has it, with the lease of ``holder``."""
        log = make_event_log(self.options, SEALED, self.clock)
        await log.open()
        try:
            if holder is not None:
                assert await log.acquire(DATABASE, holder, LEASE)
            yield log
        finally:
            await log.close()


async def acquire_in_turn(log: EventLog, holder: str) -> None:
    """Take the lease once it ends."""
    async with asyncio.timeout(20):
        while not await log.acquire(DATABASE, holder, LEASE):  # noqa: ASYNC110 - of the engine
            await asyncio.sleep(0.02)


async def read_all(log: EventLog, after: str, limit: int = 100) -> list[EventLogEntry]:
    """Return every entry after a position."""
    entries: list[EventLogEntry] = []
    while True:
        page = await log.read(entries[-1].position if entries else after, limit)
        entries += page.entries
        if page.is_end:
            return entries


@dataclass
class EngineServers:
    """The servers of all engines, each of which holds the logs of many tests."""

    redis: RedisServer
    nats: NatsServer

    def engine(self, make: EngineName, folder: Path) -> Engine:
        """Return a log of its own in an engine; SQLite has it in ``folder``."""
        name, file = f"test-{new_epoch()}", folder / "log" / "events.sqlite"
        redis, nats = (f"127.0.0.1:{server.port}" for server in (self.redis, self.nats))
        options = EventLogOptions(make, f"redis://{redis}", f"nats://{nats}", file, name=name)
        return Engine(options, partial(self._empty, options))

    def server(self, make: EngineName) -> RedisServer | NatsServer:
        """Return the server of an engine."""
        return self.redis if make == "redis" else self.nats

    def copy(self, options: EventLogOptions) -> Callable[[], None]:
        """Return what puts a log in SQLite or Redis back to what it is now."""
        client, folder = self.redis.client, options.file.parent
        if options.engine == "redis":
            keys = list(client.scan_iter(f"{{{options.name}}}*"))
            values = [client.dump(key) or b"" for key in keys]

            def restore_keys() -> None:
                for key, value in zip(keys, values, strict=True):
                    client.restore(key, 0, value, replace=True)

            return restore_keys
        copy = folder.with_name("copy")
        shutil.copytree(folder, copy)

        def restore_files() -> None:
            shutil.rmtree(folder)
            copy.rename(folder)

        return restore_files

    async def _empty(self, options: EventLogOptions) -> None:
        if options.engine == "sqlite":
            for path in options.file.parent.iterdir():
                path.unlink()
        elif options.engine == "redis":
            for key in self.redis.client.scan_iter(f"{{{options.name}}}*"):
                self.redis.client.delete(key)
        else:
            await self.nats.delete_stream(options.name)


def nats_engine(server: NatsServer) -> Engine:
    """Return a log of its own in NATS."""
    url, name = f"nats://127.0.0.1:{server.port}", f"test-{new_epoch()}"
    return Engine(EventLogOptions("nats", nats_url=url, name=name), _nothing)


@contextmanager
def engine_servers(folder: Path) -> Iterator[EngineServers]:
    """Run the servers of all engines until the block ends."""
    with redis_process(folder, is_durable=True) as redis, nats_process(folder / "nats") as nats:
        yield EngineServers(redis, nats)


@asynccontextmanager
async def appending_process(
    engine: Engine, holder: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, asyncio.StreamReader]]:
    """Run a process that appends, page after page, and prints the ids that were acknowledged."""
    options = asdict(engine.options) | {"file": str(engine.options.file)}
    del options["retention"]
    program = [sys.executable, "-m", "tests.support.event_logs", holder, json.dumps(options)]
    process = await asyncio.create_subprocess_exec(
        *program, stdout=asyncio.subprocess.PIPE, cwd=_ROOT, env=dict(os.environ)
    )
    assert process.stdout is not None
    try:
        yield process, process.stdout
    finally:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)  # asyncio's own would reap it unseen
        await process.communicate()


async def _nothing() -> None:
    """Empty nothing."""


async def append_until_killed(holder: str, options: EventLogOptions) -> None:
    """Append pages of three events as ``holder``, and print the ids of each page."""
    async with Engine(options, empty=_nothing).log() as log:
        await log.acquire(DATABASE, holder, LEASE)
        page = 0
        while True:
            page += 1
            events = [life_event() for _ in range(3)]
            await log.append(holder, events, followed(str(page)))
            print(*(event.row for event in events), flush=True)


if __name__ == "__main__":
    given = json.loads(sys.argv[2])
    given["file"] = Path(given["file"])
    asyncio.run(append_until_killed(sys.argv[1], EventLogOptions(**given)))
