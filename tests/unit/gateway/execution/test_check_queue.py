"""A queue of cases: each is checked, answered and written down by itself.

Covers ``gateway.execution.check_queue``, and what ``gateway.request`` writes of such cases.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pytest

from connectors.backends.base import NOBODY as NO_ASKER
from connectors.backends.base import Asker, Backend, Batch, Capabilities, Scope
from connectors.description import Lookup, Record
from gateway.audit.entry import person_hash
from gateway.catalogue.checks import MOST_CASES
from gateway.settings import Client, Limits
from tests.support.access_logs import OWN_LOG, logged
from tests.support.checks import ask_check
from tests.support.faults import Faulty
from tests.support.people import HOA, LAN, NOBODY, SHARED_NUMBER
from tests.support.running import CASE_NUMBER, Running, codes, running
from tests.support.worlds import ALL, LIVE, WAYS, World, answer, world

CODE, MARRIAGE = "no-sanction-check", "1.000894"
_QUERY = """query($code: String!, $cases: [CheckCaseInput!]!, $at: Date) {
  checkProcedures(code: $code, cases: $cases, at: $at) {
    caseNumber check { outcome rules { code state } sources { state } } } }"""
_RECEIPTS = """query($code: String!, $cases: [CheckCaseInput!]!) {
  checkProcedures(code: $code, cases: $cases) { caseNumber check { receipt } } }"""
_RECHECK = "query($receipt: String!) { recheck(receipt: $receipt) { changed } }"


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    answer(request.param, monkeypatch)
    way: str = request.param
    return way


@pytest.fixture
def known() -> World:
    return world({})


def case_of(case_number: str, applicant: str) -> dict[str, Any]:
    return {"caseNumber": case_number, "input": {"noSanctionCheck": {"applicant": applicant}}}


def couple_of(case_number: str, groom: str, bride: str) -> dict[str, Any]:
    couple = {"groom": groom, "bride": bride}
    return {"caseNumber": case_number, "input": {"marriageRegistration": couple}}


async def ask_queue(
    gateway: Running,
    cases: Sequence[Mapping[str, Any]],
    code: str = CODE,
    query: str = _QUERY,
    scopes: Sequence[str] = ("procedures:check",),
    at: str | None = None,
    **headers: str,
) -> dict[str, Any]:
    """Return the body of the answer to a queue, sent without the number of a case of its own."""
    token = gateway.token(*scopes, purposes=[code])
    headers = {"x_purpose": code, "x_case_number": "", **headers}
    variables = {"code": code, "cases": cases, "at": at}
    body: dict[str, Any] = (await gateway.post(query, variables, token, **headers)).json()
    return body


def shown(body: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    """Return number and outcome of each case."""
    return [
        (each["caseNumber"], each["check"] and each["check"]["outcome"])
        for each in body["data"]["checkProcedures"]
    ]


def refusals(body: Mapping[str, Any]) -> list[tuple[list[str | int], str]]:
    return [(error["path"], error["extensions"]["code"]) for error in body.get("errors", [])]


def written(gateway: Running, *numbers: str) -> list[tuple[str | None, dict[str, str], list[str]]]:
    """Return case number, people of ``numbers`` with their roles, and codes of each entry."""
    hashes = gateway.service.resources.person_hash
    names = {person_hash(hashes, number): number for number in numbers}
    return [
        (
            entry["caseNumber"],
            {names.get(each["person"], "?"): each["role"] for each in entry["persons"]},
            entry["codes"],
        )
        for entry in gateway.journal()
    ]


@pytest.mark.usefixtures("way")
async def test_each_case_is_answered_as_if_it_stood_alone(tmp_path: Path, known: World) -> None:
    async with running(tmp_path, known, ALL, LIVE) as gateway:
        body = await ask_queue(gateway, [case_of("HS-1", HOA), case_of("HS-2", NOBODY)])
        assert shown(body) == [("HS-1", "MET"), ("HS-2", "UNKNOWN")]
        alone = await ask_check(gateway, CODE, {"noSanctionCheck": {"applicant": NOBODY}})
        rules = alone["data"]["checkProcedure"]["rules"]
        expected = [{"code": rule["code"], "state": rule["state"]} for rule in rules]
        assert body["data"]["checkProcedures"][1]["check"]["rules"] == expected


@pytest.mark.usefixtures("way")
async def test_the_journal_has_an_entry_for_each_case_with_its_people_alone(
    tmp_path: Path, known: World
) -> None:
    async with running(tmp_path, known, ALL, LIVE) as gateway:
        await ask_queue(gateway, [case_of("HS-1", HOA), case_of("HSĐ-2/2026/QĐ", LAN)])
        assert written(gateway, HOA, LAN) == [
            ("HS-1", {HOA: "NAMED"}, []),
            ("HSĐ-2/2026/QĐ", {LAN: "NAMED"}, []),
        ]
        first, second = gateway.journal()
        assert first["requestId"] == second["requestId"]
        assert first["id"] != second["id"]
        assert "procedures.no_sanction_check.applicant" in first["persons"][0]["sections"]
        assert first["sections"]["administrative_violations.sanctions"] == "ANSWERED"


@pytest.mark.usefixtures("way")
async def test_the_case_of_the_request_has_an_entry_where_it_reads_others(
    tmp_path: Path, known: World
) -> None:
    query = f"""query($code: String!, $cases: [CheckCaseInput!]!) {{
      checkProcedures(code: $code, cases: $cases) {{ check {{ outcome }} }}
      checkProcedure(code: $code, input: {{noSanctionCheck: {{applicant: "{HOA}"}}}})
        {{ outcome }} }}"""
    async with running(tmp_path, known, ALL, LIVE) as gateway:
        cases = [case_of("HS-1", LAN), case_of("HS-2", SHARED_NUMBER)]
        assert codes(await ask_queue(gateway, cases, query=query)) == ["CASE_NUMBER_REQUIRED"]
        refused = len(gateway.journal())
        await ask_queue(gateway, cases, query=query, x_case_number=CASE_NUMBER)
        assert written(gateway, HOA, LAN, SHARED_NUMBER)[refused:] == [
            (CASE_NUMBER, {HOA: "NAMED"}, []),
            ("HS-1", {LAN: "NAMED"}, []),
            ("HS-2", {SHARED_NUMBER: "REFUSED"}, ["NUMBER_CONFLICT"]),
        ]


async def test_statistics_beside_a_queue_have_the_entry_of_the_request(
    tmp_path: Path, known: World
) -> None:
    query = """query($code: String!, $cases: [CheckCaseInput!]!) {
      checkProcedures(code: $code, cases: $cases) { check { outcome } }
      statistics(database: "legal_aid", record: "requests", groupBy: []) { total } }"""
    scopes = ("procedures:check", "statistics")
    async with running(tmp_path, known, ALL, LIVE) as gateway:
        await ask_queue(gateway, [case_of("HS-1", HOA)], query=query, scopes=scopes)
        assert [(case, people) for case, people, _ in written(gateway, HOA)] == [
            (None, {}),
            ("HS-1", {HOA: "NAMED"}),
        ]


async def test_each_citizen_sees_the_case_they_stand_in(tmp_path: Path, known: World) -> None:
    async with logged(tmp_path, known, ALL, LIVE) as gateway:
        await ask_queue(gateway, [case_of("HS-7", HOA), case_of("HS-8", LAN)])
        gateway.clock.advance(60)
        for number, case_number in ((HOA, "HS-7"), (LAN, "HS-8")):
            token = gateway.token("me", subject=number)
            reply = await gateway.post(OWN_LOG, None, token, x_purpose="", x_case_number="")
            (entry,) = reply.json()["data"]["me"]["accessLog"]["items"]
            assert (entry["caseNumber"], entry["role"]) == (case_number, "NAMED")


@pytest.mark.usefixtures("way")
async def test_what_is_wrong_with_a_case_costs_that_case_only(tmp_path: Path, known: World) -> None:
    cases = [
        couple_of("HS-1", HOA, LAN),
        couple_of("HS-2", HOA, SHARED_NUMBER),
        couple_of("HS-3", HOA, HOA),
        case_of("HS-4", HOA),
        couple_of("HS-5", LAN, HOA),
    ]
    async with running(tmp_path, known, ALL, LIVE) as gateway:
        body = await ask_queue(gateway, cases, MARRIAGE)
        outcomes = dict(shown(body))
        assert [number for number, outcome in outcomes.items() if outcome] == ["HS-1", "HS-5"]
        assert refusals(body) == [
            (["checkProcedures", 1], "NUMBER_CONFLICT"),
            (["checkProcedures", 2], "SAME_PERSON"),
            (["checkProcedures", 3], "INVALID_VALUE"),
        ]
        entries = {case: (people, codes) for case, people, codes in written(gateway, HOA, LAN)}
        assert set(entries) == {"HS-1", "HS-2", "HS-3", "HS-4", "HS-5"}
        assert entries["HS-3"] == ({HOA: "REFUSED"}, ["SAME_PERSON"])
        assert entries["HS-4"] == ({HOA: "REFUSED"}, ["INVALID_VALUE"])
        assert entries["HS-5"][0][LAN] == entries["HS-1"][0][LAN] == "NAMED"


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    "case_number", ["", "HS 1", "x" * 65, HOA, "123456789", "HS-1\n", "HS\u202e1"]
)
async def test_what_is_no_case_number_is_refused_and_not_written(
    tmp_path: Path, known: World, case_number: str
) -> None:
    async with running(tmp_path, known, ALL, LIVE) as gateway:
        body = await ask_queue(gateway, [case_of(case_number, HOA), case_of("HS-2", LAN)])
        assert shown(body) == [(case_number, None), ("HS-2", "MET")]
        assert refusals(body) == [(["checkProcedures", 0], "INVALID_VALUE")]
        assert written(gateway, HOA, LAN) == [
            (None, {HOA: "REFUSED"}, ["INVALID_VALUE"]),
            ("HS-2", {LAN: "NAMED"}, []),
        ]


async def test_a_case_without_a_number_does_not_fit_the_schema(
    tmp_path: Path, known: World
) -> None:
    async with running(tmp_path, known, ALL, LIVE) as gateway:
        case = {"input": {"noSanctionCheck": {"applicant": HOA}}}
        assert codes(await ask_queue(gateway, [case])) == ["INVALID_VARIABLES"]
        assert known.fetched == []


@pytest.mark.usefixtures("way")
async def test_cases_that_share_a_number_are_refused(tmp_path: Path, known: World) -> None:
    # The same number in Unicode forms C and D.
    cases = [case_of("HSĐ-Ấ", HOA), case_of("HS-2", LAN), case_of("HSĐ-A\u0302\u0301", NOBODY)]
    async with running(tmp_path, known, ALL, LIVE) as gateway:
        body = await ask_queue(gateway, cases)
        assert shown(body) == [("HSĐ-Ấ", None), ("HS-2", "MET"), ("HSĐ-Ấ", None)]
        assert refusals(body) == [
            (["checkProcedures", 0], "INVALID_VALUE"),
            (["checkProcedures", 2], "INVALID_VALUE"),
        ]


@pytest.mark.usefixtures("way")
async def test_fifty_cases_are_the_most(tmp_path: Path, known: World) -> None:
    cases = [case_of(f"HS-{place}", HOA) for place in range(MOST_CASES + 1)]
    async with running(tmp_path, known, ALL, LIVE) as gateway:
        body = await ask_queue(gateway, cases)
        assert MOST_CASES == 50
        assert body["data"] == {"checkProcedures": None}
        assert refusals(body) == [(["checkProcedures"], "INVALID_VALUE")]
        assert known.fetched == []
        assert written(gateway, HOA) == [(None, {HOA: "REFUSED"}, ["INVALID_VALUE"])]
        body = await ask_queue(gateway, cases[:-1])
        assert Counter(outcome for _, outcome in shown(body)) == {"MET": 50}
        assert shown(await ask_queue(gateway, [])) == []


async def test_fifty_cases_take_as_many_statements_as_one(tmp_path: Path, known: World) -> None:
    numbers = [HOA, LAN, *(f"001090{place:06}" for place in range(MOST_CASES - 2))]
    cases = [case_of(f"HS-{place}", number) for place, number in enumerate(numbers)]
    async with running(tmp_path, known, ALL, LIVE) as gateway:
        await ask_queue(gateway, cases[:1])
        of_one = Counter((record, lookup) for record, lookup, _ in known.fetched)
        known.forget()
        body = await ask_queue(gateway, cases)
        assert len(shown(body)) == MOST_CASES
        assert Counter((record, lookup) for record, lookup, _ in known.fetched) == of_one
        assert len(gateway.journal()) == 1 + MOST_CASES


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("code", "at", "scopes", "error"),
    [
        ("1.999999", None, ("procedures:check",), "PURPOSE_UNKNOWN"),
        (CODE, "2027-11-24", ("procedures:check",), "INVALID_VALUE"),
        (CODE, None, ("population:read",), "FORBIDDEN"),
    ],
)
async def test_what_is_wrong_with_all_cases_costs_the_field(
    tmp_path: Path, known: World, code: str, at: str, scopes: tuple[str, ...], error: str
) -> None:
    headers = {} if "procedures:check" in scopes else {"x_case_number": CASE_NUMBER}
    async with running(tmp_path, known, ALL, LIVE) as gateway:
        cases = [case_of("HS-1", HOA), case_of("HS-2", LAN)]
        body = await ask_queue(gateway, cases, code, scopes=scopes, at=at, **headers)
        assert codes(body) == [error]
        assert known.fetched == []


@pytest.mark.usefixtures("way")
async def test_another_purpose_and_details_to_match_refuse_the_field(
    tmp_path: Path, known: World
) -> None:
    async with running(tmp_path, known, ALL, LIVE) as gateway:
        body = await ask_queue(gateway, [couple_of("HS-1", HOA, LAN)], MARRIAGE)
        assert codes(body) == []
        token = gateway.token("procedures:check", purposes=[CODE])
        variables = {"code": MARRIAGE, "cases": [couple_of("HS-1", HOA, LAN)]}
        reply = await gateway.post(_QUERY, variables, token, x_purpose=CODE, x_case_number="")
        (error,) = reply.json()["errors"]
        assert error["extensions"]["missing"] == [f"purpose:{MARRIAGE}"]
    clients = {"test-client": Client(matching=True)}
    async with running(tmp_path / "strict", known, ALL, LIVE, clients=clients) as gateway:
        body = await ask_queue(gateway, [case_of("HS-1", HOA)])
        assert refusals(body) == [(["checkProcedures"], "MATCHING_REQUIRED")]


@pytest.mark.usefixtures("way")
async def test_people_of_all_cases_count_and_the_cost_is_their_sum(
    tmp_path: Path, known: World
) -> None:
    cases = [case_of("HS-1", HOA), case_of("HS-2", LAN), case_of("HS-3", NOBODY)]
    limits = Limits(persons=2, deadline=120)
    scopes = ("procedures:check", "plans")
    async with running(tmp_path, known, ALL, LIVE, limits=limits) as gateway:
        assert codes(await ask_queue(gateway, cases)) == ["TOO_MANY_PERSONS"]
        known.forget()
        one = await ask_queue(gateway, cases[:1], scopes=scopes)
        two = await ask_queue(gateway, cases[:2], scopes=scopes)
        cost = one["extensions"]["cost"]["atMost"]
        assert two["extensions"]["cost"]["atMost"] == 2 * cost > 0
    limits = Limits(cost=cost, deadline=120)
    async with running(tmp_path / "dear", known, ALL, LIVE, limits=limits) as gateway:
        known.forget()
        assert codes(await ask_queue(gateway, cases[:2])) == ["TOO_COSTLY"]
        assert known.fetched == []


async def test_a_queue_does_not_come_in_a_url(tmp_path: Path, known: World) -> None:
    variables = orjson.dumps({"code": CODE, "cases": [case_of("HS-1", HOA)]}).decode()
    async with running(tmp_path, known, ALL, LIVE) as gateway:
        token = gateway.token("procedures:check", purposes=[CODE])
        reply = await gateway.client.get(
            f"/graphql?query={quote(_QUERY)}&variables={quote(variables)}",
            headers={"authorization": f"Bearer {token}", "x-purpose": CODE},
        )
        assert codes(reply.json()) == ["PERSON_IN_URL"]


@pytest.mark.usefixtures("way")
async def test_a_receipt_is_of_its_own_case(tmp_path: Path, known: World) -> None:
    async with running(tmp_path, known, ALL, LIVE) as gateway:
        cases = [case_of("HS-1", HOA), case_of("HS-2", LAN)]
        body = await ask_queue(gateway, cases, query=_RECEIPTS)
        receipts = [each["check"]["receipt"] for each in body["data"]["checkProcedures"]]
        token = gateway.token("procedures:check", purposes=[CODE])
        for receipt, case_number, other in zip(
            receipts, ("HS-1", "HS-2"), ("HS-2", "HS-1"), strict=True
        ):
            for stated, refused in ((case_number, []), (other, ["RECEIPT_REFUSED"])):
                reply = await gateway.post(
                    _RECHECK,
                    {"receipt": receipt},
                    token,
                    x_purpose=CODE,
                    x_case_number=stated,
                )
                assert codes(reply.json()) == refused


class _NamesCase(Faulty):
    """A database whose messages name the case."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.cases: list[tuple[str | None, tuple[str, ...]]] = []

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(batch_scope=Scope.CALLER, cache_scope=Scope.CALLER)

    async def fetch(
        self, record: Record, lookup: Lookup, keys: Sequence[str], asker: Asker = NO_ASKER
    ) -> Batch:
        self.cases.append((asker.case, tuple(keys)))
        return await super().fetch(record, lookup, keys, asker)


