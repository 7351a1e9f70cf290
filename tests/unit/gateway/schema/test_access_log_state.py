"""An access log that cannot be read completely is never answered as empty."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.audit.access_log.log import PersonLog
from gateway.settings import Audit, Limits
from tests.support.access_logs import (
    logged,
    logged_requests,
    look_up,
    own_answer,
    own_log,
    remember_copy,
)
from tests.support.faults import Faulty
from tests.support.people import FIRST_HOLDER, HOA, LAN, NOBODY, backends
from tests.support.running import codes
from tests.support.worlds import WAYS, answer

LOG_AND_REST = """{ me { id accessLog { items { at } next state completeUntil }
  population { identity { item { fullName } } } } }"""
UNAVAILABLE_LOG = {"items": None, "next": None, "state": "UNAVAILABLE", "completeUntil": None}
#: A copy that is gone is waited for: not long here.
SOON = Limits(deadline=1, new_documents_per_minute=1_000_000)
#: Half of it is time enough for a copy that is there, on a busy machine too.
PATIENT = Limits(deadline=10, new_documents_per_minute=1_000_000)
OTHER_GATEWAY = "INSERT INTO audit_journals VALUES ('another', 0, ?)"


@pytest.fixture(autouse=True, params=WAYS)
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(request.param, monkeypatch)


def is_unknown_and_the_rest_stands(body: dict[str, Any]) -> bool:
    assert body["data"]["me"] == {
        "id": HOA,
        "accessLog": UNAVAILABLE_LOG,
        "population": {"identity": {"item": {"fullName": "Nguyễn Văn Hòa"}}},
    }
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "ACCESS_LOG_UNAVAILABLE"
    return bool(error["path"] == ["me", "accessLog"])


async def test_without_a_copy_the_log_is_not_operating(tmp_path: Path) -> None:
    async with logged(tmp_path, audit=Audit()) as gateway:
        await look_up(gateway)
        body = await own_answer(gateway, query=LOG_AND_REST)
    assert body["data"]["me"]["accessLog"] == {**UNAVAILABLE_LOG, "state": "NOT_OPERATING"}
    assert "errors" not in body


async def write(folder: Path, statement: str, *values: str | None) -> None:
    """Write to the copy beside the shipper, which may hold the lock and needs this very loop."""

    def run() -> None:
        with sqlite3.connect(folder / "copy.sqlite", timeout=30) as copy:
            # A deferred transaction that turns to writing is refused if the shipper has written.
            copy.execute("BEGIN IMMEDIATE")
            copy.execute(statement, values)
        copy.close()

    await asyncio.to_thread(run)


def _no_database(folder: Path) -> None:
    (folder / "copy.sqlite").write_bytes(b"this is no database" * 1000)


def _a_folder(folder: Path) -> None:
    (folder / "copy.sqlite").mkdir()


def _of_something_else(folder: Path) -> None:
    with sqlite3.connect(folder / "copy.sqlite", timeout=30) as other:
        other.execute("CREATE TABLE audit_persons (something TEXT)")
    other.close()


@pytest.mark.parametrize("break_copy", [_no_database, _a_folder, _of_something_else])
async def test_a_copy_that_cannot_be_read_is_no_empty_log(
    tmp_path: Path, break_copy: Callable[[Path], None]
) -> None:
    await remember_copy(tmp_path)
    break_copy(tmp_path)
    async with logged(tmp_path, limits=SOON) as gateway:
        assert is_unknown_and_the_rest_stands(await own_answer(gateway, query=LOG_AND_REST))


async def test_a_gateway_that_the_copy_does_not_know_answers_nothing_about_people(
    tmp_path: Path,
) -> None:
    """Through other gateways, a log would say that nobody read what this one answered."""
    _a_folder(tmp_path)
    audit = Audit(copy_url="sqlite:///copy.sqlite", timeout=0.2)
    async with logged(tmp_path, audit=audit, limits=SOON) as gateway:
        body = await own_answer(gateway, query="{ me { id } }")
        ready = await gateway.client.get("/health/ready")
        listed = await gateway.post("{ databases { name } }")
    assert (codes(body), body.get("data")) == (["AUDIT_UNAVAILABLE"], None)
    assert (ready.status_code, ready.text) == (503, "not ready: journal\n")
    assert "errors" not in listed.json()


@pytest.mark.parametrize("body", ["nonsense", "{}", "[]", '{"persons": [{}]}'])
async def test_an_entry_in_the_copy_that_is_none_makes_the_log_unknown(
    tmp_path: Path, body: str
) -> None:
    async with logged(tmp_path, limits=PATIENT) as gateway:
        await look_up(gateway)
        await own_log(gateway)
        await write(tmp_path, "UPDATE audit_entries SET body = ? WHERE seq = 1", body)
        assert is_unknown_and_the_rest_stands(await own_answer(gateway, query=LOG_AND_REST))


async def test_a_database_that_hangs_does_not_hold_up_the_answer(tmp_path: Path) -> None:
    is_over = asyncio.Event()

    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await is_over.wait()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    audit = Audit(copy_url=f"postgresql://postgres@127.0.0.1:{port}/nothing")
    await remember_copy(tmp_path, audit)
    async with server, logged(tmp_path, audit=audit, limits=SOON) as gateway:
        async with asyncio.timeout(4):
            body = await own_answer(gateway, query=LOG_AND_REST)
        is_over.set()
    assert is_unknown_and_the_rest_stands(body)


async def test_without_all_numbers_of_the_person_the_log_is_not_whole(tmp_path: Path) -> None:
    all_sources = backends()
    population = Faulty(all_sources["population"])
    async with logged(tmp_path, {**all_sources, "population": population}) as gateway:
        request_id = await look_up(gateway)
        population.fault = "down"
        body = await own_answer(gateway)
    log = body["data"]["me"]["accessLog"]
    assert log["state"] == "INCOMPLETE"
    assert logged_requests(log) == [request_id]
    assert codes(body) == ["NUMBERS_INCOMPLETE"]


async def test_whose_old_number_somebody_else_held_too_has_no_log_that_is_known_to_be_whole(
    tmp_path: Path,
) -> None:
    async with logged(tmp_path) as gateway:
        body = await own_answer(gateway, FIRST_HOLDER)
    log = body["data"]["me"]["accessLog"]
    assert (log["items"], log["state"]) == (None, "INCOMPLETE")
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "NUMBER_SHARED"
    assert error["extensions"]["lists"] == ["accessLog"]


async def test_a_citizen_whom_the_population_does_not_know_is_not_told_that_nobody_read_them(
    tmp_path: Path,
) -> None:
    async with logged(tmp_path) as gateway:
        body = await own_answer(gateway, NOBODY)
    log = body["data"]["me"]["accessLog"]
    assert (log["items"], log["state"]) == (None, "NOT_IDENTIFIED")
    assert codes(body) == ["PERSON_NOT_IDENTIFIED"]


@pytest.mark.parametrize(
    ("behind", "state"), [(timedelta(seconds=59), "ANSWERED"), (timedelta(seconds=61), "PARTIAL")]
)
async def test_a_gateway_that_ships_nothing_for_a_minute_makes_the_log_partial(
    tmp_path: Path, behind: timedelta, state: str
) -> None:
    async with logged(tmp_path) as gateway:
        await look_up(gateway)
        await own_log(gateway)
        complete_until = (gateway.clock.now() - behind).replace(tzinfo=None)
        await write(tmp_path, OTHER_GATEWAY, complete_until.isoformat(" ", "microseconds"))
        log = await own_log(gateway)
    assert log["state"] == state
    assert log["completeUntil"] == f"{complete_until.isoformat()}+00:00"
    assert len(logged_requests(log)) == 1


async def test_a_gateway_that_has_shipped_nothing_yet_makes_the_log_partial(tmp_path: Path) -> None:
    async with logged(tmp_path) as gateway:
        await own_log(gateway, LAN)
        await write(tmp_path, OTHER_GATEWAY, None)
        log = await own_log(gateway)
    assert (log["items"], log["state"], log["completeUntil"]) == (None, "PARTIAL", None)


async def test_what_this_gateway_has_not_shipped_makes_the_log_partial(tmp_path: Path) -> None:
    """The copy can be read but not written to: of what was read last nothing is in it."""
    async with logged(tmp_path, limits=PATIENT) as gateway:
        first = await look_up(gateway)
        await own_log(gateway)
        await write(
            tmp_path,
            "CREATE TRIGGER full BEFORE INSERT ON audit_entries "
            "BEGIN SELECT RAISE(ABORT, 'full'); END",
        )
        await look_up(gateway)
        resources = gateway.service.resources
        assert isinstance(resources.log, PersonLog)
        resources = replace(resources, log=replace(resources.log, patience=1.5))
        gateway.app.state.service = replace(gateway.service, resources=resources)
        body = await own_answer(gateway)
    log = body["data"]["me"]["accessLog"]
    assert logged_requests(log) == [first]
    assert log["state"] == "PARTIAL"
