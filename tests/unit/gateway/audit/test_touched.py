"""The trail: the persons an answer touched, in which role, and what was read of them."""

from __future__ import annotations

import pytest

from gateway.access.caller import Caller
from gateway.audit.touched import Role, Trail, citizen_role, note_numbers
from gateway.people.numbers import PersonNumbers
from tests.support.people import DEAD, HOA, LAN, OLD_NUMBER

IDENTITY, MARRIAGES = "population.identity", "civil_status.marriages"


def _all(trail: Trail) -> list[tuple[str, Role, list[str]]]:
    return list(trail.touches())


def test_an_answer_that_touched_nobody_leaves_no_trail() -> None:
    assert _all(Trail()) == []


def test_what_is_read_of_a_person_stands_with_them_and_in_order() -> None:
    trail = Trail()
    husband = trail.note_opened(PersonNumbers(HOA, HOA), Role.NAMED)
    wife = trail.note_opened(PersonNumbers(LAN, LAN), Role.KIN)
    husband.update((IDENTITY, MARRIAGES))
    wife.add(IDENTITY)
    assert _all(trail) == [
        (HOA, Role.NAMED, [MARRIAGES, IDENTITY]),
        (LAN, Role.KIN, [IDENTITY]),
    ]


def test_a_person_who_is_opened_twice_in_one_role_is_one_with_all_that_was_read() -> None:
    trail = Trail()
    trail.note_opened(PersonNumbers(HOA, HOA), Role.NAMED).add(IDENTITY)
    trail.note_opened(PersonNumbers(HOA, HOA), Role.NAMED).add(MARRIAGES)
    assert _all(trail) == [(HOA, Role.NAMED, [MARRIAGES, IDENTITY])]


def test_what_is_read_of_somebody_after_they_stood_in_a_view_of_others_is_noted_too() -> None:
    trail = Trail()
    opened = trail.note_opened(PersonNumbers(HOA, HOA), Role.KIN)
    trail.note_read(HOA, Role.KIN, (IDENTITY,))
    opened.add(MARRIAGES)
    assert _all(trail) == [(HOA, Role.KIN, [MARRIAGES, IDENTITY])]


def test_a_person_in_two_roles_stands_in_both_with_what_was_read_in_each() -> None:
    trail = Trail()
    trail.note_opened(PersonNumbers(HOA, HOA), Role.NAMED).add(IDENTITY)
    trail.note_opened(PersonNumbers(HOA, HOA), Role.KIN).add(MARRIAGES)
    assert _all(trail) == [(HOA, Role.NAMED, [IDENTITY]), (HOA, Role.KIN, [MARRIAGES])]


@pytest.mark.parametrize("order", [(OLD_NUMBER, HOA), (HOA, OLD_NUMBER)])
def test_who_is_asked_by_an_earlier_number_stands_under_both_with_all_that_was_read(
    order: tuple[str, str],
) -> None:
    """Their access log is looked for under any of their numbers."""
    trail = Trail()
    for asked, section in zip(order, (IDENTITY, MARRIAGES), strict=True):
        trail.note_opened(PersonNumbers(asked, HOA, (OLD_NUMBER,)), Role.NAMED).add(section)
    result = {number: (role, sections) for number, role, sections in trail.touches()}
    role_and_sections = (Role.NAMED, [MARRIAGES, IDENTITY])
    assert result == {HOA: role_and_sections, OLD_NUMBER: role_and_sections}
    assert len(_all(trail)) == 2


def test_whose_present_number_is_not_known_stands_under_the_number_asked() -> None:
    trail = Trail()
    trail.note_opened(PersonNumbers(OLD_NUMBER, None), Role.NAMED).add(MARRIAGES)
    assert _all(trail) == [(OLD_NUMBER, Role.NAMED, [MARRIAGES])]


def test_whoever_is_named_and_stays_closed_is_refused() -> None:
    trail = Trail()
    trail.note_refused(HOA)
    trail.note_refused(HOA)
    assert _all(trail) == [(HOA, Role.REFUSED, [])]


def test_whoever_stands_in_a_record_and_is_not_opened_is_mentioned() -> None:
    trail = Trail()
    trail.note_opened(PersonNumbers(HOA, HOA), Role.NAMED)
    trail.note_mentioned(LAN)
    trail.note_mentioned(LAN)
    assert _all(trail) == [(HOA, Role.NAMED, []), (LAN, Role.MENTIONED, [])]


@pytest.mark.parametrize("less", ["note_refused", "note_mentioned"])
@pytest.mark.parametrize("role", [Role.OWN, Role.REPRESENTED, Role.NAMED, Role.KIN])
@pytest.mark.parametrize("before", [True, False])
def test_that_somebody_was_refused_or_mentioned_says_nothing_beside_that_they_were_opened(
    less: str, role: Role, before: bool
) -> None:
    trail = Trail()
    if before:
        getattr(trail, less)(HOA)
    trail.note_opened(PersonNumbers(HOA, HOA), role).add(IDENTITY)
    if not before:
        getattr(trail, less)(HOA)
    assert _all(trail) == [(HOA, role, [IDENTITY])]


def test_an_earlier_number_that_is_mentioned_says_nothing_where_it_was_asked_for() -> None:
    trail = Trail()
    trail.note_opened(PersonNumbers(OLD_NUMBER, HOA), Role.NAMED)
    trail.note_mentioned(OLD_NUMBER)
    trail.note_mentioned(HOA)
    assert {role for _, role, _ in trail.touches()} == {Role.NAMED}


def test_a_column_mentions_the_number_or_the_numbers_that_it_holds() -> None:
    trail = Trail()
    for value in (HOA, None, (LAN, DEAD), ()):
        note_numbers(trail, value)
    assert [number for number, _, _ in trail.touches()] == [HOA, LAN, DEAD]
    assert {role for _, role, _ in trail.touches()} == {Role.MENTIONED}


def test_the_own_view_is_the_citizens_unless_somebody_asks_for_them() -> None:
    assert citizen_role(Caller(citizen=HOA)) is Role.OWN
    assert citizen_role(Caller(citizen=HOA, representative=LAN)) is Role.REPRESENTED


def test_two_requests_share_no_trail() -> None:
    first, second = Trail(), Trail()
    first.note_mentioned(HOA)
    assert _all(second) == []
