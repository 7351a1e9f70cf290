"""Webhooks in a file of SQLite, which the processes of one machine share."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from pathlib import Path

from gateway.changes.log import LONGEST_LEASE
from gateway.changes.webhooks.store import SealedDelivery, SealedWebhook, WebhookChanges
from gateway.storage.sqlite_file import SqliteTable

_WEBHOOKS = """CREATE TABLE IF NOT EXISTS webhooks (
  id TEXT PRIMARY KEY, client TEXT NOT NULL, value BLOB NOT NULL, progress BLOB NOT NULL,
  holder TEXT, due REAL NOT NULL)"""
_DELIVERIES = (
    """CREATE TABLE IF NOT EXISTS deliveries (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT, webhook TEXT NOT NULL, event TEXT NOT NULL,
      value BLOB NOT NULL, is_dead INTEGER NOT NULL, UNIQUE (webhook, event))""",
    """CREATE INDEX IF NOT EXISTS deliveries_in_order
      ON deliveries (webhook, is_dead, sequence)""",
    "CREATE TABLE IF NOT EXISTS removals (webhook TEXT PRIMARY KEY, value BLOB NOT NULL)",
)
_ADD = """INSERT OR IGNORE INTO deliveries (webhook, event, value, is_dead) VALUES (?, ?, ?, 0)"""
_REPLACE = "UPDATE deliveries SET value = ?, is_dead = ? WHERE webhook = ? AND event = ?"
_RESEAL = "UPDATE deliveries SET value = ? WHERE webhook = ? AND event = ? AND value = ?"
_FORGET = "DELETE FROM deliveries WHERE webhook = ? AND event = ? AND is_dead = ?"


class SqliteWebhooks:
    """A ``gateway.changes.webhooks.store.WebhookStore`` in the file at ``path``."""

    def __init__(self, path: Path) -> None:
        self._file = SqliteTable(path, _WEBHOOKS, _DELIVERIES)

    async def close(self) -> None:
        """Close nothing: no connection stays open."""

    async def put(self, webhook: SealedWebhook, most: int, most_of_client: int) -> bool:
        """See ``WebhookStore.put``."""

        def run(connection: sqlite3.Connection) -> bool:
            count = "SELECT count(*), count(*) FILTER (WHERE client = ?) FROM webhooks"
            in_all, of_client = connection.execute(count, (webhook.client,)).fetchone()
            if in_all >= most or of_client >= most_of_client:
                return False
            connection.execute(
                "INSERT INTO webhooks (id, client, value, progress, due) VALUES (?, ?, ?, ?, 0)",
                (webhook.id, webhook.client, webhook.value, webhook.progress),
            )
            return True

        return await self._file.transact(run, False, makes=True)

    async def get(self, webhook_id: str) -> SealedWebhook | None:
        """See ``WebhookStore.get``."""
        webhooks = await self._webhooks("id = ?", webhook_id)
        return webhooks[0] if webhooks else None

    async def all(self) -> Sequence[SealedWebhook]:
        """See ``WebhookStore.all``."""
        return await self._webhooks("id <> ?", "")

    async def of_client(self, client: str) -> Sequence[SealedWebhook]:
        """See ``WebhookStore.of_client``."""
        return await self._webhooks("client = ?", client)

    async def replace(self, webhook: SealedWebhook, client: str, value: bytes) -> bool:
        """See ``WebhookStore.replace``."""

        def run(connection: sqlite3.Connection) -> bool:
            update = """UPDATE webhooks SET client = ?, value = ?
                        WHERE id = ? AND client = ? AND value = ?"""
            values = (client, value, webhook.id, webhook.client, webhook.value)
            return connection.execute(update, values).rowcount > 0

        return await self._file.transact(run, False)

    async def request_removal(self, webhook_id: str, removal: bytes) -> bool:
        """See ``WebhookStore.request_removal``."""

        def run(connection: sqlite3.Connection) -> bool:
            insert = """INSERT OR REPLACE INTO removals (webhook, value)
                        SELECT id, ? FROM webhooks WHERE id = ?"""
            return connection.execute(insert, (removal, webhook_id)).rowcount > 0

        return await self._file.transact(run, False)

    async def end(self, webhook_id: str, client: str) -> bool:
        """See ``WebhookStore.end``."""

        def run(connection: sqlite3.Connection) -> bool:
            delete = "DELETE FROM webhooks WHERE id = ? AND client = ?"
            is_there = connection.execute(delete, (webhook_id, client)).rowcount > 0
            if is_there:
                connection.execute("DELETE FROM deliveries WHERE webhook = ?", (webhook_id,))
                connection.execute("DELETE FROM removals WHERE webhook = ?", (webhook_id,))
            return is_there

        return await self._file.transact(run, False)

    async def claimable(self, now: float) -> Sequence[str]:
        """See ``WebhookStore.claimable``."""

        def run(connection: sqlite3.Connection) -> list[str]:
            query = """SELECT id FROM webhooks
                       WHERE holder IS NULL OR due <= ? OR due > ? ORDER BY due, id"""
            return [str(row[0]) for row in connection.execute(query, (now, now + LONGEST_LEASE))]

        nothing: list[str] = []
        return await self._file.transact(run, nothing)

    async def claim(self, webhook_id: str, holder: str, now: float, until: float) -> bool:
        """See ``WebhookStore.claim``."""

        def run(connection: sqlite3.Connection) -> bool:
            update = """UPDATE webhooks SET holder = ?1, due = ?2
                        WHERE id = ?3
                          AND (holder IS NULL OR holder = ?1 OR due <= ?4 OR due > ?5)"""
            values = (holder, until, webhook_id, now, now + LONGEST_LEASE)
            return connection.execute(update, values).rowcount > 0

        return await self._file.transact(run, False)

    async def release(self, webhook_id: str, holder: str) -> None:
        """See ``WebhookStore.release``."""

        def run(connection: sqlite3.Connection) -> None:
            update = "UPDATE webhooks SET holder = NULL WHERE id = ? AND holder = ?"
            connection.execute(update, (webhook_id, holder))

        await self._file.transact(run, None)

    async def apply(
        self, webhook_id: str, holder: str, now: float, changes: WebhookChanges
    ) -> bool:
        """See ``WebhookStore.apply``."""

        def run(connection: sqlite3.Connection) -> bool:
            update = "UPDATE webhooks SET progress = ? WHERE id = ? AND holder = ? AND due > ?"
            values = (changes.progress, webhook_id, holder, now)
            if connection.execute(update, values).rowcount == 0:
                return False
            connection.executemany(
                _ADD, [(webhook_id, delivery.event, delivery.value) for delivery in changes.added]
            )
            replaced = [
                (delivery.value, 0, webhook_id, delivery.event) for delivery in changes.replaced
            ]
            dead = [(delivery.value, 1, webhook_id, delivery.event) for delivery in changes.dead]
            connection.executemany(_REPLACE, [*replaced, *dead])
            for is_dead, events in ((0, changes.settled), (1, changes.forgotten)):
                connection.executemany(_FORGET, [(webhook_id, event, is_dead) for event in events])
            connection.executemany(
                _RESEAL,
                [
                    (delivery.value, webhook_id, delivery.event, delivery.former)
                    for delivery in changes.resealed
                ],
            )
            return True

        return await self._file.transact(run, False)

    async def pending(self, webhook_id: str, most: int) -> Sequence[SealedDelivery]:
        """See ``WebhookStore.pending``."""
        return await self._deliveries(webhook_id, 0, most)

    async def count_pending(self, webhook_id: str) -> int:
        """See ``WebhookStore.count_pending``."""
        return await self._count(webhook_id, 0)

    async def dead(self, webhook_id: str, most: int, skip: int = 0) -> Sequence[SealedDelivery]:
        """See ``WebhookStore.dead``."""
        return await self._deliveries(webhook_id, 1, most, skip)

    async def count_dead(self, webhook_id: str) -> int:
        """See ``WebhookStore.count_dead``."""
        return await self._count(webhook_id, 1)

    async def find(self, webhook_id: str, events: Collection[str]) -> Sequence[SealedDelivery]:
        """See ``WebhookStore.find``."""

        def run(connection: sqlite3.Connection) -> list[SealedDelivery]:
            query = "SELECT event, value FROM deliveries WHERE webhook = ? AND event = ?"
            rows = (connection.execute(query, (webhook_id, event)).fetchone() for event in events)
            return [SealedDelivery(str(row[0]), bytes(row[1])) for row in rows if row is not None]

        nothing: list[SealedDelivery] = []
        return await self._file.transact(run, nothing)

    async def revive(self, webhook_id: str, deliveries: Sequence[SealedDelivery]) -> int:
        """See ``WebhookStore.revive``."""

        def run(connection: sqlite3.Connection) -> int:
            revived = 0
            for delivery in deliveries:
                dead = connection.execute(_FORGET, (webhook_id, delivery.event, 1))
                if dead.rowcount:
                    connection.execute(_ADD, (webhook_id, delivery.event, delivery.value))
                    revived += 1
            return revived

        return await self._file.transact(run, 0)

    async def _webhooks(self, condition: str, value: str) -> Sequence[SealedWebhook]:
        def run(connection: sqlite3.Connection) -> list[SealedWebhook]:
            query = f"""SELECT id, client, webhooks.value, progress, removals.value FROM webhooks
                        LEFT JOIN removals ON webhook = id
                        WHERE {condition} ORDER BY id"""  # noqa: S608 - a constant
            return [
                SealedWebhook(str(row[0]), str(row[1]), bytes(row[2]), bytes(row[3]), row[4])
                for row in connection.execute(query, (value,))
            ]

        nothing: list[SealedWebhook] = []
        return await self._file.transact(run, nothing)

    async def _deliveries(
        self, webhook_id: str, is_dead: int, most: int, skip: int = 0
    ) -> Sequence[SealedDelivery]:
        def run(connection: sqlite3.Connection) -> list[SealedDelivery]:
            query = """SELECT event, value FROM deliveries
                       WHERE webhook = ? AND is_dead = ? ORDER BY sequence LIMIT ? OFFSET ?"""
            rows = connection.execute(query, (webhook_id, is_dead, most, skip))
            return [SealedDelivery(str(event), bytes(value)) for event, value in rows]

        nothing: list[SealedDelivery] = []
        return await self._file.transact(run, nothing)

    async def _count(self, webhook_id: str, is_dead: int) -> int:
        def run(connection: sqlite3.Connection) -> int:
            query = "SELECT count(*) FROM deliveries WHERE webhook = ? AND is_dead = ?"
            return int(connection.execute(query, (webhook_id, is_dead)).fetchone()[0])

        return await self._file.transact(run, 0)
