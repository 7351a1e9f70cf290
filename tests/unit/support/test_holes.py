"""Generated worlds and callers: that every kind of hole, fault and permission comes up in them."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest

from connectors.codec import Unreadable, decode
from connectors.description import Database, Group, Kind, Record
from connectors.registry import installed_databases
from gateway.catalogue.scopes import INTROSPECT
from gateway.procedures.procedure import UNIFIED
from gateway.protection import address, adoption, will
from tests.support.callers import caller
from tests.support.faults import Faulty
from tests.support.holes import World, world

SEEDS = range(120)
NAMES = tuple(one.name for one in installed_databases())
_PURPOSES: dict[str | None, str] = {
    None: "purpose not said",
    UNIFIED: "every purpose",
    adoption.PURPOSE: "adoption",
    will.PURPOSE: "will",
    address.PURPOSE: "address",
}


@pytest.fixture(scope="module")
def worlds() -> list[World]:
    return [world(Random(seed)) for seed in SEEDS]


def _missing(found: Iterator[str], expected: tuple[str, ...]) -> list[str]:
    counted = Counter(found)
    return [one for one in expected if not counted[one]]


def test_one_seed_is_one_world() -> None:
    one, other = world(Random(1)), world(Random(1))
    assert (one.rows, one.settings, one.numbers) == (other.rows, other.settings, other.numbers)


def test_a_world_is_of_all_databases_and_mostly_they_answer(worlds: list[World]) -> None:
    for one in worlds:
        assert tuple(database.name for database in one.databases) == NAMES
        assert one.backends.keys() <= set(NAMES)
    whole = [len(one.backends) == len(NAMES) for one in worlds]
    assert sum(whole) > len(worlds) / 2


def test_every_record_has_rows_somewhere(worlds: list[World]) -> None:
    filled = {
        (name, record)
        for one in worlds[:20]
        for name, rows in one.rows.items()
        for record, found in rows.items()
        if found
    }
    assert filled == {
        (one.name, record.name) for one in installed_databases() for record in one.records
    }


def test_every_fault_of_a_database_comes_up(worlds: list[World]) -> None:
    expected = (
        "down", "defect", "unmapped", "of one record", "not reached", "maintenance",
        "not operating", "as declared", "fewer provinces", "no province", "later", "as of",
    )  # fmt: skip
    assert _missing((fault for one in worlds for fault in _faults(one)), expected) == []


def _faults(one: World) -> Iterator[str]:
    for name in NAMES:
        backend, settings = one.backends.get(name), one.settings[name]
        if backend is None:
            yield "not reached"
        if isinstance(backend, Faulty):
            yield str(backend.fault)
            if backend.only is not None:
                yield "of one record"
        if settings.maintenance:
            yield "maintenance"
        if settings.group is None:
            yield "as declared"
        elif settings.group is not Group.OPERATING:
            yield "not operating"
        if settings.provinces is not None:
            yield "fewer provinces" if settings.provinces else "no province"
        if settings.since is not None:
            yield "later"
        inner = backend.inner if isinstance(backend, Faulty) else backend
        if getattr(inner, "_as_of", None) is not None:
            yield "as of"


def test_every_kind_of_hole_comes_up(worlds: list[World]) -> None:
    expected = (
        "null", "left out", "unreadable", "of the wrong kind", "required missing",
        "struct empty", "list empty", "list as text", "overfull", "one identity twice",
        "decomposed", "quotes", "year only", "microseconds", "wide integer", "bad enterprise code",
    )  # fmt: skip
    found = (hole for one in worlds for hole in _holes(one))
    assert _missing(found, expected) == []


def _holes(one: World) -> Iterator[str]:
    for database in one.databases:
        for record in database.records:
            rows = one.rows[database.name][record.name]
            if len(rows) > record.limit and not record.single:
                yield "overfull"
            identities = Counter(str(row.get(record.identity)) for row in rows)
            if max(identities.values(), default=0) > 1:
                yield "one identity twice"
            for row in rows[:4]:
                yield from _of_row(record, row)


def _of_row(record: Record, row: dict[str, object]) -> Iterator[str]:
    for column in record.columns:
        value = row.get(column.name)
        if value is None:
            yield "null" if column.name in row else "left out"
            if column.required:
                yield "required missing"
        elif column.field.many:
            yield "list empty" if value in ([], "[]") else "list as text" * isinstance(value, str)
        yield from _of_value(column.field.kind, value)
    structs = {one.path[0] for one in record.columns if len(one.path) > 1}
    for struct in structs:
        if all(row.get(one.name) is None for one in record.columns if one.path[0] == struct):
            yield "struct empty"
    try:
        decode(record, [row.get(one.name) for one in record.columns])
    except Unreadable as error:
        yield "unreadable"
        if "missing" not in str(error):
            yield "of the wrong kind"


def _of_value(kind: Kind, value: object) -> Iterator[str]:
    if kind is Kind.INTEGER and isinstance(value, int) and abs(value) > 2**31:
        yield "wide integer"
    if not isinstance(value, str):
        return
    if kind is Kind.STRING and not unicodedata.is_normalized("NFC", value):
        yield "decomposed"
    if kind is Kind.STRING and '"' in value:
        yield "quotes"
    if kind is Kind.PARTIAL_DATE and len(value) == 4:
        yield "year only"
    if kind is Kind.DATETIME and "." in value:
        yield "microseconds"
    if kind is Kind.ENTERPRISE_CODE and value == "0100109107":
        yield "bad enterprise code"


def test_numbers_lead_to_one_person_to_several_and_to_nobody(worlds: list[World]) -> None:
    expected = (
        "an old number", "a cancelled number", "a shared number", "a person held twice",
        "somebody unknown", "dead", "missing", "under correction", "a number of two persons",
    )  # fmt: skip
    assert _missing((one for made in worlds for one in _numbers(made)), expected) == []


def _numbers(one: World) -> Iterator[str]:
    population = one.rows["population"]
    held = Counter(row.get("citizen_id") for row in population["identity"])
    if max(held.values()) > 1:
        yield "a person held twice"
    if any(number not in held for number in one.numbers if len(number) == 12):
        yield "somebody unknown"
    for row in population["identity"]:
        yield {"DEAD": "dead", "MISSING": "missing"}.get(str(row.get("life_status")), "")
        yield "under correction" if row.get("status") == "UNDER_CORRECTION" else ""
    holders: dict[object, set[object]] = {}
    for row in population["earlier_numbers"]:
        number = row.get("number")
        yield "an old number" if len(str(number)) == 9 else "a cancelled number"
        holders.setdefault(number, set()).add(row.get("citizen_id"))
    if any(len(persons) > 1 for persons in holders.values()):
        yield "a shared number"
    if any(number in held for number in holders):
        yield "a number of two persons"


def test_records_lead_to_other_persons_and_records_hang_on_records(worlds: list[World]) -> None:
    one = worlds[0]
    persons = set(one.numbers)
    marriages = [row for made in worlds for row in made.rows["civil_status"]["marriages"]]
    assert any(row.get("husband_citizen_id") and row.get("wife_citizen_id") for row in marriages)
    assert any(row["party_citizen_id"] in persons for row in _parties(one))
    numbers = {row.get("decision_no") for row in one.rows["civil_enforcement"]["cases"]}
    assert any(row.get("decision_no") in numbers for row in _parties(one))


def _parties(one: World) -> list[dict[str, object]]:
    return one.rows["civil_enforcement"]["enforcement_parties"]


def test_names_and_dates_to_match_are_those_in_the_population(worlds: list[World]) -> None:
    details = [found for one in worlds for found in one.details.values()]
    assert any(name for name, _ in details)
    assert any(born for _, born in details)
    assert all(one.details.keys() <= set(one.numbers) for one in worlds)


def test_callers_range_from_none_to_everything(worlds: list[World]) -> None:
    expected = (
        "nothing", "one record", "sensitive", "restricted", "everything", "citizen alone",
        "citizen with scopes", "citizen unknown", "adoption", "purpose not said", "introspects",
        "every purpose", "will", "address", "another purpose", "represented",
    )  # fmt: skip
    found = (fact for seed in SEEDS for fact in _of_caller(seed, worlds[seed]))
    assert _missing(found, expected) == []


def _of_caller(seed: int, made: World) -> Iterator[str]:
    for turn in range(8):
        one = caller(Random(f"{seed}/{turn}"), made.citizens)
        assert not one.is_anonymous
        scopes = one.scopes - {INTROSPECT, "me"}
        if not scopes:
            yield "citizen alone" if one.citizen else "nothing"
        elif one.citizen:
            yield "citizen with scopes"
        if one.citizen and one.citizen not in made.numbers:
            yield "citizen unknown"
        yield from (scope.partition(":")[2] for scope in scopes)
        if any("." in scope for scope in scopes):
            yield "one record"
        if len([scope for scope in scopes if "." not in scope]) == 3 * len(NAMES):
            yield "everything"
        yield _PURPOSES.get(one.purpose, "another purpose")
        assert one.purpose is None or one.procedure is not None
        if one.representative:
            yield "represented"
        if one.may_introspect:
            yield "introspects"


def test_databases_are_the_installed_ones(worlds: list[World]) -> None:
    databases: tuple[Database, ...] = installed_databases()
    assert worlds[0].databases == databases
