"""Events and statuses open as they were sealed, or say that something is missing.

Covers ``gateway.changes.event``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.changes.event import LifeEvent, LifeEventKind
from gateway.changes.log import FollowState, PositionExpired, SourceStatus
from gateway.changes.sealed_events import USE, SealedEvents
from gateway.keys.keyring import Keyring, Secret
from gateway.storage.sealing import Sealing
from tests.support.life_events import DETECTED, SEALED, followed, life_event
from tests.support.people import HOA

OTHER_KEY = SealedEvents(Sealing(Keyring(Secret.of(b"o" * 32)), USE))
INTERRUPTION = LifeEvent(
    *("i", LifeEventKind.SOURCE_INTERRUPTED, "notary", None, None, None, None, None),
    DETECTED,
    DETECTED - timedelta(minutes=1),
)


@pytest.mark.parametrize("event", [life_event(), INTERRUPTION], ids=["person", "source"])
def test_an_event_opens_as_it_was_sealed_and_names_nobody(event: LifeEvent) -> None:
    entry = SEALED.seal_event(event)
    assert SEALED.open_event(entry) == event
    assert HOA.encode() not in entry


def test_an_entry_without_its_key_says_what_may_be_missed_and_from_when() -> None:
    event = life_event()
    entry = OTHER_KEY.seal_event(event)
    gap = SEALED.open_event(entry)
    assert gap == SEALED.open_event(entry)
    assert gap.kind is LifeEventKind.EVENTS_MISSED
    assert (gap.database, gap.since) == (event.database, event.committed_at)


@pytest.mark.parametrize("place", [3, 13, -1], ids=["moment", "database", "event"])
def test_a_changed_entry_is_a_gap(place: int) -> None:
    entry = bytearray(SEALED.seal_event(life_event()))
    entry[place] ^= 1
    assert SEALED.open_event(bytes(entry)).kind is LifeEventKind.EVENTS_MISSED


@pytest.mark.parametrize("entry", [b"", b"1", b"2" * 400, b"\xff" * 400, b"1\x00" + b"0" * 90])
def test_what_names_no_database_ends_reading_there(entry: bytes) -> None:
    with pytest.raises(PositionExpired):
        SEALED.open_event(entry)
    with pytest.raises(PositionExpired):
        SEALED.open_status(entry, "1")


def test_a_kind_of_a_later_version_is_a_gap() -> None:
    sealing, event = SEALED.sealing, life_event()
    head = SEALED.seal_event(event)[: 10 + len(event.database)]
    content = b'["id", "NAME_CHANGE", null, null, null, null, null, 1, null]'
    entry = head + sealing.seal(f"event {head.hex()}", content)
    assert SEALED.open_event(entry).kind is LifeEventKind.EVENTS_MISSED


@pytest.mark.parametrize("checkpoint", [None, "lsn 1/2", HOA])
def test_a_status_opens_as_it_was_sealed(checkpoint: str | None) -> None:
    sealed = SEALED.seal_status(followed(checkpoint))
    assert SEALED.open_status(sealed, "at") == replace(followed(checkpoint), position="at")
    assert HOA.encode() not in sealed


def test_a_status_without_its_key_is_an_interruption_whose_checkpoint_is_lost() -> None:
    status = SEALED.open_status(OTHER_KEY.seal_status(followed("1")), "at")
    lost = SourceStatus("civil_status", FollowState.INTERRUPTED, DETECTED, "", None, "at")
    assert status == lost


def test_a_status_does_not_pass_for_an_event() -> None:
    gap = SEALED.open_event(SEALED.seal_status(followed()))
    assert gap.kind is LifeEventKind.EVENTS_MISSED
