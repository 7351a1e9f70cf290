"""What is kept for the next time: bounded, and shared fairly between clients."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

#: What part of the room one client may fill with what it was the first to ask for.
_SHARE = 0.25


@dataclass(slots=True)
class _Held(Generic[K]):
    """What one client holds, least used first."""

    keys: OrderedDict[K, None] = field(default_factory=OrderedDict)
    weight: int = 0


class Kept(Generic[K, V]):
    """Values by key, within a number and a weight; the least used go first.

    Each belongs to the client who first asked for it. A client beyond a quarter of the room loses
    its own least used first, so that none can push out what the others use by asking for ever new
    things. The newest value stays whatever it weighs. Every call costs about a microsecond.
    """

    def __init__(self, most: int, heaviest: int) -> None:
        self._most = most
        self._heaviest = heaviest
        self._values: OrderedDict[K, tuple[V, int, str | None]] = OrderedDict()
        self._held: dict[str | None, _Held[K]] = {}
        self.weight = 0

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: K) -> V | None:
        """Return the value of ``key``, which is now the most recently used; None if not kept."""
        found = self._values.get(key)
        if found is None:
            return None
        self._values.move_to_end(key)
        self._held[found[2]].keys.move_to_end(key)
        return found[0]

    def keep(self, key: K, value: V, weight: int, owner: str | None) -> None:
        """Keep ``value``, which ``owner`` (a client) asked for; drops what there is no room for."""
        if key in self._values:
            self._drop(key)
        self._values[key] = value, weight, owner
        held = self._held.setdefault(owner, _Held())
        held.keys[key] = None
        held.weight += weight
        self.weight += weight
        while len(held.keys) > 1 and (
            len(held.keys) > self._most * _SHARE or held.weight > self._heaviest * _SHARE
        ):
            self._drop(next(iter(held.keys)))
        while len(self._values) > 1 and (
            len(self._values) > self._most or self.weight > self._heaviest
        ):
            self._drop(next(iter(self._values)))

    def _drop(self, key: K) -> None:
        _, weight, owner = self._values.pop(key)
        held = self._held[owner]
        del held.keys[key]
        held.weight -= weight
        self.weight -= weight
        if not held.keys:
            del self._held[owner]
