"""Timelines: which lists are read for one, and the page of what they come to.

Both executors decide here. A date is shown in a timeline if it would be shown in its list, to the
same caller: record, column and the protection of rows decide, as for the list.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from connectors.description import Record, RecordEvent, Sensitivity
from gateway.answer import Answer, State
from gateway.catalogue.own_view import narrow_open_up_to
from gateway.catalogue.read import Read
from gateway.derived.event_lists import EventList
from gateway.derived.timeline import (
    EventRows,
    TimelineEdge,
    TimelinePage,
    TimelinePageInfo,
    merge_timeline,
)
from gateway.errors import GatewayError
from gateway.execution.decisions import RecordRules
from gateway.plan.cursors import make_cursors
from gateway.plan.timeline_arguments import TimelineArguments


@dataclass(frozen=True, slots=True, eq=False)
class PermittedList:
    """What of a list the caller may see in a timeline.

    ``visible``, ``events``, ``denied``, ``missing``: as in ``EventRows``. ``read``: of the list.
    ``open_up_to``: the sensitivity up to which its rows are open. ``above``: of the list on which
    it hangs. ``is_read``: it has events to show, or rows on which such a list hangs.
    """

    list: EventList
    read: Read
    open_up_to: Sensitivity | None
    visible: tuple[RecordEvent, ...]
    events: tuple[RecordEvent, ...]
    denied: tuple[RecordEvent, ...]
    missing: tuple[str, ...]
    above: PermittedList | None
    is_read: bool


@dataclass(frozen=True, slots=True)
class HangingKeys:
    """The keys of a list that hangs on rows. ``is_complete``: every row has one."""

    keys: tuple[str, ...]
    is_complete: bool


def require_timeline(rules: RecordRules, is_own_view: bool) -> None:
    """Raise GatewayError FORBIDDEN where the purpose does not need somebody else's timeline."""
    missing = () if is_own_view else rules.caller.missing_for_timeline()
    if missing:
        raise GatewayError("FORBIDDEN", details={"missing": list(missing)})


def permit_lists(
    rules: RecordRules, arguments: TimelineArguments, open_up_to: Sensitivity | None
) -> tuple[PermittedList, ...]:
    """Return what the caller may see of each list, parents first.

    ``open_up_to``: of the person's own records. It follows from rights and arguments alone.
    """
    permitted: dict[EventList, PermittedList] = {}
    for event_list in arguments.lists:
        above = permitted[event_list.parent] if event_list.parent else None
        permitted[event_list] = _permit_list(rules, event_list, arguments, open_up_to, above)
    parents = {entry.above.list for entry in permitted.values() if entry.above and entry.is_read}
    return tuple(
        entry if entry.is_read or entry.list not in parents else replace(entry, is_read=True)
        for entry in permitted.values()
    )


def reads_ahead(
    rules: RecordRules, arguments: TimelineArguments, is_own_view: bool
) -> Iterator[Read]:
    """Yield the reads under a person's numbers that may be asked for before they are opened."""
    if not is_own_view and rules.caller.missing_for_timeline():
        return
    open_up_to = Sensitivity.RESTRICTED if is_own_view else None
    for entry in permit_lists(rules, arguments, open_up_to):
        record = entry.list.record
        is_first = entry.is_read and entry.above is None
        is_decided = rules.decide(record, open_up_to) is not None
        if is_first and not is_decided and not rules.protection.opens_on_death(record):
            yield entry.read


def _permit_list(
    rules: RecordRules,
    event_list: EventList,
    arguments: TimelineArguments,
    open_up_to: Sensitivity | None,
    above: PermittedList | None,
) -> PermittedList:
    record, kinds = event_list.record, arguments.kinds
    missing: tuple[str, ...] = ()
    if above is not None:
        assert event_list.key is not None
        parent = above.list.record
        key = parent.positions[event_list.key]
        missing = rules.missing(parent, None, open_up_to) or rules.missing(parent, key, open_up_to)
        open_up_to = narrow_open_up_to(open_up_to, record)
    missing = missing or rules.missing(record, None, open_up_to)
    lacking = {
        event: missing or rules.missing(record, record.positions[event.column], open_up_to)
        for event in event_list.events
    }
    selected = [event for event in lacking if kinds is None or event.code in kinds]
    denied = tuple(event for event in selected if lacking[event])
    events = tuple(event for event in selected if not lacking[event])
    return PermittedList(
        event_list,
        Read(record, event_list.lookup),
        open_up_to,
        tuple(event for event in lacking if not lacking[event]),
        events,
        denied,
        tuple(dict.fromkeys(name for event in denied for name in lacking[event])),
        above,
        bool(events),
    )


