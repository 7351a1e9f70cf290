"""What this process appended last: an engine that lost it must not get what comes after it.

A publisher goes on from a checkpoint in its memory. If the log lost what was appended since that
checkpoint, an append would leave a hole for good. Each append therefore names the status that it
follows; where another one stands, the publisher reads the statuses again and goes on from there.
"""

from __future__ import annotations

from collections.abc import Mapping


class LastAppends:
    """The sealed status of each database whose lease this process holds."""

    def __init__(self) -> None:
        self._leases: set[str] = set()
        self._statuses: dict[str, bytes] = {}

    def note_lease(self, database: str, is_held: bool) -> bool:
        """Note what became of a lease; returns ``is_held``."""
        if not is_held or database not in self._leases:
            self._statuses.pop(database, None)
        (self._leases.add if is_held else self._leases.discard)(database)
        return is_held

    def note_read(self, statuses: Mapping[str, bytes]) -> None:
        """Note statuses that were read: the first since a lease was taken counts."""
        for database in self._leases & statuses.keys():
            self._statuses.setdefault(database, statuses[database])

    def note_append(self, database: str, status: bytes) -> None:
        """Note the status that was appended."""
        self._statuses[database] = status

    def last(self, database: str) -> bytes | None:
        """Return the status that must stand in the log; None: any."""
        return self._statuses.get(database)
