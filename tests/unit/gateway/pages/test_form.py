"""Forms are made from inputs, and what is typed becomes an input object."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated

from connectors.description import Coded, Text
from connectors.values import PersonNumber, ThingKey
from gateway.pages.form import Control, fields_of, input_values, shown_fields


def title(name: str) -> Text:
    return Text(f"{name} vi", name)


class Form(Coded):
    """A kind of choice."""

    SALE = "bán", "sale"
    GIFT = "tặng cho", "gift"


@dataclass(frozen=True, slots=True)
class Child:
    """Con / A child."""

    full_name: Annotated[str, title("name")]
    birth_date: Annotated[date | None, title("born")] = None


@dataclass(frozen=True, slots=True)
class CaseInput:
    """Hồ sơ / A case with fields of every kind."""

    seller: Annotated[PersonNumber, title("seller")]
    owners: Annotated[list[PersonNumber], title("owners")]
    kind: Annotated[Form, title("kind")]
    spouse: Annotated[PersonNumber | None, title("spouse")] = None
    signed_on: Annotated[date | None, title("signed")] = None
    price: Annotated[Decimal | None, title("price")] = None
    floors: Annotated[int | None, title("floors")] = None
    is_common: Annotated[bool | None, title("common")] = None
    certificate_number: Annotated[ThingKey | None, title("certificate")] = None
    annexes: Annotated[list[str] | None, title("annexes")] = None
    heir: Annotated[Child | None, title("heir")] = None
    children: Annotated[list[Child] | None, title("children")] = None


def faults(**typed: str) -> dict[str, str]:
    """Return what is said to be wrong, in English, by the path of the field."""
    shown = list(shown_fields(CaseInput, typed, with_faults=True))
    for field in shown:
        shown += [inner for group in field.groups for inner in group]
    return {field.path: field.fault.en for field in shown if field.fault}


def test_each_field_has_its_control() -> None:
    controls = {each.name: (each.control, each.is_required) for each in fields_of(CaseInput)}
    assert controls == {
        "seller": (Control.PERSON, True), "owners": (Control.PEOPLE, True),
        "kind": (Control.CHOICE, True), "spouse": (Control.PERSON, False),
        "signed_on": (Control.DAY, False), "price": (Control.AMOUNT, False),
        "floors": (Control.AMOUNT, False), "is_common": (Control.YES_NO, False),
        "certificate_number": (Control.TEXT, False), "annexes": (Control.LINES, False),
        "heir": (Control.GROUP, False), "children": (Control.GROUPS, False),
    }  # fmt: skip


def test_what_is_left_empty_is_left_out_and_what_is_required_stays() -> None:
    assert input_values(CaseInput, {"seller": "", "spouse": "", "heir.full_name": ""}) == {
        "owners": []
    }


def test_what_is_typed_becomes_the_input_of_the_schema() -> None:
    typed = {
        "seller": "001 090 012345", "owners": "001090012345\n001 190 000001; 123456789\n",
        "kind": "SALE", "signed_on": "2026-11-01", "price": "1.5", "floors": "3",
        "is_common": "no", "certificate_number": "BK 1", "annexes": "a\n\nb b",
        "heir.full_name": "Lan", "heir.birth_date": "2020-02-29",
        "children.0.full_name": "Hoa", "children.3.full_name": "Mai", "children.1.full_name": "",
    }  # fmt: skip
    assert input_values(CaseInput, typed) == {
        "seller": "001090012345", "owners": ["001090012345", "001190000001", "123456789"],
        "kind": "SALE", "signedOn": "2026-11-01", "price": "1.5", "floors": 3,
        "isCommon": False, "certificateNumber": "BK 1", "annexes": ["a", "b b"],
        "heir": {"fullName": "Lan", "birthDate": "2020-02-29"},
        "children": [{"fullName": "Hoa"}, {"fullName": "Mai"}],
    }  # fmt: skip


def test_not_stated_is_neither_yes_nor_no() -> None:
    assert "isCommon" not in input_values(CaseInput, {"is_common": ""})
    assert input_values(CaseInput, {"is_common": "yes"})["isCommon"] is True


def test_what_is_wrong_is_said_of_the_field() -> None:
    wrong = faults(seller="12x", owners="001090012345\n7", kind="LOAN", signed_on="1/2", price="a")
    assert wrong.keys() == {"seller", "owners", "kind", "signed_on", "price"}
    assert "12 digits" in wrong["seller"]
    assert wrong["signed_on"] == "This is no date."
    right = {"seller": "001090012345", "owners": "123456789", "kind": "GIFT"}
    assert faults(**right) == {}
    assert faults(**right, **{"heir.birth_date": "2020-02-30"}) == {
        "heir.full_name": "This has to be filled in.", "heir.birth_date": "This is no date."
    }  # fmt: skip


def test_a_list_of_groups_has_room_for_more() -> None:
    typed = {"children.0.full_name": "Hoa"}
    (children,) = [each for each in shown_fields(CaseInput, typed) if each.path == "children"]
    assert [group[0].path for group in children.groups] == [
        "children.0.full_name", "children.1.full_name", "children.2.full_name"
    ]  # fmt: skip
    assert children.groups[0][0].value == "Hoa"