def hanging_keys(entry: PermittedList, above: EventRows) -> HangingKeys:
    """Return the keys of a list, from the rows of the list on which it hangs."""
    assert entry.list.key is not None
    position = above.list.record.positions[entry.list.key]
    values = [row[position] for row in above.rows]
    keys = dict.fromkeys(str(value) for value in values if value is not None)
    return HangingKeys(tuple(keys), None not in values)


def unread_rows(entry: PermittedList, above: EventRows | None) -> EventRows:
    """Return that nothing of a list was read: all is denied, or the list above is not known."""
    return EventRows(
        entry.list, entry.visible, entry.events, entry.denied, entry.missing, above=above
    )


def event_rows(
    rules: RecordRules,
    entry: PermittedList,
    answer: Answer,
    keys: HangingKeys,
    above: EventRows | None,
) -> EventRows:
    """Return what was read of a list under ``keys``, protection applied, with the ids of rows."""
    record, rows = entry.list.record, answer.rows or ()
    # Most lists of most people are empty.
    may_see = rules.visibility(entry.open_up_to)
    ids = rules.record_ids.of(record, rows, rows, may_see) if rows else ()
    if record.single and len(rows) > 1:  # as in its list
        answer = Answer(answer.report, rows[:1], answer.unreadable, answer.truncated)
    return EventRows(
        entry.list,
        entry.visible,
        entry.events,
        entry.denied,
        entry.missing,
        answer,
        State.ANSWERED if keys.is_complete else State.INCOMPLETE,
        ids,
        len(keys.keys) == 1,
        above,
    )


def timeline_page(
    key: bytes, lists: Sequence[EventRows], arguments: TimelineArguments
) -> TimelinePage:
    """Return the page of a timeline; raises GatewayError CURSOR_OUTDATED.

    ``key``: cursors are made with it. Where there are no events and something may be missing, a
    cursor is not looked at.
    """
    merged = merge_timeline(lists)
    events, gaps = merged.events, merged.gaps
    if not events and gaps:
        return TimelinePage(None, TimelinePageInfo(False, False, None, None), gaps)
    begin = 0 if arguments.after is None else arguments.after.position
    end = min(begin + arguments.first, len(events))
    ids = [f"{event.kind} {event.record_id}" for event in events[:end]]
    cursors = make_cursors(key, "timeline", arguments.order, ids)
    if arguments.after is not None:
        is_current = 1 <= begin <= len(events) and hmac.compare_digest(
            cursors[begin - 1], arguments.after.text
        )
        if not is_current:
            raise GatewayError("CURSOR_OUTDATED")
    edges = [
        TimelineEdge(event, cursor)
        for event, cursor in zip(events[begin:end], cursors[begin:end], strict=True)
    ]
    info = TimelinePageInfo(
        end < len(events),
        begin > 0,
        edges[0].cursor if edges else None,
        edges[-1].cursor if edges else None,
    )
    return TimelinePage(edges if edges or not gaps else None, info, gaps)


def timeline_problems(rules: RecordRules, lists: Sequence[EventRows]) -> list[GatewayError]:
    """Return what to say in ``errors``: one error for each database and code, none for denials.

    What the caller may not see is no fault of the answer: the gaps list it.
    """
    problems: dict[tuple[str, str, Record | None], GatewayError] = {}
    for entry in lists:
        record, answer = entry.list.record, entry.answer
        if answer is None or answer.report.state is State.DENIED:
            continue
        error = rules.problem(record, answer)
        if error is not None:
            counted = record if answer.unreadable else None
            problems.setdefault((record.database, error.code.name, counted), error)
    return list(problems.values())
