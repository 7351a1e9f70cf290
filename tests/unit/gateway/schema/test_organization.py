"""Organisations: found by their code as records write it, under the same rules as people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.backends.memory import MemoryBackend
from connectors.declaration import BASIC, database, field, lookup, record
from connectors.description import Group
from connectors.vocabulary import Party, codes_of, numbers_of
from gateway.audit.entry import person_hash
from gateway.catalogue.organisations import AS_WRITTEN
from gateway.catalogue.scopes import AUDIT
from gateway.procedures.procedure import UNIFIED
from gateway.settings import Client
from tests.support.access_logs import logged
from tests.support.people import HOA, LAN, NOBODY, OLD_NUMBER, SHARED_NUMBER
from tests.support.running import Running, codes, running
from tests.support.worlds import ALL, EVERY, LIVE, WAYS, World, answer, world

COMPANY, BRANCH, AGENCY = "0100109106", "0100109106-001", "THADS.01"
#: The purpose of those who review access logs.
REVIEW = "access-log-review"
#: A valid code that no record has.
UNHEARD_OF = "0314409058"

QUERY = """query($code: OrganizationCode!) { organization(code: $code) { code
  securityMeasures { registrations { items { registrationNo } source { state coverage {
      excludes { en } } } }
    roles { items { role party { name representative representativePerson { id } } }
      source { state } } }
  civilEnforcement { cases { items { decisionNo } source { state } } }
  administrativeViolations { sanctions { items { decisionNo } source { state } } }
  notary { transactions { items { notarialNo kind } source { state } } } } }"""
#: What is found of whom: database, list, and the identity of its rows.
PLACES = (
    ("securityMeasures", "registrations", "registrationNo"),
    ("civilEnforcement", "cases", "decisionNo"),
    ("administrativeViolations", "sanctions", "decisionNo"),
    ("notary", "transactions", "notarialNo"),
)
PERSON = """query($id: PersonNumber!) { person(id: $id) {
  securityMeasures { registrations { items { registrationNo } source { state } } }
  civilEnforcement { cases { items { decisionNo } source { state } } }
  administrativeViolations { sanctions { items { decisionNo } source { state } } }
  notary { transactions { items { notarialNo } source { state } } } } }"""


@pytest.fixture(params=WAYS, autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(request.param, monkeypatch)


def _party(number: str, **codes_: object) -> dict[str, object]:
    return {"entry_id": number} | {f"party_{column}": value for column, value in codes_.items()}


def registers() -> World:
    """Return databases that name a company, its branch, an agency and a household business."""
    parties = [
        _party(
            "1",
            kind="ORGANISATION",
            enterprise_code=COMPANY,
            name="Công ty",
            representative="Trần Thị Lan",
            representative_id=LAN,
        ),
        _party("2", enterprise_code=BRANCH, name="Chi nhánh"),
        _party("3", organisation_id=AGENCY, name="Thi hành án"),
        _party("4", enterprise_code=HOA, name="Hộ kinh doanh"),
        _party("5", citizen_id=HOA, name="Nguyễn Văn Hòa"),
    ]
    return world(
        {
            "security_measures": {
                "registrations": [{"registration_no": party["entry_id"]} for party in parties],
                "security_parties": [
                    {**party, "registration_no": party["entry_id"], "role": "SECURING"}
                    for party in parties
                ],
            },
            "civil_enforcement": {
                "cases": [{"decision_no": party["entry_id"]} for party in parties],
                "enforcement_parties": [
                    {**party, "decision_no": party["entry_id"], "role": "DEBTOR"}
                    for party in parties
                ],
            },
            "administrative_violations": {
                "sanctions": [
                    {"decision_no": "1", "violator_enterprise_code": COMPANY},
                    {"decision_no": "2", "violator_enterprise_code": BRANCH},
                    {"decision_no": "3", "violator_organisation_id": AGENCY},
                    {"decision_no": "4", "violator_enterprise_code": HOA},
                    {"decision_no": "5", "violator_citizen_id": HOA},
                ]
            },
            "notary": {
                "transactions": [
                    {"notarial_no": party["entry_id"], "kind": "SALE"} for party in parties
                ]
                + [{"notarial_no": "6", "kind": "WILL"}],
                "transaction_parties": [
                    {**party, "notarial_no": party["entry_id"]} for party in parties
                ]
                + [{"entry_id": "6", "notarial_no": "6", "party_enterprise_code": COMPANY}],
            },
        }
    )


def found(whole: Any) -> set[str]:
    """Return which rows each of the four databases shows: the same everywhere."""
    shown = {
        tuple(sorted(row[identity] for row in whole[section][name]["items"] or ()))
        for section, name, identity in PLACES
    }
    assert len(shown) == 1, shown
    return set(shown.pop())


@pytest.mark.parametrize(
    ("code", "rows"),
    [
        (COMPANY, {"1"}),
        (BRANCH, {"2"}),
        ("0100109106001", {"2"}),
        (AGENCY, {"3"}),
        ("thads.01", {"3"}),
        (HOA, {"4", "5"}),
        (UNHEARD_OF, set()),
    ],
)
async def test_an_organisation_is_found_by_its_code_in_each_database(
    tmp_path: Path, code: str, rows: set[str]
) -> None:
    async with running(tmp_path, registers(), ALL, LIVE) as gateway:
        body = await gateway.ask(QUERY, {"code": code}, EVERY)
    organisation = body["data"]["organization"]
    assert organisation["code"] == code
    assert found(organisation) == rows
    states = {organisation[section][name]["source"]["state"] for section, name, _ in PLACES}
    assert states == {"ANSWERED"}
    assert codes(body) == []


async def test_a_household_business_is_found_by_its_owner_too(tmp_path: Path) -> None:
    async with running(tmp_path, registers(), ALL, LIVE) as gateway:
        body = await gateway.ask(PERSON, {"id": HOA}, EVERY)
        earlier = await gateway.ask(PERSON, {"id": OLD_NUMBER}, EVERY)
    assert found(body["data"]["person"]) == {"4", "5"}
    assert found(earlier["data"]["person"]) == {"4", "5"}


async def test_none_means_none_under_this_code_and_says_so(tmp_path: Path) -> None:
    async with running(tmp_path, registers(), ALL, LIVE) as gateway:
        body = await gateway.ask(QUERY, {"code": UNHEARD_OF}, EVERY)
    registrations = body["data"]["organization"]["securityMeasures"]["registrations"]
    assert registrations["items"] == []
    assert {"en": AS_WRITTEN.en} in registrations["source"]["coverage"]["excludes"]


async def test_a_household_business_of_nobody_says_none_of_nothing(tmp_path: Path) -> None:
    async with running(tmp_path, registers(), ALL, LIVE) as gateway:
        body = await gateway.ask(QUERY, {"code": NOBODY}, EVERY)
        shared = await gateway.ask(QUERY, {"code": "001080000001"}, EVERY)
    cases = body["data"]["organization"]["civilEnforcement"]["cases"]
    assert cases == {"items": None, "source": {"state": "NOT_IDENTIFIED"}}
    assert codes(body) == ["PERSON_NOT_IDENTIFIED"]
    assert shared["data"]["organization"]["notary"]["transactions"]["source"]["state"] == (
        "INCOMPLETE"
    )
    assert SHARED_NUMBER not in str(shared)


@pytest.mark.parametrize("database", ["security_measures", "notary"])
async def test_a_database_that_fails_says_nothing_and_costs_its_own_lists(
    tmp_path: Path, database: str
) -> None:
    source = registers()
    source.of(database).fault = "down"
    async with running(tmp_path, source, ALL, LIVE) as gateway:
        body = await gateway.ask(QUERY, {"code": UNHEARD_OF}, EVERY)
    assert set(codes(body)) == {"SOURCE_UNAVAILABLE"}
    for section, name, _ in PLACES:
        shown = body["data"]["organization"][section][name]
        failed = section == {"security_measures": "securityMeasures"}.get(database, database)
        assert shown["items"] == (None if failed else [])


async def test_a_will_is_no_transaction_of_an_organisation_while_the_testator_lives(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, registers(), ALL, LIVE) as gateway:
        body = await gateway.ask(QUERY, {"code": COMPANY}, EVERY)
    (transaction,) = body["data"]["organization"]["notary"]["transactions"]["items"]
    assert transaction["kind"] == "SALE"


def _touched(gateway: Running, *names: str) -> dict[str, str]:
    (entry,) = gateway.journal()
    hashes = gateway.service.resources.person_hash
    by_hash = {person_hash(hashes, name): name for name in names}
    return {by_hash[touch["person"]]: touch["role"] for touch in entry["persons"]}


async def test_the_organisation_and_who_acts_for_it_stand_in_the_journal(tmp_path: Path) -> None:
    async with running(tmp_path, registers(), ALL, LIVE) as gateway:
        body = await gateway.ask(QUERY, {"code": COMPANY}, EVERY)
        touched = _touched(gateway, COMPANY, LAN)
    (role,) = body["data"]["organization"]["securityMeasures"]["roles"]["items"]
    assert role["role"] == "SECURING"
    assert role["party"]["representativePerson"] == {"id": LAN}
    assert touched == {COMPANY: "NAMED", LAN: "KIN"}


async def test_the_owner_of_a_household_business_stands_in_the_journal(tmp_path: Path) -> None:
    query = """query($code: OrganizationCode!) { organization(code: $code) {
      civilEnforcement { cases { items { decisionNo } } } } }"""
    async with running(tmp_path, registers(), ALL, LIVE) as gateway:
        await gateway.ask(query, {"code": HOA}, EVERY)
        assert _touched(gateway, HOA) == {HOA: "NAMED"}


@pytest.mark.parametrize(
    ("asked", "other"), [(COMPANY, COMPANY), (AGENCY, "thads.01"), (BRANCH, "0100109106001")]
)
async def test_auditors_read_who_asked_for_an_organisation_in_whatever_spelling(
    tmp_path: Path, asked: str, other: str
) -> None:
    query = """query($code: OrganizationCode!) { organization(code: $code) {
      accessLog { state items { role sections purpose } } } }"""
    async with logged(tmp_path, registers(), ALL, LIVE) as gateway:
        for spelling in (asked, other):
            await gateway.ask(QUERY, {"code": spelling}, EVERY)
        gateway.clock.advance(60)
        refused = await gateway.ask(query, {"code": asked}, EVERY)
        token = gateway.token(AUDIT, purposes=[REVIEW])
        reply = await gateway.post(query, {"code": asked}, token, x_purpose=REVIEW)
    assert codes(refused) == ["FORBIDDEN"]
    entries = reply.json()["data"]["organization"]["accessLog"]["items"][-2:]
    for entry in entries:
        assert (entry["role"], entry["purpose"]) == ("NAMED", UNIFIED)
        assert "civil_enforcement.cases" in entry["sections"]


async def test_scope_and_purpose_count_as_for_people(tmp_path: Path) -> None:
    async with running(tmp_path, registers(), ALL, LIVE) as gateway:
        denied = await gateway.ask(QUERY, {"code": COMPANY}, ("civil_enforcement:read",))
        nobody = await gateway.ask(QUERY, {"code": COMPANY}, ("introspect",))
        token = gateway.token(*EVERY)
        without = [
            (await gateway.post(QUERY, {"code": COMPANY}, token, **{stated: ""})).json()
            for stated in ("x_purpose", "x_case_number")
        ]
        desk = gateway.token(*EVERY, purposes=["1.000894"])
        marriage = await gateway.post(QUERY, {"code": COMPANY}, desk, x_purpose="1.000894")
    organisation = denied["data"]["organization"]
    assert organisation["civilEnforcement"]["cases"]["items"] == [{"decisionNo": "1"}]
    assert organisation["notary"]["transactions"] == {"items": None, "source": {"state": "DENIED"}}
    assert nobody["data"] == {"organization": None}
    assert [codes(body) for body in without] == [["PURPOSE_REQUIRED"], ["CASE_NUMBER_REQUIRED"]]
    assert "0100109106" in str(marriage.json())
    assert "decisionNo" not in str(marriage.json()["data"]).replace("'decisionNo': None", "")


async def test_a_code_stands_in_no_url_and_no_guess_gets_past_matching(tmp_path: Path) -> None:
    clients = {"test-client": Client(matching=True)}
    source = registers()
    async with running(tmp_path, source, ALL, LIVE, clients=clients) as gateway:
        token = gateway.token(*EVERY)
        in_url = await gateway.client.get(
            "/graphql",
            params={"query": f'{{ organization(code: "{COMPANY}") {{ code }} }}'},
            headers={"authorization": f"Bearer {token}"},
        )
        household = await gateway.ask(QUERY, {"code": HOA}, EVERY)
        assert source.fetched == []
        company = await gateway.ask(QUERY, {"code": COMPANY}, EVERY)
    assert codes(in_url.json()) == ["PERSON_IN_URL"]
    assert codes(household) == ["MATCHING_REQUIRED"]
    assert household["data"] == {"organization": None}
    assert found(company["data"]["organization"]) == {"1"}


async def test_a_wrong_check_digit_is_refused_and_nothing_is_read(tmp_path: Path) -> None:
    source = registers()
    async with running(tmp_path, source, ALL, LIVE) as gateway:
        body = await gateway.ask(QUERY, {"code": "0100109107"}, EVERY)
        literal = await gateway.ask('{ organization(code: "0100109107") { code } }', {}, EVERY)
    assert codes(body) == codes(literal) == ["INVALID_VALUE"]
    assert source.fetched == []


async def test_citizens_name_no_organisation(tmp_path: Path) -> None:
    async with running(tmp_path, registers(), ALL, LIVE) as gateway:
        token = gateway.token("me", subject=HOA)
        body = (await gateway.post(QUERY, {"code": COMPANY}, token, x_purpose="")).json()
    assert codes(body) == ["FORBIDDEN"]


@record(
    ("Giấy phép", "Licence"),
    lookups=[
        lookup("licences", "Giấy phép", "Licences", by=numbers_of("holder")),
        lookup(
            "organisation_licences",
            "Giấy phép của tổ chức",
            "Licences of an organisation",
            by=codes_of("holder"),
            organisation="licences",
        ),
    ],
    identity="licence_no",
)
class OrganisationLicence:
    licence_no: str = field("số", "Number", BASIC)
    holder: Party | None = field("chủ giấy phép", "Holder", BASIC)


LICENCES = database(
    "licences",
    title=("Giấy phép", "Licences"),
    owner=("Bộ", "Ministry"),
    legal_basis=("Luật",),
    group=Group.OPERATING,
    records=[OrganisationLicence],
)


async def test_another_database_with_organisations_is_its_declaration_and_nothing_more(
    tmp_path: Path,
) -> None:
    rows = {
        "licences": [
            {"licence_no": "L1", "holder_enterprise_code": COMPANY},
            {"licence_no": "L2", "holder_enterprise_code": HOA},
        ]
    }
    source = {**registers(), "licences": MemoryBackend(LICENCES, rows)}
    query = """query($code: OrganizationCode!) { organization(code: $code) {
      licences { licences { items { licenceNo holder { name } } } } } }"""
    async with running(tmp_path, source, (*ALL, LICENCES), LIVE) as gateway:
        scopes = (*EVERY, "licences:read")
        company = await gateway.ask(query, {"code": COMPANY}, scopes)
        household = await gateway.ask(query, {"code": HOA}, scopes)
        denied = await gateway.ask(query, {"code": COMPANY}, EVERY)

    def numbers(body: Any) -> list[str]:
        items = body["data"]["organization"]["licences"]["licences"]["items"]
        return [item["licenceNo"] for item in items]

    assert numbers(company) == ["L1"]
    assert numbers(household) == ["L2"]
    assert codes(denied) == ["FORBIDDEN"]
