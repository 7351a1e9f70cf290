"""Positions are of one log, and of one entry of it."""

from __future__ import annotations

import pytest

from gateway.changes.log import PositionExpired
from gateway.changes.positions import (
    LogPosition,
    entry_digest,
    is_before,
    parse_position,
)

#: Written down: the workers of a parallel run must name tests alike.
EPOCH, OTHER_EPOCH = "6d350032ba7b6711", "01a52dd1e88171a8"
AT_5 = LogPosition(EPOCH, 5, entry_digest(b"fifth"))


@pytest.mark.parametrize("position", [AT_5, LogPosition(EPOCH, 0)])
def test_a_position_is_parsed_as_it_was_written(position: LogPosition) -> None:
    assert parse_position(str(position)) == position


@pytest.mark.parametrize("text", ["", "5", f"{EPOCH}.05.{'0' * 16}", f"{AT_5}\n", f"{AT_5}0"])
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no position"):
        parse_position(text)
    with pytest.raises(ValueError, match="no position"):
        is_before(str(AT_5), text)


@pytest.mark.parametrize(("entry", "first"), [(b"fifth", 1), (b"fifth", 5), (None, 6)])
def test_a_position_counts_while_the_entry_after_it_is_there(
    entry: bytes | None, first: int
) -> None:
    AT_5.require(EPOCH, entry, first, last=9)


@pytest.mark.parametrize(
    ("epoch", "entry", "first", "last"),
    [
        (OTHER_EPOCH, b"fifth", 1, 9),
        (EPOCH, None, 7, 9),
        (EPOCH, None, 1, 4),
        (EPOCH, b"another", 1, 9),
    ],
    ids=["another log", "removed", "lost at the end", "lost and written anew"],
)
def test_a_position_of_what_is_gone_has_expired(
    epoch: str, entry: bytes | None, first: int, last: int
) -> None:
    with pytest.raises(PositionExpired):
        AT_5.require(epoch, entry, first, last)


def test_positions_of_two_logs_have_no_order() -> None:
    assert is_before(str(LogPosition(EPOCH, 4)), str(AT_5))
    assert is_before(str(AT_5), str(AT_5))
    assert not is_before(str(AT_5), str(LogPosition(EPOCH, 4)))
    with pytest.raises(PositionExpired):
        is_before(str(LogPosition(OTHER_EPOCH, 4)), str(AT_5))


def test_an_entry_that_grew_old_was_in_the_log_and_one_that_was_lost_was_not() -> None:
    assert AT_5.is_in(EPOCH, None, first=9, last=9)
    assert not AT_5.is_in(EPOCH, None, first=1, last=4)
