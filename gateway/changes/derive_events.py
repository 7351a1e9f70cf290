"""Which events in the lives of people a page of changes is: pure.

What a change is, its record declares (``connectors.description.ChangeRule``). Some rules need rows
beside the changed one, of the same database: ``reads_for`` says which, and ``derive_events`` takes
what was read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from connectors.changes.change import Change, ChangeOperation, UnreadableChange
from connectors.changes.rules import RowNews, needs_former_row, numbers_in, row_news
from connectors.description import ChangeRule, ChangeTrigger, Database, Record, Row
from gateway.changes.event import LifeEvent, LifeEventKind
from gateway.changes.event_ids import EventIds

#: Whether the law conceals a row from whoever has no special purpose.
Conceals = Callable[[Record, Row], bool]


class RowsRead(NamedTuple):
    """Rows to read: record, list, and the key by which they are found."""

    record: str
    lookup: str
    key: str


#: What was read. None: some of the rows cannot be read.
ReadRows = Mapping[RowsRead, Sequence[Row] | None]


@dataclass(frozen=True, slots=True)
class DerivedEvents:
    """The events of changes, in the order of these.

    ``missed_at``: the position of the first change that may be an event of people who are not
    known; None: there is none.
    """

    events: Sequence[LifeEvent]
    missed_at: str | None


@dataclass(frozen=True, slots=True)
class _News:
    """What a rule makes of a change."""

    change: Change
    rule: ChangeRule
    row: RowNews

    @property
    def people_read(self) -> RowsRead | None:
        """The rows that name the people concerned; None: the changed row does."""
        if self.rule.read is None or self.row.read_key is None:
            return None
        return RowsRead(self.rule.read.record, self.rule.read.lookup, self.row.read_key)

    @property
    def sole_read(self) -> RowsRead | None:
        """The rows among which the changed one has to be alone; None: it need not."""
        if self.rule.sole is None or self.row.sole_key is None:
            return None
        return RowsRead(self.change.record.name, self.rule.sole, self.row.sole_key)


def unknown_kinds(database: Database) -> list[str]:
    """Return the kinds of events that a database declares and that there are not."""
    kinds = {rule.kind for record in database.records for rule in record.changes}
    return sorted(kinds - LifeEventKind.__members__.keys())


def reads_for(
    changes: Iterable[Change | UnreadableChange], conceals: Conceals, now: datetime
) -> Sequence[RowsRead]:
    """Return what has to be read to derive the events of ``changes``, each once."""
    news = (row_news for change in changes for row_news in _news_of(change, conceals, now))
    reads = (read for row_news in news for read in (row_news.people_read, row_news.sole_read))
    return list(dict.fromkeys(read for read in reads if read is not None))


def derive_events(
    database: Database,
    changes: Sequence[Change | UnreadableChange],
    rows: ReadRows,
    conceals: Conceals,
    ids: EventIds,
    detected_at: datetime,
    *,
    sees_before: bool,
) -> DerivedEvents:
    """Return the events of ``changes``: one for each person concerned.

    ``rows``: those of ``reads_for``. ``sees_before``: whether the source tells former rows
    (``ChangePromise``); of what one that does not can never tell, ``untold_events`` speaks. The
    same change always has events of the same ids. Where it is not known whose a change is, or what
    it was before, ``missed_at`` says so.
    """
    events: dict[str, LifeEvent] = {}
    missed_at: str | None = None
    for change in changes:
        is_missed = _concerns_unknown(change) or (
            sees_before and _lacks_former_row(change, conceals, detected_at)
        )
        for news in _news_of(change, conceals, detected_at):
            people = _people(database, news, rows)
            is_missed = is_missed or people is None
            for person in people or ():
                event = _event(news, person, ids, detected_at)
                events.setdefault(event.id, event)
        if is_missed and missed_at is None:
            missed_at = change.position
    return DerivedEvents(list(events.values()), missed_at)


def _news_of(
    change: Change | UnreadableChange, conceals: Conceals, now: datetime
) -> Iterator[_News]:
    if isinstance(change, UnreadableChange) or not change.record.changes:
        return
    rows = (change.before, change.after)
    if any(row is not None and conceals(change.record, row) for row in rows):
        return
    for rule in change.record.changes:
        news = row_news(rule, change, now)
        if news is not None:
            yield _News(change, rule, news)


def _concerns_unknown(change: Change | UnreadableChange) -> bool:
    """Return whether the change may be an event of people whom the source does not name."""
    rules = change.record.changes
    if isinstance(change, UnreadableChange):
        return bool(rules)
    is_blind_deletion = change.operation is ChangeOperation.DELETE and change.before is None
    return is_blind_deletion and any(ChangeTrigger.DELETED in rule.triggers for rule in rules)


def _lacks_former_row(change: Change | UnreadableChange, conceals: Conceals, now: datetime) -> bool:
    """Return whether the change may be an event that only the row of before it would tell."""
    if isinstance(change, UnreadableChange) or change.after is None:
        return False
    record = change.record
    return any(needs_former_row(rule, change, now) for rule in record.changes) and not conceals(
        record, change.after
    )


def _people(database: Database, news: _News, rows: ReadRows) -> Sequence[str] | None:
    """Return the numbers of the people concerned; None: they cannot be told."""
    if news.sole_read is not None:
        others = rows[news.sole_read]
        if others is None:
            return None
        identity = news.change.record.positions[news.change.record.identity]
        if any(str(row[identity]) != news.change.identity for row in others):
            return ()
    if news.people_read is None:
        return news.row.numbers
    holders = rows[news.people_read]
    if holders is None:
        return None
    record = database.by_name[news.people_read.record]
    numbers = (number for row in holders for number in numbers_in(record, row, news.rule.people))
    return list(dict.fromkeys(numbers))


def _event(news: _News, person: str, ids: EventIds, detected_at: datetime) -> LifeEvent:
    change, rule = news.change, news.rule
    return LifeEvent(
        ids.of_change(change, rule, person),
        LifeEventKind[rule.kind],
        change.record.database,
        person,
        rule.shown[0],
        news.row.row,
        news.row.date,
        change.committed_at,
        detected_at,
    )
