"""A read: a record, one of its lookups, and how fresh the rows must be.

The same value goes from the plan down to the source, so that nothing on the way can mix up whose
lookup it is or forget that rows must be fresh.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from connectors.description import Lookup, Record
from connectors.row_template import RowTemplate

#: What tells reads apart: database, record, lookup, ``fresh``, and what rows are written as.
ReadKind = tuple[str, str, str, bool, RowTemplate | None]


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """A read of ``record`` by ``lookup``.

    ``fresh``: past the cache, and never older rows in place of a failure. ``template``: what the
    source writes rows as; None: they are read as they are. ``kind``: two reads of one kind have the
    same answers. To make one costs 1 us: plans and sources make each of theirs once.
    """

    record: Record
    lookup: Lookup
    fresh: bool = False
    template: RowTemplate | None = None
    kind: ReadKind = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Work out the kind, which every look at an answer needs."""
        database, record, lookup = self.record.database, self.record.name, self.lookup.name
        kind = (database, record, lookup, self.fresh, self.template)
        object.__setattr__(self, "kind", kind)

    def with_freshness(self, fresh: bool) -> Read:
        """Return this read, past the cache if ``fresh``."""
        if fresh == self.fresh:
            return self
        return Read(self.record, self.lookup, fresh, self.template)
