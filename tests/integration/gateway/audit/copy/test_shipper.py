"""Shipping: the copy holds every entry of the journal exactly once, despite failures.

Covers ``gateway.audit.copy.tail``, ``gateway.audit.copy.registration``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from prometheus_client import REGISTRY
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.audit.copy.database import (
    ENTRIES,
    JOURNALS,
    PERSONS,
    Copy,
    CopyUnavailable,
    Load,
    Shipped,
)
from gateway.audit.copy.shipper import Shipper
from gateway.audit.journal.journal import Journal
from gateway.errors import GatewayError
from gateway.settings import Audit, load
from tests.support.copies import Line, database
from tests.support.journals import filled, lines, open_journal, segments
from tests.support.running import TestClock

KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.services)]


@pytest.fixture(params=KINDS)
async def copy(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Copy]:
    async with database(request.param, tmp_path) as url:
        new_copy = Copy(url)
        yield new_copy
        await new_copy.close()


@asynccontextmanager
async def shipping(
    folder: Path,
    copy: Copy,
    clock: TestClock | None = None,
    commits: bool = False,
    idle: float = 30.0,
    **options: Any,
) -> AsyncIterator[tuple[Journal, Shipper]]:
    # The first entry waits until the copy has its tables and the row of the journal.
    async with open_journal(folder, **{"timeout": 20, **options}) as journal:
        shipper = Shipper(journal, copy, clock or TestClock(), commits, idle=idle)
        shipper.open()
        yield journal, shipper
    await shipper.close()


def entry(number: int, *persons: str, role: str = "NAMED", **more: object) -> dict[str, object]:
    return {
        "id": f"{number:016x}",
        "at": (datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=number)).isoformat(),
        "persons": [{"person": person, "role": role, "sections": []} for person in persons],
        "number": number,
        "showsFrom": None,
        "hiddenFromGuardians": False,
        **more,
    }


async def rows(copy: Copy, table: sa.Table) -> list[dict[str, Any]]:
    async def work(connection: AsyncConnection) -> list[dict[str, Any]]:
        result = await connection.execute(sa.select(table).order_by(*table.primary_key))
        return [dict(row) for row in result.mappings()]

    return await copy.run(work)


async def shipped_seqs(copy: Copy) -> list[int]:
    return [row["seq"] for row in await rows(copy, ENTRIES)]


async def test_every_entry_is_in_the_copy_as_it_stands_in_the_journal(
    copy: Copy, tmp_path: Path
) -> None:
    async with shipping(tmp_path / "journal", copy, segment_bytes=2_000) as (journal, shipper):
        for number in range(1, 31):
            await journal.append(entry(number, "a", "b"))
        assert await shipper.catch_up(10)
        result = await rows(copy, ENTRIES)
        assert [row["seq"] for row in result] == list(range(1, 31))
        content = b"".join(path.read_bytes() for path in segments(tmp_path / "journal"))
        bodies = [line.decode() for line in content.splitlines() if line.startswith(b'{"seq"')]
        assert [row["body"] for row in result] == bodies
        assert [row["mac"] for row in result] == [
            line["mac"] for line in lines(tmp_path / "journal") if "number" in line
        ]
        assert result[0]["at"] == datetime(2026, 11, 1, 0, 1, tzinfo=UTC)
        persons = [(row["seq"], row["person"]) for row in await rows(copy, PERSONS)]
        assert persons == [(seq, person) for seq in range(1, 31) for person in "ab"]


async def test_what_was_written_while_nobody_shipped_is_shipped_later(
    copy: Copy, tmp_path: Path
) -> None:
    await filled(tmp_path / "journal", 1_200, segment_bytes=40_000)
    async with shipping(tmp_path / "journal", copy) as (_, shipper):
        assert await shipper.catch_up(20)
    await filled(tmp_path / "journal", 5)
    async with shipping(tmp_path / "journal", copy) as (_, shipper):
        assert await shipper.catch_up(20)
        assert await shipped_seqs(copy) == list(range(1, 1_206))


async def test_closing_ships_what_is_left(copy: Copy, tmp_path: Path) -> None:
    async with shipping(tmp_path / "journal", copy) as (journal, _):
        await journal.append(entry(1, "a"))
    assert await shipped_seqs(copy) == [1]


async def test_a_person_in_two_roles_is_noted_in_both_and_once_in_each(
    copy: Copy, tmp_path: Path
) -> None:
    persons = [{"person": "a", "role": "NAMED"}, {"person": "a", "role": "KIN"}]
    async with shipping(tmp_path / "journal", copy) as (journal, shipper):
        await journal.append(entry(1, persons=persons * 2))
        await journal.append({"id": "f" * 16, "at": "2026-11-01T00:00:00+00:00", "probe": True})
        assert await shipper.catch_up(10)
    assert sorted(row["role"] for row in await rows(copy, PERSONS)) == ["KIN", "NAMED"]


async def test_up_to_when_the_copy_is_complete_moves_on_while_nothing_happens(
    copy: Copy, tmp_path: Path
) -> None:
    clock = TestClock()
    async with shipping(tmp_path / "journal", copy, clock) as (_, shipper):
        assert await shipper.catch_up(10)
        assert (await rows(copy, JOURNALS))[0]["shipped_until"] == clock.now()
        clock.advance(3600)
        assert await shipper.catch_up(10)
        assert (await rows(copy, JOURNALS))[0]["shipped_until"] == clock.now()


async def test_a_clock_that_went_forward_and_back_leaves_nothing_complete_in_the_future(
    copy: Copy, tmp_path: Path
) -> None:
    """Entries of the hours between would be missing without anybody noticing."""
    clock = TestClock()
    async with shipping(tmp_path / "journal", copy, clock) as (journal, shipper):
        clock.advance(3600)
        await journal.append({"at": clock.now().isoformat()})
        assert await shipper.catch_up(10)
        clock.advance(-3600)
        assert await shipper.catch_up(10)
        assert (await rows(copy, JOURNALS))[0]["shipped_until"] == clock.now()
        await journal.append({"at": clock.now().isoformat()})
        assert await shipper.catch_up(10)
        assert (await rows(copy, JOURNALS))[0]["shipped_until"] == clock.now()


@asynccontextmanager
async def away(folder: Path) -> AsyncIterator[Copy]:
    """Yield a copy that can be reached while there is a folder ``folder``."""
    copy = Copy(f"sqlite:///{folder / 'copy.sqlite'}")
    yield copy
    await copy.close()


async def _ship(journal: Path, copies: Path) -> None:
    """Register a journal in a copy, which is away afterwards."""
    copies.mkdir()
    async with away(copies) as copy, shipping(journal, copy) as (_, shipper):
        assert await shipper.catch_up(10)
    copies.rename(copies.with_name("gone"))


async def test_a_copy_that_cannot_be_reached_does_not_hold_up_answers(tmp_path: Path) -> None:
    """Not after a restart either: the copy has the row of the journal, which holds logs back."""
    await _ship(tmp_path / "journal", tmp_path / "copies")
    async with (
        away(tmp_path / "copies") as copy,
        shipping(tmp_path / "journal", copy, timeout=20) as (journal, shipper),
    ):
        await journal.append(entry(1, "a"))
        assert await journal.check()
        assert not await shipper.catch_up(0.2)
        assert shipper.lag == 1
        assert REGISTRY.get_sample_value("justice_gateway_audit_copy_lag_entries") is not None


async def _is_refused(journal: Journal) -> bool:
    with pytest.raises(GatewayError) as excinfo:
        await journal.append(entry(1, "a"))
    return excinfo.value.code.name == "AUDIT_UNAVAILABLE" and not await journal.check()


async def test_no_answer_leaves_before_the_copy_has_the_row_of_the_journal(tmp_path: Path) -> None:
    """Through other gateways, access logs would say that nobody read what this one answered."""
    copies = tmp_path / "copies"
    async with (
        away(copies) as copy,
        shipping(tmp_path / "journal", copy, timeout=1) as (journal, _),
    ):
        assert not await journal.check(), "an empty journal is missing in the copy too"
        assert await _is_refused(journal)
        copies.mkdir()
        async with asyncio.timeout(20):
            while not await journal.check():
                pass
        await journal.append(entry(2, "a"))
        assert [row["journal"] for row in await rows(copy, JOURNALS)] == [journal.id]
        copies.rename(tmp_path / "gone")
        await journal.append(entry(3, "a"))


async def test_what_waits_for_the_row_of_the_journal_is_answered_once_it_is_there(
    tmp_path: Path,
) -> None:
    copies = tmp_path / "copies"
    async with (
        away(copies) as copy,
        shipping(tmp_path / "journal", copy, timeout=20) as (journal, shipper),
    ):
        appended = asyncio.create_task(journal.append(entry(1, "a")))
        while not journal.on_disk:
            assert not await shipper.catch_up(0.01)
        assert not appended.done()
        copies.mkdir()
        await appended


async def test_another_copy_needs_its_own_row_of_the_journal(tmp_path: Path) -> None:
    await _ship(tmp_path / "journal", tmp_path / "copies")
    async with (
        away(tmp_path / "others") as copy,
        shipping(tmp_path / "journal", copy, timeout=0.2) as (journal, _),
    ):
        assert await _is_refused(journal)


async def test_another_journal_in_the_folder_needs_its_own_row(tmp_path: Path) -> None:
    """Somebody removed the segments, and left what is beside them."""
    await _ship(tmp_path / "journal", tmp_path / "copies")
    for path in tmp_path.glob("journal/*"):
        if path.name != "copy.json":
            path.unlink()
    async with (
        away(tmp_path / "copies") as copy,
        shipping(tmp_path / "journal", copy, timeout=0.2) as (journal, _),
    ):
        assert await _is_refused(journal)


async def test_a_row_that_cannot_be_remembered_is_required_again(tmp_path: Path) -> None:
    (tmp_path / "journal" / "copy.json").mkdir(parents=True)
    await _ship(tmp_path / "journal", tmp_path / "copies")
    async with (
        away(tmp_path / "copies") as copy,
        shipping(tmp_path / "journal", copy, timeout=0.2) as (journal, _),
    ):
        assert await _is_refused(journal)


def test_what_is_remembered_of_a_copy_has_no_password() -> None:
    copy = Copy("postgresql://gateway:secret@db.example:5432/audit?password=secret&host=other")
    assert copy.place == "postgresql://db.example:5432/audit?host=other"


@pytest.mark.services
async def test_a_copy_that_comes_back_gets_every_entry_once(tmp_path: Path) -> None:
    async with database("postgresql", tmp_path) as url:
        line = Line.to(url)
        await line.join()
        copy = Copy(line.url(url))
        async with shipping(tmp_path / "journal", copy) as (journal, shipper):
            for number in range(1, 101):
                await journal.append(entry(number, "a"))
                if number % 20 == 10:
                    await line.cut()
                if number % 20 == 0:
                    await line.join()
            async with asyncio.timeout(20):
                while not await shipper.catch_up(5):
                    pass
            assert shipper.lag == 0
            assert await shipped_seqs(copy) == list(range(1, 101))
            assert len(await rows(copy, PERSONS)) == 100
        await copy.close()
        await line.cut()


async def test_with_the_copy_as_commit_point_append_waits_for_it(
    copy: Copy, tmp_path: Path
) -> None:
    async with shipping(tmp_path / "journal", copy, commits=True, timeout=20) as (journal, _):
        await asyncio.gather(*(journal.append(entry(number, "a")) for number in range(1, 50)))
        assert await shipped_seqs(copy) == list(range(1, 50))
        await journal.append(entry(50, "a"))
        assert (await shipped_seqs(copy))[-1] == 50


@pytest.mark.services
async def test_with_the_copy_as_commit_point_there_is_no_answer_without_it(tmp_path: Path) -> None:
    async with database("postgresql", tmp_path) as url:
        line = Line.to(url)
        await line.join()
        copy = Copy(line.url(url))
        folder = tmp_path / "journal"
        async with shipping(folder, copy, commits=True, timeout=20) as (journal, _):
            await journal.append(entry(1, "a"))
        async with shipping(folder, copy, commits=True, timeout=0.2) as (journal, shipper):
            assert await shipper.catch_up(20)
            await line.cut()
            with pytest.raises(GatewayError) as excinfo:
                await journal.append(entry(2, "a"))
            assert excinfo.value.code.name == "AUDIT_UNAVAILABLE"
            assert not await journal.check(), "so it is not ready"
            await line.join()
            async with asyncio.timeout(60):
                while not await journal.check():  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(0.005)  # between two looks, not instead of one
        async with shipping(folder, copy, commits=True, timeout=20) as (journal, _):
            await journal.append(entry(3, "a"))
            assert await shipped_seqs(copy) == [1, 2, 3], "what was refused may be there too"
        await copy.close()
        await line.cut()


async def test_two_journals_share_a_copy(copy: Copy, tmp_path: Path) -> None:
    async with (
        shipping(tmp_path / "one", copy) as (first_journal, first),
        shipping(tmp_path / "two", copy) as (two, second),
    ):
        for number in range(5):
            await first_journal.append(entry(number, "a"))
            await two.append(entry(100 + number, "a"))
        async with asyncio.timeout(20):
            while not (await first.catch_up(5) and await second.catch_up(5)):
                pass
        result = await rows(copy, ENTRIES)
        assert sorted({row["journal"] for row in result}) == sorted([first_journal.id, two.id])
        assert len(result) == 10


async def test_entries_that_are_missing_in_the_journal_stop_shipping_loudly(
    copy: Copy, tmp_path: Path
) -> None:
    """A copy with a hole would look like a day on which nobody read anything."""
    await filled(tmp_path / "journal", 20, segment_bytes=1_000)
    (tmp_path / "journal" / "checkpoints.jsonl").unlink()
    second = segments(tmp_path / "journal")[1]
    content = second.read_bytes()
    second.unlink()
    before = _failures()
    async with shipping(tmp_path / "journal", copy) as (_, shipper):
        await _fails_to_ship(shipper, before)  # until then not even its tables may be there
        assert all(row["shipped_until"] is None for row in await rows(copy, JOURNALS))
        second.write_bytes(content)
        async with asyncio.timeout(20):
            while not await shipper.catch_up(5):
                pass
        assert await shipped_seqs(copy) == list(range(1, 21))


async def test_a_journal_that_cannot_be_read_for_a_while_is_shipped_later(tmp_path: Path) -> None:
    folder, before = tmp_path / "journal", _failures()
    unreadable = folder / "audit-99999999.jsonl"
    async with database("sqlite", tmp_path) as url:
        copy = Copy(url)
        async with shipping(folder, copy) as (journal, shipper):
            unreadable.mkdir()  # the shipper has not begun: nothing was waited for
            await journal.append(entry(1, "a"))
            await _fails_to_ship(shipper, before)
            unreadable.rmdir()
            async with asyncio.timeout(20):
                while not await shipper.catch_up(5):
                    pass
            assert await shipped_seqs(copy) == [1]
        await copy.close()


async def _shipped_and_cut(copy: Copy, folder: Path) -> None:
    await filled(folder, 5)
    async with shipping(folder, copy) as (_, shipper):
        assert await shipper.catch_up(10)
    (segment,) = segments(folder)
    segment.write_bytes(b"".join(segment.read_bytes().splitlines(keepends=True)[:-2]))


async def test_a_journal_that_was_cut_goes_on_behind_what_was_shipped(
    copy: Copy, tmp_path: Path
) -> None:
    await _shipped_and_cut(copy, tmp_path / "journal")
    async with shipping(tmp_path / "journal", copy) as (journal, shipper):
        await journal.append({"number": 90})
        assert await shipper.catch_up(10)
    bodies = [row["body"] for row in await rows(copy, ENTRIES)]
    assert await shipped_seqs(copy) == [1, 2, 3, 4, 5, 6]
    assert '"number":5' in bodies[4], "what was cut off is there"
    assert '"number":90' in bodies[5]


async def test_a_journal_that_lost_all_trace_of_its_end_is_not_mixed_up_with_what_was_shipped(
    copy: Copy, tmp_path: Path
) -> None:
    folder = tmp_path / "journal"
    await _shipped_and_cut(copy, folder)
    (folder / "checkpoints.jsonl").unlink()
    (folder / "head.json").unlink()
    before = _failures()
    async with shipping(folder, copy) as (journal, shipper):
        await _fails_to_ship(shipper, before)  # it ends before what was shipped
        for number in range(90, 95):
            await journal.append({"number": number})
        await _fails_to_ship(shipper, _failures())  # and then its entries are others
    assert await shipped_seqs(copy) == [1, 2, 3, 4, 5]


def _failures() -> float:
    return REGISTRY.get_sample_value("justice_gateway_audit_copy_failures_total") or 0


async def _fails_to_ship(shipper: Shipper, before: float) -> None:
    """Wait until shipping has failed more often than ``before``; nothing may be shipped."""
    async with asyncio.timeout(60):
        while _failures() == before:
            assert not await shipper.catch_up(0.02)


async def test_an_entry_that_was_edited_before_it_was_shipped_is_not_shipped(
    copy: Copy, tmp_path: Path
) -> None:
    """The copy would answer "who read me" with what somebody made of it."""
    await filled(tmp_path / "journal", 5)
    (segment,) = segments(tmp_path / "journal")
    content = segment.read_bytes()
    segment.write_bytes(content.replace(b'"number":3', b'"number":4'))
    await copy.shipped("other")  # the tables are there
    before = _failures()
    async with shipping(tmp_path / "journal", copy) as (_, shipper):
        await _fails_to_ship(shipper, before)
        assert await shipped_seqs(copy) == []
        segment.write_bytes(content)
        async with asyncio.timeout(60):
            while not await shipper.catch_up(5):
                pass
        assert await shipped_seqs(copy) == [1, 2, 3, 4, 5]


async def execute(copy: Copy, *statements: str) -> None:
    """Change the copy beside its shippers, as a restore does, in a transaction."""

    async def work(connection: AsyncConnection) -> None:
        for statement in statements:
            await connection.execute(sa.text(statement))

    await copy.run(work)


#: What a restore, or a failover to a replica that lags, leaves of a copy that had five entries.
LOSSES = {
    "the-last-entries": [
        "DELETE FROM audit_entries WHERE seq > 3",
        "DELETE FROM audit_persons WHERE seq > 3",
        "UPDATE audit_journals SET shipped_seq = 3, shipped_until = NULL",
    ],
    "the-whole-journal": [
        "DELETE FROM audit_entries",
        "DELETE FROM audit_persons",
        "DELETE FROM audit_journals",
    ],
    "the-row-of-the-journal": ["DELETE FROM audit_journals"],
}


@pytest.mark.parametrize("statements", LOSSES.values(), ids=LOSSES)
async def test_a_copy_that_was_restored_between_two_ships_gets_what_it_lost(
    copy: Copy, tmp_path: Path, statements: list[str]
) -> None:
    """Else it would be called complete, and its hole would read as "nobody looked" for ever."""
    clock = TestClock()
    async with shipping(tmp_path / "journal", copy, clock) as (journal, shipper):
        for number in range(1, 6):
            await journal.append(entry(number, "a"))
        assert await shipper.catch_up(10)
        await execute(copy, *statements)
        await journal.append(entry(6, "a"))
        assert await shipper.catch_up(10)
        assert await shipped_seqs(copy) == [1, 2, 3, 4, 5, 6]
        assert [row["seq"] for row in await rows(copy, PERSONS)] == [1, 2, 3, 4, 5, 6]
        (row,) = await rows(copy, JOURNALS)
        assert (row["shipped_seq"], row["shipped_until"]) == (6, clock.now())


async def test_an_idle_gateway_notices_by_itself_that_the_copy_was_restored(
    copy: Copy, tmp_path: Path
) -> None:
    async with shipping(tmp_path / "journal", copy, idle=0.01) as (journal, shipper):
        for number in range(1, 6):
            await journal.append(entry(number, "a"))
        assert await shipper.catch_up(10)
        await execute(copy, *LOSSES["the-last-entries"])
        async with asyncio.timeout(20):
            while await shipped_seqs(copy) != [1, 2, 3, 4, 5]:
                pass


async def test_a_copy_of_which_one_table_was_restored_is_not_called_complete(
    copy: Copy, tmp_path: Path
) -> None:
    clock = TestClock()
    async with shipping(tmp_path / "journal", copy, clock) as (journal, shipper):
        for number in range(1, 6):
            await journal.append(entry(number, "a"))
        assert await shipper.catch_up(10)
        before = clock.now()
        await execute(copy, "DELETE FROM audit_entries WHERE seq > 3")
        clock.advance(60)
        assert not await shipper.catch_up(0.3)
        assert [row["shipped_until"] for row in await rows(copy, JOURNALS)] == [before]


async def test_what_a_killed_process_was_shipping_is_shipped_once(
    copy: Copy, tmp_path: Path
) -> None:
    """The database may still commit it, after its successor has read where the copy ends."""
    async with shipping(tmp_path / "journal", copy) as (journal, shipper):
        await journal.append(entry(1, "a"))
        assert await shipper.catch_up(10)
        start = await copy.shipped(journal.id)
    await filled(tmp_path / "journal", 1, first=2)
    async with shipping(tmp_path / "journal", copy) as (_, shipper):
        assert await shipper.catch_up(10)
    (_, late) = await rows(copy, ENTRIES)
    load = Load([{**late, "seq": 3, "entry_id": "late"}])
    with pytest.raises(CopyUnavailable, match="does not end at entry 1"):
        await copy.ship(journal.id, load, start, Shipped(3, late["mac"], None))
    assert await shipped_seqs(copy) == [1, 2]


@pytest.mark.services
async def test_a_ship_that_is_being_committed_is_waited_for(tmp_path: Path) -> None:
    """A process was killed while it shipped, and its successor ships the same entry."""
    async with database("postgresql", tmp_path) as url:
        copy, killed = Copy(url), Copy(url)
        async with shipping(tmp_path / "journal", copy) as (journal, shipper):
            await journal.append(entry(1, "a"))
            assert await shipper.catch_up(10)
        in_flight, commit = asyncio.Event(), asyncio.Event()

        async def ship(connection: AsyncConnection) -> None:
            await connection.execute(sa.update(JOURNALS).values(shipped_seq=2))
            in_flight.set()
            await commit.wait()
            (line,) = (line for line in lines(tmp_path / "journal") if line.get("seq") == 2)
            row = {"journal": journal.id, "seq": 2, "mac": line["mac"], "at": TestClock().now()}
            await connection.execute(sa.insert(ENTRIES), {**row, "entry_id": "2", "body": "{}"})

        last = asyncio.create_task(killed.run(ship))
        await in_flight.wait()
        await filled(tmp_path / "journal", 1, first=2)
        async with shipping(tmp_path / "journal", copy) as (_, shipper):
            async with asyncio.timeout(10):
                while not await _waits_for_a_lock(killed):
                    pass
            commit.set()
            await last
            assert await shipper.catch_up(10)
        assert [(row["seq"], row["entry_id"]) for row in await rows(copy, ENTRIES)][1] == (2, "2")
        await copy.close()
        await killed.close()


async def _waits_for_a_lock(copy: Copy) -> bool:
    async def work(connection: AsyncConnection) -> bool:
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        result = await connection.execute(sa.text(waiting + "AND wait_event_type = 'Lock'"))
        return bool(result.scalar())

    return await copy.run(work)


async def test_a_caller_that_leaves_does_not_cost_a_connection(copy: Copy) -> None:
    async def slow(connection: AsyncConnection) -> None:
        await connection.execute(sa.select(1))
        await asyncio.sleep(0.05)
        await connection.execute(sa.select(1))

    for _ in range(20):
        cancelled_task = asyncio.create_task(copy.run(slow))
        await asyncio.sleep(0.005)
        cancelled_task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled_task
    await copy.run(slow)


async def test_what_a_database_says_is_not_passed_on(copy: Copy) -> None:
    async def wrong(connection: AsyncConnection) -> None:
        await connection.execute(sa.text("SELECT secret FROM nowhere"))

    with pytest.raises(CopyUnavailable) as unavailable:
        await copy.run(wrong)
    assert "nowhere" not in str(unavailable.value)


async def test_a_copy_that_lost_a_table_is_not_taken_for_one_in_which_nobody_looked(
    copy: Copy,
) -> None:
    await copy.shipped("j")

    async def lose(connection: AsyncConnection) -> None:
        await connection.run_sync(PERSONS.drop)

    await copy.run(lose)
    with pytest.raises(CopyUnavailable):
        await copy.shipped("j")


async def test_the_copy_is_where_the_settings_say(tmp_path: Path) -> None:
    settings = load(folder=tmp_path, audit=Audit(copy_url="sqlite:///audit/copy.sqlite"))
    copy = Copy.from_settings(settings)
    assert copy is not None
    await copy.shipped("j")
    await copy.close()
    assert (tmp_path / "audit" / "copy.sqlite").exists()
    assert Copy.from_settings(load(folder=tmp_path)) is None
    with pytest.raises(ValueError, match="not mysql"):
        Copy("mysql://example.org/x")
    with pytest.raises(ValueError, match=r"scheme://") as excinfo:
        Copy("password")
    assert "password" not in str(excinfo.value)


def test_a_copy_can_be_named_in_the_environment_and_must_be_where_it_is_the_commit_point(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JUSTICE_GATEWAY_AUDIT__COMMIT", "copy")
    with pytest.raises(ValueError, match=r"needs audit\.copy_url"):
        load()
    monkeypatch.setenv("JUSTICE_GATEWAY_AUDIT__COPY_URL", "postgresql://db.example/audit")
    assert load().audit.copy_url == "postgresql://db.example/audit"


async def test_an_idle_gateway_says_by_itself_up_to_when_it_is_complete(
    copy: Copy, tmp_path: Path
) -> None:
    """Else the log of everybody would seem incomplete since its last entry."""
    clock = TestClock()
    async with shipping(tmp_path / "journal", copy, clock, idle=0.01) as (_, shipper):
        assert await shipper.catch_up(10)
        clock.advance(3600)
        async with asyncio.timeout(10):
            while (await rows(copy, JOURNALS))[0]["shipped_until"] != clock.now():
                pass
