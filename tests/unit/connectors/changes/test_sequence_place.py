"""Up to where ids of an outbox are settled: what began before they were read, may still commit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.changes.outbox_rows import micros
from connectors.changes.sequence_place import OpenTransactions, SequencePlace, settle

NOON = datetime(2026, 11, 30, 5, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MARKED = SequencePlace(10, 30, 5, 0, mark=20, marked=micros(NOON))


def test_what_had_been_read_is_marked_and_settles_nothing_yet() -> None:
    floor, place = settle(SequencePlace(10, 30, 5, 0), 20, OpenTransactions(NOON, None))
    assert (floor, place) == (10, MARKED)


def test_where_all_is_settled_nothing_is_marked() -> None:
    place = SequencePlace(20, 20, 0, 0)
    assert settle(place, 20, OpenTransactions(NOON, None)) == (20, place)


@pytest.mark.parametrize("oldest", [None, NOON + SECOND], ids=["none", "younger"])
def test_once_all_open_transactions_are_younger_the_mark_is_settled(
    oldest: datetime | None,
) -> None:
    later = NOON + 2 * SECOND
    floor, place = settle(MARKED, 30, OpenTransactions(later, oldest))
    assert (floor, place.mark, place.marked) == (20, 30, micros(later))


@pytest.mark.parametrize("oldest", [NOON - SECOND, NOON], ids=["older", "of_that_moment"])
def test_an_older_transaction_leaves_the_mark_where_it_is(oldest: datetime) -> None:
    hours_later = NOON + timedelta(hours=5)
    assert settle(MARKED, 30, OpenTransactions(hours_later, oldest)) == (10, MARKED)


def test_a_mark_settles_nothing_while_transactions_may_be_shown_as_they_were_before_it() -> None:
    assert settle(MARKED, 30, OpenTransactions(NOON + SECOND / 2, None)) == (10, MARKED)


def test_a_place_is_read_back_from_its_checkpoint() -> None:
    assert SequencePlace.parse(MARKED.checkpoint()) == MARKED
    with pytest.raises(ValueError, match="no checkpoint"):
        SequencePlace.parse("1:2:3:4")
