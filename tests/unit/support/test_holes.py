"""Generated worlds and callers cover every kind of hole, fault and permission."""

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
from tests.support.holes import TellsAskersApart, World, world

SEEDS = range(120)
NAMES = tuple(database.name for database in installed_databases())
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


def _missing(kinds: Iterator[str], expected: tuple[str, ...]) -> list[str]:
    counts = Counter(kinds)
    return [kind for kind in expected if not counts[kind]]


def test_one_seed_is_one_world() -> None:
    first_world, second_world = world(Random(1)), world(Random(1))
    assert (first_world.rows, first_world.settings, first_world.numbers) == (
        second_world.rows,
        second_world.settings,
        second_world.numbers,
    )


def test_a_world_is_of_all_databases_and_mostly_they_answer(worlds: list[World]) -> None:
    for generated in worlds:
        assert tuple(database.name for database in generated.databases) == NAMES
        assert generated.backends.keys() <= set(NAMES)
    are_complete = [len(world.backends) == len(NAMES) for world in worlds]
    assert sum(are_complete) > len(worlds) / 2


def test_every_record_has_rows_somewhere(worlds: list[World]) -> None:
    filled = {
        (name, record)
        for world in worlds[:20]
        for name, rows in world.rows.items()
        for record, raw_rows in rows.items()
        if raw_rows
    }
    assert filled == {
        (database.name, record.name)
        for database in installed_databases()
        for record in database.records
    }


def test_every_fault_of_a_database_comes_up(worlds: list[World]) -> None:
    expected = (
        "down", "defect", "unmapped", "of one record", "not reached", "maintenance",
        "not operating", "as declared", "fewer provinces", "no province", "later", "as of",
        "tells askers apart",
    )  # fmt: skip
    assert _missing((fault for world in worlds for fault in _faults(world)), expected) == []


def _faults(generated: World) -> Iterator[str]:
    for name in NAMES:
        backend, settings = generated.backends.get(name), generated.settings[name]
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
        if isinstance(inner, TellsAskersApart):
            yield "tells askers apart"
            inner = inner.inner
        if getattr(inner, "_as_of", None) is not None:
            yield "as of"


def test_every_kind_of_hole_comes_up(worlds: list[World]) -> None:
    expected = (
        "null", "left out", "unreadable", "of the wrong kind", "required missing",
        "struct empty", "list empty", "list as text", "overfull", "one identity twice",
        "decomposed", "quotes", "year only", "microseconds", "wide integer", "bad enterprise code",
    )  # fmt: skip
    holes = (hole for world in worlds for hole in _holes(world))
    assert _missing(holes, expected) == []


def _holes(generated: World) -> Iterator[str]:
    for database in generated.databases:
        for record in database.records:
            rows = generated.rows[database.name][record.name]
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
    structs = {column.path[0] for column in record.columns if len(column.path) > 1}
    for struct in structs:
        if all(
            row.get(column.name) is None for column in record.columns if column.path[0] == struct
        ):
            yield "struct empty"
    try:
        decode(record, [row.get(column.name) for column in record.columns])
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
    assert (
        _missing((number for generated in worlds for number in _numbers(generated)), expected) == []
    )


def _numbers(generated: World) -> Iterator[str]:
    population = generated.rows["population"]
    holders_of_number = Counter(row.get("citizen_id") for row in population["identity"])
    if max(holders_of_number.values()) > 1:
        yield "a person held twice"
    if any(number not in holders_of_number for number in generated.numbers if len(number) == 12):
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
    if any(number in holders_of_number for number in holders):
        yield "a number of two persons"


def test_records_lead_to_other_persons_and_records_hang_on_records(worlds: list[World]) -> None:
    generated = worlds[0]
    persons = set(generated.numbers)
    marriages = [row for generated in worlds for row in generated.rows["civil_status"]["marriages"]]
    assert any(row.get("husband_citizen_id") and row.get("wife_citizen_id") for row in marriages)
    assert any(row["party_citizen_id"] in persons for row in _parties(generated))
    numbers = {row.get("decision_no") for row in generated.rows["civil_enforcement"]["cases"]}
    assert any(row.get("decision_no") in numbers for row in _parties(generated))


def _parties(generated: World) -> list[dict[str, object]]:
    return generated.rows["civil_enforcement"]["enforcement_parties"]


def test_names_and_dates_to_match_are_those_in_the_population(worlds: list[World]) -> None:
    details = [
        details_of_person for world in worlds for details_of_person in world.details.values()
    ]
    assert any(name for name, _ in details)
    assert any(born for _, born in details)
    assert all(world.details.keys() <= set(world.numbers) for world in worlds)


def test_callers_range_from_none_to_everything(worlds: list[World]) -> None:
    expected = (
        "nothing", "one record", "sensitive", "restricted", "everything", "citizen alone",
        "citizen with scopes", "citizen unknown", "adoption", "purpose not said", "introspects",
        "every purpose", "will", "address", "another purpose", "represented",
    )  # fmt: skip
    facts = (fact for seed in SEEDS for fact in _of_caller(seed, worlds[seed]))
    assert _missing(facts, expected) == []


def _of_caller(seed: int, generated: World) -> Iterator[str]:
    for turn in range(8):
        asker = caller(Random(f"{seed}/{turn}"), generated.citizens)
        assert not asker.is_anonymous
        scopes = asker.scopes - {INTROSPECT, "me"}
        if not scopes:
            yield "citizen alone" if asker.citizen else "nothing"
        elif asker.citizen:
            yield "citizen with scopes"
        if asker.citizen and asker.citizen not in generated.numbers:
            yield "citizen unknown"
        yield from (scope.partition(":")[2] for scope in scopes)
        if any("." in scope for scope in scopes):
            yield "one record"
        if len([scope for scope in scopes if scope.partition(":")[0] in NAMES]) == 3 * len(NAMES):
            yield "everything"
        yield _PURPOSES.get(asker.purpose, "another purpose")
        assert asker.purpose is None or asker.procedure is not None
        if asker.representative:
            yield "represented"
        if asker.may_introspect:
            yield "introspects"


def test_databases_are_the_installed_ones(worlds: list[World]) -> None:
    databases: tuple[Database, ...] = installed_databases()
    assert worlds[0].databases == databases
