"""The timeline of a person: from the rows of several lists to their events, newest first.

Pure: both executors read the lists, and merge them here. What could not be read, or may be missing,
is a gap beside the events, so that nobody takes a short timeline for a whole one.

An event stands at the first day that its date can mean: 1957 at 1 January 1957. On the same day the
better known date is the newer one (``docs/decisions/0062-timeline.md``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from connectors.description import Coded, Kind, RecordEvent, Row, Text
from connectors.values import PartialDate
from gateway.answer import STATE_MESSAGES, Answer, State, worst
from gateway.derived.event_lists import EventList
from gateway.runtime.clock import legal_date


class GapState(Coded):
    """Why events may be missing from a timeline: the state of a list, or one of the last two."""

    STALE = State.STALE.value
    PARTIAL = State.PARTIAL.value
    INCOMPLETE = State.INCOMPLETE.value
    NOT_IDENTIFIED = State.NOT_IDENTIFIED.value
    NOT_OPERATING = State.NOT_OPERATING.value
    WITHHELD = State.WITHHELD.value
    DENIED = State.DENIED.value
    MAINTENANCE = State.MAINTENANCE.value
    TIMED_OUT = State.TIMED_OUT.value
    UNAVAILABLE = State.UNAVAILABLE.value
    TRUNCATED = "còn bản ghi chưa được đọc", "there are more records than were read"
    UNDATED = "có bản ghi không ghi ngày", "there are records without a date"


_MESSAGES = {
    GapState.TRUNCATED: Text(
        "Còn bản ghi cũ hơn chưa được đọc.", "There are older records that were not read."
    ),
    GapState.UNDATED: Text(
        "Có bản ghi không ghi ngày: xem trong danh sách.",
        "There are records without a date: see the lists.",
    ),
    **{GapState[state.name]: message for state, message in STATE_MESSAGES.items()},
}


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """One event: a date of a record.

    ``date``: as far as it is known: ``1957``, ``1957-03`` or ``1957-03-02``, in Viet Nam.
    ``record_id``: as in the list of the record. The rest is from the source report of that list.
    """

    kind: str
    title: Text
    date: str
    database: str
    record: str
    record_id: str
    state: State
    as_of: datetime | None
    fetched_at: datetime | None
    from_cache: bool


@dataclass(frozen=True, slots=True)
class TimelineGap:
    """What may be missing from a timeline, and why.

    ``records``, ``kinds``: of which records and which events. ``until``: only events on that day
    and before may be missing; None: on any day. ``missing``: scopes and purposes that the caller
    lacks.
    """

    database: str
    state: GapState
    message: Text
    records: tuple[str, ...]
    kinds: tuple[str, ...]
    until: date | None
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """All events of a person, newest first, and what may be missing from them."""

    events: tuple[TimelineEvent, ...]
    gaps: tuple[TimelineGap, ...]


@dataclass(frozen=True, slots=True)
class TimelineEdge:
    """An event on a page. ``cursor``: the page that comes after it begins there."""

    node: TimelineEvent
    cursor: str


@dataclass(frozen=True, slots=True)
class TimelinePageInfo:
    """Where a page begins and ends; the cursors are None where it has no events."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """A page of a timeline.

    ``edges`` None: it is not known that there are no events; ``gaps`` say why.
    """

    edges: Sequence[TimelineEdge] | None
    page_info: TimelinePageInfo
    gaps: Sequence[TimelineGap]


@dataclass(frozen=True, slots=True, eq=False)
class EventRows:
    """What was read of one list for a timeline, after permission and protection.

    ``visible``: the events that the caller may see, ``events``: those of them that are asked for.
    ``denied``: asked for, and not to be seen for lack of ``missing``. ``answer``: None where
    nothing was read, because all is denied or the list above could not be read. ``state``: what is
    known to be missing beside the answer. ``ids``: the ``recordId`` of each row.
    ``is_cut_by_date``: the rows that a truncated list lacks are those with the oldest
    ``record.date``. ``above``: of the list on which it hangs.
    """

    list: EventList
    visible: tuple[RecordEvent, ...]
    events: tuple[RecordEvent, ...]
    denied: tuple[RecordEvent, ...] = ()
    missing: tuple[str, ...] = ()
    answer: Answer | None = None
    state: State = State.ANSWERED
    ids: Sequence[str] = ()
    is_cut_by_date: bool = True
    above: EventRows | None = None

    @property
    def rows(self) -> Sequence[Row]:
        """The rows, none where nothing was read."""
        return () if self.answer is None or self.answer.rows is None else self.answer.rows

    @property
    def truncated(self) -> bool:
        """Whether the source has more rows, or rows above that were not read might lead to some."""
        above = self.above is not None and self.above.truncated
        return above or (self.answer is not None and self.answer.truncated)

    @property
    def worst_state(self) -> State:
        """The worst of what is known of the list, and of the list above it."""
        states = [self.state]
        if self.answer is not None:
            states.append(self.answer.report.state)
        if self.above is not None:
            states.append(self.above.worst_state)
        return worst(states)


def merge_timeline(lists: Sequence[EventRows]) -> Timeline:
    """Return the events in ``lists``, newest first, and the gaps in the order of the lists.

    The order depends on what is in the lists alone, not on the order of their rows. Costs some 3 us
    an event.
    """
    placed = [
        (*place_date(value), -place, order, event_rows, at)
        for place, event_rows in enumerate(lists)
        for order, event in enumerate(event_rows.list.events)
        if event in event_rows.events
        for at, value in _dates(event_rows, event)
    ]
    # By the id last: of two rows of one list with the same date neither is newer.
    placed.sort(key=lambda entry: (*entry[:4], entry[4].ids[entry[5]]), reverse=True)
    events = tuple(
        _event(event_rows, event_rows.list.events[order], at)
        for _, _, _, order, event_rows, at in placed
    )
    return Timeline(events, _group_gaps(lists))


def place_date(value: date | PartialDate) -> tuple[int, int]:
    """Return where a date stands among others: the greater the newer.

    First the first day that it can mean, then how well it is known.
    """
    if isinstance(value, PartialDate):
        precision = 1 + (value.month is not None) + (value.day is not None)
        return value.first.toordinal(), precision
    return value.toordinal(), 3


def _dates(event_rows: EventRows, event: RecordEvent) -> Iterator[tuple[int, date | PartialDate]]:
    """Yield the position of each row that has the event, and its date."""
    position = event_rows.list.record.positions[event.column]
    for at, row in enumerate(event_rows.rows):
        value = _day(row[position])
        if value is not None:
            yield at, value


def _day(value: object) -> date | PartialDate | None:
    """Return a date of a row; of a moment the day on which it falls in Viet Nam."""
    if isinstance(value, datetime):
        return legal_date(value)
    return value if isinstance(value, date | PartialDate) else None


def _event(event_rows: EventRows, event: RecordEvent, at: int) -> TimelineEvent:
    record, answer = event_rows.list.record, event_rows.answer
    assert answer is not None
    report = answer.report
    return TimelineEvent(
        event.kind.code,
        event.kind.title,
        str(_day(event_rows.rows[at][record.positions[event.column]])),
        record.database,
        record.name,
        event_rows.ids[at],
        report.state,
        report.as_of,
        report.fetched_at,
        report.from_cache,
    )


@dataclass(slots=True)
class _Gap:
    """A gap while it is put together of those of several lists."""

    message: Text
    records: dict[str, None]
    kinds: dict[str, None]
    missing: dict[str, None]


def _group_gaps(lists: Sequence[EventRows]) -> tuple[TimelineGap, ...]:
    """Return the gaps of all lists; those of one database with one reason are one."""
    gaps: dict[tuple[str, GapState, date | None], _Gap] = {}
    for event_rows in lists:
        record = event_rows.list.record
        report = None if event_rows.answer is None else event_rows.answer.report
        for state, events, until in _gaps(event_rows):
            says_why = report is not None and report.state.name == state.name
            message = (report.message if report and says_why else None) or _MESSAGES[state]
            gap = gaps.setdefault((record.database, state, until), _Gap(message, {}, {}, {}))
            gap.records[record.name] = None
            gap.kinds.update(dict.fromkeys(event.kind.code for event in events))
            if state is GapState.DENIED:
                gap.missing.update(dict.fromkeys(event_rows.missing))
    return tuple(
        TimelineGap(
            database,
            state,
            gap.message,
            tuple(gap.records),
            tuple(gap.kinds),
            until,
            tuple(gap.missing),
        )
        for (database, state, until), gap in gaps.items()
    )


def _gaps(
    event_rows: EventRows,
) -> Iterator[tuple[GapState, tuple[RecordEvent, ...], date | None]]:
    """Yield what may be missing of one list: why, which events, and until when."""
    if event_rows.denied:
        yield GapState.DENIED, event_rows.denied, None
    events = event_rows.events
    if not events:
        return
    state = event_rows.worst_state
    if state is not State.ANSWERED:
        yield GapState[state.name], events, None
    if event_rows.truncated:
        # Rows are cut by one date; those that were cut may have any other.
        column, until = event_rows.list.record.date, _oldest_day(event_rows)
        bounded = tuple(event for event in events if event.column == column) if until else ()
        unbounded = tuple(event for event in events if event not in bounded)
        if bounded:
            yield GapState.TRUNCATED, bounded, until
        if unbounded:
            yield GapState.TRUNCATED, unbounded, None
    positions = [event_rows.list.record.positions[event.column] for event in event_rows.visible]
    if any(all(row[position] is None for position in positions) for row in event_rows.rows):
        yield GapState.UNDATED, events, None


def _oldest_day(event_rows: EventRows) -> date | None:
    """Return the day after which no row was cut; None where that is not known.

    Rows come with the newest ``record.date`` first, by their text, the undated last. What was cut
    is not newer than the last row; of which only the year may be known, all of the year.
    """
    record, rows = event_rows.list.record, event_rows.rows
    above = event_rows.above is not None
    if above or not event_rows.is_cut_by_date or record.date is None or not rows:
        return None
    value = rows[-1][record.positions[record.date]]
    if record.column(record.date).field.kind is Kind.PARTIAL_DATE:
        return PartialDate(value.year).last if isinstance(value, PartialDate) else None
    day = _day(value)
    return day if isinstance(day, date) else None
