"""The origin of rows must not reveal a read that the access log hides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gateway.procedures.procedure import UNIFIED
from gateway.settings import DatabaseSettings, Purpose
from tests.support.people import HOA
from tests.support.running import OFFICER, Running, running

CACHED_DATABASES = {
    name: DatabaseSettings(timeout=120, fresh=600) for name in ("population", "civil_status")
}
_IDENTITY = "{ population { identity { item { fullName } source { fromCache fetchedAt } } } }"
OF_HOA = f'{{ person(id: "{HOA}") {_IDENTITY} }}'
OWN_VIEW = f"{{ me {_IDENTITY} }}"
INVESTIGATION = "violation-handling"


async def _source(gateway: Running, query: str, root: str, token: str, **stated: str) -> Any:
    body = (await gateway.post(query, None, token, **stated)).json()
    return body["data"][root]["population"]["identity"]["source"]


async def _as_officer(gateway: Running, purpose: str) -> Any:
    token = gateway.token(*OFFICER, purposes=(purpose,))
    return await _source(gateway, OF_HOA, "person", token, x_purpose=purpose)


async def _as_citizen(gateway: Running) -> Any:
    token = gateway.token("me", subject=HOA)
    return await _source(gateway, OWN_VIEW, "me", token, x_purpose="", x_case_number="")


async def test_a_read_with_a_lawful_delay_is_not_seen_by_the_person_by_way_of_the_cache(
    tmp_path: Path,
) -> None:
    deferred = {INVESTIGATION: Purpose(deferred_days=30)}
    async with running(tmp_path, databases_=CACHED_DATABASES, purposes=deferred) as gateway:
        for _ in range(3):
            assert not (await _as_officer(gateway, INVESTIGATION))["fromCache"]
        await gateway.pass_time(7)
        own_source = await _as_citizen(gateway)
        assert not own_source["fromCache"]
        await gateway.pass_time(7)
        await _as_officer(gateway, INVESTIGATION)
        second_source = await _as_citizen(gateway)
        assert (second_source["fromCache"], second_source["fetchedAt"]) == (
            True,
            own_source["fetchedAt"],
        )


async def test_a_read_without_one_may_be_shared(tmp_path: Path) -> None:
    async with running(tmp_path, databases_=CACHED_DATABASES) as gateway:
        await _as_officer(gateway, UNIFIED)
        assert (await _as_citizen(gateway))["fromCache"]
