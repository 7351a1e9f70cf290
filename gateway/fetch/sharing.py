"""On what terms a request shares with others what is read from sources."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from connectors.description import Record


@dataclass(frozen=True, slots=True)
class Sharing:
    """What a request may be answered from, and what of it others may be.

    ``deciding``: records (``database.record``) on which its procedure decides: read past the cache,
    and never STALE. ``past``: so is everything. ``apart``: and nothing that it reads is kept, or
    read together with what others ask for. Reports say when rows were read, and whether for
    somebody else: a read that an access log must not show yet would show there (design section 7).
    """

    deciding: Collection[str] = ()
    past: bool = False
    apart: bool = False

    def is_past(self, record: Record) -> bool:
        """Say whether ``record`` is read past the cache."""
        return self.past or f"{record.database}.{record.name}" in self.deciding


#: Of whoever shares everything.
SHARE_ALL = Sharing()
