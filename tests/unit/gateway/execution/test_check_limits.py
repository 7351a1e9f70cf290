"""What bounds a check: people, cost, time, and what a client has to know of people.

And what it leaves behind: the entry in the citizens' access logs, and nothing in caches.

Covers ``gateway.execution.checking``, ``gateway.plan.check_arguments`` and ``gateway.plan.cost``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pytest

from connectors.description import Group
from gateway.cache.rows import LOOKED
from gateway.catalogue.checks import checks_of
from gateway.settings import Client, DatabaseSettings, Limits
from tests.support.access_logs import OWN_LOG, logged, look_up
from tests.support.checks import ask_check, states_in
from tests.support.metrics import value_of
from tests.support.people import HOA, LAN, NOBODY
from tests.support.running import Running, codes, running
from tests.support.worlds import ALL, LIVE, WAYS, answer, world

CODE = "no-sanction-check"
APPLICANT = {"noSanctionCheck": {"applicant": HOA}}
#: Rows may be kept for ten minutes.
KEPT = {
    database.name: DatabaseSettings(timeout=120, group=Group.OPERATING, fresh=600)
    for database in ALL
}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    answer(request.param, monkeypatch)
    way: str = request.param
    return way


async def check_several(gateway: Running, *numbers: str, scopes: tuple[str, ...] = ()) -> Any:
    """Return the body of the answer to a document that checks each of ``numbers``."""
    selected = " ".join(
        f'c{place}: checkProcedure(code: "{CODE}", '
        f'input: {{noSanctionCheck: {{applicant: "{number}"}}}}) {{ outcome }}'
        for place, number in enumerate(numbers)
    )
    token = gateway.token("procedures:check", *scopes, purposes=[CODE])
    reply = await gateway.post(f"{{ {selected} }}", None, token, x_purpose=CODE)
    return reply.json()


@pytest.mark.usefixtures("way")
async def test_a_document_checks_as_many_people_as_it_may_name(tmp_path: Path) -> None:
    limits = Limits(persons=2, deadline=120)
    async with running(tmp_path, world({}), ALL, LIVE, limits=limits) as gateway:
        body = await check_several(gateway, HOA, LAN, NOBODY)
        assert body["data"]["c0"] == body["data"]["c1"] == {"outcome": "MET"}
        assert body["data"]["c2"] is None
        assert codes(body) == ["TOO_MANY_PERSONS"]


async def test_a_check_costs_as_much_as_the_dearest_procedure_may_read(tmp_path: Path) -> None:
    dearest = max(len(binding.definition.view.reads) for binding in checks_of(ALL).values())
    async with running(tmp_path, world({}), ALL, LIVE) as gateway:
        body = await check_several(gateway, HOA, scopes=("plans",))
        (cost,) = {body["extensions"]["cost"]["atMost"]}
        assert cost >= dearest
        twice = await check_several(gateway, HOA, LAN, scopes=("plans",))
        assert twice["extensions"]["cost"]["atMost"] == 2 * cost
    limits = Limits(cost=cost, deadline=120)
    databases = world({})
    async with running(tmp_path / "dear", databases, ALL, LIVE, limits=limits) as gateway:
        assert codes(await check_several(gateway, HOA)) == []
        databases.forget()
        assert codes(await check_several(gateway, HOA, LAN)) == ["TOO_COSTLY"]
        assert databases.fetched == []


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        (f'{{ checkProcedure(code: "{CODE}", input: {{noSanctionCheck: {{applicant: "{HOA}"}}}}) '
         "{ outcome } }", {}),
        (f"query($n: PersonNumber!) {{ checkProcedure(code: \"{CODE}\", "
         "input: {noSanctionCheck: {applicant: $n}}) { outcome } }", {"n": HOA}),
        (f"query($i: CheckInput!) {{ checkProcedure(code: \"{CODE}\", input: $i) {{ outcome }} }}",
         {"i": APPLICANT}),
    ],
)  # fmt: skip
async def test_a_check_does_not_come_in_a_url(
    tmp_path: Path, query: str, variables: dict[str, object]
) -> None:
    databases = world({})
    async with running(tmp_path, databases, ALL, LIVE) as gateway:
        token = gateway.token("procedures:check", purposes=[CODE])
        reply = await gateway.client.get(
            f"/graphql?query={quote(query)}&variables={quote(orjson.dumps(variables).decode())}",
            headers={
                "authorization": f"Bearer {token}",
                "x-purpose": CODE,
                "x-case-number": "1/2026",
            },
        )
        assert codes(reply.json()) == ["PERSON_IN_URL"]
        assert databases.fetched == []


@pytest.mark.usefixtures("way")
async def test_who_must_know_more_than_numbers_does_not_check(tmp_path: Path) -> None:
    databases = world({})
    clients = {"test-client": Client(matching=True)}
    async with running(tmp_path, databases, ALL, LIVE, clients=clients) as gateway:
        for number in (HOA, NOBODY):
            body = await ask_check(gateway, CODE, {"noSanctionCheck": {"applicant": number}})
            assert body["data"] == {"checkProcedure": None}
            assert codes(body) == ["MATCHING_REQUIRED"]
        assert databases.fetched == []


@pytest.mark.usefixtures("way")
async def test_a_deadline_that_passes_in_mid_check_leaves_rules_open(tmp_path: Path) -> None:
    databases = world({})
    sanctions = databases.of("administrative_violations")
    sanctions.fault, sanctions.only = "hangs", "handling_decisions"
    limits = Limits(deadline=0.3)
    async with running(tmp_path, databases, ALL, LIVE, limits=limits) as gateway:
        body = await ask_check(gateway, CODE, APPLICANT)
        assert states_in(body) == {
            "APPLICANT_IDENTIFIED": "PASS", "APPLICANT_ALIVE": "PASS", "UNSANCTIONED": "UNKNOWN"
        }  # fmt: skip
        assert body["data"]["checkProcedure"]["outcome"] == "UNKNOWN"
        (silent,) = body["data"]["checkProcedure"]["silent"]
        assert silent["name"] == "administrative_violations"


async def test_a_citizen_sees_who_checked_them_in_which_role(tmp_path: Path) -> None:
    query = """query($id: PersonNumber!) { checkProcedure(
      code: "no-sanction-check", input: {noSanctionCheck: {applicant: $id}}) { outcome } }"""
    async with logged(tmp_path, world({}), ALL, LIVE) as gateway:
        await look_up(gateway, HOA, query, ("procedures:check",), CODE, case="HS-7")
        await look_up(gateway, LAN, query, ("procedures:check",), CODE, case="HS-8")
        gateway.clock.advance(60)
        token = gateway.token("me", subject=HOA)
        body = (await gateway.post(OWN_LOG, None, token, x_purpose="", x_case_number="")).json()
        (entry,) = body["data"]["me"]["accessLog"]["items"]
        assert entry["caseNumber"] == "HS-7"
        assert entry["purpose"] == CODE
        assert entry["role"] == "NAMED"
        assert "procedures.no_sanction_check.applicant" in entry["sections"]


@pytest.mark.usefixtures("way")
async def test_a_change_shows_at_once_though_nothing_was_invalidated(tmp_path: Path) -> None:
    databases = world({"administrative_violations": {"sanctions": []}})
    ready, kept = value_of(LOOKED, "ready"), value_of(LOOKED, "fresh")
    async with running(tmp_path, databases, ALL, KEPT) as gateway:
        before = [await ask_check(gateway, CODE, APPLICANT) for _ in range(3)]
        assert {body["data"]["checkProcedure"]["outcome"] for body in before} == {"MET"}
        sanction: dict[str, object] = {
            "decision_no": "S",
            "decision_date": "2026-10-01",
            "status": "ISSUED",
            "violator_citizen_id": HOA,
            "main_sanction": "FINE",
        }
        changed = world({"administrative_violations": {"sanctions": [sanction]}})
        databases.of("administrative_violations").inner = changed.of(
            "administrative_violations"
        ).inner
        after = await ask_check(gateway, CODE, APPLICANT)
        assert states_in(after)["UNSANCTIONED"] != "PASS"
        assert after["data"]["checkProcedure"]["outcome"] != "MET"
    assert value_of(LOOKED, "ready") == ready
    assert value_of(LOOKED, "fresh") == kept
