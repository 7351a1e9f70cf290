"""What a request shares with others: rows from the cache, and statements sent together."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from connectors.description import Record


@dataclass(frozen=True, slots=True)
class Sharing:
    """What a request may be answered from, and what of its reads others may use.

    ``deciding``: the records (``database.record``) on which its procedure decides: they are read
    past the cache, and never STALE. ``all_fresh``: so is every record. ``isolated``: nothing that
    it reads is cached, or read in a batch with others. Reports say when rows were read, and whether
    for somebody else: a read that an access log must not show yet would show there (design
    section 7).
    """

    deciding: Collection[str] = ()
    all_fresh: bool = False
    isolated: bool = False

    def is_fresh(self, record: Record) -> bool:
        """Say whether ``record`` is read past the cache."""
        return self.all_fresh or f"{record.database}.{record.name}" in self.deciding


#: Of a request that shares everything.
SHARE_ALL = Sharing()
