"""Rows of another server, file or table than the present one are not served."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from prometheus_client import REGISTRY

from connectors.backends.base import NOBODY, Asker, Batch
from connectors.backends.memory import MemoryBackend
from connectors.description import Lookup, Record
from connectors.population import DATABASE
from gateway.settings import DatabaseSettings
from tests.support.people import HOA, LAN, backends
from tests.support.running import Running, running

_NAME = (
    '{ person(id: "%s") { population { identity { item { fullName } source { fromCache } } } } }'
)


class _Switched(MemoryBackend):
    """Says where its rows come from."""

    def __init__(self) -> None:
        super().__init__(DATABASE, {})
        self.inner = backends()["population"]
        self.origin: str | None = "first"

    async def fetch(
        self, record: Record, lookup: Lookup, keys: Sequence[str], asker: Asker = NOBODY
    ) -> Batch:
        batch = await self.inner.fetch(record, lookup, keys, asker)
        return replace(batch, origin=self.origin)


async def _from_cache(gateway: Running, person: str) -> bool:
    body = await gateway.ask(_NAME % person)
    result: bool = body["data"]["person"]["population"]["identity"]["source"]["fromCache"]
    return result


async def _cached_answers(folder: Path, *origins: str | None) -> list[bool]:
    """Return whether HOA was answered from the cache, after each of ``origins`` answered LAN."""
    backend = _Switched()
    patient: dict[str, Any] = {"population": DatabaseSettings(timeout=120, fresh=3600)}
    result = []
    async with running(folder, {**backends(), "population": backend}, databases_=patient) as site:
        for _ in range(3):
            await _from_cache(site, HOA)
        for origin in origins:
            backend.origin = origin
            source = site.service.resources.sources["population"]
            await source.fetch(source.reads["identity"], [LAN], 20)
            result.append(await _from_cache(site, HOA))
    return result


async def test_rows_of_the_same_origin_are_served_from_the_cache(tmp_path: Path) -> None:
    assert await _cached_answers(tmp_path, "first", "first") == [True, True]


async def test_a_switched_database_answers_for_itself_ready_answers_included(
    tmp_path: Path,
) -> None:
    name = "justice_gateway_source_switches_total"
    before = REGISTRY.get_sample_value(name, {"database": "population"}) or 0.0
    assert await _cached_answers(tmp_path, "second", "second") == [False, True]
    assert REGISTRY.get_sample_value(name, {"database": "population"}) == before + 1


async def test_a_source_that_says_nothing_of_where_it_is_changes_nothing(tmp_path: Path) -> None:
    assert await _cached_answers(tmp_path, None, "first") == [True, True]


async def test_rows_put_together_from_several_origins_are_not_kept(tmp_path: Path) -> None:
    backend = _Switched()
    patient: dict[str, Any] = {"population": DatabaseSettings(timeout=120, fresh=3600)}
    async with running(tmp_path, {**backends(), "population": backend}, databases_=patient) as site:
        await _from_cache(site, HOA)
        backend.origin = None
        for _ in range(3):
            assert not await _from_cache(site, LAN)
        backend.origin = "first"
        await _from_cache(site, LAN)
        assert await _from_cache(site, LAN)
