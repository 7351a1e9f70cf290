"""Derives events with what has to be read for them, past the cache."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter

from connectors.backends.base import SourceUnavailable
from connectors.changes.change import Change, UnreadableChange
from connectors.description import Row
from gateway.answer import Answer, State
from gateway.changes.derive_events import (
    Conceals,
    DerivedEvents,
    ReadRows,
    RowsRead,
    derive_events,
    reads_for,
)
from gateway.changes.event_ids import EventIds
from gateway.fetch.source import LARGEST_BATCH, Source

#: The database answers, and some of the rows cannot be read or are not there.
_UNKNOWN = frozenset({State.PARTIAL, State.NOT_OPERATING})


@dataclass(frozen=True, slots=True)
class EventDerivation:
    """Derives the events of the database of ``source``; a ``DeriveEvents``.

    ``sees_before``: whether its change source tells former rows.
    """

    source: Source
    conceals: Conceals
    ids: EventIds
    sees_before: bool

    async def __call__(
        self, changes: Sequence[Change | UnreadableChange], detected_at: datetime
    ) -> DerivedEvents:
        """Return the events of ``changes``; raises SourceUnavailable.

        Most changes need no read. The others cost a statement for each list and 200 keys.
        """
        reads = reads_for(changes, self.conceals, detected_at)
        rows = await read_rows(self.source, reads)
        database = self.source.database
        return derive_events(
            database,
            changes,
            rows,
            self.conceals,
            self.ids,
            detected_at,
            sees_before=self.sees_before,
        )


async def read_rows(source: Source, reads: Sequence[RowsRead]) -> ReadRows:
    """Return the rows of ``reads``; None for those of which some cannot be read.

    Raises SourceUnavailable where the database does not answer.
    """
    rows: dict[RowsRead, Sequence[Row] | None] = {}
    by_list = itemgetter(0, 1)
    for (_, lookup), group in groupby(sorted(reads, key=by_list), by_list):
        of_list = list(group)
        read = source.reads[lookup].with_freshness(True)
        for start in range(0, len(of_list), LARGEST_BATCH):
            batch = of_list[start : start + LARGEST_BATCH]
            keys = [pending_read.key for pending_read in batch]
            answers = await source.fetch(read, keys, source.settings.timeout, stores=False)
            rows.update(zip(batch, map(_rows_of, answers), strict=True))
    return rows


def _rows_of(answer: Answer) -> Sequence[Row] | None:
    state = answer.report.state
    if state is State.ANSWERED and answer.rows is not None and not answer.truncated:
        return answer.rows
    if state is State.ANSWERED or state in _UNKNOWN:
        return None
    raise SourceUnavailable(f"a read for events: {state.name}")
