"""Where somebody resides, with today's units."""

from __future__ import annotations

import json
from datetime import date
from importlib.resources import files
from typing import Any

import pytest

from gateway.derived.residence import DERIVED, present_province
from gateway.derived.view import UnknownReason
from tests.support.evidence import PERSON, TODAY, conclude

RESIDENCES = "population.residences"
MOVED = date(2010, 5, 1)
PROVINCES = json.loads((files("connectors") / "provinces.json").read_text("utf-8"))


def entry(entry_id: str, kind: str | None, since: date | None, until: date | None = None,
          **more: Any) -> dict[str, Any]:  # fmt: skip
    return {"entry_id": entry_id, "citizen_id": PERSON, "kind": kind, "valid_from": since,
            "valid_until": until, "address_as_recorded": f"thôn {entry_id}, tỉnh Hà Giang",
            **more}  # fmt: skip


def homes(*entries: dict[str, Any], on: date = TODAY, **evidence: Any) -> object:
    """Return kind and text of each residence, or the reason why they are not known."""
    conclusion = conclude(DERIVED, {RESIDENCES: list(entries)}, on, **evidence)
    if conclusion.reason is not None:
        return conclusion.reason.name
    value: Any = conclusion.value
    return [(home.kind.name, home.as_recorded.split(",")[0]) for home in value]


FIRST = entry("1", "PERMANENT", date(1990, 1, 1), MOVED)
SECOND = entry("2", "PERMANENT", MOVED)


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (date(1989, 12, 31), []),
        (date(1990, 1, 1), [("PERMANENT", "thôn 1")]),
        (date(2010, 4, 30), [("PERMANENT", "thôn 1")]),
        (MOVED, [("PERMANENT", "thôn 2")]),
        (TODAY, [("PERMANENT", "thôn 2")]),
    ],
)
def test_a_residence_holds_until_the_day_before_the_next(on: date, expected: object) -> None:
    assert homes(FIRST, SECOND, on=on) == expected


def test_permanent_temporary_and_present_residence_stand_in_this_order() -> None:
    since = date(2020, 1, 1)
    others = (entry("3", "CURRENT", since), entry("4", "TEMPORARY", since),
              entry("5", "ABSENT", since))  # fmt: skip
    assert homes(*others, SECOND) == [
        ("PERMANENT", "thôn 2"),
        ("TEMPORARY", "thôn 4"),
        ("CURRENT", "thôn 3"),
    ]


def test_two_permanent_residences_contradict_each_other() -> None:
    assert homes(SECOND, entry("6", "PERMANENT", date(2020, 1, 1))) == "CONTRADICTORY"


def test_a_residence_without_a_beginning_holds_today_alone() -> None:
    undated = entry("7", "PERMANENT", None)
    assert homes(undated) == [("PERMANENT", "thôn 7")]
    assert homes(undated, on=date(2020, 1, 1)) == "NOT_RECORDED"


def test_a_residence_of_no_kind_leaves_it_open() -> None:
    assert homes(entry("8", None, MOVED)) == "NOT_RECORDED"


@pytest.mark.parametrize("reason", UnknownReason)
def test_where_something_may_be_missing_no_residence_is_told(reason: UnknownReason) -> None:
    assert homes(SECOND, missing={RESIDENCES: reason}) == reason.name


def test_an_old_address_has_the_units_of_today() -> None:
    value: Any = conclude(DERIVED, {RESIDENCES: [SECOND]}).value
    (home,) = value
    assert (home.province_code, home.province_name) == ("08", "Tỉnh Tuyên Quang")
    assert home.commune_code is None
    coded = {**SECOND, "address_commune_code": "08123", "address_province_code": "08"}
    value = conclude(DERIVED, {RESIDENCES: [coded]}).value
    assert (value[0].commune_code, value[0].province_code) == ("08123", "08")


@pytest.mark.parametrize("old", PROVINCES["old63"], ids=lambda old: str(old["name"]))
def test_every_old_province_leads_to_the_one_it_is_part_of(old: dict[str, str]) -> None:
    name, code = old["name"].removeprefix("TP. "), old["new_code"]
    for text in (f"xã A, huyện B, tỉnh {name}", f"phường C, quận D, thành phố {name}",
                 f"xã A, {old['name']}", f"xã A, TỈNH {name.upper()}"):  # fmt: skip
        assert present_province(None, text) == code
    assert present_province(old["pin_prefix"], None) == code
    assert present_province(old["pin_prefix"][1:], None) == code


@pytest.mark.parametrize("new", PROVINCES["new34"], ids=lambda new: str(new["name"]))
def test_every_present_province_leads_to_itself(new: dict[str, str]) -> None:
    assert present_province(new["code"], "tỉnh Hà Giang") == new["code"]
    name = new["name"][0].lower() + new["name"][1:]
    assert present_province(None, f"xã A, {name}") == new["code"]


@pytest.mark.parametrize(
    ("text", "code"),
    [("thôn 1, tỉnh Hoà Bình", "25"), ("tỉnh Khánh Hòa", "56"), ("nowhere", None), (None, None)],
)
def test_spelling_makes_no_difference_and_what_is_no_province_has_no_code(
    text: str | None, code: str | None
) -> None:
    assert present_province(None, text) == code
    assert present_province("99", text) is None
