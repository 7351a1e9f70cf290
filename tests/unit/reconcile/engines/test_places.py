"""Where people live: the residence of today or the last, nothing of the protected.

Covers ``reconcile.engines.records``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from connectors.population import DATABASE as POPULATION
from reconcile.engines.choice import open_engine
from reconcile.engines.completeness import CasePlan
from reconcile.engines.engine import Engine
from reconcile.engines.places import PROTECTED_PEOPLE, former_province_of, province_of
from reconcile.engines.units import unit_cases
from reconcile.layout import RunFolder
from reconcile.settings import ReconcileSettings
from rules.statements import rule_statements
from tests.support.case_shapes import rules_with
from tests.support.run_extracts import STATEMENTS, Fault, case_place, write_extracts

RESIDENCES = POPULATION.by_name["residences"]
ORDERS = POPULATION.by_name["protection_orders"]
NUMBER, EARLIER = "001090000001", "001090000009"
PLACE = case_place("IMPLAUSIBLE_DATE")
#: The first case about identities alone: everybody's place is the same in the findings of each.
ONE_CASE = rule_statements(
    rules_with(lambda _, case: case is STATEMENTS.cases[PLACE].case), with_registration_dates=True
)
Columns = Mapping[str, object]
PlacesOf = Any


def residence(entry: str, code: str | None, kind: str = "PERMANENT", **columns: str) -> Columns:
    row = {"entry_id": entry, "citizen_id": NUMBER, "kind": kind, "address_province_code": code}
    return {"valid_from": "2010-01-01", **row, **columns}


def order(citizen_id: str = NUMBER, **columns: str) -> Columns:
    return {"order_no": "1/QĐ", "citizen_id": citizen_id, "valid_from": "2025-01-01", **columns}


@pytest.fixture
def places(tmp_path: Path) -> Iterator[object]:
    """A function of residences and orders that gives the provinces of the person's finding."""
    engines: list[Engine] = []

    def of(
        residences: Sequence[Columns],
        orders: Sequence[Columns] = (),
        faults: Sequence[Fault] = (),
        **options: Sequence[str],
    ) -> tuple[str | None, str | None]:
        folder = RunFolder(tmp_path / str(len(engines)))
        tables = {
            ("population", "identity"): [
                {"citizen_id": NUMBER, "birth_date": "2090-01-01", "life_status": "ALIVE"}
            ],
            ("population", "earlier_numbers"): [
                {"entry_id": "1", "number": EARLIER, "citizen_id": NUMBER},
                {"entry_id": "2", "number": "001090000008", "citizen_id": NUMBER},
                {"entry_id": "3", "number": "001090000008", "citizen_id": "001090000002"},
            ],
            ("population", "residences"): residences,
            ("population", "protection_orders"): orders,
        }
        manifest = write_extracts(folder, tables, faults, **options)
        engine = open_engine(ReconcileSettings(buckets=1, memory=400_000_000, threads=1))
        engines.append(engine)
        engine.prepare(folder, manifest, ONE_CASE)
        (unit,) = engine.units()
        (found,) = engine.findings(unit)
        return found.province, found.former_province

    yield of
    for engine in engines:
        engine.close()


def test_the_present_residence_comes_before_the_registered_one(places: PlacesOf) -> None:
    rows = [
        residence("1", "79"),
        residence("2", "01", "CURRENT", valid_from="2020-01-01"),
        residence("3", "04", "TEMPORARY", valid_from="2020-01-01"),
        residence("4", "38", "ABSENT", valid_from="2024-01-01"),
    ]
    assert places(rows) == ("01", "001")
    assert places(rows[::2]) == ("79", None)
    assert places(rows[2:]) == ("04", "004")
    assert places(rows[3:]) == (None, None)


def test_what_has_ended_or_not_begun_is_no_present_residence(places: PlacesOf) -> None:
    ended = residence("1", "38", "CURRENT", valid_until="2026-11-22")
    later = residence("2", "40", "CURRENT", valid_from="2026-11-24")
    present = residence("3", "42", "TEMPORARY", valid_until="2026-11-23")
    assert places([ended, later, present]) == ("42", "042")
    # Of whom none is in force, such as the dead, the last counts.
    before = residence("4", "11", valid_until="2015-01-01")
    assert places([before, ended, later]) == ("38", "038")


def test_a_residence_under_an_earlier_number_is_theirs(places: PlacesOf) -> None:
    assert places([residence("1", "38", citizen_id=EARLIER)]) == ("38", "038")


def test_a_code_that_is_no_province_is_none(places: PlacesOf) -> None:
    assert places([residence("1", "99")]) == (None, None)
    assert places([residence("1", None)]) == (None, None)


