"""Addresses of protected people are in their orders only; substitutes look like any other."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

import pytest

from tests.support.synthetic_people import (
    Sample,
    all_rows,
    number_columns,
    the_sample,
    the_world,
)


@pytest.fixture(scope="module")
def sample() -> Sample:
    return the_sample()


@pytest.fixture(scope="module")
def world() -> Sample:
    return the_world()


def day(value: object) -> date:
    assert isinstance(value, date)
    return value


def test_true_addresses_are_in_the_orders_only(sample: Sample) -> None:
    orders = {str(row["citizen_id"]): row for row in sample.population("protection_orders")}
    protected = {
        person.id: person.protection for person in sample.people.values() if person.protection
    }
    assert orders.keys() == protected.keys()
    assert len(orders) >= 6_000 / 2_000
    true = [order.true_address for order in protected.values()]
    for key, rows in sample.rows.items():
        for row in rows if key != ("population", "protection_orders") else ():
            for value in row.values():
                assert not isinstance(value, str) or not any(order in value for order in true)
    for number, row in orders.items():
        address = protected[number]
        assert address is not None
        assert row["true_address_as_recorded"] == address.true_address
        assert "protected" in sample.people[number].tags
        assert day(row["issued_on"]) < sample.options.today
        assert day(row.get("valid_until", date.max)) > sample.options.today


def test_a_substitute_address_looks_like_anybodys(sample: Sample) -> None:
    protected = {
        person.id: person.protection for person in sample.people.values() if person.protection
    }
    shapes, kinds = defaultdict(set), defaultdict(set)
    for row in sample.population("residences"):
        is_protected = row["citizen_id"] in protected
        shapes[is_protected].add(frozenset(row) - {"valid_until"})
        kinds[is_protected].add(str(row["address_as_recorded"]).split()[0])
        address = protected.get(str(row["citizen_id"]))
        if address is not None and "valid_until" not in row:
            assert row["address_as_recorded"] == address.substitute_address
    assert shapes[True] <= shapes[False]
    assert kinds[True] <= kinds[False]


def test_nobody_learns_where_a_protected_person_lives(world: Sample) -> None:
    protected = {
        person.id: person.protection for person in world.people.values() if person.protection
    }
    assert len(protected) >= 20
    secret = [order.true_address for order in protected.values()]
    numbers = {order.partition(",")[0] for order in secret}
    for record, rows in all_rows(world):
        if record.name == "protection_orders":
            assert {str(row["citizen_id"]) for row in rows} == protected.keys()
            continue
        for row in rows:
            for value in row.values():
                if (
                    type(value) is str
                    and "số" in value
                    and any(number in value for number in numbers)
                ):
                    assert not any(order in value for order in secret), record.name


def street(address: object) -> str:
    """Return an address up to the commune."""
    return str(address).partition(", phường ")[0].partition(", xã ")[0]


def test_addresses_of_protected_people_are_those_of_the_population_database(world: Sample) -> None:
    addresses: dict[str, set[str]] = defaultdict(set)
    for row in world.population("residences"):
        addresses[str(row["citizen_id"])].add(street(row["address_as_recorded"]))
        order = world.people[str(row["citizen_id"])].protection
        if order is not None and "valid_until" not in row:
            assert row["address_as_recorded"] == order.substitute_address
    compared: set[str] = set()
    for record, rows in all_rows(world):
        for key, start in number_columns(record):
            address = f"{start}residence_as_recorded"
            for row in rows:
                number = world.holder_of(row, key) if address in row else None
                if number is not None and world.people[number].protection is not None:
                    compared.add(record.database)
                    assert street(row[address]) in addresses[number], record.name
    assert len(compared) >= 4
