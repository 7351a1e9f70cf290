"""Facts about a person over the gateway: permissions, what they rest on, failures, the journal.

Covers ``gateway.derived.view``, ``gateway.derived.people``, ``gateway.derived.registry``,
``gateway.execution.derivation``, ``gateway.schema.derived_fields``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pytest

from connectors.description import Group, Text
from connectors.registry import installed_databases
from connectors.values import PersonNumber
from gateway.access.caller import Caller
from gateway.derived.people import numbers_in
from gateway.derived.registry import ALL as VIEWS
from gateway.derived.registry import derived_of
from gateway.derived.view import PERSON, reads_of
from gateway.procedures.procedure import UNIFIED
from gateway.protection.rules import opens_on_death
from gateway.settings import DatabaseSettings
from tests.support.people import (
    DEAD,
    FIRST_HOLDER,
    HOA,
    LAN,
    NOBODY,
    OLD_NUMBER,
    SHARED_NUMBER,
)
from tests.support.running import Running, codes, running
from tests.support.worlds import ALL, EVERY, LIVE, WAYS, Row, World, answer, together, world

MARRYING = "1.000894"
FIELD = """lifeStatus(validOn: $on, recordedBy: $by) {
  value state reason validOn recordedBy basis { database record id asOf } sources { state } }"""
QUERY = f"query($id: PersonNumber!, $on: Date, $by: Date) {{ person(id: $id) {{ {FIELD} }} }}"
DEATH: Row = {"event_id": "KT1", "citizen_id": DEAD, "status": "VALID", "death_date": "2020-05-06",
              "death_kind": "NATURAL_DEATH", "registration_date": "2020-05-08",
              "source_updated_at": "2020-05-08T02:00:00Z"}  # fmt: skip
SCOPES = (*EVERY, "person:read")


@pytest.fixture(params=WAYS, autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(request.param, monkeypatch)


def people(*deaths: Row) -> World:
    return world({"civil_status": {"deaths": list(deaths)}})


async def ask(
    gateway: Running, number: str, query: str = QUERY, purpose: str = UNIFIED, **variables: Any
) -> dict[str, Any]:
    scopes = variables.pop("scopes", SCOPES)
    token = gateway.token(*scopes, purposes=[purpose])
    reply = await gateway.post(query, {"id": number, **variables}, token, x_purpose=purpose)
    body: dict[str, Any] = reply.json()
    return body


def fact(body: Mapping[str, Any]) -> dict[str, Any]:
    value: dict[str, Any] = body["data"]["person"]["lifeStatus"]
    return value


async def test_a_fact_says_what_it_rests_on(tmp_path: Path) -> None:
    records = "civilStatus { deaths { items { recordId } } }"
    query = QUERY.replace(FIELD, f"{FIELD} {records}")
    async with running(tmp_path, people(DEATH), ALL, LIVE) as gateway:
        body = await ask(gateway, DEAD, query)
    (row,) = body["data"]["person"]["civilStatus"]["deaths"]["items"]
    assert fact(body) == {
        "value": "DEAD",
        "state": "ANSWERED",
        "reason": None,
        "validOn": "2026-11-23",
        "recordedBy": None,
        "basis": [
            {"database": "civil_status", "record": "deaths", "id": row["recordId"], "asOf": None}
        ],
        "sources": [{"state": "ANSWERED"}] * 4,
    }


async def test_a_fact_is_read_in_one_wave_under_all_numbers(tmp_path: Path) -> None:
    sources = people(DEATH)
    async with running(tmp_path, sources, ALL, LIVE) as gateway:
        sources.forget()
        assert fact(await ask(gateway, HOA))["value"] == "ALIVE"
    asked: dict[str, set[str]] = {}
    for name, _, keys in sources.fetched:
        asked.setdefault(name, set()).update(keys)
    for name in ("deaths", "births", "court_notes"):
        assert asked[f"civil_status.{name}"] == {HOA, OLD_NUMBER}


async def test_the_scope_and_purpose_of_the_fact_are_enough_and_show_no_record(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, people(DEATH), ALL, LIVE) as gateway:
        body = await ask(gateway, DEAD, scopes=["person.life_status:read"], purpose=MARRYING)
    assert (fact(body)["value"], fact(body)["basis"]) == ("DEAD", [])


@pytest.mark.parametrize(
    ("scopes", "purpose", "missing"),
    [
        (EVERY, UNIFIED, ["person:read"]),
        (SCOPES, "no-sanction-check", ["purpose:person.life_status"]),
    ],
)
async def test_without_its_scope_or_purpose_a_fact_is_denied_and_nothing_is_read(
    tmp_path: Path, scopes: tuple[str, ...], purpose: str, missing: list[str]
) -> None:
    sources = people(DEATH)
    async with running(tmp_path, sources, ALL, LIVE) as gateway:
        body = await ask(gateway, DEAD, scopes=scopes, purpose=purpose)
    assert fact(body)["value"] is None
    assert (fact(body)["state"], fact(body)["reason"]) == ("DENIED", "DENIED")
    assert (fact(body)["basis"], fact(body)["sources"]) == (None, [])
    (error,) = body["errors"]
    assert error["extensions"]["missing"] == missing
    assert not [name for name, _, _ in sources.fetched if name.startswith("civil_status")]


async def test_the_journal_has_the_fact_and_the_lists_that_were_read(tmp_path: Path) -> None:
    async with running(tmp_path, people(DEATH), ALL, LIVE) as gateway:
        await ask(gateway, DEAD)
        (entry,) = gateway.journal()
    assert entry["persons"][0]["sections"] == [
        "civil_status.births",
        "civil_status.court_notes",
        "civil_status.deaths",
        "person.life_status",
        "population.identity",
    ]


@pytest.mark.parametrize(
    ("fault", "reason", "state"),
    [
        ("down", "SOURCE_FAILED", "UNAVAILABLE"),
        ("maintenance", "SOURCE_FAILED", "MAINTENANCE"),
        ("unmapped", "NOT_OPERATING", "NOT_OPERATING"),
    ],
)
async def test_a_failure_leaves_it_open(
    tmp_path: Path, fault: str, reason: str, state: str
) -> None:
    sources = people(DEATH)
    sources.of("civil_status").fault = fault
    async with running(tmp_path, sources, ALL, LIVE) as gateway:
        body = await ask(gateway, DEAD)
    assert (fact(body)["value"], fact(body)["reason"]) == (None, reason)
    assert (fact(body)["state"], fact(body)["basis"]) == (state, None)


async def test_an_unreadable_record_leaves_it_open(tmp_path: Path) -> None:
    note: Row = {"event_id": "N", "citizen_id": DEAD, "event_type": "NO_SUCH_KIND"}
    sources = world({"civil_status": {"court_notes": [note]}})
    async with running(tmp_path, sources, ALL, LIVE) as gateway:
        body = await ask(gateway, DEAD)
        alone = await ask(gateway, DEAD, scopes=["person:read"])
    assert fact(body)["reason"] == "UNREADABLE"
    assert codes(body) == codes(alone) == ["BAD_RECORD"]
    assert body["errors"][0]["extensions"]["count"] == 1
    assert "count" not in alone["errors"][0]["extensions"]


async def test_older_rows_in_place_of_a_failure_leave_it_open(tmp_path: Path) -> None:
    sources = people(DEATH)
    cached = {"fresh": 10.0, "stale_if_error": 3600.0}
    live = {**LIVE, "civil_status": LIVE["civil_status"].model_copy(update=cached)}
    async with running(tmp_path, sources, ALL, live) as gateway:
        first, again = await ask(gateway, DEAD), await ask(gateway, DEAD)
        await gateway.pass_time(60)
        sources.of("civil_status").fault = "down"
        stale = await ask(gateway, LAN)
        known = await ask(gateway, DEAD)
    assert fact(first)["value"] == fact(again)["value"] == "DEAD"
    # A death that was registered stays one; that there is none is not known any more.
    assert (fact(known)["value"], fact(known)["state"]) == ("DEAD", "STALE")
    assert (fact(stale)["value"], fact(stale)["reason"]) == (None, "SOURCE_FAILED")


async def test_more_rows_than_are_read_leave_it_open(tmp_path: Path) -> None:
    record = next(each for each in installed_databases() if each.name == "civil_status")
    limit = record.by_name["court_notes"].fetch_limit
    notes: list[Row] = [
        {"event_id": f"N{place}", "citizen_id": HOA, "event_type": "NATIONALITY_CHANGE",
         "status": "VALID"} for place in range(limit + 1)
    ]  # fmt: skip
    async with running(
        tmp_path, world({"civil_status": {"court_notes": notes}}), ALL, LIVE
    ) as gateway:
        body = await ask(gateway, HOA)
    assert (fact(body)["value"], fact(body)["reason"]) == (None, "TRUNCATED")


@pytest.mark.parametrize("narrow", [{"since": "2016-01-01"}, {"provinces": ["01"]},
                                    {"unnumbered": True}], ids=str)  # fmt: skip
async def test_a_list_that_covers_a_part_does_not_say_that_there_is_nothing(
    tmp_path: Path, narrow: dict[str, Any]
) -> None:
    settings = DatabaseSettings(timeout=120, group=Group.OPERATING, **narrow)
    live = {**LIVE, "civil_status": settings}
    async with running(tmp_path, people(DEATH), ALL, live) as gateway:
        alive, dead = await ask(gateway, HOA), await ask(gateway, DEAD)
    assert (fact(alive)["value"], fact(alive)["reason"]) == (None, "NOT_COVERED")
    assert fact(dead)["value"] == "DEAD"


async def test_how_often_databases_are_asked_does_not_tell_who_has_assets(tmp_path: Path) -> None:
    assets: dict[str, list[Row]] = {
        "assets": [{"asset_id": "A1"}],
        "asset_owners": [{"entry_id": "E1", "asset_id": "A1", "owner_citizen_id": HOA}],
    }
    sources = world({"notary": assets})
    query = "query($id: PersonNumber!) { person(id: $id) { hasActiveBlock { value reason } } }"
    reads = []
    async with running(tmp_path, sources, ALL, LIVE) as gateway:
        for number in (HOA, DEAD):
            sources.forget()
            body = await ask(gateway, number, query)
            assert body["data"]["person"]["hasActiveBlock"] == {"value": False, "reason": None}
            reads.append([(name, lookup) for name, lookup, _ in sources.fetched
                          if not name.startswith("population")])  # fmt: skip
    assert sorted(set(reads[0])) == sorted(set(reads[1]))
    assert reads[1].count(("notary.preventive_infos", "preventive_infos_on_asset")) == 1


async def test_where_not_all_numbers_are_known_absence_decides_nothing(tmp_path: Path) -> None:
    async with running(tmp_path, people(DEATH), ALL, LIVE) as gateway:
        body = await ask(gateway, FIRST_HOLDER)
    assert (fact(body)["value"], fact(body)["reason"]) == (None, "NUMBERS_INCOMPLETE")
    assert fact(body)["state"] == "INCOMPLETE"


EVERY_FACT = " ".join(
    f"""{name} {{ value {{ {fields} }} state reason basis {{ database record id asOf }}
    sources {{ state }} }}""" if fields else
    f"{name} {{ value state reason basis {{ database record id asOf }} sources {{ state }} }}"
    for name, fields in {
        "lifeStatus": "", "maritalStatus": "", "legalCapacity": "", "hasActiveBlock": "",
        "guardianship": "need representatives { role citizenId name }",
        "residence": "kind asRecorded",
        "family": " ".join(f"{group} {{ items {{ kinship citizenId name }} reason }}" for group in
                           ("parents", "children", "siblings", "spouses", "grandparents")),
    }.items()
)  # fmt: skip
PARENT = {"mother_citizen_id": LAN, "mother_name": "Trần Thị Lan"}
CHILD_BIRTH: Row = {"event_id": "KS2", "citizen_id": HOA, "event_type": "BIRTH", "status": "VALID",
                    "birth_date": "1990-02-03", "registration_date": "1990-03-01",
                    "source_updated_at": "1990-03-01T02:00:00Z", **PARENT}  # fmt: skip
#: What tells of an adoption: the order, its note, and the birth that was replaced.
ADOPTION: dict[str, dict[str, list[Row]]] = {
    "civil_status": {
        "adoptions": [{"event_id": "NC", "child_id": HOA, "adopter_mother_id": LAN,
                       "status": "VALID", "event_type": "ADOPTION"}],
        "court_notes": [{"event_id": "TA", "citizen_id": HOA, "event_type": "ADOPTION",
                         "status": "VALID", "effective_date": "1995-01-01"}],
        "births": [{**CHILD_BIRTH, "event_id": "KS1", "status": "SUPERSEDED",
                    "mother_citizen_id": DEAD, "mother_name": "Lê Thị Tư"}],
    }
}  # fmt: skip


async def test_nothing_in_a_fact_tells_of_an_adoption(tmp_path: Path) -> None:
    """Of the child, of the mother by birth, and of the adoptive mother: the same to the letter."""
    plain = {"civil_status": {"births": [CHILD_BIRTH]}}
    answers = []
    for name, rows in (("plain", plain), ("adopted", together(plain, ADOPTION))):
        async with running(tmp_path / name, world(rows), ALL, LIVE) as gateway:
            texts = []
            for number in (HOA, LAN, DEAD):
                for day in (None, "2000-01-01", "1994-01-01"):
                    fields = EVERY_FACT
                    if day is not None:
                        fields = EVERY_FACT.replace(" { value", f'(validOn: "{day}") {{ value')
                    query = f"query($id: PersonNumber!) {{ person(id: $id) {{ {fields} }} }}"
                    body = await ask(gateway, number, query, scopes=(*SCOPES, "person:sensitive"))
                    people_facts = body["data"]["person"]
                    for each in people_facts.values():
                        each["basis"] = each["basis"] and [
                            (basis["database"], basis["record"]) for basis in each["basis"]
                        ]
                    texts.append((number, day, people_facts, body.get("errors")))
            answers.append(texts)
    assert answers[0] == answers[1]


async def test_nobody_and_a_shared_number_have_no_facts(tmp_path: Path) -> None:
    async with running(tmp_path, people(), ALL, LIVE) as gateway:
        nobody, shared = await ask(gateway, NOBODY), await ask(gateway, SHARED_NUMBER)
    assert (fact(nobody)["value"], fact(nobody)["reason"]) == (None, "NOT_IDENTIFIED")
    assert fact(nobody)["state"] == "NOT_IDENTIFIED"
    assert shared["data"]["person"] is None


@pytest.mark.parametrize(
    ("day", "value", "reason"),
    [
        ("2020-05-07", None, "NO_HISTORY"),
        ("2020-05-08", "DEAD", None),
        ("2026-11-23", "DEAD", None),
    ],
)
async def test_recorded_by_asks_what_the_register_held(
    tmp_path: Path, day: str, value: str | None, reason: str | None
) -> None:
    async with running(tmp_path, people(DEATH), ALL, LIVE) as gateway:
        answered = fact(await ask(gateway, DEAD, by=day, on="2020-05-07"))
    assert (answered["value"], answered["reason"]) == (value, reason)
    assert (answered["validOn"], answered["recordedBy"]) == ("2020-05-07", day)


@pytest.mark.parametrize("argument", ["on", "by"])
async def test_nothing_is_said_of_the_future(tmp_path: Path, argument: str) -> None:
    async with running(tmp_path, people(DEATH), ALL, LIVE) as gateway:
        body = await ask(gateway, DEAD, **{argument: "2026-11-24"})
    assert codes(body) == ["INVALID_VALUE"]
    assert body["data"]["person"]["lifeStatus"] is None


async def test_citizens_see_the_facts_about_themselves(tmp_path: Path) -> None:
    async with running(tmp_path, people(), ALL, LIVE) as gateway:
        token = gateway.token("me", subject=HOA, purposes=[])
        query = "{ me { lifeStatus { value basis { record } } } }"
        body = (await gateway.post(query, token=token, x_purpose="")).json()
    assert body["data"]["me"]["lifeStatus"] == {"value": "ALIVE", "basis": [{"record": "identity"}]}


def test_every_view_is_declared_over_records_that_exist() -> None:
    databases = installed_databases()
    assert derived_of(PERSON)
    for view in VIEWS:
        reads = reads_of(view, databases)
        assert reads is not None, view.name
        # What a death opens is for nobody to conclude from.
        assert not any(opens_on_death(record) for record, _ in reads.values())


def test_the_types_of_views_have_names_of_their_own() -> None:
    names = [view.type_name for view in VIEWS]
    assert len(names) == len(set(names))


@dataclass(frozen=True)
class _Named:
    number: Annotated[PersonNumber | None, Text("số", "number")]
    others: Annotated[tuple[_Named, ...], Text("khác", "others")] = ()
    text: Annotated[str, Text("chữ", "text")] = "001090012345"


def test_the_people_in_a_value_are_those_declared_as_numbers() -> None:
    value = _Named(PersonNumber(HOA), (_Named(PersonNumber(DEAD)), _Named(None)))
    assert numbers_in([value, "001080000001"]) == [HOA, DEAD]
    assert Caller().missing_for(derived_of(PERSON)[0], None)
