"""The access log lists who read a person, newest first, without hidden entries.

Covers ``gateway.audit.copy.database``.
"""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

from gateway.audit.access_log.entries import EntryPage, page, statement
from gateway.audit.copy.database import Copy, CopyUnavailable
from gateway.audit.copy.shipper import Shipper
from gateway.audit.journal.journal import Journal
from gateway.errors import GatewayError
from tests.support.copies import database
from tests.support.journals import open_journal
from tests.support.running import TestClock

KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.services)]
START = datetime(2026, 11, 1, tzinfo=UTC)
NOW = START + timedelta(days=10)


class Log:
    """A journal whose entries are shipped, and the access log over the copy."""

    def __init__(self, journal: Journal, copy: Copy, shipper: Shipper, clock: TestClock) -> None:
        self.journal, self.copy, self.shipper, self.clock = journal, copy, shipper, clock
        self._count = 0

    async def write(
        self, *persons: tuple[str, str], minute: int | None = None, **more: object
    ) -> str:
        """Write an entry about (person, role) and return its id."""
        self._count += 1
        entry_id = f"{self._count:016x}"
        await self.journal.append(
            {
                "id": entry_id,
                "at": (START + timedelta(minutes=minute or self._count)).isoformat(),
                "agency": "UBND phường",
                "persons": [
                    {"person": person, "role": role, "sections": [f"{person}.{role.lower()}"]}
                    for person, role in persons
                ],
                "sections": {"population.identity": "ANSWERED"},
                "showsFrom": None,
                "hiddenFromGuardians": False,
                **more,
            }
        )
        return entry_id

    async def page(
        self,
        *persons: str,
        first: int = 100,
        after: str | None = None,
        now: datetime = NOW,
        for_guardian: bool = False,
    ) -> EntryPage:
        await self.shipper.catch_up(10)
        return await page(self.copy, persons, now, first, after, for_guardian)

    async def ids(self, *persons: str, **more: Any) -> list[str]:
        return [entry["id"] for entry in (await self.page(*persons, **more)).entries]


@pytest.fixture(params=KINDS)
async def log(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Log]:
    clock = TestClock()
    async with database(request.param, tmp_path) as url:
        copy = Copy(url)
        async with open_journal(tmp_path / "journal", timeout=20) as journal:
            shipper = Shipper(journal, copy, clock)
            shipper.open()
            yield Log(journal, copy, shipper, clock)
        await shipper.close()
        await copy.close()


async def test_the_newest_entry_comes_first(log: Log) -> None:
    entry_ids = [await log.write(("a", "NAMED"), ("b", "KIN")) for _ in range(5)]
    assert await log.ids("a") == entry_ids[::-1]
    assert await log.ids("b") == entry_ids[::-1]
    assert await log.ids("c") == []


async def test_an_entry_says_what_was_written_and_nothing_of_other_people(log: Log) -> None:
    await log.write(("a", "NAMED"), ("b", "KIN"), purpose="1.000894")
    (entry,) = (await log.page("b")).entries
    assert entry["agency"] == "UBND phường"
    assert entry["purpose"] == "1.000894"
    assert entry["own"] == {"role": "KIN", "sections": ["b.kin"]}
    assert "persons" not in entry
    assert {"seq", "mac"}.isdisjoint(entry)


async def test_all_hashes_of_a_person_are_one_person(log: Log) -> None:
    """An earlier number, an earlier key: still one entry each, with all that was read."""
    entry_id = await log.write(("a", "KIN"), ("old", "NAMED"))
    written_id = await log.write(("old", "NAMED"))
    assert await log.ids("a", "old") == [written_id, entry_id]
    entry = (await log.page("a", "old")).entries[1]
    assert entry["own"] == {"role": "NAMED", "sections": ["a.kin", "old.named"]}


