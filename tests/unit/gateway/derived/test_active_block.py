"""Whether something blocks a person from disposing of assets."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from gateway.derived.active_block import DERIVED
from gateway.derived.view import UnknownReason
from tests.support.evidence import PERSON, TODAY, Lists, conclude, verdict

Row = dict[str, Any]
OTHER = "001191054321"
SINCE, LIFTED = date(2024, 3, 4), date(2025, 5, 6)
ASSET: Row = {"asset_id": "A1"}
CASE: Row = {"decision_no": "QD1"}


def info(**more: Any) -> Row:
    return {"prevent_id": "NC", "person_id": PERSON, "level": "BLOCK", "status": "ACTIVE",
            "valid_from": SINCE, **more}  # fmt: skip


def on_asset(**more: Any) -> Row:
    return info(person_id=None, asset_id="A1", **more)


def measure(kind: str | None = "SEIZE_ASSET", **more: Any) -> Row:
    return {"measure_id": "BP", "decision_no": "QD1", "kind": kind, "applied_on": SINCE,
            **more}  # fmt: skip


def party(number: str | None = PERSON, role: str = "DEBTOR") -> Row:
    return {"entry_id": number, "decision_no": "QD1", "role": role, "party_citizen_id": number}


def registers(**lists: list[Row]) -> dict[str, list[Row]]:
    names = {
        "infos": "notary.preventive_infos",
        "assets": "notary.assets",
        "on_assets": "notary.preventive_infos_on_asset",
        "cases": "civil_enforcement.cases",
        "parties": "civil_enforcement.parties",
        "measures": "civil_enforcement.measures",
    }
    return {names[name]: rows for name, rows in lists.items()}


def enforced(*measures: Row, parties: list[Row] | None = None, **lists: list[Row]) -> Lists:
    return registers(cases=[CASE], parties=parties or [party()], measures=list(measures), **lists)


def blocked(of: Lists, on: date = TODAY, **evidence: Any) -> object:
    return verdict(conclude(DERIVED, of, on, **evidence))


def test_nothing_blocks_of_whom_no_register_says_so() -> None:
    assert blocked(registers()) is False


@pytest.mark.parametrize("on", [SINCE, TODAY])
def test_a_block_holds_from_its_day_on(on: date) -> None:
    assert blocked(registers(infos=[info()]), on) is True
    assert blocked(registers(assets=[ASSET], on_assets=[on_asset()]), on) is True


def test_before_it_nothing_is_known_of_what_the_person_owned() -> None:
    assert blocked(registers(infos=[info()]), date(2024, 3, 3)) == "NO_HISTORY"


def test_a_block_holds_until_the_day_before_it_was_lifted() -> None:
    lifted = registers(infos=[info(status="LIFTED", lifted_on=LIFTED)])
    assert blocked(lifted, date(2025, 5, 5)) is True
    assert blocked(lifted) is False
    assert blocked(registers(infos=[info(status="LIFTED")])) is False


def test_a_warning_blocks_nothing() -> None:
    assert blocked(registers(infos=[info(level="WARN")])) is False


@pytest.mark.parametrize(
    "change", [{"level": None}, {"status": None}, {"lifted_on": LIFTED}], ids=str
)
def test_what_does_not_say_whether_it_holds_leaves_it_open(change: Row) -> None:
    assert blocked(registers(infos=[info(**change)])) == "NOT_RECORDED"


def test_a_block_on_what_somebody_else_owns_is_not_the_persons() -> None:
    assert blocked(registers(on_assets=[on_asset()])) is False


@pytest.mark.parametrize(
    "kind", ["SEIZE_ASSET", "SUSPEND_REGISTRATION", "FREEZE_ACCOUNT", "TEMP_HOLD"]
)
def test_a_measure_of_which_notaries_have_not_learnt_blocks_all_the_same(kind: str) -> None:
    assert blocked(enforced(measure(kind))) is True
    assert blocked(enforced(measure(kind, lifted_on=TODAY))) is False


@pytest.mark.parametrize("kind", ["DEDUCT_INCOME", "FORCE_ACT"])
def test_measures_that_take_money_or_demand_an_act_block_nothing(kind: str) -> None:
    assert blocked(enforced(measure(kind))) is False


def test_a_measure_blocks_the_debtor_alone() -> None:
    creditor = [party(PERSON, "CREDITOR"), party(OTHER)]
    assert blocked(enforced(measure(), parties=creditor)) is False


def test_a_measure_in_a_case_of_several_debtors_is_of_whose_asset_it_names() -> None:
    several = [party(), party(OTHER)]
    assert blocked(enforced(measure(), parties=several)) == "NOT_RECORDED"
    named = measure(asset_ref="A1")
    assert blocked(enforced(named, parties=several)) == "NOT_RECORDED"
    assert blocked(enforced(named, parties=several, assets=[ASSET])) is True
    assert blocked(enforced(measure(), parties=[party(), party(None)])) == "NOT_RECORDED"


@pytest.mark.parametrize("change", [{"kind": None}, {"applied_on": None}], ids=str)
def test_a_measure_that_says_not_what_it_is_leaves_it_open(change: Row) -> None:
    assert blocked(enforced({**measure(), **change})) == "NOT_RECORDED"


@pytest.mark.parametrize("reason", UnknownReason)
@pytest.mark.parametrize("name", DERIVED.reads)
def test_where_something_may_be_missing_nobody_is_said_to_be_free(
    name: str, reason: UnknownReason
) -> None:
    assert blocked(registers(), missing={name: reason}) == reason.name


def test_a_block_decides_though_other_lists_are_missing() -> None:
    others = [name for name in DERIVED.reads if name != "notary.preventive_infos"]
    missing = dict.fromkeys(others, UnknownReason.SOURCE_FAILED)
    assert blocked(registers(infos=[info()]), missing=missing) is True
