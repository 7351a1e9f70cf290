"""The changes that a process has published lately: a source may report the same again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from connectors.changes.change import Change, UnreadableChange

#: Changes that are remembered, of some 200 bytes each. A source that reports older ones again has
#: them published again, under the same ids.
_MOST = 50_000

#: Record, identity (None: not readable) and position.
_Key = tuple[str, str | None, str]


class PublishedChanges:
    """Remembers what is in the event log, so that it need not be appended again."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._keys: OrderedDict[_Key, None] = OrderedDict()

    def new_among(
        self, changes: Iterable[Change | UnreadableChange]
    ) -> Sequence[Change | UnreadableChange]:
        """Return those that are not remembered, in order."""
        return [change for change in changes if _key(change) not in self._keys]

    def add(self, changes: Iterable[Change | UnreadableChange]) -> None:
        """Remember changes that are in the log."""
        for change in changes:
            self._keys[_key(change)] = None
        while len(self._keys) > self._most:
            self._keys.popitem(last=False)


def _key(change: Change | UnreadableChange) -> _Key:
    identity = change.identity if isinstance(change, Change) else None
    return change.record.name, identity, change.position