async def test_who_was_named_and_refused_is_shown_to_nobody(log: Log) -> None:
    await log.write(("a", "REFUSED"))
    entry_id = await log.write(("a", "REFUSED"), ("a", "KIN"))
    assert await log.ids("a") == [entry_id]
    assert (await log.page("a")).entries[0]["own"] == {"role": "KIN", "sections": ["a.kin"]}


async def _plan(copy: Copy, after: tuple[datetime, str] | None = None) -> str:
    """Return how the database reads the log of ``a``, as if the tables were large."""

    async def work(connection: AsyncConnection) -> str:
        explain = "EXPLAIN QUERY PLAN "
        if connection.dialect.name == "postgresql":
            for way in ("seqscan", "bitmapscan"):
                await connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
            explain = "EXPLAIN "
        query = statement(["a"], NOW, 10, after, False)
        text = query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
        rows = await connection.exec_driver_sql(explain + str(text))
        return "\n".join(str(row[-1]) for row in rows)

    return await copy.run(work)


async def test_refusals_are_not_read_for_a_log(log: Log) -> None:
    """An index without them serves it, and the position behind a cursor is a range of it."""
    for _ in range(20):
        await log.write(("a", "REFUSED"))
    await log.write(("a", "NAMED"))
    assert len(await log.ids("a")) == 1
    assert "audit_persons_shown" in await _plan(log.copy)
    behind = await _plan(log.copy, (NOW, "x"))
    assert "audit_persons_shown" in behind
    assert re.search(r"person=\? AND at<\?|Index Cond: .*person.*at <= ", behind)


async def test_a_page_of_a_long_log_is_read_without_sorting_it(log: Log) -> None:
    """The index has the order of a page, for whoever is read every minute too."""
    await log.write(("a", "NAMED"))
    assert len(await log.ids("a")) == 1
    plan = await _plan(log.copy)
    sqlite = r"USING INDEX audit_persons_shown [^\n]*\n(USE TEMP B-TREE FOR DISTINCT\n)?SCAN"
    postgresql = r"Unique[^\n]*\n *->  Index (Only )?Scan using audit_persons_shown"
    assert re.search(f"{sqlite}|{postgresql}", plan), plan


@pytest.mark.parametrize("driver", ["sqlite+aiosqlite", "postgresql+asyncpg"])
def test_the_role_is_no_parameter(driver: str) -> None:
    """A plan for any parameters could not use an index for this one value."""
    query = statement(["a"], NOW, 10, None, False)
    dialect = sa.make_url(f"{driver}://").get_dialect()()
    text = query.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    assert "role != 'REFUSED'" in str(text)


async def test_a_copy_without_the_indexes_is_read_and_says_so(log: Log) -> None:
    entry_id = await log.write(("a", "NAMED"))
    assert await log.ids("a") == [entry_id]

    async def work(connection: AsyncConnection) -> None:
        await connection.exec_driver_sql("DROP INDEX audit_persons_shown")

    await log.copy.run(work)
    with capture_logs() as logged:
        await log.copy.shipped(log.journal.id)
    (event,) = logged
    assert (event["event"], event["indexes"]) == (
        "audit_copy_index_missing", ["audit_persons_shown"],
    )  # fmt: skip
    assert await log.ids("a") == [entry_id]