async def test_messages_that_name_the_case_are_those_of_one_case(
    tmp_path: Path, known: World, way: str
) -> None:
    population = _NamesCase(known["population"])
    databases = World({**known, "population": population})
    async with running(tmp_path, databases, ALL, LIVE) as gateway:
        cases = [case_of("HS-1", HOA), case_of("HS-2", LAN), case_of("HS-3", HOA)]
        body = await ask_queue(gateway, cases, x_case_number=CASE_NUMBER)
        assert {outcome for _, outcome in shown(body)} == {"MET"}
        people = {HOA, LAN}
        named = {(case, key) for case, keys in population.cases for key in keys if key in people}
        assert named == {("HS-1", HOA), ("HS-2", LAN), ("HS-3", HOA)}
    together = [keys for _, _, keys in known.of("civil_status").fetched if {HOA, LAN} <= {*keys}]
    if way == WAYS[0]:
        assert together, "where no case is named, all are asked for together"


@pytest.mark.usefixtures("way")
async def test_a_silent_database_is_an_error_at_each_case_and_in_each_entry(
    tmp_path: Path, known: World
) -> None:
    known.of("civil_status").fault = "down"
    async with running(tmp_path, known, ALL, LIVE) as gateway:
        body = await ask_queue(gateway, [case_of("HS-1", HOA), case_of("HS-2", LAN)])
        paths = {tuple(path) for path, _ in refusals(body)}
        assert paths == {("checkProcedures", 0), ("checkProcedures", 1)}
        assert set(codes(body)) == {"SOURCE_UNAVAILABLE"}
        assert [codes for _, _, codes in written(gateway)] == [["SOURCE_UNAVAILABLE"]] * 2


@pytest.mark.usefixtures("way")
async def test_no_answer_leaves_where_an_entry_cannot_be_written(
    tmp_path: Path, known: World
) -> None:
    async with running(tmp_path, known, ALL, LIVE) as gateway:
        await gateway.service.audit.journal.close()
        body = await ask_queue(gateway, [case_of("HS-1", HOA), case_of("HS-2", LAN)])
        assert codes(body) == ["AUDIT_UNAVAILABLE"]
        assert not body.get("data")
