"""Spouses, assets, blocks and securities agree between notaries, enforcement and civil status.

The other half of ``test_coherence``, over the same 20,000 people.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date

import pytest

from connectors.synthetic import PersonTruth
from tests.support.synthetic_people import Sample, first, the_world


@pytest.fixture(scope="module")
def world() -> Sample:
    return the_world()


def spouse_on(person: PersonTruth, day: date) -> str | None:
    for spell in person.marital_history:
        if spell.start <= day and (spell.end is None or day < spell.end):
            return spell.spouse_id
    return None


def status_on(person: PersonTruth, day: date) -> str:
    """Return the marital status in law on a day, from the history alone."""
    if spouse_on(person, day) is not None:
        return "MARRIED"
    past_spells = [
        spell
        for spell in person.marital_history
        if spell.end is not None and spell.end <= day and spell.ended_by != "ANNULMENT"
    ]
    if not past_spells:
        return "SINGLE"
    return "DIVORCED" if past_spells[-1].ended_by == "DIVORCE" else "WIDOWED"


def test_notaries_and_enforcement_know_the_spouse_of_the_day(world: Sample) -> None:
    signed = {
        row["notarial_no"]: row["notarised_on"] for row in world.rows["notary", "transactions"]
    }
    number_columns = 0
    for row in world.rows["notary", "transaction_parties"]:
        number, spouse = world.holder_of(row, "party_citizen_id"), world.holder_of(row, "spouse_id")
        if number is not None and spouse is not None:
            number_columns += 1
            assert spouse_on(world.people[number], first(signed[row["notarial_no"]])) == spouse
        elif number is not None and row["role"] == "TRANSFEROR":
            assert spouse_on(world.people[number], first(signed[row["notarial_no"]])) is None
    assert number_columns > 1_000
    for row in world.rows["civil_enforcement", "verifications"]:
        number = world.holder_of(row, "debtor_citizen_id")
        if number is not None:
            status = status_on(world.people[number], first(row["verified_on"]))
            assert row["marital_status"] == status


def test_common_property_is_sold_by_both_spouses(world: Sample) -> None:
    """Law on Marriage and Family 52/2014/QH13 Art. 35: both dispose of a common home."""
    sales = {
        row["notarial_no"]: first(row["notarised_on"])
        for row in world.rows["notary", "transactions"]
        if row["kind"] in ("SALE", "DONATION")
    }
    sellers: dict[object, set[str]] = defaultdict(set)
    for row in world.rows["notary", "transaction_parties"]:
        number = world.holder_of(row, "party_citizen_id")
        if row["notarial_no"] in sales and row["role"] == "TRANSFEROR" and number is not None:
            sellers[row["notarial_no"]].add(number)
    pairs = [(no, people) for no, people in sellers.items() if len(people) > 1]
    assert len(pairs) > 50
    joint = sum(
        spouse_on(world.people[person], sales[no]) in people
        for no, people in pairs
        for person in list(people)[:1]
    )
    assert joint / len(pairs) > 0.5


def test_what_is_seized_is_blocked_at_the_notary_and_not_sold(world: Sample) -> None:
    """Decree 152/2026/NĐ-CP Art. 111."""
    state = {row["asset_id"]: row["transaction_status"] for row in world.rows["notary", "assets"]}
    blocks: dict[object, list[tuple[date, date]]] = defaultdict(list)
    for row in world.rows["notary", "preventive_infos"]:
        if row["level"] == "BLOCK" and "asset_id" in row:
            end = first(row["lifted_on"]) if "lifted_on" in row else date.max
            assert ("lifted_on" in row) == (row["status"] == "LIFTED")
            blocks[row["asset_id"]].append((first(row["valid_from"]), end))
    seized = 0
    for row in world.rows["civil_enforcement", "measures"]:
        if "asset_ref" in row:
            seized += 1
            applied, is_in_force = first(row["applied_on"]), "lifted_on" not in row
            periods = blocks[row["asset_ref"]]
            assert any(start <= applied < end for start, end in periods)
            if is_in_force:
                assert any(end == date.max for _, end in periods)
    assert seized > 50
    for asset, is_blocked in state.items():
        is_in_force = any(end == date.max for _, end in blocks[asset])
        assert (is_blocked == "đang bị ngăn chặn giao dịch") == is_in_force
    deeds = {row["notarial_no"]: row for row in world.rows["notary", "transactions"]}
    for link in world.rows["notary", "transaction_asset_links"]:
        deed = deeds[link["notarial_no"]]
        if deed["kind"] in ("SALE", "DONATION", "MORTGAGE", "LEASE"):
            signed = first(deed["notarised_on"])
            assert not any(start <= signed < end for start, end in blocks[link["asset_id"]])


def test_debtors_own_what_is_seized_from_them(world: Sample) -> None:
    debtors: dict[object, set[str | None]] = defaultdict(set)
    for row in world.rows["civil_enforcement", "enforcement_parties"]:
        if row["role"] == "DEBTOR":
            debtors[row["decision_no"]].add(world.holder_of(row, "party_citizen_id"))
    owners: dict[object, set[str | None]] = defaultdict(set)
    for row in world.rows["notary", "asset_owners"]:
        owners[row["asset_id"]].add(world.holder_of(row, "owner_citizen_id"))
    for row in world.rows["civil_enforcement", "measures"]:
        if "asset_ref" in row and "lifted_on" not in row:
            heirs = {
                heir
                for debtor in debtors[row["decision_no"]]
                if debtor is not None and world.people[debtor].life_state != "ALIVE"
                for heir in owners[row["asset_ref"]]
            }
            assert owners[row["asset_ref"]] & (debtors[row["decision_no"]] | heirs)


def test_vehicles_are_the_same_at_the_notary_and_among_the_securities(world: Sample) -> None:
    plates = {
        row["chassis_no"]: row.get("plate_no")
        for row in world.rows["notary", "assets"]
        if "chassis_no" in row
    }
    matched = 0
    for row in world.rows["security_measures", "collateral"]:
        if row.get("chassis_no") in plates:
            matched += 1
            assert row["plate_no"] == plates[row["chassis_no"]]
    assert matched > 20
