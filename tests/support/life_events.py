"""Events and statuses for tests of what carries them."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from itertools import count

from gateway.changes.event import LifeEvent, LifeEventKind
from gateway.changes.log import FollowState, SourceStatus
from gateway.changes.sealed_events import USE, SealedEvents
from gateway.keys.keyring import Keyring, Secret
from gateway.storage.sealing import Sealing
from tests.support.people import HOA

DETECTED = datetime(2026, 11, 30, 3, 4, 5, 678_901, tzinfo=UTC)
#: No import of what runs a gateway: processes that tests start import this module.
SEALED = SealedEvents(Sealing(Keyring(Secret.of(b"a key of the tests that is long enough")), USE))
_NUMBERS, _PROCESS = count(1), secrets.token_hex(4)


def life_event(kind: LifeEventKind = LifeEventKind.MARRIAGE, person: str = HOA) -> LifeEvent:
    """Return an event whose id no other has."""
    number = next(_NUMBERS)
    return LifeEvent(
        id=f"event-{_PROCESS}-{number}",
        kind=kind,
        database="civil_status",
        person=person,
        record="marriages",
        row=f"row-{number}",
        date="2026-11-29",
        committed_at=DETECTED - timedelta(seconds=2),
        detected_at=DETECTED,
    )


def life_events(many: int) -> list[LifeEvent]:
    """Return so many events."""
    return [life_event() for _ in range(many)]


def followed(checkpoint: str | None = "1", database: str = "civil_status") -> SourceStatus:
    """Return the status of a database that is followed."""
    return SourceStatus(database, FollowState.FOLLOWED, DETECTED, checkpoint, DETECTED, "")
