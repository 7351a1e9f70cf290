"""Checking a procedure through a whole gateway, by plan and field by field.

Covers ``gateway.execution.checking``, ``gateway.execution.steps.check_procedures``,
``gateway.execution.check_progress``, ``gateway.plan.check_arguments``,
``gateway.catalogue.checks`` and ``gateway.schema.check_procedure``.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from gateway.derived.life_status import life_status
from gateway.execution.check_progress import CheckProgress
from tests.support.calls import calls_of
from tests.support.checks import ask_check, states_in
from tests.support.people import DEAD, HOA, LAN, NOBODY, OLD_NUMBER, SHARED_NUMBER
from tests.support.running import codes, running
from tests.support.worlds import ALL, LIVE, WAYS, Rows, World, answer, world

CODE = "no-sanction-check"
APPLICANT = {"noSanctionCheck": {"applicant": HOA}}
FINED: Rows = {
    "administrative_violations": {
        "sanctions": [
            {"decision_no": "S", "decision_date": "2026-10-01", "violator_citizen_id": HOA,
             "main_sanction": "FINE", "status": "EXECUTED", "sector": "Giao thông"}
        ],
        "executions": [{"execution_id": "E", "decision_no": "S", "completed_on": "2026-10-05"}],
    }
}  # fmt: skip


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    answer(request.param, monkeypatch)
    way: str = request.param
    return way


@pytest.fixture
def known() -> World:
    return world({})


@pytest.mark.usefixtures("way")
async def test_a_check_says_each_rule_and_the_outcome(tmp_path: Path, known: World) -> None:
    async with running(tmp_path, known, ALL, LIVE) as gateway:
        body = await ask_check(gateway, CODE, APPLICANT)
        checked = body["data"]["checkProcedure"]
        assert checked["outcome"] == "MET"
        assert set(states_in(body).values()) == {"PASS"}
        assert checked["at"] == "2026-11-23"
        assert checked["factsAsOf"] == "2026-11-23T03:00:00+00:00"
        assert {source["state"] for source in checked["sources"]} == {"ANSWERED"}
        assert "errors" not in body


@pytest.mark.usefixtures("way")
async def test_a_sanction_shows_by_the_rule_alone(tmp_path: Path) -> None:
    async with running(tmp_path, world(FINED), ALL, LIVE) as gateway:
        body = await ask_check(gateway, CODE, APPLICANT)
        assert body["data"]["checkProcedure"]["outcome"] == "NOT_MET"
        assert states_in(body)["UNSANCTIONED"] == "FAIL"
        assert all(rule["evidence"] == [] for rule in body["data"]["checkProcedure"]["rules"])
        ahead = await ask_check(gateway, CODE, APPLICANT, date(2027, 10, 5))
        assert states_in(ahead)["UNSANCTIONED"] == "PASS"


@pytest.mark.usefixtures("way")
async def test_a_silent_database_makes_unknown_and_is_named(tmp_path: Path, known: World) -> None:
    known.of("administrative_violations").fault = "down"
    called = LIVE["administrative_violations"].model_copy(update={"contact": "024 1234 5678"})
    databases = {**LIVE, "administrative_violations": called}
    async with running(tmp_path, known, ALL, databases) as gateway:
        body = await ask_check(gateway, CODE, APPLICANT)
        checked = body["data"]["checkProcedure"]
        assert checked["outcome"] == "UNKNOWN"
        assert states_in(body)["UNSANCTIONED"] == "UNKNOWN"
        (silent,) = checked["silent"]
        assert silent["name"] == "administrative_violations"
        assert silent["owner"]["vi"] == "Bộ Công an"
        assert silent["contact"] == "024 1234 5678"
        # The law withholds violations, their states too: the database is named, no list of it.
        assert codes(body) == []


@pytest.mark.usefixtures("way")
async def test_a_list_that_failed_is_an_error_beside_the_check(
    tmp_path: Path, known: World
) -> None:
    known.of("civil_status").fault = "down"
    async with running(tmp_path, known, ALL, LIVE) as gateway:
        body = await ask_check(gateway, CODE, APPLICANT)
        assert states_in(body)["APPLICANT_ALIVE"] == "UNKNOWN"
        assert set(codes(body)) == {"SOURCE_UNAVAILABLE"}


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("code", "given", "at", "error"),
    [
        ("1.999999", APPLICANT, None, "PROCEDURE_UNKNOWN"),
        ("access-log-review", APPLICANT, None, "PROCEDURE_UNKNOWN"),
        (CODE, APPLICANT, date(2027, 11, 24), "INVALID_VALUE"),
        (CODE, APPLICANT, date(1899, 12, 31), "INVALID_VALUE"),
        (CODE, {"noSanctionCheck": {"applicant": SHARED_NUMBER}}, None, "NUMBER_CONFLICT"),
    ],
)
async def test_bad_input_is_refused_with_its_code(
    tmp_path: Path, known: World, code: str, given: dict[str, object], at: date, error: str
) -> None:
    async with running(tmp_path, known, ALL, LIVE) as gateway:
        token = gateway.token("procedures:check", purposes=[CODE])
        variables = {"code": code, "input": given, "at": at and at.isoformat()}
        query = """query($code: String!, $input: CheckInput!, $at: Date) {
          checkProcedure(code: $code, input: $input, at: $at) { outcome } }"""
        body = (await gateway.post(query, variables, token, x_purpose=CODE)).json()
        assert body["data"] == {"checkProcedure": None}
        assert codes(body) == [error]


@pytest.mark.usefixtures("way")
async def test_nobody_and_the_dead_are_no_error(tmp_path: Path, known: World) -> None:
    async with running(tmp_path, known, ALL, LIVE) as gateway:
        nobody = await ask_check(gateway, CODE, {"noSanctionCheck": {"applicant": NOBODY}})
        assert set(states_in(nobody).values()) == {"UNKNOWN"}
        dead = await ask_check(gateway, CODE, {"noSanctionCheck": {"applicant": DEAD}})
        assert states_in(dead)["APPLICANT_ALIVE"] != "PASS"


@pytest.mark.usefixtures("way")
async def test_an_old_number_is_followed(tmp_path: Path) -> None:
    async with running(tmp_path, world(FINED), ALL, LIVE) as gateway:
        body = await ask_check(gateway, CODE, {"noSanctionCheck": {"applicant": OLD_NUMBER}})
        assert states_in(body)["UNSANCTIONED"] == "FAIL"


@pytest.mark.usefixtures("way")
async def test_scope_and_purpose_are_needed(tmp_path: Path, known: World) -> None:
    async with running(tmp_path, known, ALL, LIVE) as gateway:
        body = await ask_check(gateway, CODE, APPLICANT, scopes=["population:read"])
        assert codes(body) == ["FORBIDDEN"]
        token = gateway.token("procedures:check", purposes=["1.000894"])
        query = """query($input: CheckInput!) {
          checkProcedure(code: "no-sanction-check", input: $input) { outcome } }"""
        other = await gateway.post(query, {"input": APPLICANT}, token, x_purpose="1.000894")
        (error,) = other.json()["errors"]
        assert error["extensions"]["missing"] == ["purpose:no-sanction-check"]
        assert other.json()["data"] == {"checkProcedure": None}
        assert known.fetched == []


@pytest.mark.usefixtures("way")
async def test_the_journal_names_people_with_their_roles(tmp_path: Path, known: World) -> None:
    async with running(tmp_path, known, ALL, LIVE) as gateway:
        await ask_check(gateway, CODE, APPLICANT)
        await ask_check(gateway, CODE, {"noSanctionCheck": {"applicant": LAN}})
        first, second = gateway.journal()
        for entry in (first, second):
            (person,) = entry["persons"]
            assert person["role"] == "NAMED"
            assert "procedures.no_sanction_check.applicant" in person["sections"]
            assert "administrative_violations.sanctions" in person["sections"]
        assert first["persons"] != second["persons"]


async def test_a_check_waits_for_all_that_it_lacks_and_evaluates_no_settled_rule_again(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, world(FINED), ALL, LIVE) as gateway:
        with calls_of(CheckProgress.advance, life_status) as calls:
            body = await ask_check(gateway, CODE, APPLICANT)
        assert states_in(body)["UNSANCTIONED"] == "FAIL"
        # What hangs on a sanction comes in a wave of its own, and life is settled before.
        assert calls.names.count("advance") <= 3
        assert calls.names.count("life_status") == 1


@pytest.mark.usefixtures("way")
async def test_how_many_records_are_unreadable_is_for_who_may_read_them(tmp_path: Path) -> None:
    broken: dict[str, object] = {"event_id": "D", "citizen_id": HOA, "death_kind": "NO_SUCH_KIND"}
    rows: Rows = {"civil_status": {"deaths": [broken]}}
    async with running(tmp_path, world(rows), ALL, LIVE) as gateway:
        body = await ask_check(gateway, CODE, APPLICANT)
        assert states_in(body)["APPLICANT_ALIVE"] == "UNKNOWN"
        (error,) = body["errors"]
        assert error["extensions"]["code"] == "BAD_RECORD"
        assert error["extensions"]["record"] == "deaths"
        assert "count" not in error["extensions"]
