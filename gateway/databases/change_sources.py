"""The change source of each followed database, by settings."""

from __future__ import annotations

from dataclasses import replace

from connectors.changes.change import ChangeSource
from connectors.changes.debezium import DebeziumOptions, DebeziumSource
from connectors.changes.listen import PostgresqlNotifications
from connectors.changes.outbox import OutboxOptions, OutboxSource
from connectors.changes.untold import untold_kinds
from connectors.changes.watermark import DECLARED, WatermarkOptions, WatermarkSource
from connectors.changes.xroad_pull import XroadChangeSource, XroadPullOptions
from connectors.description import Database, Record
from gateway.databases.backends import absolute_url, server_options, xroad_options
from gateway.settings import DatabaseSettings, FollowSettings, Settings

#: Seconds between two looks, where settings do not say. A look at an outbox is a few small
#: statements, and one by watermark a few for each record.
_OUTBOX_INTERVAL, _WATERMARK_INTERVAL = 0.25, 5.0
#: Seconds for which a transaction may have written before it commits, where settings do not say.
_WATERMARK_OVERLAP = 300.0


def make_change_source(settings: Settings, database: Database) -> ChangeSource:
    """Return the change source of a database that ``settings`` follow; connects to nothing.

    Raises ValueError that begins with the setting that is wrong.
    """
    database_settings = settings.databases[database.name]
    follow = database_settings.changes
    assert follow is not None
    try:
        source = _source(settings, database, database_settings, follow)
        untold = untold_kinds(database.records, source.promise)
        if untold:
            kinds = ", ".join(sorted(untold))
            raise ValueError(f"no {kinds} could be told: created_columns must say when rows began")
        return source
    except ValueError as error:
        raise ValueError(f"databases.{database.name}.changes: {error}") from None


def _source(
    settings: Settings,
    database: Database,
    database_settings: DatabaseSettings,
    follow: FollowSettings,
) -> ChangeSource:
    match follow.source:
        case "debezium":
            return _debezium(settings, database, database_settings, follow)
        case "xroad":
            return _xroad(settings, database, database_settings, follow)
    url = absolute_url(settings, database_settings)
    if url is None:
        raise ValueError("the database has no url")
    if follow.source == "outbox":
        return _outbox(settings, database, database_settings, follow, url)
    return _watermark(settings, database, database_settings, follow, url)


def _outbox(
    settings: Settings,
    database: Database,
    database_settings: DatabaseSettings,
    follow: FollowSettings,
    url: str,
) -> ChangeSource:
    server = server_options(settings, database_settings)
    wake_up = None
    if follow.listen:
        if not url.startswith("postgresql"):
            raise ValueError("listen: only PostgreSQL tells of new rows")
        wake_up = PostgresqlNotifications(url, channel_of(follow), server)
    options = OutboxOptions(
        table=follow.table,
        interval=follow.interval or _OUTBOX_INTERVAL,
        overlap=follow.overlap,
        holds_rows=follow.holds_rows,
        by_triggers=follow.written_by == "triggers",
    )
    return OutboxSource(
        database,
        url,
        options,
        server=server,
        maps=database_settings.record_maps(),
        zone=database_settings.zone,
        wake_up=wake_up,
    )


def _watermark(
    settings: Settings,
    database: Database,
    database_settings: DatabaseSettings,
    follow: FollowSettings,
    url: str,
) -> ChangeSource:
    require_columns(database, database_settings, follow)
    options = WatermarkOptions(
        columns=follow.columns,
        column=follow.column,
        created=follow.created_columns,
        created_column=follow.created_column,
        interval=follow.interval or _WATERMARK_INTERVAL,
        overlap=_WATERMARK_OVERLAP if follow.overlap is None else follow.overlap,
    )
    return WatermarkSource(
        database,
        url,
        options,
        server=server_options(settings, database_settings),
        maps=database_settings.record_maps(),
        zone=database_settings.zone,
    )


def _debezium(
    settings: Settings,
    database: Database,
    database_settings: DatabaseSettings,
    follow: FollowSettings,
) -> ChangeSource:
    assert follow.url is not None
    assert follow.topic is not None
    file = None if follow.password_file is None else settings.path(follow.password_file)
    return DebeziumSource(
        database,
        follow.url,
        DebeziumOptions(
            topic=follow.topic,
            stream=follow.stream,
            heartbeat=follow.heartbeat_topic,
            whole_before=follow.whole_before,
        ),
        password=None if file is None else lambda: file.read_text("utf-8").rstrip("\r\n"),
        maps=database_settings.record_maps(),
        zone=database_settings.zone,
    )


def _xroad(
    settings: Settings,
    database: Database,
    database_settings: DatabaseSettings,
    follow: FollowSettings,
) -> ChangeSource:
    if database_settings.xroad is None or follow.service is None:
        raise ValueError("the database is not reached over X-Road")
    options = xroad_options(settings, database_settings, database_settings.xroad, follow.service)
    usual = XroadPullOptions()
    return XroadChangeSource(
        database, options, replace(usual, interval=follow.interval or usual.interval)
    )


def require_columns(
    database: Database, database_settings: DatabaseSettings, follow: FollowSettings
) -> None:
    """Raise ValueError for records whose events would be missing without anybody being told."""
    unknown = (follow.columns.keys() | follow.created_columns.keys()) - database.by_name.keys()
    if unknown:
        raise ValueError(f"there is no record {', '.join(sorted(unknown))}")
    if follow.column is not None:
        return
    missing = [
        record.name
        for record in database.records
        if record.changes
        and record.name not in follow.columns
        and not _has_declared_column(record, database_settings)
    ]
    if missing:
        raise ValueError(f"columns must name a column of {', '.join(missing)}")


def _has_declared_column(record: Record, database_settings: DatabaseSettings) -> bool:
    stored = database_settings.records.get(record.name)
    return DECLARED in record.positions and (stored is None or DECLARED not in stored.missing)


def channel_of(follow: FollowSettings) -> str:
    """Return the channel of notifications of new rows of an outbox: its name without a schema."""
    return follow.table.rpartition(".")[2]
