"""Events and statuses as an engine has them: sealed, with no person in the clear.

An entry is its format (``1``), the name of its database, the moment from which its event may have
been missed, and the sealed event, which is bound to all of that. The name and the moment stand in
the clear for one reason: an entry whose key is gone must say what is missing.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson

from gateway.changes.event import LifeEvent, LifeEventKind
from gateway.changes.log import FollowState, PositionExpired, SourceStatus
from gateway.changes.positions import entry_digest
from gateway.storage.sealing import Sealing

#: The use of the key, see ``Sealing``.
USE = b"event log"
_FORMAT = b"1"
_HEAD = struct.Struct(">cBq")
_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class SealedEvents:
    """Seals and opens events and statuses. Costs some 10 us each."""

    sealing: Sealing

    def seal_event(self, event: LifeEvent) -> bytes:
        """Return the event as an entry, some 250 bytes."""
        since = _microseconds(event.since or event.committed_at or event.detected_at)
        content = orjson.dumps(
            [
                *(event.id, event.kind.name, event.person, event.record, event.row, event.date),
                *map(_number, (event.committed_at, event.detected_at, event.since)),
            ]
        )
        return self._seal("event", event.database, since, content)

    def open_event(self, entry: bytes) -> LifeEvent:
        """Return the event of an entry; EVENTS_MISSED where it does not open.

        Raises PositionExpired for what does not even say of which database it is.
        """
        database, since, content = self._open("event", entry)
        try:
            if content is not None:
                return _event(database, orjson.loads(content))
        except (ValueError, KeyError):
            pass  # of a later version of the gateway
        return LifeEvent(
            id=f"unreadable-{entry_digest(entry)}",
            kind=LifeEventKind.EVENTS_MISSED,
            database=database,
            person=None,
            record=None,
            row=None,
            date=None,
            committed_at=None,
            detected_at=since,
            since=since,
        )

    def seal_status(self, status: SourceStatus) -> bytes:
        """Return a status, without its position, which the engine has."""
        content = orjson.dumps(
            [status.state.value, status.checkpoint, _number(status.complete_until)]
        )
        return self._seal("status", status.database, _microseconds(status.since), content)

    def open_status(self, value: bytes, position: str) -> SourceStatus:
        """Return a status; where it does not open: interrupted, with an empty checkpoint.

        Raises PositionExpired for what does not even say of which database it is.
        """
        database, since, content = self._open("status", value)
        try:
            if content is not None:
                state, checkpoint, until = orjson.loads(content)
                complete_until = _moment(until)
                return SourceStatus(
                    *(database, FollowState(state), since, checkpoint, complete_until, position)
                )
        except ValueError:
            pass  # of a later version of the gateway
        return lost_status(database, since, position)

    def _seal(self, what: str, database: str, moment: int, content: bytes) -> bytes:
        name = database.encode()
        head = _HEAD.pack(_FORMAT, len(name), moment) + name
        return head + self.sealing.seal(f"{what} {head.hex()}", content)

    def _open(self, what: str, value: bytes) -> tuple[str, datetime, bytes | None]:
        """Return database, moment and content of a value; no content where it does not open."""
        try:
            version, length, moment = _HEAD.unpack_from(value)
            end = _HEAD.size + length
            database, since = value[_HEAD.size : end].decode(), _BEGIN + moment * _MICROSECOND
        except (struct.error, UnicodeDecodeError, OverflowError):
            raise PositionExpired from None
        if version != _FORMAT or not database:
            raise PositionExpired
        return database, since, self.sealing.open(f"{what} {value[:end].hex()}", value[end:])


def lost_status(database: str, since: datetime, position: str) -> SourceStatus:
    """Return the status of a database whose checkpoint is lost, with its events since then."""
    return SourceStatus(database, FollowState.INTERRUPTED, since, "", None, position)


def _event(database: str, content: list[str | int | None]) -> LifeEvent:
    event_id, kind, person, record, row, date, committed_at, detected_at, since = content
    return LifeEvent(
        id=_text(event_id),
        kind=LifeEventKind[_text(kind)],
        database=database,
        person=_optional_text(person),
        record=_optional_text(record),
        row=_optional_text(row),
        date=_optional_text(date),
        committed_at=_moment(committed_at),
        detected_at=_required_moment(detected_at),
        since=_moment(since),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("no text")
    return value


def _optional_text(value: object) -> str | None:
    return None if value is None else _text(value)


def _microseconds(moment: datetime) -> int:
    """Return a moment in microseconds since 1970."""
    return (moment - _BEGIN) // _MICROSECOND


def _number(moment: datetime | None) -> int | None:
    return None if moment is None else _microseconds(moment)


def _required_moment(number: object) -> datetime:
    if not isinstance(number, int):
        raise ValueError("no moment")
    return _BEGIN + number * _MICROSECOND


def _moment(number: object) -> datetime | None:
    return None if number is None else _required_moment(number)
