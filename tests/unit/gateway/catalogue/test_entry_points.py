"""Records found by a thing: the public part for everyone allowed, the rest by the usual rules.

Covers ``gateway.schema.lookups``.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.declaration import BASIC, PUBLIC, DeclarationError, database, field, lookup, record
from connectors.description import Group
from connectors.registry import installed_databases
from gateway.catalogue.entry_points import entries_of, keys_of, thing_key
from gateway.errors import GatewayError
from gateway.procedures.procedure import UNIFIED
from gateway.schema.build import build_schema
from tests.support.people import HOA, LAN
from tests.support.running import Running, codes, running
from tests.support.worlds import ALL, EVERY, LIVE, WAYS, World, answer, world

REGISTERED = "security_measures.security_registration:find"
COLLATERAL = "security_measures.collateral:find"
ASSET = "notary.asset:find"

REGISTRATION = """query($number: ThingKey!) { securityRegistration(number: $number) {
  items { registrationNo status obligation requester { name }
    parties { items { role party { name citizenId } } source { state } }
    collateral { items { chassisNo plateNo } } }
  truncated source { state } } }"""
CHASSIS = """query($number: ThingKey!) { collateral(chassisNumber: $number) {
  items { chassisNo registration { items { registrationNo status } source { state } } }
  source { state } } }"""
CERTIFICATE = """query($number: ThingKey!) { asset(certificateNumber: $number) {
  items { assetId
    owners { items { owner { name citizenId } } }
    preventiveInfosOnAsset { items { kind level } source { state } }
    assetTransactions { items { notarialNo kind } truncated source { state } } }
  source { state } } }"""


@pytest.fixture(params=WAYS, autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(request.param, monkeypatch)


def registers() -> World:
    return world(
        {
            "security_measures": {
                "registrations": [
                    {"registration_no": "DK-1", "status": "EFFECTIVE", "registered_on":
                     "2024-01-02", "obligation": "vay", "requester_name": "Hòa"},
                    {"registration_no": "DK-2", "status": "DELETED"},
                ],
                "security_parties": [
                    {"entry_id": "1", "registration_no": "DK-1", "role": "SECURING",
                     "party_name": "Nguyễn Văn Hòa", "party_citizen_id": HOA},
                ],
                "collateral": [
                    {"collateral_id": "C1", "registration_no": "DK-1", "chassis_no": "RLV1",
                     "plate_no": "30A-1"},
                    {"collateral_id": "C2", "registration_no": "DK-2", "chassis_no": "RLV1"},
                ],
            },
            "notary": {
                "assets": [
                    {"asset_id": "A1", "certificate_no": "CĐ 1"},
                    {"asset_id": "A2", "certificate_no": "CĐ 2"},
                ],
                "asset_owners": [
                    {"entry_id": "1", "asset_id": "A1", "owner_name": "Lan",
                     "owner_citizen_id": LAN}
                ],
                "preventive_infos": [
                    {"prevent_id": "P1", "asset_id": "A1", "kind": "TAX", "level": "BLOCK"}
                ],
                "transactions": [
                    {"notarial_no": "1", "kind": "SALE", "notarised_on": "2020-01-01"},
                    {"notarial_no": "2", "kind": "WILL", "notarised_on": "2021-01-01"},
                ],
                "transaction_asset_links": [
                    {"entry_id": number, "notarial_no": number, "asset_id": "A1"}
                    for number in ("1", "2")
                ],
            },
        }
    )  # fmt: skip


async def ask(
    gateway: Running, query: str, number: str, *scopes: str, **headers: str
) -> dict[str, Any]:
    """Ask as somebody with ``scopes`` under the purpose that covers everything."""
    token = gateway.token(*scopes, purposes=[UNIFIED, "notarised-transfer", "1.000894"])
    reply = await gateway.post(query, {"number": number}, token, **headers)
    body: dict[str, Any] = reply.json()
    return body


async def test_whoever_may_find_a_registration_sees_its_public_part(tmp_path: Path) -> None:
    async with running(tmp_path, registers(), ALL, LIVE) as gateway:
        body = await ask(gateway, REGISTRATION, "DK-1", REGISTERED, x_purpose="", x_case_number="")
    (items,) = body["data"]["securityRegistration"]["items"]
    assert (items["registrationNo"], items["status"]) == ("DK-1", "EFFECTIVE")
    assert (items["obligation"], items["requester"]) == (None, None)
    assert items["parties"]["items"] == [{"role": "SECURING", "party": None}]
    assert items["collateral"]["items"] == [{"chassisNo": "RLV1", "plateNo": None}]
    assert set(codes(body)) == {"FORBIDDEN"}
    assert "Hòa" not in str(body)
    assert HOA not in str(body)


async def test_scope_and_purpose_open_the_rest(tmp_path: Path) -> None:
    async with running(tmp_path, registers(), ALL, LIVE) as gateway:
        body = await ask(gateway, REGISTRATION, "DK-1", REGISTERED, *EVERY)
        other = await ask(gateway, REGISTRATION, "DK-1", REGISTERED, *EVERY, x_purpose="1.000894")
        (entry, _) = gateway.journal()
    (items,) = body["data"]["securityRegistration"]["items"]
    assert items["parties"]["items"][0]["party"] == {"name": "Nguyễn Văn Hòa", "citizenId": HOA}
    assert "errors" not in body
    (items,) = other["data"]["securityRegistration"]["items"]
    assert items["parties"]["items"] == [{"role": "SECURING", "party": None}]
    assert [person["role"] for person in entry["persons"]] == ["MENTIONED"]
    assert entry["sections"]["security_measures.security_parties"] == "ANSWERED"
    assert "security_measures.security_registration:find" in entry["asked"]["fields"]


@pytest.mark.parametrize(
    ("query", "scopes", "missing"),
    [
        (REGISTRATION, (COLLATERAL, ASSET, *EVERY), REGISTERED),
        (CHASSIS, (REGISTERED, *EVERY), COLLATERAL),
        (CERTIFICATE, EVERY, ASSET),
    ],
)
async def test_without_the_scope_of_the_entry_nothing_is_found_nor_fetched(
    tmp_path: Path, query: str, scopes: tuple[str, ...], missing: str
) -> None:
    registered = registers()
    async with running(tmp_path, registered, ALL, LIVE) as gateway:
        bodies = [await ask(gateway, query, number, *scopes) for number in ("DK-1", "nothing")]
    assert registered.fetched == []
    assert bodies[0] == bodies[1]
    (value,) = bodies[0]["data"].values()
    assert value is None
    (error,) = bodies[0]["errors"]
    assert error["extensions"]["missing"] == [missing]


async def test_a_vehicle_leads_to_all_registrations_of_it(tmp_path: Path) -> None:
    async with running(tmp_path, registers(), ALL, LIVE) as gateway:
        body = await ask(gateway, CHASSIS, " rlv1 ", COLLATERAL, x_purpose="", x_case_number="")
    items = body["data"]["collateral"]["items"]
    assert [item["registration"]["items"] for item in items] == [
        [{"registrationNo": "DK-1", "status": "EFFECTIVE"}],
        [{"registrationNo": "DK-2", "status": "DELETED"}],
    ]
    assert "errors" not in body


async def test_an_asset_has_no_public_part(tmp_path: Path) -> None:
    registered = registers()
    async with running(tmp_path, registered, ALL, LIVE) as gateway:
        body = await ask(gateway, CERTIFICATE, "CĐ 1", ASSET, x_purpose="", x_case_number="")
    assert body["data"]["asset"] == {"items": None, "source": {"state": "DENIED"}}
    assert codes(body) == ["FORBIDDEN"]
    assert registered.fetched == []


async def test_a_notary_sees_blocks_and_transactions_of_an_asset_but_no_will(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, registers(), ALL, LIVE) as gateway:
        for purpose in ("notarised-transfer", UNIFIED):
            body = await ask(gateway, CERTIFICATE, "CĐ 1", ASSET, *EVERY, x_purpose=purpose)
            (items,) = body["data"]["asset"]["items"]
            assert items["preventiveInfosOnAsset"]["items"] == [{"kind": "TAX", "level": "BLOCK"}]
            assert items["assetTransactions"] == {
                "items": [{"notarialNo": "1", "kind": "SALE"}],
                "truncated": False,
                "source": {"state": "ANSWERED"},
            }
            assert items["owners"]["items"] == [{"owner": {"name": "Lan", "citizenId": LAN}}]


async def test_nothing_found_is_none_and_not_asked_is_unknown(tmp_path: Path) -> None:
    registered = registers()
    async with running(tmp_path, registered, ALL, LIVE) as gateway:
        none = await ask(gateway, CHASSIS, "nothing", COLLATERAL)
        registered.of("security_measures").fault = "down"
        body = await ask(gateway, CHASSIS, "RLV1", COLLATERAL)
    assert none["data"]["collateral"] == {"items": [], "source": {"state": "ANSWERED"}}
    assert body["data"]["collateral"] == {"items": None, "source": {"state": "UNAVAILABLE"}}
    assert codes(body) == ["SOURCE_UNAVAILABLE"]


async def test_a_citizen_who_finds_a_thing_sees_no_more_of_it(tmp_path: Path) -> None:
    async with running(tmp_path, registers(), ALL, LIVE) as gateway:
        token = gateway.token("me", REGISTERED, subject=HOA, purposes=())
        reply = await gateway.post(
            REGISTRATION, {"number": "DK-1"}, token, x_purpose="", x_case_number=""
        )
    (items,) = reply.json()["data"]["securityRegistration"]["items"]
    assert (items["obligation"], items["parties"]["items"][0]["party"]) == (None, None)


@pytest.mark.parametrize("number", ["", "  ", "x" * 101, "RLV1\x00", "RLV\u200b1", "RLV\u00a01"])
async def test_a_key_that_is_none_is_refused_before_anything_is_read(
    tmp_path: Path, number: str
) -> None:
    registered = registers()
    async with running(tmp_path, registered, ALL, LIVE) as gateway:
        body = await ask(gateway, CHASSIS, number, COLLATERAL)
        inline = f"{{ collateral(chassisNumber: {json.dumps(number)}) {{ truncated }} }}"
        quoted = await gateway.post(inline, None, gateway.token(COLLATERAL))
    assert "data" not in body
    assert codes(body) == ["INVALID_VALUE"]
    assert quoted.json().get("data") is None
    assert registered.fetched == []


async def test_things_are_not_found_through_a_url(tmp_path: Path) -> None:
    async with running(tmp_path, registers(), ALL, LIVE) as gateway:
        headers = {"authorization": f"Bearer {gateway.token(COLLATERAL)}"}
        query = '{ collateral(chassisNumber: "RLV1") { truncated } }'
        reply = await gateway.client.get("/graphql", params={"query": query}, headers=headers)
    assert codes(reply.json()) == ["PERSON_IN_URL"]


async def test_officers_say_what_it_is_for(tmp_path: Path) -> None:
    async with running(tmp_path, registers(), ALL, LIVE) as gateway:
        body = await ask(gateway, CHASSIS, "RLV1", COLLATERAL, *EVERY, x_purpose="")
        anonymous = await gateway.post(CHASSIS, {"number": "RLV1"})
    assert codes(body) == ["PURPOSE_REQUIRED"]
    assert codes(anonymous.json()) == ["UNAUTHENTICATED"]


def test_keys_are_asked_as_written_and_in_capitals() -> None:
    assert keys_of("rlv-1") == ("rlv-1", "RLV-1")
    assert keys_of("RLV-1") == ("RLV-1",)
    assert thing_key(" cđ 1 ") == "cđ 1"
    with pytest.raises(GatewayError):
        thing_key(5)


def declared(*, status: Any = PUBLIC, entry: tuple[str, str] = ("thing", "number")) -> Any:
    @record(
        ("Vật", "Thing"),
        lookups=[lookup("things", "Vật", "Things", by="number", entry=entry)],
        identity="number",
        date="since",
    )
    class Thing:
        number: str = field("số", "Number", PUBLIC)
        since: date | None = field("từ", "Since", status)

    return Thing


def described(name: str, *records: type) -> Any:
    return database(
        name, title=("A", "A"), owner=("B", "B"), legal_basis=(), group=Group.OPERATING,
        records=records,
    )  # fmt: skip


def test_an_entry_does_not_open_what_a_filter_would_give_away() -> None:
    assert entries_of([described("things", declared())]).keys() == {"thing"}
    with pytest.raises(DeclarationError, match="since, which it is filtered by, is kept closer"):
        described("things", declared(status=BASIC))


def test_two_entries_of_one_name_are_refused() -> None:
    database = described("things", declared(entry=("asset", "number")))
    with pytest.raises(ValueError, match="another entry is called asset"):
        build_schema([*installed_databases(), database])


@pytest.mark.parametrize("name", ["person", "persons", "me", "my_access", "databases"])
def test_an_entry_is_not_called_as_a_field_that_there_is(name: str) -> None:
    database = described("things", declared(entry=(name, "number")))
    with pytest.raises(ValueError, match=r"test_entry_points\.py:\d+: no entry can be called"):
        build_schema([*installed_databases(), database])


@pytest.mark.parametrize("name", ["first", "from", "to", "order", "status"])
def test_its_argument_is_not_called_as_one_that_lists_have(name: str) -> None:
    database = described("things", declared(entry=("thing", name)))
    with pytest.raises(ValueError, match=f"{name} is an argument of lists already"):
        build_schema([*installed_databases(), database])
