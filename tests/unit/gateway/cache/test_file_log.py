"""The invalidation log in a file: all processes of the machine read what one writes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from gateway.cache.invalidations import KNOWN_WITHIN, Invalidation, LogUnavailable
from tests.support.caches import file_log
from tests.support.people import HOA
from tests.support.running import TestClock

SCOPE = [Invalidation(HOA, "civil_status")]


async def test_another_process_knows_of_an_invalidation_within_the_promised_second(
    tmp_path: Path,
) -> None:
    clock = TestClock()
    first, second = file_log(tmp_path, clock), file_log(tmp_path, clock)
    await first.open()
    await second.open()
    before = second.position()
    effective = await first.invalidate(SCOPE)
    assert clock.now() < effective < clock.now() + timedelta(seconds=KNOWN_WITHIN / 2)
    clock.advance((effective - clock.now()).total_seconds())
    assert before is not None
    assert second.position() != before
    assert (
        first.invalidations.touches("civil_status", before)
        or before.epoch != first.invalidations.epoch
    )
    assert second.invalidations.touches("civil_status", before)


async def test_the_file_names_nobody(tmp_path: Path) -> None:
    log = file_log(tmp_path, TestClock())
    await log.open()
    await log.invalidate(SCOPE)
    assert HOA not in (tmp_path / "invalidations.jsonl").read_text()


async def test_while_the_file_cannot_be_read_there_is_no_position(tmp_path: Path) -> None:
    clock = TestClock()
    log = file_log(tmp_path, clock)
    (tmp_path / "invalidations.jsonl").mkdir()
    await log.open()
    assert log.position() is None
    with pytest.raises(LogUnavailable):
        await log.invalidate(SCOPE)
    (tmp_path / "invalidations.jsonl").rmdir()
    clock.advance(1)
    assert log.position() is not None


async def test_what_stood_in_the_file_before_concerns_nobody_who_begins_later(
    tmp_path: Path,
) -> None:
    clock = TestClock()
    first = file_log(tmp_path, clock)
    await first.invalidate(SCOPE)
    second = file_log(tmp_path, clock)
    await second.open()
    position = second.position()
    assert position is not None
    assert not second.invalidations.touches("civil_status", position)


@pytest.mark.parametrize("how", ["garbage", "cut short", "replaced"])
async def test_a_file_that_is_not_what_it_was_makes_everything_void(
    tmp_path: Path, how: str
) -> None:
    clock, path = TestClock(), tmp_path / "invalidations.jsonl"
    log = file_log(tmp_path, clock)
    await log.open()
    await log.invalidate(SCOPE)
    before = log.position()
    assert before is not None
    match how:
        case "garbage":
            path.write_text(path.read_text() + "what?\n")
        case "cut short":
            path.write_text("")
        case _:
            path.rename(tmp_path / "elsewhere")
            path.write_text('[null, "notary", null]\n')
    clock.advance(1)
    assert log.position() is not None
    assert log.invalidations.touches("population", before)


async def test_a_file_that_has_become_large_is_begun_anew_and_nothing_is_lost(
    tmp_path: Path,
) -> None:
    clock = TestClock()
    first, second = (file_log(tmp_path, clock, large=10) for _ in range(2))
    await first.open()
    await first.invalidate(SCOPE)
    await second.open()
    before = second.position()
    assert before is not None
    await first.invalidate([Invalidation(None, "notary")])
    clock.advance(1)
    assert second.position() is not None
    assert second.invalidations.touches("notary", before)
    assert (tmp_path / "invalidations.old").exists()
