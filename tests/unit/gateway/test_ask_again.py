"""A check that silent databases left open is made again once they are back.

Covers ``gateway.ask_again``, ``gateway.schema.ask_again``, ``gateway.execution.check_tickets``,
``gateway.execution.stored_check`` and ``gateway.tickets.tickets``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from joserfc.jwk import OKPKey

from connectors.description import Group
from gateway.access.revocations import revoke
from gateway.ask_again import AskAgain
from gateway.keys.keyring import load_signing
from gateway.settings import DatabaseSettings, Limits, TicketSettings
from tests.support.faults import Gated
from tests.support.people import HOA, LAN
from tests.support.running import Running, codes, running
from tests.support.tickets import CODE, SILENT, answer_of, ask_again, left, visit
from tests.support.worlds import ALL, LIVE, World, world

#: After its first look the gateway takes no other in time: tests look themselves.
SETTINGS = TicketSettings(interval_seconds=300)


@pytest.fixture
def known() -> World:
    databases = world({})
    databases.of(SILENT).fault = "down"
    return databases


@pytest.fixture
async def gateway(tmp_path: Path, known: World) -> AsyncIterator[Running]:
    limits = Limits(deadline=120, new_documents_per_minute=10**6)
    async with running(tmp_path, known, ALL, LIVE, limits=limits, tickets=SETTINGS) as gateway:
        yield gateway


async def test_the_answer_is_there_once_the_database_is_back(
    gateway: Running, known: World
) -> None:
    asked = (await ask_again(gateway))["data"]["askAgain"]
    assert asked["check"]["outcome"] == "UNKNOWN"
    assert [each["name"] for each in asked["waitsFor"]] == [SILENT]
    assert await visit(gateway) == 0
    waiting = (await answer_of(gateway, asked["ticket"]))["data"]["answerOf"]
    assert (waiting["state"], waiting["check"]) == ("WAITING", None)
    known.of(SILENT).fault = None
    assert await visit(gateway) == 1
    answer = (await answer_of(gateway, asked["ticket"]))["data"]["answerOf"]
    assert answer["state"] == "ANSWERED"
    assert answer["check"]["outcome"] == "MET"
    assert {rule["state"] for rule in answer["check"]["rules"]} == {"PASS"}
    assert answer["check"]["results"] == {"isConsideredUnsanctioned": True}
    assert answer["check"]["factsAsOf"] > asked["check"]["factsAsOf"]
    assert {source["state"] for source in answer["check"]["sources"]} == {"ANSWERED"}
    assert answer["check"]["silent"] == []


async def test_an_answer_is_fetched_once(gateway: Running, known: World) -> None:
    ticket = await left(gateway)
    known.of(SILENT).fault = None
    await visit(gateway)
    answers = await asyncio.gather(*(answer_of(gateway, ticket) for _ in range(5)))
    fetched = [body for body in answers if not codes(body)]
    assert len(fetched) == 1
    assert [codes(body) for body in answers if codes(body)] == [["TICKET_UNKNOWN"]] * 4


@pytest.mark.parametrize(
    "foreign",
    [
        {"subject": "another officer"},
        {"client": "another-client"},
        {"case": "2/2026"},
        {"purpose": "1.000894"},
    ],
    ids=str,
)
async def test_nobody_else_and_no_other_case_gets_an_answer(
    gateway: Running, known: World, foreign: dict[str, str]
) -> None:
    ticket = await left(gateway)
    known.of(SILENT).fault = None
    await visit(gateway)
    assert codes(await answer_of(gateway, ticket, **foreign)) == ["TICKET_UNKNOWN"]
    assert codes(await answer_of(gateway, ticket)) == [], "it is there still for who left it"


async def test_who_has_lost_a_scope_since_gets_no_answer(gateway: Running, known: World) -> None:
    scopes = ("procedures:check", "civil_status:read")
    ticket = await left(gateway, scopes=scopes)
    known.of(SILENT).fault = None
    await visit(gateway)
    assert codes(await answer_of(gateway, ticket)) == ["TICKET_UNKNOWN"]
    assert codes(await answer_of(gateway, ticket, scopes=scopes)) == []


@pytest.mark.parametrize("ticket", ["", "x", "A" * 43, "đ" * 64, "A" * 10_000])
async def test_what_is_no_ticket_is_unknown(gateway: Running, ticket: str) -> None:
    assert codes(await answer_of(gateway, ticket)) == ["TICKET_UNKNOWN"]


async def test_a_ticket_expires_whether_answered_or_not(gateway: Running, known: World) -> None:
    answered, waiting = await left(gateway), None
    known.of(SILENT).fault = None
    await visit(gateway)
    known.of(SILENT).fault = "down"
    waiting = await left(gateway, number=LAN)
    await gateway.pass_time(SETTINGS.life_seconds)
    for ticket in (answered, waiting):
        assert codes(await answer_of(gateway, ticket)) == ["TICKET_UNKNOWN"]
    known.of(SILENT).fault = None
    assert await visit(gateway) == 0


async def test_a_check_is_not_made_with_a_token_that_has_expired(
    gateway: Running, known: World
) -> None:
    ticket = await left(gateway, life=timedelta(minutes=10))
    known.of(SILENT).fault = None
    known.forget()
    assert await visit(gateway) == 0
    assert known.fetched == []
    assert codes(await answer_of(gateway, ticket)) == ["TICKET_UNKNOWN"]


async def test_a_check_is_not_made_with_a_token_that_was_revoked(
    gateway: Running, known: World
) -> None:
    ticket = await left(gateway)
    settings = gateway.service.resources.settings
    for entry in gateway.journal():
        revoke(settings.path(settings.access.revocations), entry["tokenId"], gateway.clock)
    known.of(SILENT).fault = None
    known.forget()
    assert await visit(gateway) == 0
    assert known.fetched == []
    assert codes(await answer_of(gateway, ticket)) == ["TICKET_UNKNOWN"]


async def test_a_check_is_not_made_with_a_token_whose_key_was_retired(
    gateway: Running, known: World
) -> None:
    await left(gateway)
    known.of(SILENT).fault = None
    known.forget()
    gateway.service.tokens.use([OKPKey.generate_key("Ed25519", {"kid": "new"})])
    assert await visit(gateway) == 0
    assert known.fetched == []
    gateway.service.tokens.use(load_signing(gateway.service.resources.settings, "token"))
    assert await visit(gateway) == 0, "the ticket is gone"


async def test_what_is_not_silent_leaves_no_ticket(gateway: Running, known: World) -> None:
    known.of(SILENT).fault = None
    body = await ask_again(gateway)
    assert body["data"]["askAgain"]["ticket"] is None
    assert body["data"]["askAgain"]["check"]["outcome"] == "MET"


async def test_a_database_that_does_not_operate_is_not_waited_for(tmp_path: Path) -> None:
    settings = {**LIVE, SILENT: DatabaseSettings(group=Group.PLANNED)}
    async with running(tmp_path, world({}), ALL, settings, tickets=SETTINGS) as gateway:
        body = await ask_again(gateway)
        assert body["data"]["askAgain"]["check"]["outcome"] == "UNKNOWN"
        assert body["data"]["askAgain"]["ticket"] is None


async def test_a_check_that_stays_open_waits_on_for_what_is_silent_then(
    gateway: Running, known: World
) -> None:
    ticket = await left(gateway)
    known.of(SILENT).fault = None
    known.of("civil_status").fault = "down"
    assert await visit(gateway) == 0
    waiting = (await answer_of(gateway, ticket))["data"]["answerOf"]
    assert [each["name"] for each in waiting["waitsFor"]] == ["civil_status"]
    known.of("civil_status").fault = None
    assert await visit(gateway) == 1
    answer = (await answer_of(gateway, ticket))["data"]["answerOf"]
    assert answer["check"]["outcome"] == "MET"


async def test_tickets_are_bounded_for_each_client_and_in_all(tmp_path: Path, known: World) -> None:
    settings = TicketSettings(interval_seconds=300, most=3, most_per_client=2)
    async with running(tmp_path, known, ALL, LIVE, tickets=settings) as gateway:
        for _ in range(2):
            await left(gateway)
        body = await ask_again(gateway)
        assert codes(body)[-1:] == ["TOO_MANY_TICKETS"]
        assert body["data"] == {"askAgain": None}
        await left(gateway, client="another-client")
        body = await ask_again(gateway, client="a-third-client")
        assert "TOO_MANY_TICKETS" in codes(body)
        await gateway.pass_time(settings.life_seconds)
        await left(gateway)


async def test_scope_purpose_and_case_are_needed(gateway: Running, known: World) -> None:
    assert codes(await ask_again(gateway, scopes=("population:read",))) == ["FORBIDDEN"]
    assert codes(await ask_again(gateway, scopes=("operate",))) == ["FORBIDDEN"]
    assert codes(await ask_again(gateway, case="")) == ["CASE_NUMBER_REQUIRED"]
    assert codes(await answer_of(gateway, "x", scopes=("operate",))) == ["FORBIDDEN"]
    known.forget()
    body = await ask_again(gateway, purpose="1.000894")
    assert codes(body) == ["FORBIDDEN"]
    assert known.fetched == []


async def test_the_journal_has_who_was_checked_when_it_was_asked_made_and_fetched(
    gateway: Running, known: World
) -> None:
    ticket = await left(gateway)
    known.of(SILENT).fault = None
    await visit(gateway)
    await answer_of(gateway, ticket)
    asked, made, fetched = gateway.journal()
    people = [entry["persons"] for entry in (asked, made, fetched)]
    assert {person["person"] for person in people[0]} == {person["person"] for person in people[1]}
    assert people[1] == people[2]
    for entry in (asked, made, fetched):
        assert entry["purpose"] == CODE
        assert entry["caseNumber"] == asked["caseNumber"]
        assert entry["subject"] == asked["subject"]
    assert made["requestId"] == f"{asked['requestId']}/again/1"
    assert asked["sections"][f"{SILENT}.sanctions"] == "UNAVAILABLE"
    assert made["sections"][f"{SILENT}.sanctions"] == "ANSWERED"
    assert fetched["sections"] == made["sections"], "so that they are hidden from the same people"


async def test_what_is_kept_names_nobody_and_is_the_owners_alone(
    gateway: Running, known: World
) -> None:
    ticket = await left(gateway)
    known.of(SILENT).fault = None
    await visit(gateway)
    file = gateway.folder / "tickets/tickets.sqlite"
    content = b"".join(each.read_bytes() for each in file.parent.iterdir())
    assert not any(text.encode() in content for text in (HOA, ticket, CODE, "test-client"))
    assert file.stat().st_mode & 0o077 == 0


async def test_the_gateway_looks_by_itself_and_finishes_a_check_when_it_stops(
    tmp_path: Path, known: World
) -> None:
    source = known[SILENT] = Gated(known.of(SILENT).inner)
    source.fault = "down"
    source.gate.set()
    settings = TicketSettings(interval_seconds=0.01)
    async with running(tmp_path, known, ALL, LIVE, tickets=settings) as gateway:
        ticket = await left(gateway)
        source.fault = None
        source.gate.clear()
        source.is_waiting.clear()
        await gateway.pass_time(1000)
        async with asyncio.timeout(60):
            await source.is_waiting.wait()
        again: AskAgain = gateway.app.state.ask_again
        closing = asyncio.create_task(again.close())
        await asyncio.sleep(0)
        source.gate.set()
        await closing
        body = await answer_of(gateway, ticket)
        assert body["data"]["answerOf"]["check"]["outcome"] == "MET"
