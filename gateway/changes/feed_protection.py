"""Whether an event may be shown, by the row that it names as it is now.

What the law hides was no event when it was derived; a row may have been hidden since: a birth that
was registered anew after an adoption replaces the first (``gateway.protection.original``). So rows
that rules may hide are read again, past the cache. Nobody is shown an event of a row that rules
hide from somebody without a purpose, not even the agency that registers adoptions.
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Mapping
from dataclasses import dataclass

from connectors.description import Record, Row
from gateway.access.caller import ANONYMOUS
from gateway.answer import Answer, State
from gateway.changes.event import LifeEvent, LifeEventKind
from gateway.changes.interests import Interest
from gateway.fetch.loaders import Loaders
from gateway.fetch.source import Source
from gateway.protection.rules import PROTECTION

#: States that pass by themselves.
_PASSING = frozenset({State.UNAVAILABLE, State.TIMED_OUT, State.MAINTENANCE, State.STALE})


class EventDecision(enum.Enum):
    """What becomes of an event.

    SHOWN_WITHOUT_ROW: the row is gone, the event is shown and does not name it. WAITING: the
    database does not answer; the event waits until it does. UNKNOWN: it answers, and does not say.
    """

    SHOWN = "shown"
    SHOWN_WITHOUT_ROW = "shown without its row"
    HIDDEN = "hidden"
    WAITING = "waiting"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RowProtection:
    """Decides on events. ``lookups``: the lists in which people see each record."""

    sources: Mapping[str, Source]
    loaders: Loaders
    lookups: Mapping[Record, tuple[str, ...]]

    async def decide(self, event: LifeEvent, interest: Interest) -> EventDecision:
        """Return what becomes of an event of the person of ``interest``.

        Costs a read of each list for each number of the person, where rules may hide rows of the
        record; nothing otherwise. Never raises for what a source does.
        """
        source = self.sources[event.database]
        record = source.database.by_name[event.record or ""]
        if not PROTECTION.may_hide_rows_of(record):
            return EventDecision.SHOWN
        if any(source.reads[name].lookup.on is not None for name in self.lookups[record]):
            return EventDecision.UNKNOWN  # a list that hangs on another cannot be read by number
        loaders = self.loaders.for_asker(interest.caller.asker)
        answers = await asyncio.gather(
            *(
                _load(loaders, source, name, number)
                for name in self.lookups[record]
                for number in sorted(interest.numbers)
            )
        )
        return _decide_by_rows(record, event, dict(answers))


async def _load(
    loaders: Loaders, source: Source, name: str, number: str
) -> tuple[tuple[str, str], Answer]:
    read = source.reads[name].with_freshness(True)
    return (name, number), await loaders.load(read, number)


def _decide_by_rows(
    record: Record, event: LifeEvent, answers: Mapping[tuple[str, str], Answer]
) -> EventDecision:
    """Decide by the rows of each list under each number."""
    for answer in answers.values():
        if answer.rows is None or answer.report.state is State.STALE:
            is_passing = answer.report.state in _PASSING
            return EventDecision.WAITING if is_passing else EventDecision.UNKNOWN
    rows_by_list: dict[str, list[Row]] = {}
    for (name, _), answer in answers.items():
        rows_by_list.setdefault(name, []).extend(answer.rows or ())
    place = record.positions[record.identity]
    is_there = is_birth_of_owner = False
    for name, rows in rows_by_list.items():
        if not any(str(row[place]) == event.row for row in rows):
            continue
        is_there = True
        # Of somebody's own birth there is one entry, and others that it replaced.
        is_sole = event.kind is LifeEventKind.BIRTH and name == record.lookups[0].name
        if any(_is_hidden(record, row) for row in rows if is_sole or str(row[place]) == event.row):
            return EventDecision.HIDDEN
        is_birth_of_owner = is_birth_of_owner or is_sole
    is_complete = not any(answer.unreadable or answer.truncated for answer in answers.values())
    if is_there and (is_complete or not is_birth_of_owner):
        return EventDecision.SHOWN
    if not is_complete:
        return EventDecision.UNKNOWN  # what cannot be read may be the row, or one that it replaced
    if event.kind is LifeEventKind.BIRTH:
        return EventDecision.HIDDEN  # its owner may have replaced it by one registered anew
    return EventDecision.SHOWN_WITHOUT_ROW


def _is_hidden(record: Record, row: Row) -> bool:
    return any(
        condition.holds(record, row) for condition in PROTECTION.hidden_rows(record, ANONYMOUS)
    )
