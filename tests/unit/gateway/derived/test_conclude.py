"""``isConsideredUnsanctioned`` over the gateway: permissions, and answers in doubt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.description import Group
from gateway.procedures.procedure import UNIFIED
from gateway.settings import DatabaseSettings
from tests.support.people import HOA, LAN, NOBODY, OLD_NUMBER
from tests.support.running import Running, codes, running
from tests.support.worlds import ALL, EVERY, LIVE, WAYS, Row, World, answer, world

CHECK = "no-sanction-check"
FIELD = """isConsideredUnsanctioned(asOf: $asOf, sector: $sector) {
  value asOf source { state earlierNumbersAsked } }"""
QUERY = f"""query($id: PersonNumber!, $asOf: Date, $sector: String) {{ person(id: $id) {{
  administrativeViolations {{ {FIELD} sanctions {{ items {{ decisionNo }} source {{ state }} }}
  }} }} }}"""
DENIED_LIST = {"items": None, "source": {"state": "DENIED"}}
#: Another number that nobody holds.
OTHER_NOBODY = "001099999998"
LISTS = {"sanctions", "executions", "handling_decisions"}


@pytest.fixture(params=WAYS, autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(request.param, monkeypatch)


def fined(number: str, completed_on: str | None, **changes: object) -> World:
    """Somebody was fined under ``number``; paid on a day, or not yet."""
    sanction: Row = {"decision_no": "S", "violator_citizen_id": number, "main_sanction": "FINE",
                     "decision_date": "2025-10-01", "sector": "traffic", **changes}  # fmt: skip
    paid: list[Row] = [{"execution_id": "E", "decision_no": "S", "completed_on": completed_on}]
    rows = {"sanctions": [sanction], "executions": paid if completed_on else []}
    return world({"administrative_violations": rows})


#: The period of what was paid then is over today (23 November 2026); of what was paid later not.
LONG_AGO, LATELY = "2025-11-23", "2025-11-24"


async def ask(
    gateway: Running, number: str = HOA, purpose: str = CHECK, **variables: Any
) -> dict[str, Any]:
    """Return the whole answer of somebody with every scope, unless ``scopes`` says otherwise."""
    token = gateway.token(*variables.pop("scopes", EVERY), purposes=[purpose])
    reply = await gateway.post(QUERY, {"id": number, **variables}, token, x_purpose=purpose)
    body: dict[str, Any] = reply.json()
    return body


def section(body: dict[str, Any]) -> dict[str, Any]:
    violations: dict[str, Any] = body["data"]["person"]["administrativeViolations"]
    return violations


def verdict(body: dict[str, Any]) -> tuple[object, str]:
    view = section(body)["isConsideredUnsanctioned"]
    return view["value"], view["source"]["state"]


@pytest.mark.parametrize("narrow", [{"since": "2016-01-01"}, {"provinces": ["01"]},
                                    {"unnumbered": True}], ids=str)  # fmt: skip
async def test_a_database_that_covers_a_part_does_not_say_that_nobody_was_sanctioned(
    tmp_path: Path, narrow: dict[str, Any]
) -> None:
    part = DatabaseSettings(timeout=120, group=Group.OPERATING, **narrow)
    live = {**LIVE, "administrative_violations": part}
    async with running(tmp_path, fined(HOA, LATELY), ALL, live) as gateway:
        assert verdict(await ask(gateway, LAN))[0] is None
        assert verdict(await ask(gateway, HOA))[0] is False, "a sanction that is known decides"


@pytest.mark.parametrize(
    ("completed_on", "value"), [(LONG_AGO, True), (LATELY, False), (None, False)]
)
async def test_the_check_answers_while_the_sanctions_are_denied(
    tmp_path: Path, completed_on: str | None, value: bool
) -> None:
    async with running(tmp_path, fined(HOA, completed_on), ALL, LIVE) as gateway:
        body = await ask(gateway)
        (entry,) = gateway.journal()
    violations = section(body)
    assert violations["isConsideredUnsanctioned"] == {
        "value": value,
        "asOf": "2026-11-23",
        "source": {"state": "ANSWERED", "earlierNumbersAsked": True},
    }
    assert violations["sanctions"] == DENIED_LIST
    assert codes(body) == ["FORBIDDEN"]
    assert entry["persons"][0]["sections"] == [
        "administrative_violations.executions",
        "administrative_violations.handling_decisions",
        "administrative_violations.is_considered_unsanctioned",
        "administrative_violations.sanctions",
    ]


async def test_who_was_never_sanctioned_is_unsanctioned(tmp_path: Path) -> None:
    async with running(tmp_path, fined(HOA, LATELY), ALL, LIVE) as gateway:
        body = await ask(gateway, LAN)
    assert verdict(body) == (True, "ANSWERED")


async def test_a_scope_for_the_view_alone_is_enough(tmp_path: Path) -> None:
    scope = "administrative_violations.is_considered_unsanctioned:read"
    async with running(tmp_path, fined(HOA, LONG_AGO), ALL, LIVE) as gateway:
        body = await ask(gateway, scopes=[scope])
    assert verdict(body) == (True, "ANSWERED")
    assert section(body)["sanctions"] == DENIED_LIST


@pytest.mark.parametrize(
    ("purpose", "scopes", "missing"),
    [
        (CHECK, ["population:read"], ["administrative_violations:read"]),
        (
            "notarised-transfer",
            EVERY,
            ["purpose:administrative_violations.is_considered_unsanctioned"],
        ),
    ],
)
async def test_without_scope_or_purpose_it_is_denied_and_nothing_is_fetched(
    tmp_path: Path, purpose: str, scopes: list[str], missing: list[str]
) -> None:
    all_sources = fined(HOA, LONG_AGO)
    async with running(tmp_path, all_sources, ALL, LIVE) as gateway:
        body = await ask(gateway, purpose=purpose, scopes=scopes)
    assert verdict(body) == (None, "DENIED")
    (error, _) = body["errors"]
    assert error["path"][-1] == "isConsideredUnsanctioned"
    assert error["extensions"]["missing"] == missing
    assert all_sources.of("administrative_violations").fetched == []


async def test_citizens_ask_about_themselves(tmp_path: Path) -> None:
    query = QUERY.replace("$id: PersonNumber!, ", "").replace("person(id: $id)", "me")
    async with running(tmp_path, fined(HOA, LATELY), ALL, LIVE) as gateway:
        body = await gateway.ask(query, scopes=("me",), subject=HOA)
    violations = body["data"]["me"]["administrativeViolations"]
    assert violations["isConsideredUnsanctioned"]["value"] is False
    assert violations["sanctions"]["items"] == [{"decisionNo": "S"}]


@pytest.mark.parametrize(
    ("sector", "value"), [("traffic", False), ("tax", True), (None, False), ("", True)]
)
async def test_it_can_be_asked_of_a_sector(tmp_path: Path, sector: str | None, value: bool) -> None:
    async with running(tmp_path, fined(HOA, LATELY), ALL, LIVE) as gateway:
        assert verdict(await ask(gateway, sector=sector)) == (value, "ANSWERED")


async def test_who_handles_violations_can_ask_of_an_earlier_day(tmp_path: Path) -> None:
    async with running(tmp_path, fined(HOA, LONG_AGO), ALL, LIVE) as gateway:
        body = await ask(gateway, purpose="violation-handling", asOf="2026-11-22")
    assert section(body)["isConsideredUnsanctioned"]["asOf"] == "2026-11-22"
    assert verdict(body) == (False, "ANSWERED")


async def test_for_general_purposes_an_earlier_day_is_refused_to_find_nothing_out(
    tmp_path: Path,
) -> None:
    """Whoever counted as sanctioned then was sanctioned: what the law has them not see."""
    all_sources = fined(HOA, LONG_AGO)
    async with running(tmp_path, all_sources, ALL, LIVE) as gateway:
        body = await ask(gateway, asOf="2026-11-22")
    assert section(body)["isConsideredUnsanctioned"] is None
    assert codes(body)[0] == "INVALID_VALUE"
    assert all_sources.of("administrative_violations").fetched == []


async def test_citizens_can_ask_of_an_earlier_day(tmp_path: Path) -> None:
    query = """{ me { administrativeViolations {
      isConsideredUnsanctioned(asOf: "2026-11-22") { value } } } }"""
    async with running(tmp_path, fined(HOA, LONG_AGO), ALL, LIVE) as gateway:
        body = await gateway.ask(query, scopes=("me",), subject=HOA)
    section_of_me = body["data"]["me"]["administrativeViolations"]
    assert section_of_me == {"isConsideredUnsanctioned": {"value": False}}


async def test_it_cannot_be_asked_of_a_day_to_come(tmp_path: Path) -> None:
    all_sources = fined(HOA, LONG_AGO)
    async with running(tmp_path, all_sources, ALL, LIVE) as gateway:
        body = await ask(gateway, asOf="2026-11-24")
        assert all_sources.of("administrative_violations").fetched == []
        gateway.clock.advance(14 * 3600)  # it is tomorrow in Viet Nam then, in UTC not yet
        later = await ask(gateway, asOf="2026-11-24")
    assert section(body)["isConsideredUnsanctioned"] is None
    assert codes(body)[0] == "INVALID_VALUE"
    assert verdict(later) == (True, "ANSWERED")


@pytest.mark.parametrize("completed_on", [LONG_AGO, LATELY, None])
async def test_a_database_that_is_down_leaves_it_unknown(
    tmp_path: Path, completed_on: str | None
) -> None:
    all_sources = fined(HOA, completed_on)
    all_sources.of("administrative_violations").fault = "down"
    async with running(tmp_path, all_sources, ALL, LIVE) as gateway:
        body = await ask(gateway)
    assert verdict(body) == (None, "UNAVAILABLE")
    assert "SOURCE_UNAVAILABLE" in codes(body)


@pytest.mark.parametrize("record", sorted(LISTS))
async def test_one_list_that_is_down_leaves_it_unknown_too(tmp_path: Path, record: str) -> None:
    all_sources = fined(HOA, LONG_AGO)
    source = all_sources.of("administrative_violations")
    source.fault, source.only = "down", record
    async with running(tmp_path, all_sources, ALL, LIVE) as gateway:
        assert verdict(await ask(gateway)) == (None, "UNAVAILABLE")
        assert verdict(await ask(gateway, LAN))[0] is None, "nor is anybody told apart by that"


async def test_a_sanction_that_counts_is_enough_whatever_else_is_down(tmp_path: Path) -> None:
    all_sources = fined(HOA, LATELY)
    source = all_sources.of("administrative_violations")
    source.fault, source.only = "down", "handling_decisions"
    async with running(tmp_path, all_sources, ALL, LIVE) as gateway:
        assert verdict(await ask(gateway)) == (False, "UNAVAILABLE")


async def test_a_database_that_is_not_operating_leaves_it_unknown(tmp_path: Path) -> None:
    live = {
        name: settings for name, settings in LIVE.items() if name != "administrative_violations"
    }
    async with running(tmp_path, fined(HOA, LATELY), ALL, live) as gateway:
        assert verdict(await ask(gateway)) == (None, "NOT_OPERATING")


async def test_unreadable_rows_leave_it_unknown(tmp_path: Path) -> None:
    async with running(tmp_path, fined(HOA, LONG_AGO, record_no=1, fine_amount="much"), ALL,
                       LIVE) as gateway:  # fmt: skip
        body = await ask(gateway)
    assert verdict(body) == (None, "PARTIAL")
    assert "BAD_RECORD" in codes(body)


async def test_sanctions_under_an_earlier_number_count(tmp_path: Path) -> None:
    async with running(tmp_path, fined(OLD_NUMBER, LATELY), ALL, LIVE) as gateway:
        assert verdict(await ask(gateway)) == (False, "ANSWERED")


@pytest.mark.parametrize(
    ("completed_on", "value"), [(LONG_AGO, None), (LATELY, False), (None, False)]
)
async def test_while_earlier_numbers_are_not_known_nobody_is_said_to_be_unsanctioned(
    tmp_path: Path, completed_on: str | None, value: bool | None
) -> None:
    all_sources = fined(HOA, completed_on)
    all_sources.of("population").fault = "down"
    async with running(tmp_path, all_sources, ALL, LIVE) as gateway:
        body = await ask(gateway, purpose=UNIFIED)
    view = section(body)["isConsideredUnsanctioned"]
    assert view["value"] is value
    assert view["source"] == {"state": "INCOMPLETE", "earlierNumbersAsked": False}
    assert "NUMBERS_INCOMPLETE" in codes(body)


@pytest.mark.parametrize("completed_on", [LONG_AGO, LATELY, None])
async def test_of_a_number_that_nobody_holds_it_is_not_known_whatever_stands_there(
    tmp_path: Path, completed_on: str | None
) -> None:
    """Nor does the state tell whether there are sanctions, which may be withheld."""
    async with running(tmp_path, fined(NOBODY, completed_on), ALL, LIVE) as gateway:
        body = await ask(gateway, NOBODY)
        other_body = await ask(gateway, OTHER_NOBODY)
    assert verdict(body) == verdict(other_body) == (None, "NOT_IDENTIFIED")


async def test_several_questions_are_answered_at_once(tmp_path: Path) -> None:
    query = """query($id: PersonNumber!) { person(id: $id) { administrativeViolations {
      now: isConsideredUnsanctioned { value }
      then: isConsideredUnsanctioned(asOf: "2025-12-31") { value asOf }
      future: isConsideredUnsanctioned(asOf: "2030-01-01") { value } } } }"""
    async with running(tmp_path, fined(HOA, LONG_AGO), ALL, LIVE) as gateway:
        handling = "violation-handling"
        token = gateway.token(*EVERY, purposes=[handling])
        reply = await gateway.post(query, {"id": HOA}, token, x_purpose=handling)
    assert section(reply.json()) == {
        "now": {"value": True},
        "then": {"value": False, "asOf": "2025-12-31"},
        "future": None,
    }
    assert codes(reply.json()) == ["INVALID_VALUE"]
