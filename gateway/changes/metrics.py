"""Metrics of changes as they happen: by database and kind of event, of nobody in particular."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from prometheus_client import Counter, Gauge

from gateway.changes.event import LifeEvent
from gateway.changes.log import FollowState, SourceStatus

CHANGES = Counter(
    "justice_gateway_changes", "Changes of rows that this process has read", ["database"]
)
EVENTS = Counter(
    "justice_gateway_life_events",
    "Events that this process has appended to the event log, by kind",
    ["database", "kind"],
)
LAG = Gauge(
    "justice_gateway_changes_lag_seconds",
    "Seconds between the moment up to which the events of a database are complete, and now",
    ["database"],
)
LEASE = Gauge(
    "justice_gateway_changes_lease",
    "1 in the process that publishes the changes of a database, 0 in the others",
    ["database"],
)
FOLLOWED = Gauge(
    "justice_gateway_changes_followed",
    "1 while the changes of a database are followed, 0 while that is interrupted",
    ["database"],
)
FAILURES = Counter(
    "justice_gateway_changes_failures",
    "Failures to publish changes, by what failed: source, checkpoint, invalidation, log, lease,"
    " defect",
    ["database", "cause"],
)


class DatabaseMetrics:
    """The metrics of one database."""

    def __init__(self, database: str) -> None:
        self._database = database
        self.set_lease(is_held=False)

    def set_lease(self, *, is_held: bool) -> None:
        """Note whether this process publishes the changes; the others know nothing of the lag."""
        LEASE.labels(self._database).set(is_held)
        if not is_held:
            for gauge in (LAG, FOLLOWED):
                with suppress(KeyError):
                    gauge.remove(self._database)

    def count_failure(self, cause: str) -> None:
        """Count a failure."""
        FAILURES.labels(self._database, cause).inc()

    def note_page(self, changes: int, complete_until: datetime | None, now: datetime) -> None:
        """Note a page that was published."""
        CHANGES.labels(self._database).inc(changes)
        self.note_lag(complete_until, now)

    def note_appended(self, events: Sequence[LifeEvent], status: SourceStatus) -> None:
        """Note what is in the log."""
        for event in events:
            EVENTS.labels(self._database, event.kind.name).inc()
        FOLLOWED.labels(self._database).set(status.state is FollowState.FOLLOWED)

    def note_lag(self, complete_until: datetime | None, now: datetime) -> None:
        """Note how far the log is behind; nothing where it is not known."""
        if complete_until is not None:
            LAG.labels(self._database).set(max(0.0, (now - complete_until).total_seconds()))
