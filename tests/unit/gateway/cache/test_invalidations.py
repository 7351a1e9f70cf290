"""Which rows an invalidation covers."""

from __future__ import annotations

import pytest

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.notary import DATABASE as NOTARY
from gateway.cache.invalidations import (
    Hashes,
    Invalidation,
    KnownInvalidations,
    Position,
    invalidation_scope,
)
from tests.support.people import HOA, LAN

MARRIAGES = CIVIL_STATUS.by_name["marriages"]
BIRTHS = CIVIL_STATUS.by_name["births"]
WILLS = NOTARY.by_name["wills"]
BEFORE, NOW = Position("e", 10), Position("e", 20)


def _with_invalidations(*invalidations: Invalidation) -> KnownInvalidations:
    log = KnownInvalidations(Hashes(b"secret"))
    log.begin("e", 5)
    for invalidation in invalidations:
        log.note(invalidation_scope(invalidation, log.hashes), 15)
    return log


@pytest.mark.parametrize(
    ("invalidation", "concerned"),
    [
        (Invalidation(HOA), True),
        (Invalidation(LAN), True),
        (Invalidation(HOA, "civil_status"), True),
        (Invalidation(LAN, "civil_status", "marriages"), True),
        (Invalidation(None, "civil_status"), True),
        (Invalidation(None, "civil_status", "marriages"), True),
        (Invalidation(HOA, "notary"), False),
        (Invalidation(HOA, "civil_status", "births"), False),
        (Invalidation("001099999999"), False),
        (Invalidation(None, "civil_status", "births"), False),
        (Invalidation(None, "notary"), False),
    ],
)
def test_rows_are_concerned_by_their_people_database_and_record(
    invalidation: Invalidation, concerned: bool
) -> None:
    log = _with_invalidations(invalidation)
    assert log.concerns(MARRIAGES, {HOA, LAN}, (HOA,), BEFORE) is concerned
    assert not log.concerns(MARRIAGES, {HOA, LAN}, (HOA,), NOW)


def test_rows_reached_through_a_person_are_concerned_by_that_person_alone() -> None:
    log = _with_invalidations(Invalidation(HOA))
    assert log.concerns(BIRTHS, (), (HOA,), BEFORE)
    assert not log.concerns(BIRTHS, (), (LAN,), BEFORE)


def test_rows_that_nobody_is_known_to_be_behind_are_concerned_by_anybody_of_their_database() -> (
    None
):
    assert _with_invalidations(Invalidation(HOA)).concerns(WILLS, (), (), BEFORE)
    assert _with_invalidations(Invalidation(HOA, "notary")).concerns(WILLS, (), (), BEFORE)
    assert not _with_invalidations(Invalidation(HOA, "civil_status")).concerns(
        WILLS, (), (), BEFORE
    )


def test_what_was_read_in_another_log_or_before_its_beginning_is_void() -> None:
    log = _with_invalidations(Invalidation("001099999999"))
    assert log.concerns(BIRTHS, (), (HOA,), Position("another", 99))
    assert log.concerns(BIRTHS, (), (HOA,), Position("e", 4))
    assert not log.concerns(BIRTHS, (), (HOA,), Position("e", 5))


def test_beyond_what_is_told_apart_everything_read_before_is_void() -> None:
    log = KnownInvalidations(Hashes(b"secret"), max_scopes=4)
    log.begin("e", 0)
    for at in range(1, 6):
        log.note(invalidation_scope(Invalidation(f"00109000000{at}"), log.hashes), at)
    assert log.concerns(BIRTHS, (), (HOA,), Position("e", log.floor - 1))
    assert not log.concerns(BIRTHS, (), (HOA,), Position("e", 5))


def test_hashes_depend_on_the_key_and_show_no_number() -> None:
    first, second = Hashes(b"one").of(HOA), Hashes(b"other").of(HOA)
    assert first != second
    assert HOA not in first
    assert len(first) == 32
