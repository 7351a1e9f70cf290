"""Notifications wake a source up; a lost connection costs the interval and is made again.

Covers ``connectors.changes.polling``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from connectors.backends.server import ServerOptions
from connectors.changes.change import Change
from connectors.changes.listen import PostgresqlNotifications
from connectors.changes.outbox import OutboxOptions, OutboxSource
from connectors.changes.outbox_tables import outbox_statements
from tests.support.backend_samples import DATABASE, union
from tests.support.change_owners import ServerOwner
from tests.support.servers import Server

CHANNEL = "changes_of_samples"
#: Seconds that no test waits for: a notification comes before.
_LONG = 60.0


def listens(notifications: PostgresqlNotifications) -> bool:
    """Return whether there is a connection now."""
    return notifications.is_listening


class Clock:
    """A clock that a test sets."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def owner(postgresql: Server) -> ServerOwner:
    owner = ServerOwner(postgresql)
    await owner.set_up()
    await owner.run(*outbox_statements(DATABASE, "postgresql", notify=CHANNEL))
    return owner


@pytest.fixture
async def clock() -> Clock:
    return Clock()


@pytest.fixture
async def notifications(owner: ServerOwner, clock: Clock) -> AsyncIterator[PostgresqlNotifications]:
    notifications = PostgresqlNotifications(owner.url, CHANNEL, monotonic=clock)
    await notifications.open()
    yield notifications
    await notifications.close()


async def test_a_source_wakes_up_when_something_was_committed(
    owner: ServerOwner, notifications: PostgresqlNotifications
) -> None:
    options = OutboxOptions(interval=_LONG)
    source = OutboxSource(DATABASE, owner.url, options, wake_up=notifications)
    await source.open()
    checkpoint = await source.start()
    await source.wait(_LONG)  # connects, and says that it is time to look
    waiting = asyncio.create_task(source.wait(_LONG))
    await owner.insert("unions", union("u1"))
    await asyncio.wait_for(waiting, _LONG / 2)
    (change,) = (await source.read(checkpoint, 10)).changes
    assert isinstance(change, Change)
    assert change.identity == "u1"
    await source.close()
    assert not listens(notifications)


async def test_a_connection_that_is_lost_ends_the_wait_and_is_made_again(
    owner: ServerOwner, notifications: PostgresqlNotifications, clock: Clock
) -> None:
    await notifications.wait(_LONG)
    assert listens(notifications)
    waiting = asyncio.create_task(notifications.wait(_LONG))
    await owner.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'justice-gateway' AND query LIKE 'LISTEN%'"
    )
    await asyncio.wait_for(waiting, _LONG / 2)
    assert not listens(notifications)
    await notifications.wait(0.01)  # too early to connect again: it is time to look nevertheless
    assert not listens(notifications)
    clock.now += 10
    await notifications.wait(_LONG)
    assert listens(notifications)


async def test_a_silent_connection_is_tried_out(
    notifications: PostgresqlNotifications, clock: Clock
) -> None:
    await notifications.wait(_LONG)
    clock.now += 60
    await notifications.wait(0.01)
    assert listens(notifications)


async def test_a_server_that_cannot_be_reached_costs_the_interval() -> None:
    notifications = PostgresqlNotifications("postgresql://nobody@127.0.0.1:9/nothing", CHANNEL)
    await notifications.wait(0.01)
    assert not listens(notifications)
    await notifications.close()


def test_a_pooler_by_transactions_is_refused() -> None:
    with pytest.raises(ValueError, match="has no LISTEN"):
        PostgresqlNotifications(
            "postgresql://u@127.0.0.1/d", CHANNEL, ServerOptions(transaction_pooling=True)
        )
