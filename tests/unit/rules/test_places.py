"""Places: another province, another country, or the same by its name of before the mergers.

Covers ``rules.conflicts.place``, ``rules.conflicts.place_form``, ``rules.conflicts.residence``.
"""

from __future__ import annotations

from datetime import date

import pytest

from connectors.values import PartialDate
from rules.conflicts import place, place_form, residence
from rules.row_program import RowProgram

PERSON = "001090000001"
PROGRAM = RowProgram([place.RULE, place_form.RULE])
RESIDENCE = RowProgram([residence.RULE])
Rows = dict[str, list[dict[str, object]]]


def found(program: RowProgram, rows: Rows) -> list[str]:
    lists = [
        [
            tuple(row.get(column.name) for column in program.records[read].columns)
            for row in rows.get(read.lookup, [])
        ]
        for read in program.reads
    ]
    findings = program.check(lists, frozenset({PERSON}), date(2026, 11, 23))
    return [finding.rule.name for finding in findings]


def birth_place(
    code: str | None = None,
    recorded: str | None = None,
    as_of: int | None = None,
    country: str | None = "VN",
) -> dict[str, object]:
    return {
        "birth_place_province_code": code,
        "birth_place_as_recorded": recorded,
        "birth_place_as_of": None if as_of is None else PartialDate(as_of),
        "birth_place_country": country,
    }


BINH_DUONG, VUNG_TAU = "xã A, huyện B, tỉnh Bình Dương", "xã A, tỉnh Bà Rịa - Vũng Tàu"
HCM = "phường A, Thành phố Hồ Chí Minh"


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (birth_place("79"), birth_place("79"), []),
        (birth_place("79"), birth_place("75"), ["PLACE"]),
        (birth_place("79"), birth_place("74"), []),  # the code of a former province
        (birth_place("79"), birth_place("00"), []),
        (birth_place("79"), birth_place(None, BINH_DUONG, 2012), []),
        (birth_place("75"), birth_place(None, BINH_DUONG, 2012), ["PLACE"]),
        (birth_place("75"), birth_place(None, BINH_DUONG, 1988), []),  # cut otherwise then
        (birth_place("75"), birth_place(None, BINH_DUONG), []),
        (birth_place("75"), birth_place(None, "tỉnh Sông Bé", 2012), []),
        (birth_place(None, VUNG_TAU, 2012), birth_place(None, BINH_DUONG, 2012), ["PLACE"]),
        (birth_place(None, HCM, 2012), birth_place(None, BINH_DUONG, 2012), ["PLACE"]),
        (birth_place(None, HCM, 2026), birth_place(None, BINH_DUONG, 2012), ["PLACE_FORM"]),
        (birth_place("79", HCM), birth_place("79", BINH_DUONG, 1988), ["PLACE_FORM"]),
        (birth_place("79", HCM, 1988), birth_place("79", BINH_DUONG, 1988), []),
        (
            birth_place(None, "xã A, tỉnh Quảng Trị", 2026),
            birth_place(None, "xã A, tỉnh Quảng Bình", 2012),
            ["PLACE_FORM"],
        ),
        (birth_place(None, HCM, 2026), birth_place(None, "tỉnh Long An", 2012), ["PLACE"]),
        (birth_place("79"), birth_place(None, "Praha", 2012, "CZ"), ["PLACE"]),
        (birth_place("79"), birth_place(None, "Praha", 2012, None), []),
        (birth_place(), birth_place(), []),
    ],
)
def test_provinces_are_compared_as_they_are_after_the_mergers(
    left: dict[str, object], right: dict[str, object], expected: list[str]
) -> None:
    for one_side, other in ((left, right), (right, left)):
        identity = {"citizen_id": PERSON, **one_side}
        birth: dict[str, object] = {"event_id": "KS-1", "status": "VALID", **other}
        assert found(PROGRAM, {"identity": [identity], "births": [birth]}) == expected
        assert (
            found(PROGRAM, {"identity": [identity], "births": [birth | {"status": "REVOKED"}]})
            == []
        )


def address(
    code: str | None, since: int, until: int | None = None, kind: str = "PERMANENT"
) -> dict[str, object]:
    return {
        "entry_id": f"DC-{since}",
        "kind": kind,
        "address_province_code": code,
        "valid_from": date(since, 1, 1),
        "valid_until": None if until is None else date(until, 6, 1),
    }


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        ([address("79", 2000)], ["RESIDENCE"]),
        ([address("79", 2000, 2020)], ["RESIDENCE"]),  # until the day of the death
        ([address("75", 2000)], []),
        ([address("70", 2000)], []),  # part of 75 now
        ([address("79", 2000, 2019)], []),  # moved before
        ([address("79", 2021)], []),  # moved later
        ([address("79", 2000), address("75", 1990, 1999)], []),
        ([address("79", 2000), address("75", 2018, kind="TEMPORARY")], []),
        ([address("79", 2000), address(None, 2018, kind="CURRENT")], []),
        ([address("79", 2000, kind="TEMPORARY")], []),
        ([], []),
    ],
)
def test_a_residence_of_another_day_or_kind_is_no_conflict(
    addresses: list[dict[str, object]], expected: list[str]
) -> None:
    death: dict[str, object] = {
        "event_id": "KT-1",
        "status": "VALID",
        "death_date": PartialDate(2020, 6, 1),
        "last_residence_province_code": "75",
    }
    assert found(RESIDENCE, {"residences": addresses, "deaths": [death]}) == expected


def test_from_a_list_of_residences_that_lacks_rows_nothing_follows() -> None:
    death = {"event_id": "KT-1", "status": "VALID", "death_date": PartialDate(2020, 6, 1),
             "last_residence_province_code": "75"}  # fmt: skip
    rows: Rows = {"residences": [address("79", 2000)], "deaths": [dict(death)]}
    lists = [
        [tuple(row.get(column.name) for column in RESIDENCE.records[read].columns) for row in
         rows.get(read.lookup, [])]
        for read in RESIDENCE.reads
    ]  # fmt: skip
    complete = [
        None if read.lookup == "residences" else rows_of
        for read, rows_of in zip(RESIDENCE.reads, lists, strict=True)
    ]
    today = date(2026, 11, 23)
    assert RESIDENCE.check(lists, frozenset({PERSON}), today)
    assert RESIDENCE.check(lists, frozenset({PERSON}), today, complete) == []
