"""P11: what is confirmed of an enforcement, and to whom.

Covers ``gateway.procedures.checks.enforcement_law``.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.civil_enforcement import EnforcementObligationType, EnforcementStatus
from connectors.values import PartialDate, PersonNumber, ThingKey
from gateway.derived.registers import BIRTHS, DEATHS, IDENTITY
from gateway.derived.view import UnknownReason
from gateway.procedures.checks.evaluate import CheckConclusion
from gateway.procedures.enforcement_result import (
    CHECK,
    EnforcementOutcome,
    EnforcementResultInput,
)
from tests.support.checks import ask_check, check, papers, states, states_in, unproved_passes
from tests.support.evidence import PERSON, TODAY
from tests.support.people import HOA, LAN
from tests.support.running import running
from tests.support.worlds import ALL, LIVE, WAYS, Rows, answer, world

Row = dict[str, Any]
CODE = "enforcement-result"
CASES, OBLIGATIONS = "civil_enforcement.cases", "civil_enforcement.obligations"
ASKED = EnforcementResultInput(PersonNumber(PERSON), ThingKey("12/qđ-thads"))
CASE: Row = {"decision_no": "12/QĐ-THADS", "status": "ENFORCING", "status_since": date(2026, 9, 1)}
IDENTITY_ROW: Row = {
    "citizen_id": PERSON, "birth_date": PartialDate(1990, 5, 5), "life_status": "ALIVE"
}  # fmt: skip


def obligation(number: str = "O1", **columns: Any) -> Row:
    return {
        "obligation_id": number, "decision_no": "12/QĐ-THADS", "kind": "PAY_MONEY",
        "amount": Decimal(100), "currency": "VND", "paid_amount": Decimal(30),
        "remaining": Decimal(70), "due_date": date(2026, 3, 1), **columns,
    }  # fmt: skip


def registers(
    case: Row | None = CASE, obligations: list[Row] | None = None, **lists: list[Row]
) -> dict[str, list[Row]]:
    rows = [obligation()] if obligations is None else obligations
    return {
        IDENTITY: [IDENTITY_ROW],
        CASES: [] if case is None else [case],
        OBLIGATIONS: rows,
        **{{"deaths": DEATHS}[name]: more for name, more in lists.items()},
    }


def checked(lists: dict[str, list[Row]], at: date = TODAY, **case: Any) -> CheckConclusion:
    return check(CHECK, ASKED, lists, at, **case)


def result_of(conclusion: CheckConclusion) -> EnforcementOutcome | None:
    result = conclusion.results["enforcement_result"]
    assert result is None or isinstance(result, EnforcementOutcome)
    return result


def test_a_party_learns_what_was_paid_what_remains_and_where_the_case_stands() -> None:
    rows = [obligation(), obligation("O2", kind="COURT_FEE", amount=Decimal(5),
                                     paid_amount=Decimal(5), remaining=Decimal(0))]  # fmt: skip
    conclusion = checked(registers(obligations=rows))
    assert set(states(conclusion).values()) == {"PASS"}
    assert conclusion.outcome.name == "MET"
    result = result_of(conclusion)
    assert result is not None
    assert (result.paid, result.remaining, result.currency) == (Decimal(35), Decimal(70), "VND")
    assert (result.status, result.status_since) == (EnforcementStatus.ENFORCING, date(2026, 9, 1))
    assert [each.kind for each in result.obligations] == [
        EnforcementObligationType.PAY_MONEY, EnforcementObligationType.COURT_FEE
    ]  # fmt: skip


def test_somebody_else_learns_nothing_not_even_whether_there_is_such_a_decision() -> None:
    other_case = {**CASE, "decision_no": "13/QĐ-THADS"}
    answers = [
        checked(registers(case)) for case in (None, other_case)
    ] + [checked(registers(None, []))]  # fmt: skip
    first = answers[0]
    assert states(first)["PARTY_OF_DECISION"] == "FAIL"
    assert first.outcome.name == "NOT_MET"
    assert {states(first)[code] for code in ("STATUS_KNOWN", "OBLIGATIONS_KNOWN")} == {"UNKNOWN"}
    for conclusion in answers:
        assert result_of(conclusion) is None
        assert [each.result for each in conclusion.rules[2:]] == [
            each.result for each in first.rules[2:]
        ]


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("ENFORCING", "PASS"),
        ("IN_VOLUNTARY_PERIOD", "PASS"),
        ("NO_CONDITIONS", "PASS"),
        ("POSTPONED", "PASS"),
        ("COMPLETED", "PASS"),
        ("ENDED", "PASS"),
        ("PENDING_DECISION", "FAIL"),
        ("ENTRUSTED", "UNKNOWN"),
        (None, "UNKNOWN"),
    ],
)
def test_what_can_be_confirmed_depends_on_the_status(status: str | None, state: str) -> None:
    conclusion = checked(registers({**CASE, "status": status}))
    assert states(conclusion)["STATUS_KNOWN"] == state
    assert (result_of(conclusion) is None) is (state != "PASS")


@pytest.mark.parametrize(
    ("rows", "state", "paid"),
    [
        ([obligation()], "PASS", Decimal(30)),
        ([obligation(kind="DELIVER_OBJECT", amount=None, paid_amount=None, remaining=None),
          obligation("O2")], "PASS", Decimal(30)),
        ([], "UNKNOWN", None),
        ([obligation(paid_amount=None)], "UNKNOWN", None),
        ([obligation(remaining=None)], "UNKNOWN", None),
        ([obligation(kind=None)], "UNKNOWN", None),
        ([obligation(remaining=Decimal(69))], "UNKNOWN", None),
        ([obligation(), obligation("O2", currency="USD")], "PASS", None),
    ],
)  # fmt: skip
def test_sums_are_known_where_every_obligation_is(
    rows: list[Row], state: str, paid: Decimal | None
) -> None:
    conclusion = checked(registers(obligations=rows))
    assert states(conclusion)["OBLIGATIONS_KNOWN"] == state
    result = result_of(conclusion)
    assert (result.paid if result else None) == paid


def test_a_decision_with_things_alone_to_deliver_has_no_sums() -> None:
    thing = obligation(kind="DELIVER_OBJECT", amount=None, paid_amount=None, remaining=None)
    conclusion = checked(registers(obligations=[thing]))
    result = result_of(conclusion)
    assert conclusion.outcome.name == "MET"
    assert result is not None
    assert (result.paid, result.remaining, result.currency) == (None, None, None)


@pytest.mark.parametrize(
    ("name", "unknown"),
    [
        (CASES, {"PARTY_OF_DECISION", "STATUS_KNOWN", "OBLIGATIONS_KNOWN"}),
        (OBLIGATIONS, {"OBLIGATIONS_KNOWN"}),
        (IDENTITY, {"PARTY_IDENTIFIED", "PARTY_ALIVE"}),
        (DEATHS, {"PARTY_ALIVE"}),
    ],
)
def test_a_list_that_is_not_known_leaves_its_rules_open(name: str, unknown: set[str]) -> None:
    conclusion = checked(registers(), missing={name: UnknownReason.SOURCE_FAILED})
    assert {code for code, state in states(conclusion).items() if state == "UNKNOWN"} == unknown
    assert conclusion.outcome.name == "UNKNOWN"
    assert (result_of(conclusion) is None) is (name in {CASES, OBLIGATIONS})


def test_the_dead_ask_for_nothing() -> None:
    death = {"event_id": "D", "citizen_id": PERSON, "status": "VALID",
             "death_date": PartialDate(2026, 1, 1), "death_kind": "NATURAL_DEATH"}  # fmt: skip
    assert states(checked(registers(deaths=[death])))["PARTY_ALIVE"] == "FAIL"


def test_somebody_whom_nobody_knows_is_not_known_in_any_rule() -> None:
    conclusion = checked(registers(), unknown_people=frozenset({PERSON}))
    assert set(states(conclusion).values()) == {"UNKNOWN"}
    assert result_of(conclusion) is None


@pytest.mark.parametrize(
    ("at", "days", "law"),
    [
        (date(2009, 7, 1), 5, "26/2008"),
        (date(2026, 6, 30), 5, "26/2008"),
        (date(2026, 7, 1), 3, "106/2025"),
        (date(2026, 7, 2), 3, "106/2025"),
    ],
)
def test_the_law_of_the_day_sets_the_deadline(at: date, days: int, law: str) -> None:
    edition = checked(registers(), at).edition
    assert edition.deadline is not None
    assert edition.deadline.amount == days
    assert law in edition.law[0]


def test_there_is_no_law_before_the_first_one() -> None:
    assert CHECK.edition(date(2009, 6, 30)) is None


def test_data_replace_the_decision_and_the_card_but_not_the_request() -> None:
    assert papers(checked(registers())) == {
        "REQUEST": "TO_BRING", "IDENTITY_CARD": "REPLACED", "DECISION": "REPLACED"
    }  # fmt: skip
    missing = {OBLIGATIONS: UnknownReason.SOURCE_FAILED}
    assert papers(checked(registers(), missing=missing))["DECISION"] == "UNDECIDED"


def test_nothing_passes_on_what_is_not_known() -> None:
    # Births say no more here than that somebody is not born yet.
    assert unproved_passes(CHECK, ASKED, registers()) == {("PARTY_ALIVE", BIRTHS)}


# --- through a gateway --------------------------------------------------------------------------

OWED: Rows = {
    "civil_enforcement": {
        "cases": [{"decision_no": "12/QĐ-THADS", "status": "ENFORCING"}],
        "enforcement_parties": [
            {"entry_id": "P1", "decision_no": "12/QĐ-THADS", "role": "CREDITOR",
             "party_citizen_id": HOA}
        ],
        "obligations": [
            {"obligation_id": "O1", "decision_no": "12/QĐ-THADS", "kind": "PAY_MONEY",
             "amount": "1000000", "currency": "VND", "paid_amount": "250000",
             "remaining": "750000"}
        ],
    }
}  # fmt: skip
QUERY = """query($input: CheckInput!) {
  checkProcedure(code: "enforcement-result", input: $input) {
    outcome rules { code state sentence { vi } } sources { state database { name } }
    results { enforcementResult { paid remaining currency status
      obligations { kind amount paid remaining } } } } }"""


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    answer(request.param, monkeypatch)
    way: str = request.param
    return way


def given(person: str) -> dict[str, object]:
    return {"enforcementResult": {"party": person, "decisionNumber": "12/qđ-thads"}}


@pytest.mark.usefixtures("way")
async def test_a_party_is_answered_in_exact_amounts(tmp_path: Path) -> None:
    async with running(tmp_path, world(OWED), ALL, LIVE) as gateway:
        token = gateway.token("procedures:check", purposes=[CODE])
        body = (await gateway.post(QUERY, {"input": given(HOA)}, token, x_purpose=CODE)).json()
        checked = body["data"]["checkProcedure"]
        assert checked["outcome"] == "MET"
        assert checked["results"]["enforcementResult"] == {
            "paid": "250000", "remaining": "750000", "currency": "VND", "status": "ENFORCING",
            "obligations": [{"kind": "PAY_MONEY", "amount": "1000000", "paid": "250000",
                             "remaining": "750000"}],
        }  # fmt: skip


@pytest.mark.usefixtures("way")
async def test_who_is_no_party_is_told_the_same_whether_there_is_such_a_case(
    tmp_path: Path,
) -> None:
    bodies, reads = [], []
    for name, rows in (("there", OWED), ("none", {})):
        known = world(rows)
        async with running(tmp_path / name, known, ALL, LIVE) as gateway:
            token = gateway.token("procedures:check", purposes=[CODE])
            answer = await gateway.post(QUERY, {"input": given(LAN)}, token, x_purpose=CODE)
            bodies.append(answer.json())
            reads.append(sorted(known.fetched))
    assert bodies[0] == bodies[1]
    assert reads[0] == reads[1]
    assert bodies[0]["data"]["checkProcedure"]["outcome"] == "NOT_MET"
    assert bodies[0]["data"]["checkProcedure"]["results"]["enforcementResult"] is None


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("database", ["population", "civil_status", "civil_enforcement"])
async def test_it_is_never_met_while_a_database_is_silent(tmp_path: Path, database: str) -> None:
    known = world(OWED)
    known.of(database).fault = "down"
    async with running(tmp_path, known, ALL, LIVE) as gateway:
        body = await ask_check(gateway, CODE, given(HOA))
        assert body["data"]["checkProcedure"]["outcome"] == "UNKNOWN"
        assert "UNKNOWN" in states_in(body).values()
        silent = [each["name"] for each in body["data"]["checkProcedure"]["silent"]]
        assert silent == [database]
