"""Person numbers that are unique across clusters without remembering any of them.

The form is that of ``domain.md`` 1.1: three digits for the province of birth registration, one for
sex and century, two for the year of birth, six that look random.

Why two people never get the same 12-digit number: call the first six digits the *head*. Within one
cluster, the people who share a head get the ordinals 0, 1, ... below ``_PER_CLUSTER``; when these
are used up the head of another province is taken, so the ordinal is always in range. The serial
``cluster * _PER_CLUSTER + ordinal`` is therefore different for any two people with the same head,
in whatever clusters, and lies below 10^6 because ``cluster`` is below ``MAX_CLUSTERS``. The last
six digits are ``(factor * serial + shift(head)) mod 10^6``. ``factor`` has no common divisor with
10^6, so for one head this is a bijection: different serials, different digits. People with
different heads differ in the head. Nothing needs to be remembered beyond the ordinals of the
cluster at hand.

Cancelled numbers come out of the same serials, so they collide with nothing either. The 9-digit
numbers of old identity cards (two digits of the province, seven digits) work alike, with 10^7 and
``_CARDS_PER_CLUSTER``.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import date
from itertools import chain

#: Clusters that can be numbered: about five million people.
MAX_CLUSTERS = 100_000
_PER_CLUSTER = 10
_CARDS_PER_CLUSTER = 100
_FACTOR = 618_029  # prime, hence without a common divisor with a power of ten
_CARD_FACTOR = 6_180_347

#: From this day on numbers begin with the codes of the 34 new provinces (an assumption:
#: ``domain.md`` 1.1).
NEW_PROVINCES_SINCE = date(2025, 7, 1)


class NumberGenerator:
    """The numbers of one cluster."""

    def __init__(self, seed: int, cluster: int, prefixes: Sequence[str]) -> None:
        """Number the people of cluster ``cluster``; ``prefixes`` are those to fall back on."""
        if not 0 <= cluster < MAX_CLUSTERS:
            raise ValueError(f"no more than {MAX_CLUSTERS} clusters can be numbered")
        self._seed = seed
        self._cluster = cluster
        self._prefixes = tuple(prefixes)
        self._used: dict[str, int] = {}

    def citizen_id(self, prefix: str, sex: str, born: date) -> str:
        """Return a new 12-digit number for somebody registered in ``prefix``."""
        gender = (born.year - 1900) // 100 * 2 + (sex == "FEMALE")
        head, ordinal = self._head(prefix, f"{gender}{born.year % 100:02d}", _PER_CLUSTER)
        serial = self._cluster * _PER_CLUSTER + ordinal
        return f"{head}{(_FACTOR * serial + self._shift(head)) % 10**6:06d}"

    def identity_card(self, prefix: str) -> str:
        """Return a new 9-digit number of an old identity card issued in ``prefix``."""
        head, ordinal = self._head(prefix[1:], "", _CARDS_PER_CLUSTER)
        serial = self._cluster * _CARDS_PER_CLUSTER + ordinal
        return f"{head}{(_CARD_FACTOR * serial + self._shift(head)) % 10**7:07d}"

    def _head(self, prefix: str, rest: str, limit: int) -> tuple[str, int]:
        """Return a head with an ordinal left, that of ``prefix`` if possible, and the ordinal."""
        for candidate in chain((prefix,), self._prefixes):
            head = candidate[-len(prefix) :] + rest
            ordinal = self._used.get(head, 0)
            if ordinal < limit:
                self._used[head] = ordinal + 1
                return head, ordinal
        raise ValueError("a cluster has more people of one sex and year than can be numbered")

    def _shift(self, head: str) -> int:
        return zlib.crc32(f"{self._seed}/{head}".encode())
