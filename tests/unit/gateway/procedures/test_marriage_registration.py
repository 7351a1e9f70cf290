"""P1: each rule of a marriage, its papers, and the law by date."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest

from connectors.values import PartialDate
from gateway.derived.kin import CHILDREN, RECOGNITIONS
from gateway.derived.legal_capacity import GUARDIANSHIPS
from gateway.derived.marital_status import CONFIRMATIONS
from gateway.derived.marriages import DIVORCES, MARRIAGES
from gateway.derived.registers import BIRTHS, DEATHS, IDENTITY, NOTES
from gateway.derived.view import UnknownReason
from gateway.procedures.checks.parentage import ADOPTIONS
from gateway.procedures.checks.rule import Outcome
from gateway.procedures.marriage_registration import CHECK
from tests.support.checks import check, papers, states, unproved_passes
from tests.support.couples import (
    BRIDE,
    BRIDE_MOTHER,
    COUPLE,
    FORMER_HUSBAND,
    FORMER_WIFE,
    GROOM,
    GROOM_FATHER,
    GROOM_MOTHER,
    RESIDENCES,
    Row,
    birth,
    marriage,
    registers,
)
from tests.support.evidence import TODAY

FAILED = UnknownReason.SOURCE_FAILED
RULES = (
    "GROOM_OF_AGE", "BRIDE_OF_AGE", "ONE_MAN_ONE_WOMAN", "VOLUNTARY", "GROOM_NOT_INCAPACITATED",
    "BRIDE_NOT_INCAPACITATED", "GROOM_UNMARRIED", "BRIDE_UNMARRIED", "NO_CLOSE_KIN",
    "GROOM_IDENTIFIED", "BRIDE_IDENTIFIED", "GROOM_ALIVE", "BRIDE_ALIVE", "NOT_SHAM",
)  # fmt: skip
PERSON_NEEDED = {"VOLUNTARY", "NOT_SHAM"}


def born(number: str, *day: int) -> Row:
    """Return a couple of whom one has a certain birth date, in book and population database."""
    date_of_birth = PartialDate(*day)
    parents = (GROOM_MOTHER, GROOM_FATHER) if number == GROOM else (BRIDE_MOTHER, None)
    role = "groom" if number == GROOM else "bride"
    return {
        role: {"birth_date": date_of_birth},
        "births": [birth(number, *parents, birth_date=date_of_birth)],
    }


def note(number: str, kind: str, on: date | None = date(2020, 1, 1), **more: Any) -> Row:
    return {"event_id": f"{kind} {number}", "event_type": kind, "citizen_id": number,
            "status": "VALID", "effective_date": on, **more}  # fmt: skip


def death(number: str, **more: Any) -> Row:
    return {"event_id": f"KT {number}", "citizen_id": number, "status": "VALID",
            "death_kind": "NATURAL_DEATH", "death_date": PartialDate(2026, 1, 1),
            **more}  # fmt: skip


def confirmed(number: str, status: str) -> Row:
    return {"event_id": f"XN {number}", "citizen_id": number, "status": "VALID",
            "marital_status": status, "issued_on": date(2026, 10, 1)}  # fmt: skip


@dataclass(frozen=True)
class Given:
    """A case: what the registers hold, the rule that is looked at, and its state."""

    rule: str
    state: str
    rows: Row = field(default_factory=dict)
    at: date = TODAY
    missing: dict[str, UnknownReason] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()


def _lost(number: str) -> Row:
    return {"notes": [note(number, "DECLARED_INCAPACITATED")]}


DIVORCED, WIDOWED = {"marital_status": "DIVORCED"}, {"marital_status": "WIDOWED"}
STANDING = {"ended_on": None, "end_reason": None}
CASES = {
    # R1: to the day.
    "groom the day before 20": Given("GROOM_OF_AGE", "FAIL", born(GROOM, 2006, 11, 24)),
    "groom on the day of 20": Given("GROOM_OF_AGE", "PASS", born(GROOM, 2006, 11, 23)),
    "groom the day after 20": Given("GROOM_OF_AGE", "PASS", born(GROOM, 2006, 11, 22)),
    "groom of 18": Given("GROOM_OF_AGE", "FAIL", born(GROOM, 2008, 1, 1)),
    "groom on a later day": Given(
        "GROOM_OF_AGE", "PASS", born(GROOM, 2006, 11, 24), at=date(2026, 11, 24)),
    "bride the day before 18": Given("BRIDE_OF_AGE", "FAIL", born(BRIDE, 2008, 11, 24)),
    "bride on the day of 18": Given("BRIDE_OF_AGE", "PASS", born(BRIDE, 2008, 11, 23)),
    "bride the day after 18": Given("BRIDE_OF_AGE", "PASS", born(BRIDE, 2008, 11, 22)),
    "bride of 29 February, on the 28th": Given(
        "BRIDE_OF_AGE", "FAIL", born(BRIDE, 2008, 2, 29), at=date(2026, 2, 28)),
    "bride of 29 February, on 1 March": Given(
        "BRIDE_OF_AGE", "PASS", born(BRIDE, 2008, 2, 29), at=date(2026, 3, 1)),
    "groom of 29 February, on the 28th": Given(
        "GROOM_OF_AGE", "FAIL", born(GROOM, 2004, 2, 29), at=date(2024, 2, 28)),
    "groom of 29 February, on the 29th": Given(
        "GROOM_OF_AGE", "PASS", born(GROOM, 2004, 2, 29), at=date(2024, 2, 29)),
    "year alone, which decides": Given("GROOM_OF_AGE", "PASS", born(GROOM, 2005)),
    "year alone, which does not": Given("GROOM_OF_AGE", "UNKNOWN", born(GROOM, 2006)),
    "year and month, which decide": Given("BRIDE_OF_AGE", "FAIL", born(BRIDE, 2008, 12)),
    "year and month, which do not": Given("BRIDE_OF_AGE", "UNKNOWN", born(BRIDE, 2008, 11)),
    "no date": Given("BRIDE_OF_AGE", "UNKNOWN", {
        "bride": {"birth_date": None}, "parents": {BRIDE: None}}),
    "the book of births fails": Given("GROOM_OF_AGE", "UNKNOWN", missing={BIRTHS: FAILED}),
    # R2
    "a man and a woman": Given("ONE_MAN_ONE_WOMAN", "PASS"),
    "two men": Given("ONE_MAN_ONE_WOMAN", "FAIL", {"bride": {"sex": "MALE"}}),
    "two women": Given("ONE_MAN_ONE_WOMAN", "FAIL", {"groom": {"sex": "FEMALE"}}),
    "in each other's place": Given("ONE_MAN_ONE_WOMAN", "FAIL", {
        "groom": {"sex": "FEMALE"}, "bride": {"sex": "MALE"}}),
    "sex not recorded": Given("ONE_MAN_ONE_WOMAN", "UNKNOWN", {"bride": {"sex": None}}),
    "sex otherwise in the book": Given("ONE_MAN_ONE_WOMAN", "UNKNOWN", {"births": [
        birth(GROOM, GROOM_MOTHER, GROOM_FATHER, sex="FEMALE")]}),
    # R3
    "of their own will": Given("VOLUNTARY", "NEEDS_PERSON"),
    # R4
    "full capacity": Given("GROOM_NOT_INCAPACITATED", "PASS"),
    "groom incapacitated": Given("GROOM_NOT_INCAPACITATED", "FAIL", _lost(GROOM)),
    "bride incapacitated": Given("BRIDE_NOT_INCAPACITATED", "FAIL", _lost(BRIDE)),
    "incapacity revoked": Given("GROOM_NOT_INCAPACITATED", "PASS", {"notes": [
        note(GROOM, "DECLARED_INCAPACITATED"),
        note(GROOM, "DECLARED_INCAPACITATED_REVOKED", date(2024, 1, 1))]}),
    "restricted capacity": Given("BRIDE_NOT_INCAPACITATED", "PASS", {"notes": [
        note(BRIDE, "DECLARED_RESTRICTED")]}),
    "difficulty in cognition": Given("BRIDE_NOT_INCAPACITATED", "PASS", {"wards": [
        {"event_id": "GH", "status": "VALID", "ward_id": BRIDE, "start_date": date(2024, 1, 1),
         "reason": "COGNITION_DIFFICULTY"}]}),
    "incapacity without its day": Given("GROOM_NOT_INCAPACITATED", "UNKNOWN", {"notes": [
        note(GROOM, "DECLARED_INCAPACITATED", None)]}),
    "court notes fail": Given("BRIDE_NOT_INCAPACITATED", "UNKNOWN", missing={NOTES: FAILED}),
    # R5
    "never married": Given("BRIDE_UNMARRIED", "PASS"),
    "married": Given("GROOM_UNMARRIED", "FAIL", {
        "marriages": [marriage(GROOM, FORMER_WIFE, **STANDING)],
        "groom": {"marital_status": "MARRIED"}}),
    "bride married": Given("BRIDE_UNMARRIED", "FAIL", {
        "marriages": [marriage(FORMER_HUSBAND, BRIDE, **STANDING)],
        "bride": {"marital_status": "MARRIED"}}),
    "married to each other": Given("BRIDE_UNMARRIED", "FAIL", {
        "marriages": [marriage(GROOM, BRIDE, **STANDING)],
        "groom": {"marital_status": "MARRIED"}, "bride": {"marital_status": "MARRIED"}}),
    "divorced": Given("GROOM_UNMARRIED", "PASS", {
        "marriages": [marriage(GROOM, FORMER_WIFE)], "groom": DIVORCED}),
    "divorced by a note": Given("GROOM_UNMARRIED", "PASS", {
        "marriages": [marriage(GROOM, FORMER_WIFE, **STANDING)], "groom": DIVORCED,
        "divorces": [{"event_id": "LH", "status": "VALID", "husband_id": GROOM,
                      "wife_id": FORMER_WIFE, "legal_effect_date": date(2024, 4, 4)}]}),
    "widowed": Given("BRIDE_UNMARRIED", "PASS", {
        "marriages": [marriage(FORMER_HUSBAND, BRIDE, **STANDING)], "bride": WIDOWED,
        "deaths": [death(FORMER_HUSBAND)]}),
    "annulled": Given("GROOM_UNMARRIED", "PASS", {"marriages": [
        marriage(GROOM, FORMER_WIFE, end_reason="ANNULMENT", status="REVOKED")]}),
    "divorce not noted": Given("GROOM_UNMARRIED", "UNKNOWN", {
        "marriages": [marriage(GROOM, FORMER_WIFE, **STANDING)], "groom": DIVORCED}),
    "married in the population database": Given("BRIDE_UNMARRIED", "UNKNOWN", {
        "bride": {"marital_status": "MARRIED"}}),
    "perhaps married on paper": Given("GROOM_UNMARRIED", "UNKNOWN", born(GROOM, 1990, 1, 1)),
    "confirmed never to have married": Given("GROOM_UNMARRIED", "PASS", {
        **born(GROOM, 1990, 1, 1), "confirmations": [confirmed(GROOM, "NEVER_MARRIED")]}),
    "marriages truncated": Given(
        "GROOM_UNMARRIED", "UNKNOWN", missing={MARRIAGES: UnknownReason.TRUNCATED}),
    # R6 and R7: more in checks/test_kinship.py.
    "not related": Given("NO_CLOSE_KIN", "PASS"),
    "half siblings": Given("NO_CLOSE_KIN", "FAIL", {
        "parents": {BRIDE: (BRIDE_MOTHER, GROOM_FATHER)}}),
    "stepmother": Given("NO_CLOSE_KIN", "FAIL", {
        "marriages": [marriage(GROOM_FATHER, BRIDE)], "bride": DIVORCED}),
    "a birth not registered": Given("NO_CLOSE_KIN", "UNKNOWN", {"parents": {BRIDE: None}}),
    # R8
    "groom known": Given("GROOM_IDENTIFIED", "PASS"),
    "groom not known": Given("GROOM_IDENTIFIED", "UNKNOWN", unknown=frozenset({GROOM})),
    "bride not known": Given("BRIDE_IDENTIFIED", "UNKNOWN", unknown=frozenset({BRIDE})),
    "bride alive": Given("BRIDE_ALIVE", "PASS"),
    "bride dead": Given("BRIDE_ALIVE", "FAIL", {
        "bride": {"life_status": "DEAD"}, "deaths": [death(BRIDE)]}),
    "groom missing": Given("GROOM_ALIVE", "FAIL", {
        "groom": {"life_status": "MISSING"}, "notes": [note(GROOM, "DECLARED_MISSING")]}),
    "dead in the population database alone": Given("GROOM_ALIVE", "UNKNOWN", {
        "groom": {"life_status": "DEAD"}}),
    "deaths fail": Given("BRIDE_ALIVE", "UNKNOWN", missing={DEATHS: FAILED}),
    "no sham": Given("NOT_SHAM", "NEEDS_PERSON"),
}  # fmt: skip


@pytest.mark.parametrize("given", CASES.values(), ids=CASES)
def test_each_rule_decides_as_the_law_says(given: Given) -> None:
    conclusion = check(CHECK, COUPLE, registers(**given.rows), given.at, missing=given.missing,
                       unknown_people=given.unknown)  # fmt: skip
    assert tuple(states(conclusion)) == RULES
    assert states(conclusion)[given.rule] == given.state
    if given.state == "FAIL":
        assert conclusion.outcome is Outcome.NOT_MET


def test_a_couple_that_meets_everything_has_to_be_there() -> None:
    conclusion = check(CHECK, COUPLE, registers())
    assert {code for code, state in states(conclusion).items() if state != "PASS"} == PERSON_NEEDED
    assert conclusion.outcome is Outcome.NEEDS_PERSON


#: Rules that pass without a list that they read, since another proves as much.
PROVED_BY_OTHERS = {
    # The book of births prevails about the age.
    ("GROOM_OF_AGE", IDENTITY),
    ("BRIDE_OF_AGE", IDENTITY),
    # Of life, births say no more than that somebody is not born yet.
    ("GROOM_ALIVE", BIRTHS),
    ("BRIDE_ALIVE", BIRTHS),
    # So it does about who was too young to marry on paper.
    ("NO_CLOSE_KIN", IDENTITY),
}


def test_nothing_passes_on_what_is_not_known() -> None:
    assert unproved_passes(CHECK, COUPLE, registers()) == PROVED_BY_OTHERS


def test_no_past_marriage_is_over_on_what_is_not_known() -> None:
    known = registers(marriages=[marriage(GROOM, FORMER_WIFE)], groom=DIVORCED)
    # That a marriage in the electronic books has ended takes no birth.
    ended = PROVED_BY_OTHERS | {("GROOM_UNMARRIED", BIRTHS)}
    assert unproved_passes(CHECK, COUPLE, known) == ended


def test_every_list_that_a_rule_reads_is_declared_of_both() -> None:
    (groom, bride) = CHECK.roles.values()
    assert groom == bride
    assert {*groom} >= {IDENTITY, BIRTHS, CHILDREN, ADOPTIONS, RECOGNITIONS, MARRIAGES, DIVORCES,
                        DEATHS, NOTES, CONFIRMATIONS, GUARDIANSHIPS, RESIDENCES}  # fmt: skip


def test_an_unknown_marital_status_may_be_verified() -> None:
    conclusion = check(CHECK, COUPLE, registers(**born(GROOM, 1990, 1, 1)))
    (groom,) = (each.result for each in conclusion.rules if each.rule.code == "GROOM_UNMARRIED")
    assert groom.reason is UnknownReason.NOT_COVERED
    assert "5 ngày làm việc" in groom.sentence.vi


ENDS = {"GROOM_DIVORCE", "GROOM_SPOUSE_DEATH", "BRIDE_DIVORCE", "BRIDE_SPOUSE_DEATH"}


def test_data_replace_the_papers() -> None:
    needed = papers(check(CHECK, COUPLE, registers(homes=("00004", "00007"))))
    assert needed == {
        "APPLICATION_FORM": "TO_BRING",
        "GROOM_IDENTITY_PAPER": "REPLACED",
        "GROOM_MARITAL_STATUS": "REPLACED",
        "BRIDE_IDENTITY_PAPER": "REPLACED",
        "BRIDE_MARITAL_STATUS": "REPLACED",
    }


def test_who_lives_in_the_same_commune_needs_no_confirmation() -> None:
    assert "GROOM_MARITAL_STATUS" not in papers(check(CHECK, COUPLE, registers()))
    for homes in ((None, "00004"), (None, None)):
        assert "BRIDE_MARITAL_STATUS" in papers(check(CHECK, COUPLE, registers(homes=homes)))
    unread = check(CHECK, COUPLE, registers(), missing={RESIDENCES: FAILED})
    assert "GROOM_MARITAL_STATUS" in papers(unread)


def test_who_was_married_before_shows_how_it_ended() -> None:
    lists = registers(
        marriages=[marriage(GROOM, FORMER_WIFE), marriage(FORMER_HUSBAND, BRIDE, **STANDING)],
        groom=DIVORCED, bride=WIDOWED, deaths=[death(FORMER_HUSBAND)],
    )  # fmt: skip
    needed = papers(check(CHECK, COUPLE, lists))
    assert needed["GROOM_DIVORCE"] == "REPLACED"
    assert needed["BRIDE_SPOUSE_DEATH"] == "REPLACED"
    assert {"GROOM_SPOUSE_DEATH", "BRIDE_DIVORCE"}.isdisjoint(needed)


def test_papers_of_who_may_have_been_married_are_undecided() -> None:
    needed = papers(check(CHECK, COUPLE, registers(), missing={MARRIAGES: FAILED}))
    assert {needed[code] for code in ENDS} == {"UNDECIDED"}


@pytest.mark.parametrize(
    ("at", "deadline", "law", "identity_paper"),
    [
        (date(2016, 1, 1), (0, "DAYS"), "60/2014", "TO_BRING"),
        (date(2025, 12, 9), (0, "DAYS"), "60/2014", "TO_BRING"),
        (date(2025, 12, 10), (0, "DAYS"), "3458/QĐ-BTP", "REPLACED"),
        (date(2027, 2, 28), (0, "DAYS"), "60/2014", "REPLACED"),
        (date(2027, 3, 1), (24, "HOURS"), "2026", "REPLACED"),
    ],
)
def test_the_law_on_the_day_of_the_registration_holds(
    at: date, deadline: tuple[int, str], law: str, identity_paper: str
) -> None:
    conclusion = check(CHECK, COUPLE, registers(), at)
    within = conclusion.edition.deadline
    assert within is not None
    assert (within.amount, within.unit.name) == deadline
    assert any(law in instrument for instrument in conclusion.edition.law)
    assert papers(conclusion)["GROOM_IDENTITY_PAPER"] == identity_paper


def test_before_the_law_of_2014_there_is_no_check() -> None:
    assert CHECK.edition(date(2015, 12, 31)) is None
