"""Conflicts of a person over the gateway: what is found, not checked, and not shown."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from connectors.synthetic import PopulationOptions, clusters
from gateway.derived.conflicts import DERIVED
from gateway.derived.view import UnknownReason
from gateway.procedures.procedure import UNIFIED
from rules.registry import RULES
from tests.support.evidence import PERSON, conclude
from tests.support.people import (
    DEAD,
    FIRST_HOLDER,
    HOA,
    LAN,
    NOBODY,
    OLD_NUMBER,
    SECOND_HOLDER,
    SHARED_NUMBER,
    population_rows,
)
from tests.support.running import Running, codes, running
from tests.support.worlds import ALL, EVERY, LIVE, WAYS, Row, World, answer, world

FIELD = """conflicts(rules: $rules) { state reason sources { state } value {
  findings { rule severity prevails { database record } legalBasis advice { vi en }
    sides { database record recordId asOf says } }
  unchecked { rule reason } } }"""
QUERY = f"query($id: PersonNumber!, $rules: [String!]) {{ person(id: $id) {{ {FIELD} }} }}"
SCOPES = (*EVERY, "person:read")
DEATH: Row = {"event_id": "KT1", "citizen_id": LAN, "status": "VALID", "death_date": "2020-05-06"}
BIRTH: Row = {"event_id": "KS1", "citizen_id": LAN, "status": "VALID", "birth_date": "1991-05",
              "full_name": "Trần Thị Lan", "sex": "FEMALE"}  # fmt: skip
EVERYTHING = {rule.name for rule in RULES}


@pytest.fixture(params=WAYS, autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(request.param, monkeypatch)


def people(**civil_status: list[Row]) -> World:
    return world({"civil_status": civil_status})


async def ask(
    gateway: Running,
    number: str,
    *,
    rules: Sequence[str] | None = None,
    scopes: Sequence[str] = SCOPES,
    purpose: str = UNIFIED,
    query: str = QUERY,
) -> dict[str, Any]:
    token = gateway.token(*scopes, purposes=[purpose])
    variables = {"id": number, "rules": rules}
    reply = await gateway.post(query, variables, token, x_purpose=purpose)
    body: dict[str, Any] = reply.json()
    return body


def fact(body: Mapping[str, Any]) -> dict[str, Any]:
    value: dict[str, Any] = body["data"]["person"]["conflicts"]
    return value


def findings(body: Mapping[str, Any]) -> list[str] | None:
    found = fact(body)["value"]["findings"]
    return None if found is None else [finding["rule"] for finding in found]


def unchecked(body: Mapping[str, Any]) -> dict[str, str]:
    return {item["rule"]: item["reason"] for item in fact(body)["value"]["unchecked"]}


async def test_a_finding_says_what_each_record_says_which_prevails_and_what_to_do(
    tmp_path: Path,
) -> None:
    records = "civilStatus { deaths { items { recordId } } }"
    query = QUERY.replace(FIELD, f"{FIELD} {records}")
    async with running(tmp_path, people(deaths=[DEATH], births=[BIRTH]), ALL, LIVE) as gateway:
        body = await ask(gateway, LAN, query=query)
    (row,) = body["data"]["person"]["civilStatus"]["deaths"]["items"]
    assert fact(body)["state"] == "ANSWERED"
    assert unchecked(body) == {}
    (finding,) = fact(body)["value"]["findings"]
    assert (finding["rule"], finding["severity"]) == ("LIFE_STATE", "HIGH")
    assert finding["prevails"] == {"database": "civil_status", "record": "deaths"}
    assert "60/2014/QH13" in finding["legalBasis"]
    assert all(finding["advice"].values())
    identity, death = finding["sides"]
    assert identity["says"] == "lifeStatus: ALIVE; deathOrMissingDate: null"
    assert death == {
        "database": "civil_status",
        "record": "deaths",
        "recordId": row["recordId"],
        "asOf": None,
        "says": "deathDate: 2020-05-06; status: VALID",
    }


async def test_where_all_rules_were_checked_and_nothing_was_found_the_list_is_empty(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, people(births=[BIRTH]), ALL, LIVE) as gateway:
        body = await ask(gateway, LAN)
    assert (findings(body), unchecked(body)) == ([], {})


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("down", "SOURCE_FAILED"),
        ("maintenance", "SOURCE_FAILED"),
        ("unmapped", "NOT_OPERATING"),
    ],
)
async def test_a_rule_of_which_a_database_did_not_answer_is_not_checked(
    tmp_path: Path, fault: str, reason: str
) -> None:
    sources = people(births=[BIRTH])
    sources.of("notary").fault = fault
    async with running(tmp_path, sources, ALL, LIVE) as gateway:
        body = await ask(gateway, LAN)
        others = await ask(gateway, LAN, rules=["LIFE_STATE", "SEX"])
    assert findings(body) is None
    assert unchecked(body) == {"EVENT_AFTER_DEATH": reason}
    assert (findings(others), unchecked(others)) == ([], {})


@pytest.mark.parametrize("database", ["population", "civil_status", "legal_aid", "notary"])
@pytest.mark.parametrize("fault", ["down", "maintenance", "unmapped"])
async def test_whichever_database_fails_none_is_said_of_no_rule_that_reads_it(
    tmp_path: Path, database: str, fault: str
) -> None:
    sources = people(births=[BIRTH])
    sources.of(database).fault = fault
    readers = {
        rule.name
        for rule in RULES
        if any(read.database == database for case in rule.cases for read in case.reads)
    }
    async with running(tmp_path, sources, ALL, LIVE) as gateway:
        body = await ask(gateway, LAN)
    assert findings(body) is None
    assert readers
    assert unchecked(body).keys() >= readers
    if database != "population":  # without it nobody knows all numbers
        assert unchecked(body).keys() == readers


async def test_without_civil_status_hardly_a_rule_is_checked_and_what_is_found_stays(
    tmp_path: Path,
) -> None:
    population = population_rows()
    population["identity"][1]["birth_date"] = "1891"
    sources = world({"population": population})
    sources.of("civil_status").fault = "down"
    async with running(tmp_path, sources, ALL, LIVE) as gateway:
        body = await ask(gateway, LAN)
    assert findings(body) == ["NUMBER_STRUCTURE", "IMPLAUSIBLE_DATE"]
    assert unchecked(body).keys() == EVERYTHING - {"NUMBER_STRUCTURE"}
    assert fact(body)["state"] == "UNAVAILABLE"


async def test_a_rule_that_reads_what_the_caller_may_not_see_is_denied_whatever_stands_there(
    tmp_path: Path,
) -> None:
    scopes = ("person:read", "population:read", "civil_status.births:read")
    bodies = []
    for deaths in ([DEATH], []):
        sources = people(deaths=deaths, births=[BIRTH])
        async with running(tmp_path, sources, ALL, LIVE) as gateway:
            sources.forget()
            bodies.append(await ask(gateway, LAN, scopes=scopes))
            read = {name for name, _, _ in sources.fetched}
        assert "civil_status.deaths" not in read
        assert not [name for name in read if name.startswith(("notary", "legal_aid"))]
    assert bodies[0] == bodies[1]
    assert findings(bodies[0]) is None
    assert unchecked(bodies[0])["LIFE_STATE"] == "DENIED"
    assert "PARENTS" not in unchecked(bodies[0])


async def test_with_no_scope_for_records_nothing_is_read_and_nothing_is_said(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, people(deaths=[DEATH]), ALL, LIVE) as gateway:
        body = await ask(gateway, LAN, scopes=["person:read"])
    assert findings(body) is None
    assert set(unchecked(body).values()) == {"DENIED"}
    assert unchecked(body).keys() == EVERYTHING
    assert fact(body)["sources"] == []


@pytest.mark.parametrize(
    ("scopes", "purpose", "missing"),
    [
        (EVERY, UNIFIED, ["person:read"]),
        (SCOPES, "no-sanction-check", ["purpose:person.conflicts"]),
    ],
)
async def test_it_has_a_scope_and_an_entry_in_allow_lists_of_its_own(
    tmp_path: Path, scopes: tuple[str, ...], purpose: str, missing: list[str]
) -> None:
    async with running(tmp_path, people(deaths=[DEATH]), ALL, LIVE) as gateway:
        body = await ask(gateway, LAN, scopes=scopes, purpose=purpose)
    assert (fact(body)["value"], fact(body)["reason"]) == (None, "DENIED")
    assert body["errors"][0]["extensions"]["missing"] == missing


async def test_a_procedure_opens_the_rules_on_what_it_may_read(tmp_path: Path) -> None:
    async with running(tmp_path, people(deaths=[DEATH]), ALL, LIVE) as gateway:
        body = await ask(gateway, LAN, purpose="1.000894")
    assert findings(body) == ["LIFE_STATE"]
    closed = ["CANCELLED_NUMBER", "NUMBER_STRUCTURE", "EVENT_AFTER_DEATH", "PLACE", "PLACE_FORM"]
    assert unchecked(body) == dict.fromkeys(closed, "DENIED")


async def test_a_rule_is_checked_as_far_as_the_caller_may_see(tmp_path: Path) -> None:
    marriage: Row = {"event_id": "KH1", "status": "VALID", "wife_citizen_id": LAN,
                     "effective_from": "2021-01-01"}  # fmt: skip
    sources = people(deaths=[DEATH], marriages=[marriage])
    async with running(tmp_path, sources, ALL, LIVE) as gateway:
        body = await ask(gateway, LAN, purpose="1.000894", rules=["EVENT_AFTER_DEATH"])
    assert findings(body) == ["EVENT_AFTER_DEATH"]
    assert unchecked(body) == {"EVENT_AFTER_DEATH": "DENIED"}


async def test_hidden_rows_change_nothing(tmp_path: Path) -> None:
    """A birth that was replaced after an adoption, its note, and a will, beside what is shown."""
    original = BIRTH | {
        "event_id": "KS0",
        "status": "SUPERSEDED",
        "full_name": "Lê Thị Bé",
        "birth_date": "1990",
    }
    note: Row = {"event_id": "N1", "citizen_id": LAN, "event_type": "ADOPTION"}
    adoption: Row = {"event_id": "A1", "child_id": LAN}
    will: Row = {"notarial_no": "W1", "kind": "WILL", "notarised_on": "2021-01-01"}
    party: Row = {"entry_id": "P1", "notarial_no": "W1", "party_citizen_id": LAN}
    shown: dict[str, dict[str, list[Row]]] = {
        "civil_status": {"births": [BIRTH], "deaths": [DEATH]}
    }
    hidden: dict[str, dict[str, list[Row]]] = {
        "civil_status": {
            "births": [original, BIRTH],
            "deaths": [DEATH],
            "court_notes": [note],
            "adoptions": [adoption],
        },
        "notary": {"transactions": [will], "transaction_parties": [party]},
    }
    bodies = []
    for rows in (shown, hidden):
        async with running(tmp_path, world(rows), ALL, LIVE) as gateway:
            bodies.append(await ask(gateway, LAN))
    assert bodies[0] == bodies[1]
    assert findings(bodies[0]) == ["LIFE_STATE"]


async def test_of_another_holder_of_a_number_nothing_is_shown(tmp_path: Path) -> None:
    async with running(tmp_path, people(), ALL, LIVE) as gateway:
        body = await ask(gateway, FIRST_HOLDER)
    (finding,) = fact(body)["value"]["findings"]
    assert finding["rule"] == "SHARED_NUMBER"
    mine, other = finding["sides"]
    assert mine["recordId"] is not None
    assert other["recordId"] is None
    assert mine["says"] == other["says"] == f"number: {SHARED_NUMBER}"
    assert SECOND_HOLDER not in str(body)
    # Records may be filed under the number that cannot be looked up.
    assert set(unchecked(body).values()) == {"NUMBERS_INCOMPLETE"}


async def test_records_under_an_earlier_number_take_part(tmp_path: Path) -> None:
    death = DEATH | {"citizen_id": OLD_NUMBER}
    sources = people(deaths=[death])
    async with running(tmp_path, sources, ALL, LIVE) as gateway:
        sources.forget()
        body = await ask(gateway, HOA)
    assert findings(body) == ["LIFE_STATE"]
    keys = {key for name, _, keys in sources.fetched if name.endswith("deaths") for key in keys}
    assert keys == {HOA, OLD_NUMBER}


async def test_numbers_of_other_people_are_not_in_what_a_side_says(tmp_path: Path) -> None:
    birth = BIRTH | {"mother_citizen_id": HOA, "mother_name": "Lê Thị Năm"}
    relative: Row = {"entry_id": "F1", "citizen_id": LAN, "relation": "MOTHER",
                     "name": "Vũ Thị Sáu", "member_id": DEAD}  # fmt: skip
    population = population_rows() | {"family": [relative]}
    sources = world({"population": population, "civil_status": {"births": [birth]}})
    async with running(tmp_path, sources, ALL, LIVE) as gateway:
        body = await ask(gateway, LAN)
    assert findings(body) == ["PARENTS"]
    assert HOA not in str(body)
    assert DEAD not in str(body)
    assert [side["says"] for side in fact(body)["value"]["findings"][0]["sides"]] == [
        "relation: MOTHER; name: Vũ Thị Sáu",
        "motherName: Lê Thị Năm",
    ]


async def test_nobody_has_no_conflicts_to_speak_of(tmp_path: Path) -> None:
    async with running(tmp_path, people(), ALL, LIVE) as gateway:
        body = await ask(gateway, NOBODY)
    assert (fact(body)["value"], fact(body)["reason"]) == (None, "NOT_IDENTIFIED")


@pytest.mark.parametrize("rules", [[], ["NO_SUCH_RULE"], ["SEX", "sex"], ["UNKNOWN_NUMBER"]])
async def test_a_rule_that_there_is_not_is_refused(tmp_path: Path, rules: list[str]) -> None:
    async with running(tmp_path, people(), ALL, LIVE) as gateway:
        body = await ask(gateway, LAN, rules=rules)
    assert codes(body) == ["INVALID_VALUE"]
    assert body["data"]["person"]["conflicts"] is None


async def test_citizens_see_the_conflicts_in_their_own_records(tmp_path: Path) -> None:
    async with running(tmp_path, people(deaths=[DEATH]), ALL, LIVE) as gateway:
        token = gateway.token("me", subject=LAN, purposes=[])
        query = "{ me { conflicts { value { findings { rule } unchecked { rule } } } } }"
        body = (await gateway.post(query, token=token, x_purpose="")).json()
    assert body["data"]["me"]["conflicts"]["value"] == {
        "findings": [{"rule": "LIFE_STATE"}],
        "unchecked": [],
    }


async def test_the_journal_has_it_and_the_lists_that_were_read(tmp_path: Path) -> None:
    async with running(tmp_path, people(deaths=[DEATH]), ALL, LIVE) as gateway:
        await ask(gateway, LAN, rules=["LIFE_STATE"])
        (entry,) = gateway.journal()
    assert entry["persons"][0]["sections"] == [
        "civil_status.deaths",
        "person.conflicts",
        "population.identity",
    ]


def test_from_a_list_that_lacks_rows_nothing_is_concluded_that_is_not_there() -> None:
    lists: dict[str, list[dict[str, Any]]] = {
        "population.identity": [{"citizen_id": PERSON, "life_status": "DEAD"}],
        "civil_status.deaths": [
            {"event_id": "KT1", "citizen_id": PERSON, "status": "REVOKED"},
        ],
    }
    value: Any = conclude(DERIVED, lists).value
    assert [finding.rule.name for finding, _ in value.findings] == ["LIFE_STATE"]
    missing = {"civil_status.deaths": UnknownReason.TRUNCATED}
    value = conclude(DERIVED, lists, missing=missing).value
    assert list(value.findings) == []
    assert {item.reason for item in value.unchecked} == {UnknownReason.TRUNCATED}


async def test_generated_people_have_the_conflicts_that_were_planted(tmp_path: Path) -> None:
    options = PopulationOptions(people=1, contradiction_rate=0.5, disagreement_rate=0.1)
    (cluster,) = clusters(options)
    rows: dict[str, dict[str, list[Row]]] = defaultdict(dict)
    for (database, record), table in cluster.rows.items():
        rows[database][record] = [dict(row) for row in table]
    people_of_cluster = {person.id for person in cluster.truth}
    planted = Counter(
        (item.person_id, item.rule)
        for item in cluster.contradictions
        if item.person_id in people_of_cluster
    )
    found: Counter[tuple[str, str]] = Counter()
    doubtful: set[str] = set()
    async with running(tmp_path, world(rows), ALL, LIVE) as gateway:
        for person in cluster.truth:
            body = await ask(gateway, person.id)
            found.update((person.id, rule) for rule in findings(body) or [])
            if unchecked(body):
                doubtful.add(person.id)
    assert len({rule for _, rule in planted}) > 8
    assert found == planted
    shared = {number for number, rule in planted if rule == "SHARED_NUMBER"}
    assert doubtful <= shared
