"""Attempts to match a person a legal day: by person, caller and client."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from gateway.errors import GatewayError
from gateway.limits import verification_attempts as module
from gateway.limits.verification_attempts import Attempt, AttemptStatus, VerificationAttempts
from gateway.settings import RateLimits
from tests.support.metrics import value_of
from tests.support.running import TestClock

PERSON, OTHER, OLD = "001090012345", "001090012346", "123456789"


def counting(
    clock: TestClock | None = None, max_counts: int = 200_000, **rates: int
) -> VerificationAttempts:
    return VerificationAttempts(
        RateLimits.model_validate(rates),
        clock or TestClock(),
        pseudonym=lambda _: "k:mac",
        max_counts=max_counts,
    )


async def attempts(
    guesses: VerificationAttempts,
    number: str = PERSON,
    client: str = "a",
    times: int = 20,
    person: str | None = None,
    caller: str = "officer",
    agrees: bool = False,
) -> int:
    """Make so many attempts, one after the other, and return how many might be made."""
    count = 0
    for _ in range(times):
        attempt = Attempt(client, caller, number, person or number)
        async with guesses.count(attempt):
            if attempt.status is AttemptStatus.LEFT:
                count += 1
                attempt.agrees = agrees
    return count


async def test_each_person_has_so_many_with_each_client() -> None:
    guesses = counting()
    assert await attempts(guesses) == 5
    assert await attempts(guesses) == 0
    assert await attempts(guesses, OTHER) == 5
    assert await attempts(guesses, client="b") == 5


async def test_all_numbers_of_a_person_are_counted_together() -> None:
    guesses = counting()
    assert await attempts(guesses, PERSON, times=3) == 3
    assert await attempts(guesses, OLD, person=PERSON) == 2
    assert await attempts(guesses, PERSON) == 0


async def test_a_caller_and_a_client_have_so_many_in_all() -> None:
    guesses = counting(mismatches_per_caller_per_day=7, mismatches_per_day=12)
    assert [await attempts(guesses), await attempts(guesses, OTHER)] == [5, 2]
    assert await attempts(guesses, OLD, caller="colleague") == 5
    assert await attempts(guesses, OTHER, caller="third") == 0
    assert await attempts(guesses, client="b") == 5


async def test_what_agrees_is_given_back() -> None:
    guesses = counting(mismatches_per_day=6)
    assert await attempts(guesses, times=50, agrees=True) == 50
    assert [await attempts(guesses), await attempts(guesses, OTHER)] == [5, 1]


async def test_attempts_side_by_side_are_no_more_and_matches_take_none() -> None:
    guesses = counting()
    concurrent = [attempts(guesses, times=1, agrees=True) for _ in range(20)]
    assert sum(await asyncio.gather(*concurrent)) == 20
    assert sum(await asyncio.gather(*(attempts(guesses, times=1) for _ in range(20)))) == 5


async def test_a_legal_day_ends_at_midnight_in_vietnam_and_the_refusal_says_when() -> None:
    clock = TestClock()  # 10:00 in Vietnam
    guesses = counting(clock)
    await attempts(guesses)
    attempt = Attempt("a", "officer", PERSON, PERSON)
    async with guesses.count(attempt):
        with pytest.raises(GatewayError) as excinfo:
            attempt.require_allowed(conceals=False)
    assert excinfo.value.code.name == "VERIFICATION_LIMITED"
    assert excinfo.value.details == {"retryAfter": 14 * 3_600}
    with pytest.raises(GatewayError):
        guesses.refuse_early("a", "officer", PERSON)
    clock.advance(14 * 3_600 - 1)
    assert await attempts(guesses) == 0
    yesterdays = Attempt("a", "officer", OTHER, OTHER)
    async with guesses.count(yesterdays):
        clock.advance(1)
        guesses.refuse_early("a", "officer", PERSON)
        yesterdays.agrees = True  # nothing is added to today's
    assert await attempts(guesses, OTHER) == 5


async def test_no_more_counts_are_held_than_it_says_and_the_day_counts_on() -> None:
    guesses = counting(max_counts=6, mismatches_per_day=12)
    assert await attempts(guesses) == 5
    for number in ("1", "2", "3"):
        assert await attempts(guesses, number, times=1) == 1
    assert await attempts(guesses) == 4, "it was pushed out, and the client has four left"


async def test_who_matches_pushes_nobody_out() -> None:
    guesses = counting(max_counts=6)
    assert await attempts(guesses) == 5
    for number in range(10):
        await attempts(guesses, str(number), client="b", times=1, agrees=True)
    assert await attempts(guesses) == 0


async def test_many_attempts_at_one_person_are_an_alarm_and_lock_nobody_out() -> None:
    guesses = counting(mismatches_per_person_alarm=12)
    before = value_of(module.ATTEMPTS, "alarm")
    with capture_logs() as logs:
        for client in "abc":
            assert await attempts(guesses, client=client) == 5
        assert await attempts(guesses, client="d", agrees=True) == 20
    assert [(line["person"], line["attempts"]) for line in logs] == [("k:mac", 12)]
    assert PERSON not in str(logs)
    assert value_of(module.ATTEMPTS, "alarm") == before + 1
