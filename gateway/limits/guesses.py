"""Verifications that do not match are counted, so that nobody finds out by trying.

Each client has so many of them a legal day about one person, and so many in all. An attempt is
taken before anything is read, whether or not the number is anybody's, and given back when all
agrees or when it could not be said: so attempts at the same time are no more than those one after
the other. Each process counts by itself.
"""

from __future__ import annotations

import math
from collections import Counter, OrderedDict

from gateway.clock import Clock
from gateway.errors import GatewayError
from gateway.limits.allowance import Moments
from gateway.settings import Rates

#: Pairs of client and person that are counted. A client fills no more of it than it has attempts.
_PAIRS = 200_000


class Guesses:
    """Counts attempts of each client, in all and about each person."""

    def __init__(self, rates: Rates, clock: Clock) -> None:
        self._rates = rates
        self._moments = Moments(clock)
        self._day = 0
        self._clients: Counter[str | None] = Counter()
        self._pairs: OrderedDict[tuple[str | None, str], int] = OrderedDict()

    def take(self, client: str | None, number: str) -> None:
        """Count an attempt about ``number``; raises GatewayError VERIFICATION_LIMITED."""
        moment = self._moments.now()
        if moment.day != self._day:
            self._day = moment.day
            self._clients.clear()
            self._pairs.clear()
        of_person = self._pairs.get((client, number), 0)
        if (
            of_person >= self._rates.mismatches_per_person_per_day
            or self._clients[client] >= self._rates.mismatches_per_day
        ):
            wait = math.ceil(moment.day_left)
            raise GatewayError("VERIFICATION_LIMITED", details={"retryAfter": wait})
        self._clients[client] += 1
        self._pairs[client, number] = of_person + 1
        self._pairs.move_to_end((client, number))
        if len(self._pairs) > _PAIRS:
            self._pairs.popitem(last=False)

    def give_back(self, client: str | None, number: str) -> None:
        """Take an attempt back that was no guess."""
        of_person = self._pairs.get((client, number), 0)
        if not of_person:
            return  # of a day that is over, or pushed out
        self._clients[client] -= 1
        if of_person > 1:
            self._pairs[client, number] = of_person - 1
        else:  # those who match push nobody out
            del self._pairs[client, number]