async def test_pages_follow_each_other_without_losing_or_repeating_an_entry(log: Log) -> None:
    """Also where many entries are of the same moment."""
    entry_ids = [await log.write(("a", "NAMED"), minute=1 + n // 7) for n in range(25)]
    for first in (1, 3, 24, 25, 26):
        listed_ids: list[str] = []
        after = None
        while True:
            result = await log.page("a", first=first, after=after)
            listed_ids += [entry["id"] for entry in result.entries]
            assert len(result.entries) <= first
            after = result.next
            if after is None:
                break
        assert sorted(listed_ids) == sorted(entry_ids)
        assert listed_ids == await log.ids("a")


async def test_an_entry_that_comes_meanwhile_does_not_shift_the_pages(log: Log) -> None:
    entry_ids = [await log.write(("a", "NAMED")) for _ in range(4)]
    result = await log.page("a", first=2)
    await log.write(("a", "NAMED"))
    assert await log.ids("a", after=result.next) == entry_ids[1::-1]


async def test_a_deferred_entry_leaves_no_trace_until_it_shows(log: Log) -> None:
    """Page sizes, cursors and ends are as if it had never been written."""
    shows = START + timedelta(days=30)
    open_ones = []
    for number in range(6):
        open_ones.append(await log.write(("a", "NAMED"), minute=10 * number + 1))
        await log.write(("a", "NAMED"), minute=10 * number + 5, showsFrom=shows.isoformat())
    first = await log.page("a", first=3)
    assert [entry["id"] for entry in first.entries] == open_ones[:2:-1]
    second = await log.page("a", first=3, after=first.next)
    assert [entry["id"] for entry in second.entries] == open_ones[2::-1]
    assert second.next is None
    assert len(await log.ids("a", now=shows - timedelta(microseconds=1))) == 6
    assert len(await log.ids("a", now=shows)) == 12


async def test_what_is_hidden_from_guardians_is_shown_to_the_person_only(log: Log) -> None:
    visible_id = await log.write(("a", "NAMED"))
    hidden_id = await log.write(("a", "NAMED"), hiddenFromGuardians=True)
    assert await log.ids("a") == [hidden_id, visible_id]
    assert await log.ids("a", for_guardian=True) == [visible_id]


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "é", "2026", base64.urlsafe_b64encode(b"2026-13-01T00:00:00.000000|a").decode()],
)
async def test_a_cursor_that_is_none_of_ours_is_refused(log: Log, cursor: str) -> None:
    with pytest.raises(GatewayError) as excinfo:
        await log.page("a", after=cursor)
    assert excinfo.value.code.name == "INVALID_VALUE"


async def test_a_cursor_says_only_where_the_last_entry_shown_stands(log: Log) -> None:
    for _ in range(3):
        await log.write(("a", "NAMED"))
    await log.write(("a", "NAMED"), showsFrom=(NOW + timedelta(days=1)).isoformat())
    cursor = (await log.page("a", first=2)).next
    assert cursor is not None
    assert base64.urlsafe_b64decode(cursor) == b"2026-11-01T00:02:00.000000|0000000000000002"


async def test_it_says_up_to_when_it_is_complete(log: Log, tmp_path: Path) -> None:
    await log.write(("a", "NAMED"))
    now = log.clock.now()
    assert (await log.page("a", now=now)).complete_until == now
    log.clock.advance(60)
    now = log.clock.now()
    assert (await log.page("a", now=now)).complete_until == now, "also when nothing happens"
    async with open_journal(tmp_path / "second") as second:
        await log.copy.shipped(second.id)
    assert (await log.page("a")).complete_until is None, "a journal that was never shipped"


async def test_what_is_said_to_be_complete_up_to_the_future_is_not_known_to_be(log: Log) -> None:
    """The clock of a gateway was ahead, and that gateway has not shipped since it is right."""
    await log.write(("a", "NAMED"))
    now = log.clock.now()
    await log.page("a")
    assert (await log.page("a", now=now - timedelta(hours=1))).complete_until is None
    moment = now - timedelta(seconds=2)
    assert (await log.page("a", now=moment)).complete_until == moment, "clocks differ by seconds"


async def test_the_gateways_own_last_entry_is_waited_for(log: Log) -> None:
    for _ in range(20):
        entry_id = await log.write(("a", "NAMED"))
        assert (await log.ids("a"))[0] == entry_id


async def test_a_copy_that_cannot_be_asked_is_no_empty_log(tmp_path: Path) -> None:
    copy = Copy("postgresql://postgres@127.0.0.1:1/nothing")
    with pytest.raises(CopyUnavailable):
        await page(copy, ["a"], NOW, 10, None, False)
    await copy.close()