@pytest.mark.parametrize("number", [NUMBER, EARLIER, "001090000008"])
def test_the_protected_have_no_place(places: PlacesOf, number: str) -> None:
    """Also where the order has an earlier number, or one that two people have."""
    assert places([residence("1", "38")], [order(number)]) == (None, None)


@pytest.mark.parametrize(
    ("bounds", "is_protected"),
    [
        ({"valid_until": "2026-11-23"}, True),
        ({"valid_until": "2026-11-22"}, False),
        ({"valid_from": "2026-11-24"}, False),
        ({"valid_from": "2025-01-01"}, True),
    ],
    ids=str,
)
def test_an_order_protects_while_it_is_in_force(
    places: PlacesOf, bounds: dict[str, str], is_protected: bool
) -> None:
    found = places([residence("1", "38")], [order(**bounds)])
    assert found == ((None, None) if is_protected else ("38", "038"))


def test_an_order_of_somebody_else_protects_them_alone(places: PlacesOf) -> None:
    assert places([residence("1", "38")], [order("001090000003")]) == ("38", "038")


def test_an_order_whose_end_could_not_be_read_protects(places: PlacesOf) -> None:
    ended = order(valid_until="2026-01-01")
    fault = Fault(ORDERS, "valid_until", "1/QĐ", NUMBER)
    assert places([residence("1", "38")], [ended], [fault]) == (None, None)


def test_where_it_is_not_known_who_is_protected_nobody_has_a_place(places: PlacesOf) -> None:
    rows = [residence("1", "38")]
    unreadable = Fault(ORDERS, "citizen_id", "1/QĐ")
    assert places(rows, [order("001090000003")], [unreadable]) == (None, None)
    assert places(rows, absent=["population.protection_orders"]) == (None, None)
    assert places(rows, incomplete=["population.protection_orders"]) == (None, None)


def test_where_residences_are_not_known_wholly_nobody_has_a_place(places: PlacesOf) -> None:
    rows = [residence("1", "38")]
    assert places(rows, absent=["population.residences"]) == (None, None)
    assert places(rows, incomplete=["population.residences"]) == (None, None)


def test_who_has_a_residence_that_could_not_be_read_has_no_place(places: PlacesOf) -> None:
    rows = [residence("1", "38"), residence("2", "01", "CURRENT")]
    assert places(rows, (), [Fault(RESIDENCES, "kind", "2", NUMBER)]) == (None, None)


@pytest.mark.parametrize(
    ("code", "as_recorded", "as_of", "former"),
    [
        ("01", None, None, "001"),  # it was made of one province
        ("08", "Xã A, huyện B, tỉnh Hà Giang", None, "002"),
        ("08", "xã a, TỈNH HA\u0300 GIANG", "2020", "002"),
        ("08", "Xã A, tỉnh Tuyên Quang", None, None),  # so the new one is called too
        ("08", "Xã A, tỉnh Tuyên Quang", "2025", None),
        ("08", "Xã A, tỉnh Tuyên Quang", "2025-06", "008"),
        ("08", "Xã A, tỉnh Tuyên Quang", "2025-07-01", None),
        ("25", "Phường X, Thành phố Hoà Bình, Hoà Bình", "1999", "017"),
        ("79", "12 Lê Lợi, Bà Rịa - Vũng Tàu", None, "077"),
        ("79", "12 Lê Lợi, TP. Hồ Chí Minh", "2010", "079"),
        ("79", "12 Lê Lợi, tỉnh Hà Giang", "2010", None),  # it is no part of that province
        (None, "tỉnh Hà Giang", None, None),
        ("99", "tỉnh Hà Giang", None, None),
    ],
)
def test_the_former_province_is_told_where_the_record_tells_it(
    code: str | None, as_recorded: str | None, as_of: str | None, former: str | None
) -> None:
    assert former_province_of(code, as_recorded, as_of) == former


def test_only_codes_of_the_34_provinces_are_provinces() -> None:
    assert province_of("79") == "79"
    assert province_of("079") is None
    assert province_of(None) is None


def test_no_case_that_shows_a_residence_is_run_over_the_protected() -> None:
    showing = 0
    plan = CasePlan(True, None, frozenset(), frozenset())
    for item in unit_cases(STATEMENTS, [plan] * len(STATEMENTS.cases)):
        text = str(item.statement)
        shown = {name for side in item.case.case.sides for name in side.columns}
        records = {side.row.record for side in item.case.case.sides}
        shows = RESIDENCES in records or any(name.startswith("address_") for name in shown)
        assert (PROTECTED_PEOPLE in text) == shows, item.case.rule.name
        assert ORDERS not in records
        showing += shows
    assert showing
