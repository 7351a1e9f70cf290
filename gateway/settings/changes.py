"""Changes as they happen: the log of events, and how each database is followed."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from gateway.settings.part import SettingsPart
from gateway.settings.webhooks import WebhookSettings


class ChangeSettings(SettingsPart):
    """The log of events, and how it is written. Times in seconds where nothing else is said.

    ``engine``: ``auto`` is ``redis`` where ``redis.url`` is set, else ``sqlite``. ``url``: of the
    NATS servers, or of another Redis than ``redis.url``; ``password_file``: its password. ``file``:
    of SQLite. ``retention_days``, ``retention_entries``: how long events stay in the log, whichever
    ends first. ``lease_seconds``: after which another process publishes the changes of a database
    whose publisher is gone. ``page``: changes that are read at once. ``heartbeat_seconds``: how
    often the log is told that nothing happened. ``webhooks``: events that are sent to endpoints of
    clients.
    """

    engine: Literal["auto", "redis", "nats", "sqlite"] = "auto"
    url: str | None = Field(default=None, repr=False)
    password_file: Path | None = None
    file: Path = Path("changes/events.sqlite")
    retention_days: float = Field(default=31.0, gt=0, le=366)
    retention_entries: int = Field(default=1_000_000, ge=1_000)
    lease_seconds: float = Field(default=10.0, ge=1, le=300)
    page: int = Field(default=500, gt=0, le=10_000)
    heartbeat_seconds: float = Field(default=1.0, gt=0, le=60)
    webhooks: WebhookSettings = WebhookSettings()

    @model_validator(mode="after")
    def _reachable(self) -> ChangeSettings:
        if self.engine == "nats" and self.url is None:
            raise ValueError("changes.engine = nats needs changes.url")
        return self


class FollowSettings(SettingsPart):
    """How the changes of one database are followed. Times in seconds.

    ``source``: ``watermark`` (rows have a column with the moment of their last change), ``outbox``
    (a table that triggers fill), ``debezium`` (change events of Debezium), ``xroad`` (a service of
    the owner). ``interval``: between two looks, ``overlap``: what each look of ``watermark`` reads
    again, for transactions that commit late; None: those of the source. Of ``outbox`` on MariaDB,
    ``overlap``: how long a transaction lasts at most; None: a view shows them. ``columns``: of
    ``watermark``: record = column; ``column``: of all other records; ``created_columns``,
    ``created_column``: likewise, with the moment at which the row was made. ``table``: of
    ``outbox``; ``holds_rows``: it has the rows; ``written_by``: triggers, which have to be there,
    or the owner's application. ``listen``: PostgreSQL tells of new rows of the outbox. ``url``,
    ``password_file``, ``topic``, ``stream``, ``heartbeat_topic``: where ``debezium`` writes;
    ``whole_before``: former rows are complete. ``service``: of ``xroad``.
    """

    source: Literal["watermark", "outbox", "debezium", "xroad"]
    interval: float | None = Field(default=None, gt=0, le=3_600)
    overlap: float | None = Field(default=None, ge=0, le=86_400)
    columns: dict[str, str] = Field(default={})
    column: str | None = None
    created_columns: dict[str, str] = Field(default={})
    created_column: str | None = None
    table: str = "justice_gateway_outbox"
    holds_rows: bool = True
    written_by: Literal["triggers", "application"] = "triggers"
    listen: bool = False
    url: str | None = Field(default=None, repr=False)
    password_file: Path | None = None
    topic: str | None = None
    stream: str = "DebeziumStream"
    heartbeat_topic: str | None = None
    whole_before: bool = False
    service: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> FollowSettings:
        if self.source == "debezium" and (self.url is None or self.topic is None):
            raise ValueError("the changes of debezium need a url and a topic")
        if self.source == "xroad" and self.service is None:
            raise ValueError("the changes over X-Road need a service")
        return self
