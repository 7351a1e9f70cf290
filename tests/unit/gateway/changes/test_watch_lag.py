"""The cache is told up to when changes are complete, by the event log alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gateway.cache.lag import CacheLag
from gateway.changes.log import FollowState, SourceStatus
from gateway.changes.watch_lag import LagWatch
from tests.support.memory_event_log import MemoryEventLog
from tests.support.running import TestClock

NOW = datetime(2026, 12, 1, 3, tzinfo=UTC)
AT = NOW.timestamp()
CLOCK = TestClock(NOW)


async def complete(log: MemoryEventLog, until: datetime | None) -> None:
    status = SourceStatus("notary", FollowState.FOLLOWED, NOW, "c", until, "")
    await log.append("p", [], status)


async def test_rows_lag_behind_the_moment_up_to_which_the_log_is_complete() -> None:
    lag, log = CacheLag(), MemoryEventLog()
    lag.bound({"notary": 5.0})
    watch = LagWatch(lag, log, CLOCK)
    await watch.look()
    assert not lag.is_within("notary", 0, AT)
    await complete(log, None)
    await watch.look()
    assert not lag.is_within("notary", 0, AT)
    await complete(log, NOW)
    await watch.look()
    assert lag.is_within("notary", 0, AT + 5)
    assert not lag.is_within("notary", 0, AT + 5.1)


async def test_a_log_that_does_not_answer_lets_the_moment_stand_still() -> None:
    lag, log = CacheLag(), MemoryEventLog()
    lag.bound({"notary": 5.0})
    watch = LagWatch(lag, log, CLOCK)
    await complete(log, NOW)
    await watch.look()
    await complete(log, NOW + timedelta(seconds=1))
    log.is_down = True
    await watch.look()
    assert lag.is_within("notary", 0, AT + 5)
    assert not lag.is_within("notary", 0, AT + 6)
    log.is_down = False
    await watch.look()
    assert lag.is_within("notary", 0, AT + 6)


async def test_a_log_that_was_emptied_says_nothing_any_more() -> None:
    lag = CacheLag()
    lag.bound({"notary": 5.0})
    log = MemoryEventLog()
    await complete(log, NOW)
    await LagWatch(lag, log, CLOCK).look()
    await LagWatch(lag, MemoryEventLog(), CLOCK).look()
    assert not lag.is_within("notary", 0, AT)


async def test_nothing_is_read_where_no_database_has_a_bound() -> None:
    lag, log = CacheLag(), MemoryEventLog()
    await complete(log, NOW)
    await LagWatch(lag, log, CLOCK).look()
    lag.bound({"notary": 5.0})
    assert not lag.is_within("notary", 0, AT)
