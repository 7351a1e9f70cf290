"""Debts and securities: seized assets are blocked at the notary, and records are consistent.

Covers ``connectors.synthetic.enforcement_rows``, ``connectors.synthetic.measures``,
``connectors.synthetic.securities``, ``connectors.synthetic.security_rows``.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from decimal import Decimal

import pytest

from connectors.synthetic import PopulationOptions, clusters, personas
from connectors.synthetic.clusters import make
from connectors.synthetic.draw import age_on
from connectors.synthetic.property_model import Estate
from tests.support.synthetic_property import (
    PEOPLE,
    SEEDS,
    TODAY,
    World,
    build_estates,
    day,
    last_day,
    the_world,
)


@pytest.fixture(scope="module", params=SEEDS)
def world(request: pytest.FixtureRequest) -> World:
    return the_world(request.param)


@pytest.fixture(scope="module")
def estates() -> tuple[Estate, ...]:
    return build_estates()


# Enforcement


def test_obligations_add_up_and_fit_the_status(world: World) -> None:
    status = {row["decision_no"]: row["status"] for row in world.cases("cases")}
    for row in world.cases("obligations"):
        amount, paid, remaining = row["amount"], row["paid_amount"], row["remaining"]
        assert isinstance(amount, Decimal)
        assert isinstance(paid, Decimal)
        assert isinstance(remaining, Decimal)
        assert amount == paid + remaining
        assert amount > 0
        assert 0 <= paid <= amount
        if status[row["decision_no"]] == "COMPLETED":
            assert remaining == 0
        else:
            assert remaining > 0


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
        roles = Counter(party["role"] for party in parties[row["decision_no"]])
        assert roles["DEBTOR"] >= 1
        assert roles["CREDITOR"] == (row["initiation"] == "ON_REQUEST")
        debtors = [party.get("party_citizen_id") or party for party in parties[row["decision_no"]]]
        assert len({str(name) for name in debtors}) == len(debtors)
        for member in parties[row["decision_no"]]:
            person = world.holder_of(member)
            if person is not None:
                truth = [c for c in person.enforcement_cases if c.decision_no == row["decision_no"]]
                assert [(c.role, c.status) for c in truth] == [(member["role"], row["status"])]


def test_related_spouses_and_creditors_are_somebody_else(world: World) -> None:
    roles = {case.role for person in world.people.values() for case in person.enforcement_cases}
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
        (info,) = infos[measure["decision_no"]]
        assert info["asset_id"] == measure["asset_ref"]
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
                statuses = [
                    secured[row["registration_no"]][0]["status"]
                    for row in chassis[asset["chassis_no"]]
                ]
                assert "EFFECTIVE" in statuses
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
    count = 0
    for row in world.cases("public_notices"):
        case = status[row["decision_no"]]
        count += 1
        if "removed_on" in row:
            assert case["status"] == "COMPLETED"
            assert day(row["published_on"]) < day(row["removed_on"])
        else:
            assert case["status"] == "NO_CONDITIONS"
            assert day(row["published_on"]) > day(case["status_since"])
            results = {verification["result"] for verification in verified[row["decision_no"]]}
            assert "NO_CONDITIONS" in results
    assert count > 5


def test_debtors_without_conditions_own_nothing_they_could_pay_with(world: World) -> None:
    poor = [
        person
        for person in world.people.values()
        if any(c.role == "DEBTOR" and c.status == "NO_CONDITIONS" for c in person.enforcement_cases)
    ]
    assert poor
    assert sum(bool(person.assets) for person in poor) <= len(poor) * 0.1  # some inherit later


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
        person = world.holder_of(row, "debtor_citizen_id")
        assert person is not None
        assert day(row["verified_on"]) < min(last_day(person), TODAY)


# Security measures


def test_registrations_have_both_sides_and_vehicles_their_chassis_number(world: World) -> None:
    parties = world.group(world.security("security_parties"), "registration_no")
    collateral = world.group(world.security("collateral"), "registration_no")
    lenders = 0
    for row in world.security("registrations"):
        roles = Counter(party["role"] for party in parties[row["registration_no"]])
        assert roles["SECURING"] in (1, 2)
        assert roles["SECURED"] == 1
        entered = row["effective_time"]
        assert isinstance(entered, datetime)
        assert entered.date() == row["registered_on"]
        assert ("end_time" in row) == (row["status"] in ("DELETED", "CANCELLED"))
        assert ("deletion_ground" in row) == (row["status"] == "DELETED")
        if "end_time" in row:
            end_time = row["end_time"]
            assert isinstance(end_time, datetime)
            assert end_time > entered
        for collateral_item in collateral[row["registration_no"]]:
            assert ("chassis_no" in collateral_item) == (
                collateral_item["collateral_type"] == "MOTOR_VEHICLE"
            )
        lenders += any(
            party["role"] == "SECURED" and "party_citizen_id" in party
            for party in parties[row["registration_no"]]
        )
    assert lenders


def test_who_secures_a_vehicle_owned_it(estates: tuple[Estate, ...]) -> None:
    count = 0
    for estate in estates:
        for registration in estate.registrations:
            if registration.asset is not None and registration.stands_on(registration.day):
                assert set(registration.securing) == set(
                    registration.asset.owners_on(registration.day)
                )
                count += 1
            if registration.asset is not None:
                assert registration.asset.owners_on(registration.day)
    assert count > 50


def test_vehicles_are_not_sold_while_they_are_security(estates: tuple[Estate, ...]) -> None:
    for estate in estates:
        for deed in estate.deeds:
            for asset in deed.assets:
                if deed.kind == "SALE":
                    assert not any(
                        registration.stands_on(deed.day) and registration.day < deed.day
                        for registration in asset.securities
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
    options = PopulationOptions(people=PEOPLE)
    assert make(options, 3) == make(options, 3)


def test_the_demo_has_a_living_adult_for_every_tag_with_a_story() -> None:
    truth = {p.id: p for c in clusters(PopulationOptions(people=2_000)) for p in c.truth}
    phrases = {
        "debtor": ("phải thi hành án", "judgment debtor"),
        "secured_party": ("bảo đảm", "secur"),
        "notarised": ("đã công chứng", "notarised transaction"),
        "blocked_asset": ("bị ngăn chặn", "blocked"),
        "testator": ("di chúc", "will"),
    }
    for tag, (vi, en) in phrases.items():
        matching = [
            str(persona["story"])
            for persona in personas(truth.values())
            if tag in truth[str(persona["id"])].tags
            and truth[str(persona["id"])].life_state == "ALIVE"
        ]
        assert matching, tag
        assert all(vi in story and en in story for story in matching)
