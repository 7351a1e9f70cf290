"""How many verifications without a match a client has a legal day, of a person and in all."""

from __future__ import annotations

import pytest

from gateway.errors import GatewayError
from gateway.limits import guesses as module
from gateway.limits.guesses import Guesses
from gateway.settings import Rates
from tests.support.running import TestClock

ONE, OTHER = "001090012345", "001090012346"


def _guesses(clock: TestClock | None = None, person: int = 5, client: int = 500) -> Guesses:
    rates = Rates(mismatches_per_person_per_day=person, mismatches_per_day=client)
    return Guesses(rates, clock or TestClock())


def _taken(guesses: Guesses, number: str = ONE, client: str = "a", times: int = 20) -> int:
    """Take up to ``times`` attempts and return how many there were."""
    for taken in range(times):
        try:
            guesses.take(client, number)
        except GatewayError:
            return taken
    return times


def test_each_person_has_so_many_with_each_client() -> None:
    guesses = _guesses()
    assert _taken(guesses) == 5
    assert _taken(guesses) == 0
    assert _taken(guesses, OTHER) == 5
    assert _taken(guesses, client="b") == 5


def test_a_client_has_so_many_in_all() -> None:
    guesses = _guesses(client=7)
    assert [_taken(guesses), _taken(guesses, OTHER), _taken(guesses, "123456789")] == [5, 2, 0]
    assert _taken(guesses, client="b") == 5


def test_what_was_no_guess_is_given_back_once() -> None:
    guesses = _guesses(client=6)
    for _ in range(20):
        assert _taken(guesses, times=1) == 1
        guesses.give_back("a", ONE)
        guesses.give_back("a", ONE)
    assert [_taken(guesses), _taken(guesses, OTHER)] == [5, 1]


def test_a_legal_day_ends_at_midnight_in_vietnam_and_the_refusal_says_when() -> None:
    clock = TestClock()  # 10:00 in Vietnam
    guesses = _guesses(clock)
    _taken(guesses)
    with pytest.raises(GatewayError) as refused:
        guesses.take("a", ONE)
    assert refused.value.code.name == "VERIFICATION_LIMITED"
    assert refused.value.details == {"retryAfter": 14 * 3_600}
    clock.advance(14 * 3_600 - 1)
    assert _taken(guesses) == 0
    clock.advance(1)
    guesses.give_back("a", ONE)  # of yesterday: nothing is added to today's
    assert _taken(guesses) == 5


def test_no_more_pairs_are_kept_than_it_says_and_the_day_counts_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_PAIRS", 3)
    guesses = _guesses(client=12)
    assert _taken(guesses) == 5
    for number in ("1", "2", "3"):
        assert _taken(guesses, number, times=1) == 1
    assert _taken(guesses) == 4, "it was pushed out, and the client has four left of its day"


def test_who_matches_pushes_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAIRS", 3)
    guesses = _guesses()
    assert _taken(guesses) == 5
    for number in range(10):
        guesses.take("b", str(number))
        guesses.give_back("b", str(number))
    assert _taken(guesses) == 0
