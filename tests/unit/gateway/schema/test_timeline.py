"""The timeline of a person: what it shows to whom, its gaps, its pages, and what the journal says.

Covers ``gateway.execution.steps.read_timelines``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.population import DATABASE as POPULATION
from gateway.cache.invalidations import Invalidation
from gateway.settings import DatabaseSettings, Limits
from tests.support.faults import Faulty
from tests.support.hidden_rows import (
    adopted,
    birth_mother,
    common,
    once_sanctioned,
    replaced,
    taken_down,
    under_protection,
    who_made_a_will,
)
from tests.support.people import HOA, LAN, NOBODY, backends, population_rows
from tests.support.running import Running, codes, running
from tests.support.worlds import ALL, EVERY, LIVE, WAYS, Row, World, acting, answer, together, world

QUERY = """query($id: PersonNumber!, $first: Int! = 200, $after: String, $databases: [String!],
    $kinds: [String!]) {
  person(id: $id) { timeline(first: $first, after: $after, databases: $databases, kinds: $kinds) {
    edges { cursor node { kind date title { vi en } database record recordId state asOf fetchedAt
      fromCache } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    gaps { database state message { vi en } records kinds until missing } } } }"""
OWN = QUERY.replace("$id: PersonNumber!, ", "").replace("person(id: $id)", "me")
#: A child with something in every database, and what hangs on it.
CHILD = "001220000001"
Timeline = dict[str, Any]


@pytest.fixture(params=WAYS, autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(request.param, monkeypatch)


def people(*more: Any) -> World:
    return world(together({"population": population_rows()}, common(CHILD), *more))


async def timeline(gateway: Running, scopes: tuple[str, ...] = EVERY, **variables: Any) -> Timeline:
    body = await gateway.ask(QUERY, {"id": CHILD, **variables}, scopes)
    page: Timeline = body["data"]["person"]["timeline"]
    return page


def kinds(page: Timeline) -> list[str]:
    return [edge["node"]["kind"] for edge in page["edges"] or ()]


def states(page: Timeline) -> dict[str, str]:
    return {gap["database"]: gap["state"] for gap in page["gaps"]}


DEBT: dict[str, dict[str, list[Row]]] = {
    "civil_enforcement": {
        "cases": [{"decision_no": "D1", "decision_date": "2022-01-01"}],
        "enforcement_parties": [
            {"entry_id": "p", "decision_no": "D1", "party_citizen_id": CHILD, "role": "DEBTOR"}
        ],
        "measures": [
            {"measure_id": "m", "decision_no": "D1", "applied_on": "2022-03-01"},
            {"measure_id": "other", "decision_no": "D2", "applied_on": "2022-04-01"},
        ],
    }
}

LATER: dict[str, dict[str, list[Row]]] = {
    "civil_enforcement": {
        "measures": [{"measure_id": "m2", "decision_no": "D1", "lifted_on": "2023-03-01"}],
        "exit_postponements": [{"request_no": "x", "person_id": CHILD, "valid_from": "2023-01-01"}],
    }
}


async def test_events_of_all_databases_stand_together_with_source_and_record(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, people(DEBT), ALL, LIVE) as gateway:
        page = await timeline(gateway)
        births = await gateway.ask(
            "query($id: PersonNumber!) { person(id: $id) { civilStatus { births {"
            " items { recordId } source { asOf fetchedAt } } } } }",
            {"id": CHILD},
            EVERY,
        )
    assert kinds(page) == [
        "MEASURE_APPLIED", "ENFORCEMENT_DECIDED", "COURT_DECISION_NOTED",
        "NO_CONDITIONS_PUBLISHED", "NOTARISED", "BIRTH_REGISTERED", "BORN", "BORN",
    ]  # fmt: skip
    of_list = births["data"]["person"]["civilStatus"]["births"]
    registered = page["edges"][5]["node"]
    assert registered == {
        "kind": "BIRTH_REGISTERED", "date": "2020-02-01", "database": "civil_status",
        "title": {"vi": "đăng ký khai sinh", "en": "birth registered"}, "record": "births",
        "recordId": of_list["items"][0]["recordId"], "state": "ANSWERED", "fromCache": False,
        **of_list["source"],
    }  # fmt: skip
    # An undated residence is no event, but nobody should think that there is none.
    assert [(gap["state"], gap["records"]) for gap in page["gaps"]] == [("UNDATED", ["residences"])]


@pytest.mark.parametrize(
    "hidden",
    [adopted, replaced, birth_mother, who_made_a_will, under_protection, taken_down],
)
async def test_what_the_law_hides_changes_nothing_anywhere(tmp_path: Path, hidden: Any) -> None:
    pages = []
    for folder, more in (("without", ()), ("with", (hidden(CHILD),))):
        async with running(tmp_path / folder, people(*more), ALL, LIVE) as gateway:
            page = await timeline(gateway)
            short = await timeline(gateway, first=2)
            assert short["pageInfo"]["hasNextPage"]
        # Ids and cursors are made with the keys of each gateway.
        for edge in page["edges"]:
            edge["node"].pop("recordId")
            edge["cursor"] = len(edge["cursor"])
        pages.append((page["edges"], page["gaps"]))
    assert pages[0] == pages[1]


async def test_a_list_that_the_law_withholds_is_a_gap_for_everybody(tmp_path: Path) -> None:
    for folder, more in (("clean", ()), ("sanctioned", (once_sanctioned(CHILD),))):
        async with running(tmp_path / folder, people(*more), ALL, LIVE) as gateway:
            token = gateway.token(*EVERY, purposes=["notarised-inheritance"])
            body = (
                await gateway.post(QUERY, {"id": CHILD}, token, x_purpose="notarised-inheritance")
            ).json()
            page = body["data"]["person"]["timeline"]
            (gap,) = (gap for gap in page["gaps"] if gap["database"] == "administrative_violations")
            assert gap["state"] == "DENIED", "the purpose does not need them"
            assert "SANCTIONED" in gap["kinds"]
            assert not {"SANCTIONED", "VIOLATION_RECORDED"} & {*kinds(page)}
            assert codes(body) == [], "what is denied is no fault of the answer"


async def test_the_citizens_own_timeline_needs_no_purpose_and_a_representative_sees_no_legal_aid(
    tmp_path: Path,
) -> None:
    aid: dict[str, dict[str, list[Row]]] = {
        "legal_aid": {
            "cases": [{"case_no": "1", "beneficiary_id": CHILD, "request_date": "2024-01-01"}]
        }
    }
    everything = people(aid, once_sanctioned(CHILD))
    async with running(tmp_path, everything, ALL, LIVE) as gateway:
        token = gateway.token("me", subject=CHILD)
        answered = await gateway.post(OWN, {}, token, x_purpose="", x_case_number="")
        page = answered.json()["data"]["me"]["timeline"]
        assert {"SANCTIONED", "LEGAL_AID_REQUESTED"} <= {*kinds(page)}
        sections = gateway.journal()[-1]["sections"]
        assert sections["legal_aid.entitlements"] == "DENIED", "above BASIC it may be of others"
        assert "legal_aid.beneficiary" not in sections, "nothing is shown of it: it is not read"
        mother = acting(gateway, LAN, CHILD)
        answered = await gateway.post(OWN, {}, mother, x_purpose="", x_case_number="")
        page = answered.json()["data"]["me"]["timeline"]
        assert "LEGAL_AID_REQUESTED" not in kinds(page)
        aid_gaps = [gap for gap in page["gaps"] if gap["database"] == "legal_aid"]
        assert "LEGAL_AID_REQUESTED" in next(
            gap["kinds"] for gap in aid_gaps if gap["state"] == "WITHHELD"
        )


async def test_a_purpose_that_does_not_need_it_is_refused_the_timeline(tmp_path: Path) -> None:
    async with running(tmp_path, people(), ALL, LIVE) as gateway:
        token = gateway.token(*EVERY, purposes=["1.000894"])
        body = (await gateway.post(QUERY, {"id": CHILD}, token, x_purpose="1.000894")).json()
        touched = gateway.journal()[-1]
    assert body["data"]["person"]["timeline"] is None
    (error,) = body["errors"]
    assert error["extensions"]["missing"] == ["purpose:timeline"]
    assert touched["persons"][0]["sections"] == [], "nothing was read"


async def test_lists_without_the_scope_are_denied_in_the_gaps_and_not_read(tmp_path: Path) -> None:
    databases = people(DEBT)
    async with running(tmp_path, databases, ALL, LIVE) as gateway:
        databases.forget()
        page = await timeline(gateway, ("civil_status:read",))
        entry = gateway.journal()[-1]
    assert {edge["node"]["database"] for edge in page["edges"]} == {"civil_status"}
    denied = {gap["database"]: gap for gap in page["gaps"] if gap["state"] == "DENIED"}
    assert {*denied} == {database.name for database in ALL} - {"civil_status"}
    assert denied["notary"]["missing"] == ["notary:read"]
    assert denied["administrative_violations"]["missing"] == ["administrative_violations:read"]
    read = {name for name, _, _ in databases.fetched if not name.startswith("population.")}
    assert {name.split(".")[0] for name in read} == {"civil_status"}
    assert entry["sections"]["notary.transactions"] == "DENIED"
    assert set(entry["persons"][0]["sections"]) == read


async def test_the_date_itself_must_be_the_callers_to_see(tmp_path: Path) -> None:
    databases = people(once_sanctioned(CHILD))
    async with running(tmp_path, databases, ALL, LIVE) as gateway:
        page = await timeline(gateway, ("administrative_violations:read",))
    (gap,) = (gap for gap in page["gaps"] if gap["database"] == "administrative_violations")
    assert gap["state"] == "DENIED"
    assert gap["missing"] == ["administrative_violations:sensitive"]
    assert page["edges"] is None


@pytest.mark.parametrize(
    ("fault", "state", "code"),
    [
        ("down", "UNAVAILABLE", "SOURCE_UNAVAILABLE"),
        ("maintenance", "MAINTENANCE", "SOURCE_MAINTENANCE"),
        ("unmapped", "NOT_OPERATING", None),
    ],
)
async def test_a_database_that_does_not_answer_is_a_gap(
    tmp_path: Path, fault: str, state: str, code: str | None
) -> None:
    databases = people(DEBT)
    databases.of("civil_enforcement").fault = fault
    async with running(tmp_path, databases, ALL, LIVE) as gateway:
        body = await gateway.ask(QUERY, {"id": CHILD}, EVERY)
        alone = await gateway.ask(QUERY, {"id": CHILD, "databases": ["civil_enforcement"]}, EVERY)
    page = body["data"]["person"]["timeline"]
    (gap,) = (gap for gap in page["gaps"] if gap["database"] == "civil_enforcement")
    assert gap["state"] == state
    assert {"ENFORCEMENT_DECIDED", "MEASURE_APPLIED"} <= {*gap["kinds"]}, "what hangs on it too"
    assert "NOTARISED" in kinds(page), "the others are there"
    assert codes(body) == ([code] if code else []), "once, however many lists it has"
    assert alone["data"]["person"]["timeline"]["edges"] is None, "not: there are none"


async def test_what_hangs_on_rows_may_fail_alone(tmp_path: Path) -> None:
    databases = people(DEBT)
    enforcement = databases.of("civil_enforcement")
    enforcement.fault, enforcement.only = "down", "measures"
    async with running(tmp_path, databases, ALL, LIVE) as gateway:
        page = await timeline(gateway)
    assert "ENFORCEMENT_DECIDED" in kinds(page)
    (gap,) = (gap for gap in page["gaps"] if gap["database"] == "civil_enforcement")
    assert (gap["records"], gap["kinds"]) == (["measures"], ["MEASURE_APPLIED", "MEASURE_LIFTED"])


async def test_of_a_number_that_nobody_holds_it_is_not_known_that_nothing_happened(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, people(), ALL, LIVE) as gateway:
        body = await gateway.ask(QUERY, {"id": NOBODY}, EVERY)
    page = body["data"]["person"]["timeline"]
    assert page["edges"] is None
    assert {gap["state"] for gap in page["gaps"]} == {"NOT_IDENTIFIED"}
    assert codes(body) == ["PERSON_NOT_IDENTIFIED"]


async def test_without_the_population_database_no_timeline_is_whole(tmp_path: Path) -> None:
    databases = people()
    databases.of("population").fault = "down"
    async with running(tmp_path, databases, ALL, LIVE) as gateway:
        body = await gateway.ask(QUERY, {"id": CHILD, "databases": ["notary"]}, EVERY)
    page = body["data"]["person"]["timeline"]
    assert kinds(page) == ["NOTARISED"]
    assert states(page) == {"notary": "INCOMPLETE"}
    assert "NUMBERS_INCOMPLETE" in codes(body)


async def test_older_rows_are_shown_as_such(tmp_path: Path) -> None:
    live = {
        name: settings.model_copy(update={"fresh": 60, "stale_if_error": 3600})
        for name, settings in LIVE.items()
    }
    databases = people()
    async with running(tmp_path, databases, ALL, live) as gateway:
        await timeline(gateway, databases=["notary"])
        databases.of("notary").fault = "down"
        await gateway.pass_time(120)
        page = await timeline(gateway, databases=["notary"])
    assert states(page) == {"notary": "STALE"}
    assert [edge["node"]["state"] for edge in page["edges"]] == ["STALE"]


def residences(count: int) -> dict[str, list[Row]]:
    return {
        **population_rows(),
        "residences": [
            {
                "entry_id": f"r{number:03d}",
                "citizen_id": HOA,
                "valid_from": f"{1900 + number}-01-01",
            }
            for number in range(count)
        ],
    }


async def test_of_a_list_that_was_cut_the_timeline_says_from_when_on(tmp_path: Path) -> None:
    record = POPULATION.by_name["residences"]
    rows = residences(0)
    limit = record.fetch_limit
    rows["residences"] = [
        {"entry_id": f"r{number:04d}", "citizen_id": LAN, "valid_from": f"{1000 + number}-01-01"}
        for number in range(limit + 5)
    ]
    async with running(tmp_path, backends(rows)) as gateway:
        page = await timeline(
            gateway, ("population:read",), id=LAN, kinds=["RESIDENCE_BEGUN"], first=1
        )
    (gap,) = page["gaps"]
    assert (gap["state"], gap["records"], gap["until"]) == (
        "TRUNCATED", ["residences"], "1005-01-01",
    )  # fmt: skip


async def test_pages_together_are_the_timeline_and_cursors_bind(tmp_path: Path) -> None:
    async with running(tmp_path, backends(residences(9))) as gateway:
        choice: dict[str, Any] = {"id": HOA, "databases": ["population"]}
        scopes = ("population:read", "civil_status:read")
        whole = await timeline(gateway, scopes, **choice)
        assert len(whole["edges"]) == 10
        edges: list[Any] = []
        after = None
        while True:
            page = await timeline(gateway, scopes, **choice, first=3, after=after)
            edges += page["edges"]
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = page["pageInfo"]["endCursor"]
        assert edges == whole["edges"]
        for other in ({"id": LAN}, {"kinds": ["BORN", "RESIDENCE_BEGUN"]}):
            body = await gateway.ask(QUERY, {**choice, "after": after, **other}, scopes)
            assert body["data"]["person"]["timeline"] is None
            assert codes(body) == ["CURSOR_OUTDATED"]


async def test_a_choice_of_databases_and_kinds_reads_nothing_else(tmp_path: Path) -> None:
    databases = people(DEBT)
    async with running(tmp_path, databases, ALL, LIVE) as gateway:
        page = await timeline(gateway, databases=["civil_enforcement"], kinds=["MEASURE_APPLIED"])
        read = {name for name, lookup, _ in databases.fetched if not name.startswith("population.")}
    assert kinds(page) == ["MEASURE_APPLIED"]
    assert page["gaps"] == []
    assert read == {"civil_enforcement.cases", "civil_enforcement.measures"}


@pytest.mark.parametrize(
    "arguments",
    ['kinds: ["WED"]', 'databases: ["nowhere"]', "kinds: []", "first: 0", 'after: "x"',
     'databases: ["notary"], kinds: ["BORN"]'],
)  # fmt: skip
async def test_arguments_that_make_no_sense_are_refused_before_anything_is_read(
    tmp_path: Path, arguments: str
) -> None:
    databases = people()
    async with running(tmp_path, databases, ALL, LIVE) as gateway:
        body = await gateway.ask(
            f'{{ person(id: "{CHILD}") {{ timeline({arguments}) {{ gaps {{ state }} }} }} }}',
            {},
            EVERY,
        )
    assert codes(body) == ["INVALID_VALUE"]


async def test_an_earlier_numbers_records_are_in_the_timeline(tmp_path: Path) -> None:
    async with running(tmp_path, backends()) as gateway:
        page = await timeline(gateway, ("civil_status:read", "population:read"), id=HOA)
    dates = [edge["node"]["date"] for edge in page["edges"]]
    assert dates == ["2015-01-01", "2010-01-01", "1990-02-03"]


async def test_the_catalogue_names_the_events_of_each_kind_of_record(tmp_path: Path) -> None:
    async with running(tmp_path, backends()) as gateway:
        body = await gateway.ask(
            "{ databases { name records { name events { code title { vi en } } } } }"
        )
    records = {
        (database["name"], record["name"]): record["events"]
        for database in body["data"]["databases"]
        for record in database["records"]
    }
    assert records["civil_status", "deaths"] == [
        {"code": "DIED", "title": {"vi": "chết", "en": "died"}},
        {"code": "DEATH_REGISTERED",
         "title": {"vi": "đăng ký khai tử", "en": "death registered"}},
    ]  # fmt: skip
    assert records["civil_status", "adoptions"] == []
    assert len(records) == len(POPULATION.records) + len(CIVIL_STATUS.records)


async def test_databases_may_be_settled_to_answer_late(tmp_path: Path) -> None:
    databases = people()
    databases.of("notary").fault = "hangs"
    live = {**LIVE, "notary": DatabaseSettings(timeout=0.05, group=LIVE["notary"].group)}
    async with running(tmp_path, databases, ALL, live) as gateway:
        page = await timeline(gateway, databases=["notary"])
    assert page["edges"] is None
    assert states(page) == {"notary": "TIMED_OUT"}
    assert isinstance(databases["notary"], Faulty)


@pytest.mark.parametrize("slow", ["population.residences", "notary.transactions"])
async def test_a_slow_database_does_not_hold_up_what_hangs_on_the_rows_of_others(
    tmp_path: Path, slow: str
) -> None:
    databases = people(DEBT)
    name, record = slow.split(".")
    databases.of(name).fault, databases.of(name).only = "hangs", record
    async with running(tmp_path, databases, ALL, LIVE, limits=Limits(deadline=0.7)) as gateway:
        page = await timeline(gateway)
    assert {"MEASURE_APPLIED", "ENFORCEMENT_DECIDED"} <= {*kinds(page)}
    timed_out = {gap["database"] for gap in page["gaps"] if gap["state"] == "TIMED_OUT"}
    assert timed_out == {name}


@pytest.mark.parametrize("record", [None, "measures"], ids=["all of it", "what hangs"])
async def test_at_the_deadline_what_is_there_is_the_timeline(
    tmp_path: Path, record: str | None
) -> None:
    databases = people(DEBT)
    enforcement = databases.of("civil_enforcement")
    enforcement.fault, enforcement.only = "hangs", record
    limits = Limits(deadline=0.5)
    async with running(tmp_path, databases, ALL, LIVE, limits=limits) as gateway:
        body = await gateway.ask(QUERY, {"id": CHILD}, EVERY)
    page = body["data"]["person"]["timeline"]
    assert "NOTARISED" in kinds(page)
    (gap,) = (gap for gap in page["gaps"] if gap["database"] == "civil_enforcement")
    assert (gap["state"], "MEASURE_APPLIED" in gap["kinds"]) == ("TIMED_OUT", True)
    assert ("ENFORCEMENT_DECIDED" in kinds(page)) is (record is not None)
    assert codes(body) == ["SOURCE_TIMED_OUT"]


async def test_after_an_invalidation_the_timeline_has_what_is_new_on_every_level(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    live = {name: settings.model_copy(update={"fresh": 1_000}) for name, settings in LIVE.items()}
    databases, more = people(DEBT), people(DEBT, LATER)
    async with running(tmp_path, databases, ALL, live) as gateway:
        for _ in range(3):  # from the sources, from the cache, as a ready answer
            await timeline(gateway)
        databases.of("civil_enforcement").inner = more.of("civil_enforcement").inner
        if "by plan" in request.node.name:  # field by field nothing is cached
            assert "MEASURE_LIFTED" not in kinds(await timeline(gateway))
        await gateway.service.resources.cache.log.invalidate([Invalidation(CHILD)])
        assert {"MEASURE_LIFTED", "EXIT_POSTPONED"} <= {*kinds(await timeline(gateway))}
