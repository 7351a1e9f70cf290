"""Property: simulated once, with the same story at the notaries and in other databases.

Covers ``connectors.synthetic.assets``, ``connectors.synthetic.dealings``,
``connectors.synthetic.deals``, ``connectors.synthetic.market``,
``connectors.synthetic.notary_rows``, ``connectors.synthetic.property_model``,
``connectors.synthetic.property_story``, ``connectors.synthetic.property_truth``,
``connectors.synthetic.succession``, ``connectors.synthetic.organisations``.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta

import pytest
from stdnum.vn import mst

from connectors.civil_enforcement import DATABASE as ENFORCEMENT
from connectors.codec import decode_value, encode_text
from connectors.description import Database
from connectors.notary import DATABASE as NOTARY
from connectors.security_measures import DATABASE as SECURITY
from connectors.synthetic import PopulationOptions
from connectors.synthetic.draw import age_on
from connectors.synthetic.family import simulate
from connectors.synthetic.model import Citizen
from connectors.synthetic.organisations import (
    BANKS,
    COMPANIES,
    bank_at,
    check_digit,
    company_at,
    company_of_owner,
)
from connectors.synthetic.property_model import COMMON, Estate
from tests.support.synthetic_property import (
    PEOPLE,
    SEEDS,
    TODAY,
    World,
    build_estates,
    day,
    last_day,
    spouse_on,
    the_world,
)

DATABASES = (NOTARY, SECURITY, ENFORCEMENT)
SALES = ("SALE", "DONATION", "MORTGAGE", "LEASE", "DEPOSIT", "SPOUSAL_PROPERTY_AGREEMENT")


@pytest.fixture(scope="module", params=SEEDS)
def world(request: pytest.FixtureRequest) -> World:
    return the_world(request.param)


@pytest.fixture(scope="module")
def estates() -> tuple[Estate, ...]:
    return build_estates()


# Rows


@pytest.mark.parametrize("database", DATABASES, ids=lambda source: source.name)
def test_every_value_decodes_to_itself_and_identities_are_unique(
    world: World, database: Database
) -> None:
    for record in database.records:
        rows = world.rows[database.name, record.name]
        assert rows, f"no rows of {record.name}"
        assert len({row[record.identity] for row in rows}) == len(rows)
        for row in rows:
            for name, value in row.items():
                read = decode_value(record.column(name), encode_text(value))
                assert encode_text(read) == encode_text(value)
            for column in record.columns:
                assert not column.required or column.name in row


@pytest.mark.parametrize("database", DATABASES, ids=lambda source: source.name)
def test_every_row_that_hangs_on_another_has_its_parent(world: World, database: Database) -> None:
    checked = 0
    for record in database.records:
        for lookup in record.lookups:
            if lookup.on is None or lookup.through is not None:
                continue
            (parent, column), key = lookup.on, lookup.by[0]
            parent_rows = world.rows[database.name, parent]
            values = {row.get(column) for row in parent_rows}
            child_values = {row.get(key) for row in world.rows[database.name, record.name]} - {None}
            checked += 1
            if record.single:  # what is referred to exists
                assert values - {None} <= child_values or record.name == "judgment"
            else:
                assert child_values <= values
    assert checked


def test_links_parties_and_assets_refer_to_what_is_there(world: World) -> None:
    transactions = {row["notarial_no"] for row in world.notary("transactions")}
    assets = {row["asset_id"] for row in world.notary("assets")}
    for row in world.notary("transaction_asset_links"):
        assert row["notarial_no"] in transactions
        assert row["asset_id"] in assets
    assert {row["notarial_no"] for row in world.notary("transaction_parties")} == transactions
    assert {row["asset_id"] for row in world.notary("asset_owners")} == assets
    for row in world.notary("transactions"):
        assert row.get("related_no", row["notarial_no"]) in transactions
    registrations = {row["registration_no"] for row in world.security("registrations")}
    for record in ("security_parties", "collateral"):
        assert {row["registration_no"] for row in world.security(record)} == registrations
    judged = {row["judgment_no"] for row in world.cases("judgment")}
    assert judged == {row["judgment_no"] for row in world.cases("cases")}


def test_everybody_named_by_number_is_of_the_population(world: World) -> None:
    columns = ("citizen_id", "person_id", "spouse_id", "testator_id")
    count = 0
    for database in DATABASES:
        for record in database.records:
            for row in world.rows[database.name, record.name]:
                for name, value in row.items():
                    if name.endswith(columns):
                        count += 1
                        assert value in world.holder
    assert count > PEOPLE / 2


def test_earlier_numbers_are_where_the_truth_says(world: World) -> None:
    filed = {
        (filing.record, filing.event_id, filing.number)
        for person in world.people.values()
        for filing in person.filed_under
        if filing.record in ("transaction_parties", "security_parties", "enforcement_parties")
    }
    filings = set()
    for database, record in (
        ("notary", "transaction_parties"),
        ("security_measures", "security_parties"),
        ("civil_enforcement", "enforcement_parties"),
    ):
        for row in world.rows[database, record]:
            number = row.get("party_citizen_id")
            if number is not None and number not in world.people:
                filings.add((record, row["entry_id"], number))
    assert filings == filed
    assert filings


def test_enterprise_codes_are_valid(world: World) -> None:
    codes = {
        str(value)
        for database in DATABASES
        for record in database.records
        for row in world.rows[database.name, record.name]
        for name, value in row.items()
        if name.endswith("enterprise_code")
    }
    assert len(codes) > 20
    assert all(mst.is_valid(code) for code in codes)


def test_organisations_have_codes_of_their_own() -> None:
    home = simulate(PopulationOptions(people=1), 0).homes[0]
    organisations = [bank_at(index) for index in range(BANKS)]
    organisations += [company_at(index) for index in range(COMPANIES)]
    organisations += [
        company_of_owner(cluster, n, home, "A") for cluster in range(40) for n in range(10)
    ]
    codes = {organisation.enterprise_code for organisation in organisations}
    assert len(codes) == len(organisations)
    assert all(mst.is_valid(str(code)) for code in codes)
    assert check_digit("010023348") == 8
    with pytest.raises(ValueError, match="companies"):
        company_of_owner(0, 10, home, "A")


def test_no_party_acts_under_age_or_after_death(world: World) -> None:
    days = {row["notarial_no"]: day(row["notarised_on"]) for row in world.notary("transactions")}
    days |= {row["decision_no"]: day(row["decision_date"]) for row in world.cases("cases")}
    days |= {
        row["registration_no"]: day(row["registered_on"]) for row in world.security("registrations")
    }
    for rows, key in (
        (world.notary("transaction_parties"), "notarial_no"),
        (world.security("security_parties"), "registration_no"),
        (world.cases("enforcement_parties"), "decision_no"),
    ):
        for row in rows:
            person, on = world.holder_of(row), days[row[key]]
            assert on < TODAY
            if person is not None:
                assert age_on(person.birth_date, on) >= 18
                assert on < last_day(person) or person.life_state == "ALIVE"


# Notary


def test_a_sale_of_common_property_names_both_spouses(world: World) -> None:
    parties = world.group(world.notary("transaction_parties"), "notarial_no")
    couples = 0
    for row in world.notary("transactions"):
        if row["kind"] != "SALE":
            continue
        on = day(row["notarised_on"])
        for party in parties[row["notarial_no"]]:
            person = world.holder_of(party)
            if person is None:
                continue
            spouse = spouse_on(person, on)
            assert party.get("spouse_id") == spouse
            if party["role"] == "TRANSFEREE" and spouse is not None:
                couples += 1
                spouses = [
                    other
                    for other in parties[row["notarial_no"]]
                    if other["role"] == "TRANSFEREE"
                    and world.holder_of(other) is world.people[spouse]
                ]
                assert len(spouses) == 1
    assert couples > 50


def test_who_disposes_of_an_asset_owned_it_and_all_owners_take_part(
    estates: tuple[Estate, ...],
) -> None:
    kinds: Counter[str] = Counter()
    common = 0
    for estate in estates:
        for deed in estate.deeds:
            party_numbers = [owner for _, owner in deed.parties]
            for asset in deed.assets:
                before = asset.owners_on(deed.day - timedelta(days=1))
                kinds[deed.kind] += 1
                if deed.kind in SALES:
                    assert all(owner in party_numbers for owner in before)
                if deed.kind == "SALE":
                    sellers = [owner for role, owner in deed.parties if role == "TRANSFEROR"]
                    buyers = [owner for role, owner in deed.parties if role == "TRANSFEREE"]
                    assert set(sellers) == set(before)
                    assert set(asset.owners_on(deed.day)) == set(buyers)
                    people = [seller for seller in sellers if isinstance(seller, Citizen)]
                    if len(people) == 2 and people[0].union_on(deed.day) is not None:
                        common += 1
                assert not asset.blocked_on(deed.day)
    assert common > 20
    assert kinds.keys() >= {*SALES, "INHERITANCE_DIVISION", "AUTHORISATION", "CANCEL"}


def test_spouses_own_in_common_what_they_bought_together(estates: tuple[Estate, ...]) -> None:
    for estate in estates:
        for asset in estate.assets:
            for holding in asset.holdings:
                people = [owner for owner, share in holding.owners if share == COMMON]
                assert len(people) in (0, 2)
                if people:
                    first, second = people
                    assert isinstance(first, Citizen)
                    union = first.union_on(holding.start)
                    assert union is not None
                    assert union.spouse(first) is second


def test_heirs_take_after_the_death_and_are_heirs(estates: tuple[Estate, ...]) -> None:
    divided = 0
    for estate in estates:
        for deed in estate.deeds:
            if not deed.kind.startswith("INHERITANCE"):
                continue
            asset, heirs = deed.assets[0], [owner for _, owner in deed.parties]
            before = asset.owners_on(deed.day - timedelta(days=1))
            dead = [p for p in before if isinstance(p, Citizen) and p.died and p.died < deed.day]
            assert len(dead) == 1
            relatives = [*dead[0].children, dead[0].mother, dead[0].father]
            relatives += [union.spouse(dead[0]) for union in dead[0].unions]
            assert all(heir in relatives for heir in heirs)
            divided += 1
    assert divided > 20


def test_owners_today_are_those_of_the_truth(world: World) -> None:
    owned: dict[str, set[object]] = defaultdict(set)
    for row in world.notary("asset_owners"):
        person = world.holder_of(row, "owner_citizen_id")
        if person is not None:
            owned[person.id].add(row["asset_id"])
    for person in world.people.values():
        assert {asset.asset_id for asset in person.assets} == owned[person.id]


def test_wills_are_transactions_and_open_only_after_death(world: World) -> None:
    transactions = {row["notarial_no"]: row for row in world.notary("transactions")}
    living = opened_wills = 0
    for row in world.notary("wills"):
        person = world.people[str(row["testator_id"])]
        assert transactions[row["notarial_no"]]["kind"] == "WILL"
        assert row["notarial_no"] in person.wills
        assert "testator" in person.tags
        living += person.life_state == "ALIVE"
        if "opened_on" in row:
            opened_wills += 1
            assert person.death_date is not None
            assert person.death_date < day(row["opened_on"]) < TODAY
            assert "replaced_by" not in row
    assert living
    assert opened_wills
    for person in world.people.values():
        assert set(person.wills) <= transactions.keys()
        assert not set(person.wills) & set(person.transactions)
