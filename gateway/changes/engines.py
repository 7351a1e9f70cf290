"""Which engine has the event log."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from gateway.changes.log import EventLog
from gateway.changes.redis_event_log import RedisEventLog
from gateway.changes.retention import Retention
from gateway.changes.sealed_events import SealedEvents
from gateway.changes.sqlite_log import SqliteEventLog
from gateway.runtime.clock import Clock

EngineName = Literal["auto", "sqlite", "redis", "nats"]


@dataclass(frozen=True, slots=True)
class EventLogOptions:
    """What the settings say of the event log.

    ``engine``: ``auto`` is Redis where there is a ``redis_url``, else SQLite. ``redis_url``: of the
    Redis that processes share, with its password. ``nats_url``: of NATS, with credentials.
    ``file``: of SQLite. ``name``: of the log within Redis or NATS (letters, digits, hyphens).
    """

    engine: EngineName = "auto"
    redis_url: str | None = field(default=None, repr=False)
    nats_url: str | None = field(default=None, repr=False)
    file: Path = Path("changes/events.sqlite")
    retention: Retention = field(default_factory=Retention)
    name: str = "justice-gateway-events"


def make_event_log(options: EventLogOptions, events: SealedEvents, clock: Clock) -> EventLog:
    """Return the log of the engine that ``options`` name; nothing is connected yet.

    Raises ValueError where the engine's URL is missing.
    """
    engine = options.engine
    if engine == "auto":
        engine = "sqlite" if options.redis_url is None else "redis"
    if engine == "redis":
        if options.redis_url is None:
            raise ValueError("an event log in Redis needs its URL")
        return RedisEventLog(options.redis_url, options.name, events, clock, options.retention)
    if engine == "nats":
        if options.nats_url is None:
            raise ValueError("an event log in NATS needs its URL")
        from gateway.changes.nats_event_log import NatsEventLog  # takes 0.2 s, for few

        return NatsEventLog(options.nats_url, options.name, events, clock, options.retention)
    return SqliteEventLog(options.file, events, clock, options.retention)
