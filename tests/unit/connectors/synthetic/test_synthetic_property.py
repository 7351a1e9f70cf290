"""Property, securities and debts: simulated once, told alike by three databases."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from stdnum.vn import mst

from connectors.civil_enforcement import DATABASE as ENFORCEMENT
from connectors.codec import decode_value, encode_text
from connectors.description import Database
from connectors.notary import DATABASE as NOTARY
from connectors.security_measures import DATABASE as SECURITY
from connectors.synthetic import Cluster, Options, PersonTruth, clusters, personas
from connectors.synthetic.bonds import bind
from connectors.synthetic.clusters import make
from connectors.synthetic.conflicts import plant
from connectors.synthetic.courts import decide
from connectors.synthetic.draw import age_on
from connectors.synthetic.family import simulate
from connectors.synthetic.model import Person
from connectors.synthetic.organisations import (
    BANKS,
    COMPANIES,
    bank_at,
    check_digit,
    company_at,
    own_company,
)
from connectors.synthetic.property import own
from connectors.synthetic.property_model import COMMON, Estate
from connectors.synthetic.protected import protect
from connectors.synthetic.registers import register
from tests.unit.connectors.synthetic.synthetic_sample import Row

DATABASES = (NOTARY, SECURITY, ENFORCEMENT)
SEEDS = (2026, 7)
PEOPLE = 3_000
TODAY = Options(people=1).today
SALES = ("SALE", "DONATION", "MORTGAGE", "LEASE", "DEPOSIT", "SPOUSAL_PROPERTY_AGREEMENT")


@dataclass
class World:
    """Clusters of one seed, with what the tests look rows up by."""

    clusters: list[Cluster]
    rows: dict[tuple[str, str], list[Row]] = field(default_factory=lambda: defaultdict(list))
    people: dict[str, PersonTruth] = field(default_factory=dict)
    holder: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for cluster in self.clusters:
            for key, rows in cluster.rows.items():
                self.rows[key] += rows
            for person in cluster.truth:
                self.people[person.id] = person
                shared = any(one.what == "SHARED_NUMBER" for one in person.conflicts)
                numbers = (person.id, *person.earlier_numbers[shared:])
                self.holder |= dict.fromkeys(numbers, person.id)

    def notary(self, record: str) -> list[Row]:
        return self.rows["notary", record]

    def security(self, record: str) -> list[Row]:
        return self.rows["security_measures", record]

    def cases(self, record: str) -> list[Row]:
        return self.rows["civil_enforcement", record]

    def group(self, rows: list[Row], key: str) -> dict[object, list[Row]]:
        found: dict[object, list[Row]] = defaultdict(list)
        for row in rows:
            found[row[key]].append(row)
        return found

    def who(self, row: Row, column: str = "party_citizen_id") -> PersonTruth | None:
        number = row.get(column)
        return None if number is None else self.people[self.holder[str(number)]]


@pytest.fixture(scope="module", params=SEEDS)
def world(request: pytest.FixtureRequest) -> World:
    return World(list(clusters(Options(people=PEOPLE, seed=request.param))))


@pytest.fixture(scope="module")
def estates() -> list[Estate]:
    """The facts themselves of some 5,000 people, before any row is written."""
    found: list[Estate] = []
    for index in range(100):
        family = simulate(Options(people=1), index)
        bind(family)
        decide(family)
        register(family)
        plant(family)
        protect(family)
        own(family)
        assert family.estate is not None
        found.append(family.estate)
    return found


def day(value: object) -> date:
    assert isinstance(value, date)
    return value


def last_day(person: PersonTruth) -> date:
    ends = [one for one in (person.death_date, person.missing_since) if one is not None]
    return min(ends, default=date.max)


def spouse_on(person: PersonTruth, on: date) -> str | None:
    for spell in person.marital_history:
        if spell.start <= on and (spell.end is None or on < spell.end):
            return spell.spouse_id
    return None


# Rows


@pytest.mark.parametrize("database", DATABASES, ids=lambda one: one.name)
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


@pytest.mark.parametrize("database", DATABASES, ids=lambda one: one.name)
def test_every_row_that_hangs_on_another_has_its_parent(world: World, database: Database) -> None:
    names = {lookup.name: record.name for record in database.records for lookup in record.lookups}
    checked = 0
    for record in database.records:
        for lookup in record.lookups:
            if lookup.on is None or lookup.through is not None:
                continue
            parent, column = names[lookup.on[0]], lookup.on[1]
            key = lookup.by[0]
            many = world.rows[database.name, parent]
            ones = {row.get(column) for row in many}
            hung = {row.get(key) for row in world.rows[database.name, record.name]} - {None}
            checked += 1
            if record.single:  # what is referred to exists
                assert ones - {None} <= hung or record.name == "judgment"
            else:
                assert hung <= ones
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
    named = 0
    for database in DATABASES:
        for record in database.records:
            for row in world.rows[database.name, record.name]:
                for name, value in row.items():
                    if name.endswith(columns):
                        named += 1
                        assert value in world.holder
    assert named > PEOPLE / 2


def test_earlier_numbers_are_where_the_truth_says(world: World) -> None:
    filed = {
        (one.record, one.event_id, one.number)
        for person in world.people.values()
        for one in person.filed_under
        if one.record in ("transaction_parties", "security_parties", "enforcement_parties")
    }
    found = set()
    for database, record in (
        ("notary", "transaction_parties"),
        ("security_measures", "security_parties"),
        ("civil_enforcement", "enforcement_parties"),
    ):
        for row in world.rows[database, record]:
            number = row.get("party_citizen_id")
            if number is not None and number not in world.people:
                found.add((record, row["entry_id"], number))
    assert found == filed
    assert found


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
    home = simulate(Options(people=1), 0).homes[0]
    made = [bank_at(index) for index in range(BANKS)]
    made += [company_at(index) for index in range(COMPANIES)]
    made += [own_company(cluster, n, home, "A") for cluster in range(40) for n in range(10)]
    codes = {one.enterprise_code for one in made}
    assert len(codes) == len(made)
    assert all(mst.is_valid(str(code)) for code in codes)
    assert check_digit("010023348") == 8
    with pytest.raises(ValueError, match="companies"):
        own_company(0, 10, home, "A")


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
            person, on = world.who(row), days[row[key]]
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
            person = world.who(party)
            if person is None:
                continue
            spouse = spouse_on(person, on)
            assert party.get("spouse_id") == spouse
            if party["role"] == "TRANSFEREE" and spouse is not None:
                couples += 1
                others = [
                    other
                    for other in parties[row["notarial_no"]]
                    if other["role"] == "TRANSFEREE" and world.who(other) is world.people[spouse]
                ]
                assert len(others) == 1
    assert couples > 50


def test_who_disposes_of_an_asset_owned_it_and_all_owners_take_part(
    estates: list[Estate],
) -> None:
    kinds: Counter[str] = Counter()
    common = 0
    for estate in estates:
        for deed in estate.deeds:
            named = [one for _, one in deed.parties]
            for asset in deed.assets:
                before = asset.owners_on(deed.day - timedelta(days=1))
                kinds[deed.kind] += 1
                if deed.kind in SALES:
                    assert all(owner in named for owner in before)
                if deed.kind == "SALE":
                    sellers = [one for role, one in deed.parties if role == "TRANSFEROR"]
                    buyers = [one for role, one in deed.parties if role == "TRANSFEREE"]
                    assert set(sellers) == set(before)
                    assert set(asset.owners_on(deed.day)) == set(buyers)
                    people = [one for one in sellers if isinstance(one, Person)]
                    if len(people) == 2 and people[0].union_on(deed.day) is not None:
                        common += 1
                assert not asset.blocked_on(deed.day)
    assert common > 20
    assert kinds.keys() >= {*SALES, "INHERITANCE_DIVISION", "AUTHORISATION", "CANCEL"}


def test_spouses_own_in_common_what_they_bought_together(estates: list[Estate]) -> None:
    for estate in estates:
        for asset in estate.assets:
            for holding in asset.holdings:
                people = [one for one, share in holding.owners if share == COMMON]
                assert len(people) in (0, 2)
                if people:
                    first, second = people
                    assert isinstance(first, Person)
                    union = first.union_on(holding.start)
                    assert union is not None
                    assert union.spouse(first) is second


def test_heirs_take_after_the_death_and_are_heirs(estates: list[Estate]) -> None:
    divided = 0
    for estate in estates:
        for deed in estate.deeds:
            if not deed.kind.startswith("INHERITANCE"):
                continue
            asset, heirs = deed.assets[0], [one for _, one in deed.parties]
            before = asset.owners_on(deed.day - timedelta(days=1))
            dead = [p for p in before if isinstance(p, Person) and p.died and p.died < deed.day]
            assert len(dead) == 1
            near = [*dead[0].children, dead[0].mother, dead[0].father]
            near += [union.spouse(dead[0]) for union in dead[0].unions]
            assert all(one in near for one in heirs)
            divided += 1
    assert divided > 20


def test_owners_today_are_those_of_the_truth(world: World) -> None:
    owned: dict[str, set[object]] = defaultdict(set)
    for row in world.notary("asset_owners"):
        person = world.who(row, "owner_citizen_id")
        if person is not None:
            owned[person.id].add(row["asset_id"])
    for person in world.people.values():
        assert {one.asset_id for one in person.assets} == owned[person.id]


def test_wills_are_transactions_and_open_only_after_death(world: World) -> None:
    transactions = {row["notarial_no"]: row for row in world.notary("transactions")}
    living = opened = 0
    for row in world.notary("wills"):
        person = world.people[str(row["testator_id"])]
        assert transactions[row["notarial_no"]]["kind"] == "WILL"
        assert row["notarial_no"] in person.wills
        assert "testator" in person.tags
        living += person.life_state == "ALIVE"
        if "opened_on" in row:
            opened += 1
            assert person.death_date is not None
            assert person.death_date < day(row["opened_on"]) < TODAY
            assert "replaced_by" not in row
    assert living
    assert opened
    for person in world.people.values():
        assert {row for row in person.wills} <= transactions.keys()
        assert not set(person.wills) & set(person.transactions)


# Enforcement


def test_obligations_add_up_and_fit_the_status(world: World) -> None:
    status = {row["decision_no"]: row["status"] for row in world.cases("cases")}
    for row in world.cases("obligations"):
        amount, paid, left = row["amount"], row["paid_amount"], row["remaining"]
        assert isinstance(amount, Decimal)
        assert isinstance(paid, Decimal)
        assert isinstance(left, Decimal)
        assert amount == paid + left
        assert amount > 0
        assert 0 <= paid <= amount
        if status[row["decision_no"]] == "COMPLETED":
            assert left == 0
        else:
            assert left > 0


def test_cases_follow_their_judgments_in_order(world: World) -> None:
    judgments = {row["judgment_no"]: row for row in world.cases("judgment")}
    parties = world.group(world.cases("enforcement_parties"), "decision_no")
    for row in world.cases("cases"):
        judgment = judgments[row["judgment_no"]]
        decided = day(row["decision_date"])
        assert day(judgment["issue_date"]) < day(judgment["effective_date"]) < decided
        assert decided < day(row["voluntary_deadline"])
        assert decided <= day(row["status_since"]) < TODAY
        assert (row["initiation"] == "ON_REQUEST") == ("request_date" in row)
        if "request_date" in row:
            assert day(judgment["effective_date"]) < day(row["request_date"]) < decided
        roles = Counter(one["role"] for one in parties[row["decision_no"]])
        assert roles["DEBTOR"] >= 1
        assert roles["CREDITOR"] == (row["initiation"] == "ON_REQUEST")
        named = [one.get("party_citizen_id") or one for one in parties[row["decision_no"]]]
        assert len({str(one) for one in named}) == len(named)
        for one in parties[row["decision_no"]]:
            person = world.who(one)
            if person is not None:
                truth = [c for c in person.enforcement_cases if c.decision_no == row["decision_no"]]
                assert [(c.role, c.status) for c in truth] == [(one["role"], row["status"])]


def test_related_spouses_and_creditors_are_somebody_else(world: World) -> None:
    roles = {one.role for person in world.people.values() for one in person.enforcement_cases}
    assert roles == {"DEBTOR", "CREDITOR", "RELATED"}


def test_seized_assets_are_owned_by_the_debtor_and_blocked_at_the_notary(world: World) -> None:
    cases = {row["decision_no"]: row for row in world.cases("cases")}
    debtors = world.group(world.cases("enforcement_parties"), "decision_no")
    owners = world.group(world.notary("asset_owners"), "asset_id")
    infos = world.group(world.notary("preventive_infos"), "document_no")
    secured = world.group(world.security("registrations"), "registration_no")
    chassis = world.group(
        [row for row in world.security("collateral") if "chassis_no" in row], "chassis_no"
    )
    assets = {row["asset_id"]: row for row in world.notary("assets")}
    active = vehicles = 0
    for measure in world.cases("measures"):
        case = cases[measure["decision_no"]]
        assert day(measure["applied_on"]) > day(case["voluntary_deadline"])
        if "asset_ref" not in measure:
            continue
        info = next(
            i for i in infos[measure["decision_no"]] if i["asset_id"] == measure["asset_ref"]
        )
        assert (info["kind"], info["level"]) == ("ENFORCEMENT_MEASURE", "BLOCK")
        assert info.get("lifted_on") == measure.get("lifted_on")
        assert (info["status"] == "LIFTED") == ("lifted_on" in measure)
        closed = case["status"] in ("COMPLETED", "DISCONTINUED", "ENDED", "RETURNED", "ENTRUSTED")
        assert ("lifted_on" in measure) == closed
        if "lifted_on" in measure:
            assert day(measure["applied_on"]) < day(measure["lifted_on"]) < TODAY
        else:
            active += 1
            owing = {
                world.holder[str(row["party_citizen_id"])]
                for row in debtors[measure["decision_no"]]
                if row["role"] == "DEBTOR"
            }
            holding = {
                world.holder[str(row["owner_citizen_id"])]
                for row in owners[measure["asset_ref"]]
                if "owner_citizen_id" in row
            }
            assert owing & holding
            for number in holding:
                assert "blocked_asset" in world.people[number].tags
            asset = assets[measure["asset_ref"]]
            if asset["kind"] == "VEHICLE":
                vehicles += 1
                standing = [
                    secured[row["registration_no"]][0]["status"]
                    for row in chassis[asset["chassis_no"]]
                ]
                assert "EFFECTIVE" in standing
    assert active > 8
    assert vehicles


def test_nothing_is_transacted_while_it_is_blocked(world: World) -> None:
    blocks = [row for row in world.notary("preventive_infos") if row["level"] == "BLOCK"]
    links = world.group(world.notary("transaction_asset_links"), "asset_id")
    days = {row["notarial_no"]: day(row["notarised_on"]) for row in world.notary("transactions")}
    assert blocks
    for block in blocks:
        start, end = day(block["valid_from"]), block.get("lifted_on", date.max)
        for link in links[block["asset_id"]]:
            assert not start <= days[link["notarial_no"]] < day(end)


def test_debtors_without_conditions_are_published_and_others_are_not(world: World) -> None:
    status = {row["decision_no"]: row for row in world.cases("cases")}
    verified = world.group(world.cases("verifications"), "decision_no")
    shown = 0
    for row in world.cases("public_notices"):
        case = status[row["decision_no"]]
        shown += 1
        if "removed_on" in row:
            assert case["status"] == "COMPLETED"
            assert day(row["published_on"]) < day(row["removed_on"])
        else:
            assert case["status"] == "NO_CONDITIONS"
            assert day(row["published_on"]) > day(case["status_since"])
            results = {one["result"] for one in verified[row["decision_no"]]}
            assert "NO_CONDITIONS" in results
    assert shown > 5


def test_exits_are_postponed_for_living_debtors_and_lifted_at_the_end(world: World) -> None:
    rows = world.cases("exit_postponements")
    assert rows
    for row in rows:
        person = world.people[str(row["person_id"])]
        assert day(row["valid_from"]) < min(last_day(person), TODAY)
        assert (row["status"] == "LIFTED") == ("valid_until" in row)


def test_only_completed_cases_are_confirmed(world: World) -> None:
    status = {row["decision_no"]: row["status"] for row in world.cases("cases")}
    assert world.cases("confirmations")
    assert {status[row["decision_no"]] for row in world.cases("confirmations")} == {"COMPLETED"}


def test_nothing_is_verified_after_a_debtors_death(world: World) -> None:
    for row in world.cases("verifications"):
        person = world.who(row, "debtor_citizen_id")
        assert person is not None
        assert day(row["verified_on"]) < min(last_day(person), TODAY)


# Security measures


def test_registrations_have_both_sides_and_vehicles_their_chassis_number(world: World) -> None:
    parties = world.group(world.security("security_parties"), "registration_no")
    collateral = world.group(world.security("collateral"), "registration_no")
    lenders = 0
    for row in world.security("registrations"):
        roles = Counter(one["role"] for one in parties[row["registration_no"]])
        assert roles["SECURING"] in (1, 2)
        assert roles["SECURED"] == 1
        entered = row["effective_time"]
        assert isinstance(entered, datetime)
        assert entered.date() == row["registered_on"]
        assert ("end_time" in row) == (row["status"] in ("DELETED", "CANCELLED"))
        assert ("deletion_ground" in row) == (row["status"] == "DELETED")
        if "end_time" in row:
            ended = row["end_time"]
            assert isinstance(ended, datetime)
            assert ended > entered
        for thing in collateral[row["registration_no"]]:
            assert ("chassis_no" in thing) == (thing["collateral_type"] == "MOTOR_VEHICLE")
        lenders += any(
            one["role"] == "SECURED" and "party_citizen_id" in one
            for one in parties[row["registration_no"]]
        )
    assert lenders


def test_who_secures_a_vehicle_owned_it(estates: list[Estate]) -> None:
    found = 0
    for estate in estates:
        for one in estate.registrations:
            if one.asset is not None and one.stands_on(one.day):
                assert set(one.securing) == set(one.asset.owners_on(one.day))
                found += 1
            if one.asset is not None:
                assert one.asset.owners_on(one.day)
    assert found > 50


def test_vehicles_are_not_sold_while_they_are_security(estates: list[Estate]) -> None:
    for estate in estates:
        for deed in estate.deeds:
            for asset in deed.assets:
                if deed.kind == "SALE":
                    assert not any(
                        one.stands_on(deed.day) and one.day < deed.day for one in asset.securities
                    )


# The whole


def test_rates_are_those_that_were_chosen(world: World) -> None:
    adults = [
        person
        for person in world.people.values()
        if person.life_state == "ALIVE" and age_on(person.birth_date, TODAY) >= 18
    ]
    for tag, low, high in (
        ("debtor", 0.05, 0.1),
        ("secured_party", 0.07, 0.145),
        ("notarised", 0.28, 0.42),
        ("testator", 0.006, 0.03),
        ("blocked_asset", 0.008, 0.04),
    ):
        assert low < sum(tag in person.tags for person in adults) / len(adults) < high, tag


def test_offices_come_once_and_a_cluster_depends_on_nothing_else(world: World) -> None:
    assert [c.index for c in world.clusters if ("notary", "notaries") in c.rows] == [0]
    options = Options(people=PEOPLE)
    assert make(options, 3) == make(options, 3)


def test_the_demo_has_a_living_adult_for_every_tag_with_a_story() -> None:
    truth = {p.id: p for c in clusters(Options(people=2_000)) for p in c.truth}
    told = {
        "debtor": ("phải thi hành án", "judgment debtor"),
        "secured_party": ("bảo đảm", "secur"),
        "notarised": ("đã công chứng", "notarised transaction"),
        "blocked_asset": ("bị ngăn chặn", "blocked"),
        "testator": ("di chúc", "will"),
    }
    for tag, (vi, en) in told.items():
        found = [
            str(persona["story"])
            for persona in personas(truth.values())
            if tag in truth[str(persona["id"])].tags
            and truth[str(persona["id"])].life_state == "ALIVE"
        ]
        assert found, tag
        assert all(vi in story and en in story for story in found)
