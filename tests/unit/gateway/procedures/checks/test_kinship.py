"""Which relatives may not marry, over rows that a test writes down.

Covers ``gateway.procedures.checks.parentage``.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from connectors.values import PartialDate
from gateway.derived.kin import CHILDREN, RECOGNITIONS, REGISTERED_FAMILY
from gateway.derived.marriages import DIVORCES, MARRIAGES
from gateway.derived.registers import BIRTHS, NOTES
from gateway.derived.view import UnknownReason
from gateway.procedures.checks.kinship import KINSHIP_LISTS
from gateway.procedures.checks.parentage import ADOPTIONS
from gateway.procedures.checks.rule import RuleResult
from gateway.procedures.marriage_registration import CHECK
from tests.support.checks import check
from tests.support.couples import (
    BRIDE,
    BRIDE_ELDERS,
    BRIDE_FATHER,
    BRIDE_MOTHER,
    COUPLE,
    FORMER_HUSBAND,
    FORMER_WIFE,
    GROOM,
    GROOM_ELDERS,
    GROOM_FATHER,
    GROOM_MOTHER,
    STRANGERS,
    Lists,
    Row,
    adoption,
    birth,
    marriage,
    recognition,
    registers,
    replaced,
)

#: People of another family.
X, Y = STRANGERS[4], STRANGERS[5]
FATHER_TWICE = birth(GROOM, GROOM_MOTHER, GROOM_FATHER), birth(GROOM, GROOM_MOTHER, X)
DIVORCED = {"marital_status": "DIVORCED"}
WIVES = [f"0013990000{place:02}" for place in range(21)]
WIFE, HUSBAND = marriage(GROOM, FORMER_WIFE), marriage(FORMER_HUSBAND, BRIDE)


def result(lists: Lists, **case: Any) -> RuleResult:
    conclusion = check(CHECK, COUPLE, lists, **case)
    return next(each.result for each in conclusion.rules if each.rule.code == "NO_CLOSE_KIN")


def state(lists: Lists, **case: Any) -> str:
    return result(lists, **case).state.name


def anew(child: str, adopters: tuple[str, str], former: tuple[str | None, str | None]) -> Row:
    """Return what an adoption leaves: the birth anew, the one before, and the adoption."""
    return {
        "births": [birth(child, *adopters), replaced(child, *former)],
        "adoptions": [adoption(child, adopters[1], adopters[0])],
    }


CLEAR: dict[str, Row] = {
    "nobody": {},
    "a former spouse of each, unrelated": {"marriages": [WIFE, HUSBAND], "groom": DIVORCED,
                                           "bride": DIVORCED},
    "each other's former spouse": {"marriages": [marriage(GROOM, BRIDE)], "groom": DIVORCED,
                                   "bride": DIVORCED},
    "a great-grandparent in common": {"parents": {
        GROOM_ELDERS[0]: (X, Y), BRIDE_ELDERS[0]: (X, Y)}},
    "parents who adopted a child together": {"adoptions": [adoption(X, GROOM, BRIDE)]},
    "a child in common": {"births": [birth(X, BRIDE, GROOM)]},
    "a child of another's who was adopted, whose parents are known": anew(
        GROOM, (GROOM_MOTHER, GROOM_FATHER), (STRANGERS[0], STRANGERS[2]))
    | {"parents": {STRANGERS[0]: (X, Y), STRANGERS[2]: (X, Y)}},
    "a birth that a recognition replaced": {"births": [
        birth(GROOM, GROOM_MOTHER, GROOM_FATHER), replaced(GROOM, GROOM_MOTHER, None)]},
    "a recognised father whom the birth does not name": {
        "parents": {GROOM: (GROOM_MOTHER, None)},
        "recognitions": [recognition(GROOM_FATHER, GROOM)]},
    "an adopted child's own parents, named by the adoption": {
        "adoptions": [adoption(GROOM, X, biological_mother_citizen_id=GROOM_MOTHER,
                               biological_father_citizen_id=GROOM_FATHER)],
        "parents": {X: (Y, Y)}},
    "the population database names the same": {"family": [
        {"citizen_id": GROOM, "relation": "FATHER", "member_id": GROOM_FATHER}]},
    "the same birth twice": {"births": [
        birth(GROOM, GROOM_MOTHER, GROOM_FATHER), birth(GROOM, GROOM_MOTHER, GROOM_FATHER)]},
    "a cancelled birth": {"births": [
        birth(GROOM, GROOM_MOTHER, GROOM_FATHER),
        birth(GROOM, BRIDE_MOTHER, BRIDE_FATHER, "REVOKED")]},
}  # fmt: skip

BARRED: dict[str, Row] = {
    "siblings": {"parents": {BRIDE: (GROOM_MOTHER, GROOM_FATHER)}},
    "half siblings by the father": {"parents": {BRIDE: (BRIDE_MOTHER, GROOM_FATHER)}},
    "half siblings by the mother": {"parents": {BRIDE: (GROOM_MOTHER, BRIDE_FATHER)}},
    "first cousins": {"parents": {BRIDE_MOTHER: (GROOM_ELDERS[1], GROOM_ELDERS[0])}},
    "half cousins": {"parents": {BRIDE_MOTHER: (BRIDE_ELDERS[3], GROOM_ELDERS[2])}},
    "aunt and nephew": {"parents": {BRIDE: (GROOM_ELDERS[1], GROOM_ELDERS[0])}},
    "uncle and niece": {"parents": {GROOM: (BRIDE_ELDERS[3], BRIDE_ELDERS[2])}},
    "father and daughter": {"parents": {BRIDE: (BRIDE_MOTHER, GROOM)}},
    "mother and son": {"parents": {GROOM: (BRIDE, GROOM_FATHER)}},
    "grandfather and granddaughter": {"parents": {BRIDE_FATHER: (BRIDE_ELDERS[1], GROOM)}},
    "great-grandfather and great-granddaughter": {"parents": {
        BRIDE_ELDERS[0]: (X, GROOM)}},
    "siblings of whom one was adopted away": anew(
        BRIDE, (BRIDE_MOTHER, BRIDE_FATHER), (GROOM_MOTHER, GROOM_FATHER)),
    "siblings by adoption": anew(BRIDE, (GROOM_MOTHER, GROOM_FATHER), (BRIDE_MOTHER, BRIDE_FATHER)),
    "half siblings, as an adoption alone says": {"adoptions": [adoption(
        BRIDE, BRIDE_FATHER, BRIDE_MOTHER, biological_mother_citizen_id=GROOM_MOTHER)]},
    "cousins through a parent who was adopted away": anew(
        BRIDE_MOTHER, (BRIDE_ELDERS[3], BRIDE_ELDERS[2]), (GROOM_ELDERS[1], GROOM_ELDERS[0])),
    "half siblings through a recognition": {
        "parents": {BRIDE: (BRIDE_MOTHER, None)},
        "recognitions": [recognition(GROOM_FATHER, BRIDE)]},
    "half siblings through a recognition before an adoption": {
        "recognitions": [recognition(GROOM_FATHER, BRIDE)]},
    "father and child by a judgment": {"notes": [{
        "event_id": "TA", "event_type": "PARENTAGE_DETERMINATION", "status": "VALID",
        "citizen_id": GROOM, "child_ids": (BRIDE,)}]},
    "recognised child": {"recognitions": [recognition(GROOM, BRIDE)]},
    "adopter and adopted": {"adoptions": [adoption(BRIDE, GROOM)]},
    "adopted and adopter": {"adoptions": [adoption(GROOM, None, BRIDE)]},
    "adopter and adopted until it was terminated": {"adoptions": [
        adoption(BRIDE, GROOM, termination_date=date(2020, 1, 1))]},
    "mother-in-law": {"marriages": [WIFE], "groom": DIVORCED,
                      "parents": {FORMER_WIFE: (BRIDE, STRANGERS[0])}},
    "father-in-law": {"marriages": [HUSBAND], "bride": DIVORCED,
                      "parents": {FORMER_HUSBAND: (STRANGERS[3], GROOM)}},
    "father-in-law by adoption": {"marriages": [HUSBAND], "bride": DIVORCED,
                                  "adoptions": [adoption(FORMER_HUSBAND, GROOM)]},
    "stepmother": {"marriages": [marriage(GROOM_FATHER, BRIDE)], "bride": DIVORCED},
    "stepfather": {"marriages": [marriage(GROOM, BRIDE_MOTHER)], "groom": DIVORCED},
    "widow of the father": {
        "marriages": [marriage(GROOM_FATHER, BRIDE, end_reason="DEATH_OF_SPOUSE")],
        "bride": {"marital_status": "WIDOWED"}},
    "spouse of an adoptive father": {
        "marriages": [marriage(X, BRIDE)], "bride": DIVORCED, "adoptions": [adoption(GROOM, X)]},
}  # fmt: skip

OPEN: dict[str, Row] = {
    "a birth that is not registered": {"parents": {GROOM: None}},
    "a mother alone": {"parents": {GROOM: (GROOM_MOTHER, None)}},
    "nobody": {"parents": {BRIDE: (None, None)}},
    "a parent without a number": {"births": [
        birth(BRIDE, BRIDE_MOTHER, None, father_name="Trần Văn Hai")]},
    "a parent's birth that is not registered": {"parents": {GROOM_FATHER: None}},
    "a parent's father who is not recorded": {"parents": {BRIDE_MOTHER: (BRIDE_ELDERS[3], None)}},
    "two births that name different fathers": {"births": [*FATHER_TWICE]},
    "a birth without a status": {"births": [birth(GROOM, GROOM_MOTHER, GROOM_FATHER, None)]},
    "a foundling": anew(BRIDE, (BRIDE_MOTHER, BRIDE_FATHER), (None, None)),
    "an adopted child of an unknown father": anew(
        BRIDE, (BRIDE_MOTHER, BRIDE_FATHER), (STRANGERS[0], None))
    | {"parents": {STRANGERS[0]: (X, Y)}},
    "an adopted child whose parent's birth is not registered": anew(
        BRIDE, (BRIDE_MOTHER, BRIDE_FATHER), (X, Y))
    | {"parents": {Y: None}},
    "an adopted child without an adoptive father": {
        "births": [birth(BRIDE, BRIDE_MOTHER, None), replaced(BRIDE, X, Y)],
        "adoptions": [adoption(BRIDE, None, BRIDE_MOTHER)]},
    "parents who recognised a child that is not registered": {
        "parents": {GROOM: None},
        "recognitions": [
            recognition(GROOM_FATHER, GROOM),
            recognition(GROOM_MOTHER, GROOM, recognition_kind="MOTHER_RECOGNISES_CHILD")]},
    "a recognition that does not say of whom": {
        "recognitions": [recognition(GROOM_FATHER, GROOM, recognition_kind=None)]},
    "the wife of an adoptive father until that was terminated": {
        "adoptions": [adoption(GROOM, X, termination_date=date(2020, 1, 1))],
        "marriages": [marriage(X, BRIDE)], "bride": DIVORCED},
    "a recognition without a status": {"recognitions": [recognition(X, GROOM, status=None)]},
    "an adoption that was cancelled": {"adoptions": [adoption(BRIDE, GROOM, status="REVOKED")]},
    "a cancelled adoption of the groom's, and the adopter's wife": {
        "adoptions": [adoption(GROOM, X, status="REVOKED")], "marriages": [marriage(X, BRIDE)],
        "bride": DIVORCED},
    "the wife of a parent by blood": anew(
        GROOM, (GROOM_MOTHER, GROOM_FATHER), (STRANGERS[0], STRANGERS[2]))
    | {"parents": {STRANGERS[0]: (X, Y), STRANGERS[2]: (X, Y)},
       "marriages": [marriage(STRANGERS[2], BRIDE)], "bride": DIVORCED},
    "the mother by blood of a former wife": anew(
        FORMER_WIFE, (STRANGERS[1], STRANGERS[0]), (BRIDE, STRANGERS[2]))
    | {"marriages": [WIFE], "groom": DIVORCED},
    "a stepmother whose marriage was annulled": {
        "marriages": [marriage(GROOM_FATHER, BRIDE, end_reason="ANNULMENT", status="REVOKED")]},
    "a mother-in-law of an annulled marriage": {
        "marriages": [marriage(GROOM, FORMER_WIFE, end_reason="ANNULMENT", status="REVOKED")],
        "parents": {FORMER_WIFE: (BRIDE, STRANGERS[0])}},
    "a former spouse without a number": {
        "marriages": [{**WIFE, "wife_citizen_id": None}], "groom": DIVORCED},
    "a former spouse whose birth is not registered": {
        "marriages": [WIFE], "groom": DIVORCED, "parents": {FORMER_WIFE: None}},
    "who could have married on paper": {
        "groom": {"birth_date": PartialDate(1995, 1, 1)},
        "births": [birth(GROOM, GROOM_MOTHER, GROOM_FATHER, birth_date=PartialDate(1995, 1, 1))]},
    "who is old enough for a great-grandparent": {
        "births": [birth(GROOM, GROOM_MOTHER, GROOM_FATHER, birth_date=PartialDate(1960, 1, 1))],
        "confirmations": [{"event_id": "XN", "citizen_id": GROOM, "status": "VALID",
                           "marital_status": "NEVER_MARRIED", "issued_on": date(2025, 5, 5)}]},
    "the population database names another father": {"family": [
        {"citizen_id": GROOM, "relation": "FATHER", "member_id": X}]},
    "the population database names a spouse": {"family": [
        {"citizen_id": BRIDE, "relation": "SPOUSE", "member_id": X}]},
    "more spouses than are looked at": {
        "groom": DIVORCED,
        "marriages": [marriage(GROOM, wife) for wife in WIVES],
        "parents": dict.fromkeys(WIVES, (X, Y))},
}  # fmt: skip


@pytest.mark.parametrize("rows", CLEAR.values(), ids=CLEAR)
def test_who_is_not_related_may_marry(rows: Row) -> None:
    assert state(registers(**rows)) == "PASS"


@pytest.mark.parametrize("rows", BARRED.values(), ids=BARRED)
def test_relatives_may_not_marry(rows: Row) -> None:
    assert state(registers(**rows)) == "FAIL"


@pytest.mark.parametrize("rows", OPEN.values(), ids=OPEN)
def test_who_may_be_related_is_not_known(rows: Row) -> None:
    assert state(registers(**rows)) == "UNKNOWN"


@pytest.mark.parametrize("rows", BARRED.values(), ids=BARRED)
def test_what_bars_a_marriage_shows_in_nothing(rows: Row) -> None:
    barred, siblings = result(registers(**rows)), result(registers(**BARRED["siblings"]))
    assert barred == siblings
    assert (barred.reason, barred.basis) == (None, ())


@pytest.mark.parametrize("rows", OPEN.values(), ids=OPEN)
def test_what_is_not_known_shows_in_nothing(rows: Row) -> None:
    opened, unregistered = result(registers(**rows)), result(registers(parents={GROOM: None}))
    assert opened == unregistered
    assert (opened.reason, opened.basis) == (None, ())


def test_a_relative_is_known_by_an_earlier_number() -> None:
    old = "123456789"
    lists = registers(parents={BRIDE_MOTHER: (BRIDE_ELDERS[3], old)})
    assert state(lists) == "PASS"
    assert state(lists, earlier={GROOM_ELDERS[0]: (old,)}) == "FAIL"


def test_a_marriage_under_an_earlier_number_is_the_same_person() -> None:
    old = "123456789"
    lists = registers(marriages=[marriage(old, BRIDE)], bride=DIVORCED)
    assert state(lists, earlier={GROOM_FATHER: (old,)}) == "FAIL"


@pytest.mark.parametrize("relative", [GROOM_FATHER, BRIDE_ELDERS[0], FORMER_WIFE])
def test_a_number_that_nobody_is_known_by_may_be_an_earlier_one(relative: str) -> None:
    lists = registers(marriages=[WIFE], groom=DIVORCED)
    assert state(lists) == "PASS"
    assert state(lists, unknown_people=frozenset({relative})) == "UNKNOWN"


def test_as_many_spouses_as_are_looked_at_are_known() -> None:
    wives = WIVES[1:]
    lists = registers(
        groom=DIVORCED,
        marriages=[marriage(GROOM, wife) for wife in wives],
        parents=dict.fromkeys(wives, (X, Y)),
    )
    assert state(lists) == "PASS"


@pytest.mark.parametrize("name", [BIRTHS, ADOPTIONS, RECOGNITIONS])
@pytest.mark.parametrize(
    "relative", [GROOM_FATHER, GROOM_MOTHER, BRIDE_FATHER, BRIDE_MOTHER, FORMER_WIFE]
)
@pytest.mark.parametrize("reason", [UnknownReason.SOURCE_FAILED, UnknownReason.TRUNCATED])
def test_a_list_of_a_relative_that_is_not_known_is_no_clearance(
    name: str, relative: str, reason: UnknownReason
) -> None:
    lists = registers(marriages=[WIFE], groom=DIVORCED)
    assert state(lists) == "PASS"
    assert state(lists, missing={f"{name} {relative}": reason}) == "UNKNOWN"


@pytest.mark.parametrize(
    "name",
    [BIRTHS, ADOPTIONS, RECOGNITIONS, CHILDREN, REGISTERED_FAMILY, MARRIAGES, DIVORCES, NOTES],
)
@pytest.mark.parametrize("person", [GROOM, BRIDE])
def test_a_list_of_the_couple_that_is_not_known_is_no_clearance(name: str, person: str) -> None:
    missing = {f"{name} {person}": UnknownReason.SOURCE_FAILED}
    assert name in KINSHIP_LISTS
    assert state(registers(), missing=missing) == "UNKNOWN"


def test_a_bar_that_is_known_decides_whatever_else_is_not() -> None:
    siblings = registers(**BARRED["siblings"])
    assert state(siblings, missing={MARRIAGES: UnknownReason.SOURCE_FAILED}) == "FAIL"
