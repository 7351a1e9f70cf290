"""Settings of subscriptions, over WebSocket and as server-sent events."""

from __future__ import annotations

from pydantic import Field

from gateway.settings.part import SettingsPart


class StreamSettings(SettingsPart):
    """Limits of subscriptions, and times in seconds.

    ``per_client``, ``total``: subscriptions of one client, and of all, in one process.
    ``per_connection``: operations that run at once on one WebSocket. ``init_timeout``: for the
    first message of a WebSocket. ``heartbeat``: between two answers of a subscription at most, so
    that silence is never taken for none. ``keep_alive``: between two comments in an event stream.
    ``slow_timeout``: for which a subscriber may read nothing.
    """

    per_client: int = Field(default=500, gt=0)
    total: int = Field(default=1_500, gt=0)
    per_connection: int = Field(default=50, gt=0)
    init_timeout: float = Field(default=5.0, gt=0, le=60)
    heartbeat: float = Field(default=30.0, ge=1, le=300)
    keep_alive: float = Field(default=12.0, gt=0, le=60)
    slow_timeout: float = Field(default=20.0, gt=0)
