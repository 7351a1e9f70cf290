"""What feeds, subscriptions and webhooks need of changes: the event log, and what is followed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from connectors.changes.change import ChangeSource
from connectors.changes.untold import UntoldEvents, untold_events
from connectors.description import Database
from gateway.changes.derive_events import unknown_kinds
from gateway.changes.engines import EventLogOptions, make_event_log
from gateway.changes.log import EventLog
from gateway.changes.retention import Retention
from gateway.changes.sealed_events import USE, SealedEvents
from gateway.changes.status_board import StatusBoard
from gateway.keys.keyring import load_ring
from gateway.runtime.clock import Clock
from gateway.settings import ChangeSettings, FollowSettings, Redis, Settings
from gateway.storage.sealing import Sealing

#: Makes the change source of a database that settings follow; raises ValueError.
MakeChangeSource = Callable[[Settings, Database], ChangeSource]
_DAY = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes of the databases that settings follow.

    ``followed``: how each database is followed, by name. The events of all others are not known:
    whoever asks for them is told so, and never that there are none. ``board``: for pages.
    ``untold``: by database, the events that can never be told of it, as it is followed and mapped.
    """

    options: ChangeSettings
    log: EventLog
    followed: Mapping[str, FollowSettings]
    board: StatusBoard | None = None
    untold: Mapping[str, Sequence[UntoldEvents]] = field(default_factory=dict)

    @classmethod
    def from_settings(
        cls,
        settings: Settings,
        databases: Iterable[Database],
        clock: Clock,
        make_source: MakeChangeSource,
    ) -> Changes | None:
        """Return the changes that settings follow; None: those of no database.

        Connects to nothing. Raises ValueError that begins with the setting that is wrong, and
        OSError for a password that cannot be read.
        """
        declared = tuple(databases)
        followed = followed_databases(settings, declared)
        if not followed:
            return None
        untold = _untold(settings, declared, followed, make_source)
        events = SealedEvents(Sealing(load_ring(settings, "cache"), USE))
        log = make_event_log(log_options(settings), events, clock)
        return cls(settings.changes, log, followed, StatusBoard(log, clock), untold)

    def reloaded(
        self, settings: Settings, databases: Iterable[Database], make_source: MakeChangeSource
    ) -> Changes:
        """Return the same with the databases that ``settings`` follow; raises ValueError."""
        declared = tuple(databases)
        followed = followed_databases(settings, declared)
        untold = _untold(settings, declared, followed, make_source)
        return replace(self, followed=followed, untold=untold)


def _untold(
    settings: Settings,
    databases: Iterable[Database],
    followed: Mapping[str, FollowSettings],
    make_source: MakeChangeSource,
) -> Mapping[str, Sequence[UntoldEvents]]:
    """Return the events that are never told, of each followed database; raises ValueError."""
    untold = {}
    for database in databases:
        if database.name in followed:
            source = make_source(settings, database)
            maps = settings.databases[database.name].record_maps()
            untold[database.name] = untold_events(database, maps, source.promise)
    return untold


def log_options(settings: Settings) -> EventLogOptions:
    """Return what settings say of the event log; raises OSError."""
    options, redis = settings.changes, settings.redis_with_password()
    url = options.url
    if url is not None and options.password_file is not None:
        password = settings.path(options.password_file).read_text("utf-8").rstrip("\r\n")
        url = Redis(url=url).with_password(password).url
    is_nats = options.engine == "nats"
    return EventLogOptions(
        engine=options.engine,
        redis_url=redis.url if is_nats else url or redis.url,
        nats_url=url if is_nats else None,
        file=settings.path(options.file),
        retention=Retention(options.retention_days * _DAY, options.retention_entries),
    )


def followed_databases(
    settings: Settings, databases: Iterable[Database]
) -> Mapping[str, FollowSettings]:
    """Return how databases are followed, by name; raises ValueError for one that cannot be."""
    followed = {}
    for database in databases:
        database_settings = settings.databases.get(database.name)
        if database_settings is None or database_settings.changes is None:
            continue
        where = f"databases.{database.name}.changes"
        if unknown_kinds(database):
            raise ValueError(f"{where}: no event is a {', '.join(unknown_kinds(database))}")
        reason = _fault_of_lag(settings, database_settings.cache_lag)
        if reason is not None:
            raise ValueError(f"databases.{database.name}.cache_lag: {reason}")
        followed[database.name] = database_settings.changes
    return followed


def _fault_of_lag(settings: Settings, cache_lag: float | None) -> str | None:
    """Return why the event log could not prove a bound on cached rows; None: it can."""
    changes = settings.changes
    if cache_lag is None:
        return None
    if cache_lag <= changes.heartbeat_seconds:
        return f"must be longer than changes.heartbeat_seconds, {changes.heartbeat_seconds:g}"
    if settings.redis.url is None and (changes.engine == "nats" or changes.url is not None):
        return "needs redis.url: other machines read the event log, and not the invalidations"
    return None
