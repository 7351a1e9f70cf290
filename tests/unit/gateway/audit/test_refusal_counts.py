"""Counted refusals: one bounded entry a window, which names nobody and loses no count."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.audit.refusal_counts import OTHERS, RefusalCounts, network_of
from tests.support.journals import entries, open_journal
from tests.support.people import HOA
from tests.support.running import TestClock


def _total(written: list[dict[str, Any]]) -> int:
    return sum(count["count"] for entry in written for count in entry["refusals"])


async def test_what_is_alike_is_one_count(tmp_path: Path) -> None:
    clock = TestClock()
    async with open_journal(tmp_path) as journal:
        refusals = RefusalCounts(journal, clock)
        since = clock.now().isoformat()
        for _ in range(1_000):
            refusals.count("UNAUTHENTICATED", "203.0.113.0/24")
        refusals.count("BAD_JSON", "203.0.113.0/24")
        clock.advance(30)
        await refusals.write()
        await refusals.write()
        await refusals.close()
    (entry,) = entries(tmp_path)
    assert (entry["since"], entry["at"]) == (since, clock.now().isoformat())
    assert (entry["result"], entry["persons"]) == ("REFUSED", [])
    assert entry["codes"] == ["BAD_JSON", "UNAUTHENTICATED"]
    assert entry["refusals"] == [
        {"code": "BAD_JSON", "source": "203.0.113.0/24", "count": 1},
        {"code": "UNAUTHENTICATED", "source": "203.0.113.0/24", "count": 1_000},
    ]


async def test_the_window_ends_by_itself(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        grown = asyncio.Event()
        journal.grown = grown.set
        refusals = RefusalCounts(journal, TestClock(), window=0.01)
        for _ in range(3):
            refusals.count("UNAUTHENTICATED", "unknown")
            async with asyncio.timeout(20):
                await grown.wait()
            grown.clear()
        await refusals.close()
    assert _total(entries(tmp_path)) == 3


async def test_however_many_sources_and_codes_an_entry_is_bounded(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        refusals = RefusalCounts(journal, TestClock())
        for number in range(10_000):
            refusals.count(f"SOME_CODE_OF_THE_GATEWAY_{number % 60}", "x" * 100 + str(number))
            refusals.count("UNAUTHENTICATED", f"10.{number // 256}.{number % 256}.0/24")
        await refusals.close()
    (entry,) = entries(tmp_path)
    assert _total([entry]) == 20_000
    assert {"code": OTHERS, "source": OTHERS} in [
        {name: refusal[name] for name in ("code", "source")} for refusal in entry["refusals"]
    ]
    assert len(orjson.dumps(entry)) < 3_000


async def test_a_client_that_is_called_by_a_number_is_not_named(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        refusals = RefusalCounts(journal, TestClock())
        refusals.count("RATE_LIMITED", f"desk-{HOA}")
        await refusals.close()
    (entry,) = entries(tmp_path)
    assert entry["refusals"] == [{"code": "RATE_LIMITED", "source": "desk-…", "count": 1}]


async def test_nothing_was_refused_and_nothing_is_written(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        refusals = RefusalCounts(journal, TestClock())
        await refusals.write()
        await refusals.close()
    assert entries(tmp_path) == []


async def test_what_cannot_be_written_is_counted_on(tmp_path: Path) -> None:
    async with open_journal(tmp_path / "first") as journal:
        refusals = RefusalCounts(journal, TestClock())
        refusals.count("UNAUTHENTICATED", "unknown")
        await journal.close()
        await refusals.write()
        refusals.count("UNAUTHENTICATED", "unknown")
        journal.open()
        await refusals.close()
    assert _total(entries(tmp_path / "first")) == 2


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("127.0.0.1", "127.0.0.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        (None, "unknown"),
        ("", "unknown"),
        ("testclient", "unknown"),
    ],
)
def test_an_address_counts_with_its_network(host: str | None, network: str) -> None:
    assert network_of(host) == network
