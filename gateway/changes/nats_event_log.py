"""The event log in NATS JetStream: a stream of entries, and a bucket of statuses and leases.

The entries of a database have a subject of their own. Whoever takes its lease puts an empty entry
there, and each append expects the entry that its holder put there last: what a former holder
appends is refused by the server. A page of events is not one step: a holder that loses its lease,
or NATS, in the middle leaves the first events without their status, and whoever goes on from the
status before appends them again under the same ids (NATS drops what it had two minutes before).

JetStream answers once it has handed an entry to the operating system: a killed server loses
nothing, a machine without power up to two minutes, unless the stream has replicas. An operator who
wants replicas makes stream and bucket beforehand. What is lost is noticed (``positions``).

An append costs a round trip an event and nine beside them, 0.3 ms each; a page of 100 entries 25 to
75 ms, since a server of 2.9 has no batched reads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import orjson
from nats.js import JetStreamContext
from nats.js.api import Header, PubAck
from nats.js.errors import APIError, KeyNotFoundError, KeyWrongLastSequenceError, NotFoundError
from nats.js.kv import KeyValue

from gateway.changes.event import LifeEvent
from gateway.changes.last_appends import LastAppends
from gateway.changes.log import (
    LONGEST_LEASE,
    EventLogEntry,
    EventLogPage,
    LeaseLost,
    PositionExpired,
    SourceStatus,
)
from gateway.changes.nats_connection import LogEnds, NatsConnection
from gateway.changes.positions import LogPosition, entry_digest, is_before, parse_position
from gateway.changes.retention import Retention
from gateway.changes.sealed_events import SealedEvents, lost_status
from gateway.changes.tail import LogTail
from gateway.runtime.clock import Clock

#: Requests that are sent at once.
_TOGETHER = 100
#: Codes of errors of the server: what is expected last is not last.
_WRONG_LAST_SEQUENCE = (10071, 10164)


class NatsEventLog:
    """An ``EventLog`` in the JetStream at ``url``: stream ``name``, bucket ``name``."""

    def __init__(
        self, url: str, name: str, events: SealedEvents, clock: Clock, retention: Retention
    ) -> None:
        self._name = name
        self._nats = NatsConnection(url, name, retention)
        self._events, self._clock = events, clock
        self._appends = LastAppends()
        #: By database, the last entry of its subject, put there by this process.
        self._fences: dict[str, int] = {}
        self._tail = LogTail(self._look)

    async def open(self) -> None:
        """Connect nothing: the first command does."""

    async def close(self) -> None:
        """Close the connection."""
        await self._tail.close()
        await self._nats.close()

    async def acquire(self, database: str, holder: str, seconds: float) -> bool:
        """See ``EventLog.acquire``; by the clock of this machine, which may be a little wrong."""
        async with self._nats.commands() as (js, bucket):
            is_held = await self._take_lease(js, bucket, database, holder, seconds)
            return self._appends.note_lease(database, is_held)

    async def _take_lease(
        self, js: JetStreamContext, bucket: KeyValue, database: str, holder: str, seconds: float
    ) -> bool:
        await self._nats.ends()
        now, key = self._clock.now().timestamp(), f"lease.{database}"
        present = await _get(bucket, key)
        if present is not None:
            other, until = orjson.loads(present.value or b"null")
            if other != holder and now < until <= now + LONGEST_LEASE:
                self._fences.pop(database, None)
                return False
        lease = orjson.dumps([holder, now + seconds])
        try:
            await bucket.update(key, lease, last=present.revision if present else 0)
            if present is None or other != holder or database not in self._fences:
                self._fences.pop(database, None)
                last = await self._last_of_subject(js, database)
                published = await self._publish(js, database, b"", last, {})
                self._fences[database] = published.seq
        except (KeyWrongLastSequenceError, LeaseLost):
            return False  # another process was quicker
        return True

    async def append(
        self, holder: str, events: Sequence[LifeEvent], status: SourceStatus
    ) -> SourceStatus:
        """See ``EventLog.append``; refused in the middle, the first events are in the log."""
        database = status.database
        async with self._nats.commands() as (js, bucket):
            try:
                position, revision = await self._append(js, bucket, holder, events, status)
            except (LeaseLost, KeyWrongLastSequenceError):
                self._fences.pop(database, None)
                self._appends.note_lease(database, False)
                raise LeaseLost(database) from None
            self._appends.note_append(database, _mark(revision, is_there=True))
            await self._nats.tell()
            return replace(status, position=position)

    async def _append(
        self,
        js: JetStreamContext,
        bucket: KeyValue,
        holder: str,
        events: Sequence[LifeEvent],
        status: SourceStatus,
    ) -> tuple[str, int]:
        """Return the position after the events, and the revision of the status."""
        database, ends = status.database, await self._nats.ends()
        await self._require_lease(bucket, database, holder)
        present = await _get(bucket, f"status.{database}")
        follows = self._appends.last(database)
        if follows is not None and follows != await self._mark_of(js, present):
            raise LeaseLost
        position = None
        for event in events:
            entry, message_id = self._events.seal_event(event), {Header.MSG_ID.value: event.id}
            fence = self._fences[database]
            published = await self._publish(js, database, entry, fence, message_id)
            if not published.duplicate:  # else it was there, put by whomever
                self._fences[database] = published.seq
                position = str(LogPosition(ends.epoch, published.seq, entry_digest(entry)))
        position = position or str(await self._end(js))
        value = orjson.dumps([position, self._events.seal_status(status).hex()])
        last = present.revision if present else 0
        return position, await bucket.update(f"status.{database}", value, last=last)

    async def statuses(self) -> Mapping[str, SourceStatus]:
        """See ``EventLog.statuses``; one whose entries are gone has an empty checkpoint."""
        async with self._nats.commands() as (js, bucket):
            ends = await self._nats.ends()
            statuses, marks = {}, {}
            for key in await self._nats.keys("status"):
                present = await _get(bucket, key)
                opened = None if present is None else await self._open(js, ends, present)
                if present is not None and opened is not None:
                    statuses[opened.database] = opened
                    marks[opened.database] = await self._mark_of(js, present)
            self._appends.note_read(marks)
            return statuses

    async def end(self) -> str:
        """See ``EventLog.end``."""
        async with self._nats.commands() as (js, _):
            return str(await self._end(js))

    async def read(self, after: str, limit: int) -> EventLogPage:
        """See ``EventLog.read``."""
        position = parse_position(after)
        async with self._nats.commands() as (js, _):
            entry, ends = await self._entry_and_ends(js, position.sequence)
            position.require(ends.epoch, entry, ends.first, ends.last)
            sequence, entries = position.sequence, list[EventLogEntry]()
            while sequence < ends.last and len(entries) < limit:
                to = min(sequence + limit - len(entries), sequence + _TOGETHER, ends.last)
                numbers = range(sequence + 1, to + 1)
                page = await asyncio.gather(*(self._entry(js, number) for number in numbers))
                entries += self._open_entries(ends.epoch, numbers, page)
                sequence = to
            return EventLogPage(entries, is_end=sequence >= ends.last)

    def is_before(self, position: str, other: str) -> bool:
        """See ``EventLog.is_before``."""
        return is_before(position, other)

    async def wait(self, after: str, seconds: float) -> None:
        """See ``EventLog.wait``."""
        await self._tail.wait(after, seconds)

    async def _look(self, end: LogPosition | None, seconds: float) -> LogPosition:
        async with self._nats.commands() as (js, _):
            self._nats.news.clear()
            current = await self._end(js)
            if current != end:
                return current
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._nats.news.wait()
        async with self._nats.commands() as (js, _):
            return await self._end(js)

    async def _end(self, js: JetStreamContext) -> LogPosition:
        """Return the position of the last event: behind it there may be empty entries."""
        ends = await self._nats.ends()
        for sequence in range(ends.last, ends.first - 1, -1):
            entry = await self._entry(js, sequence)
            if entry:
                return LogPosition(ends.epoch, sequence, entry_digest(entry))
        return LogPosition(ends.epoch, ends.first - 1)

    async def _entry(self, js: JetStreamContext, sequence: int) -> bytes | None:
        """Return an entry, None where it is gone."""
        try:
            message = await js.get_msg(self._name, seq=sequence)
        except NotFoundError:
            return None
        return message.data or b""

    def _open_entries(
        self, epoch: str, numbers: Sequence[int], page: Sequence[bytes | None]
    ) -> list[EventLogEntry]:
        entries = []
        for sequence, entry in zip(numbers, page, strict=True):
            if entry is None:  # removed meanwhile, or by hand
                raise PositionExpired
            if entry:
                position = str(LogPosition(epoch, sequence, entry_digest(entry)))
                entries.append(EventLogEntry(position, self._events.open_event(entry)))
        return entries

    async def _last_of_subject(self, js: JetStreamContext, database: str) -> int:
        try:
            return (await js.get_last_msg(self._name, f"{self._name}.{database}")).seq or 0
        except NotFoundError:
            return 0

    async def _publish(
        self,
        js: JetStreamContext,
        database: str,
        entry: bytes,
        fence: int,
        headers: Mapping[str, str],
    ) -> PubAck:
        """Append an entry after the entry ``fence`` of its subject; raises LeaseLost."""
        expected = {Header.EXPECTED_LAST_SUBJECT_SEQUENCE.value: str(fence)}
        try:
            return await js.publish(
                f"{self._name}.{database}",
                entry,
                stream=self._name,
                headers={**headers, **expected},
            )
        except APIError as error:
            if error.err_code in _WRONG_LAST_SEQUENCE:
                raise LeaseLost(database) from None
            raise

    async def _require_lease(self, bucket: KeyValue, database: str, holder: str) -> None:
        lease = await _get(bucket, f"lease.{database}")
        if lease is None or database not in self._fences:
            raise LeaseLost(database)
        present, until = orjson.loads(lease.value or b"null")
        if present != holder or until <= self._clock.now().timestamp():
            raise LeaseLost(database)

    async def _open(
        self, js: JetStreamContext, ends: LogEnds, present: KeyValue.Entry
    ) -> SourceStatus | None:
        """Return a status; None where it is of a log that is gone."""
        text, sealed = orjson.loads(present.value or b"null")
        position = parse_position(text)
        if position.epoch != ends.epoch:
            return None
        status = self._events.open_status(bytes.fromhex(sealed), text)
        if await self._is_there(js, position):
            return status
        return lost_status(status.database, status.since, str(await self._end(js)))

    async def _entry_and_ends(
        self, js: JetStreamContext, sequence: int
    ) -> tuple[bytes | None, LogEnds]:
        """Return an entry, then which there are: one that grew old meanwhile is not one lost."""
        entry = await self._entry(js, sequence) if sequence else None
        return entry, await self._nats.ends()

    async def _is_there(self, js: JetStreamContext, position: LogPosition) -> bool:
        entry, ends = await self._entry_and_ends(js, position.sequence)
        return position.is_in(ends.epoch, entry, ends.first, ends.last)

    async def _mark_of(self, js: JetStreamContext, present: KeyValue.Entry | None) -> bytes:
        """Return by what an append recognises the status that it follows, with its entries."""
        if present is None:
            return b""
        position = parse_position(orjson.loads(present.value or b"null")[0])
        return _mark(present.revision or 0, is_there=await self._is_there(js, position))


async def _get(bucket: KeyValue, key: str) -> KeyValue.Entry | None:
    try:
        return await bucket.get(key)
    except KeyNotFoundError:
        return None


def _mark(revision: int, *, is_there: bool) -> bytes:
    return f"{revision} {is_there}".encode()
