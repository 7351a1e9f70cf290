"""``timeline`` of a person: their dated events over all databases, as a Relay connection."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import strawberry
from strawberry.types.field import StrawberryField

from connectors.description import Text
from connectors.values import PartialDate
from gateway.answer import State
from gateway.audit.touched import note_read
from gateway.derived.event_lists import EventCatalogue, EventList
from gateway.derived.timeline import EventRows, GapState, TimelinePage
from gateway.execution.reference import Person, ReferenceContext
from gateway.execution.timelines import (
    HangingKeys,
    PermittedList,
    event_rows,
    hanging_keys,
    permit_lists,
    require_timeline,
    timeline_page,
    timeline_problems,
    unread_rows,
)
from gateway.plan.list_arguments import DEFAULT_FIRST
from gateway.plan.timeline_arguments import parse_timeline_arguments
from gateway.schema.factory import TypeFactory
from gateway.schema.field_definitions import attribute_field, list_annotation, resolved_field
from gateway.schema.shared_types import text_type


def timeline_field(types: TypeFactory, catalogue: EventCatalogue) -> StrawberryField:
    """Return the field ``timeline`` of Person, over the lists of ``catalogue``."""

    async def read(
        self: Person,
        info: strawberry.Info,
        first: int = DEFAULT_FIRST,
        after: str | None = None,
        databases: list[str] | None = None,
        kinds: list[str] | None = None,
    ) -> TimelinePage:
        coerced = {"first": first, "after": after, "databases": databases, "kinds": kinds}
        context: ReferenceContext = info.context
        arguments = parse_timeline_arguments(catalogue, coerced)
        require_timeline(context.rules, self.is_own)
        read_lists: dict[EventList, EventRows] = {}
        for entry in permit_lists(context.rules, arguments, self.own_view):
            above = read_lists[entry.above.list] if entry.above else None
            read_lists[entry.list] = await _read_list(context, self, entry, above)
        lists = tuple(read_lists.values())
        for error in timeline_problems(context.rules, lists):
            context.problem(info._raw_info, error)
        for entry_rows in lists:
            if entry_rows.list.parent is None and entry_rows.answer is not None:
                self.note_shortfall(entry_rows.answer, info._raw_info)
        return timeline_page(context.rules.record_ids.key, lists, arguments)

    names = list[str] | None
    return resolved_field(
        "timeline",
        _connection_type(types) | None,
        read,
        {"first": int, "after": str | None, "databases": names, "kinds": names},
        Text(
            "các sự kiện có ngày của người này trong mọi cơ sở dữ liệu, mới nhất trước",
            "this person's dated events in all databases, newest first",
        ),
        {"first": DEFAULT_FIRST},
    )


async def _read_list(
    context: ReferenceContext, person: Person, entry: PermittedList, above: EventRows | None
) -> EventRows:
    """Return what was read of one list of a timeline."""
    record, rules = entry.list.record, context.rules
    if not entry.is_read:
        if entry.denied:
            context.state.note(record, State.DENIED)
        return unread_rows(entry, above)
    if above is None:
        answer = await context.read(person, entry.read)
        keys = HangingKeys(person.numbers.all, True)
        return event_rows(rules, entry, answer, keys, None)
    decision = rules.decide(record, entry.open_up_to)
    if decision is None and (above.answer is None or above.answer.rows is None):
        return unread_rows(entry, above)
    keys = hanging_keys(entry, above)
    if decision is None and not keys.keys:
        return event_rows(rules, entry, rules.merge(record, ()), keys, above)
    answer = await rules.read(entry.read, keys.keys, entry.open_up_to, None, person.numbers.all)
    context.state.note(record, answer.report.state)
    note_read(person.sections, record, answer)
    return event_rows(rules, entry, answer, keys, above)


def _connection_type(types: TypeFactory) -> Any:
    """Return the type of a page of a timeline."""
    return types.object(
        "Timeline",
        [
            attribute_field(
                "edges",
                list_annotation(_edge_type(types)) | None,
                Text(
                    "các sự kiện; null: chưa thể nói là không có, xem gaps",
                    "the events; null: it is not known that there are none, see gaps",
                ),
            ),
            attribute_field("page_info", _page_info_type(types), Text("trang", "the page")),
            attribute_field(
                "gaps",
                list_annotation(_gap_type(types)),
                Text("điều có thể còn thiếu, và vì sao", "what may be missing, and why"),
            ),
        ],
        Text("Dòng thời gian", "A timeline"),
    )


def _edge_type(types: TypeFactory) -> Any:
    """Return the type of an event on a page."""
    return types.object(
        "TimelineEdge",
        [
            attribute_field("node", _event_type(types), Text("sự kiện", "the event")),
            attribute_field("cursor", str, Text("vị trí, dùng cho after", "its place, for after")),
        ],
        Text("Sự kiện trên trang", "An event on a page"),
    )


def _page_info_type(types: TypeFactory) -> Any:
    """Return Relay's type of where a page begins and ends."""
    return types.object(
        "PageInfo",
        [
            attribute_field("has_next_page", bool, Text("còn trang sau", "there is a next page")),
            attribute_field("has_previous_page", bool, Text("có trang trước", "one came before")),
            attribute_field("start_cursor", str | None, Text("sự kiện đầu", "of the first event")),
            attribute_field("end_cursor", str | None, Text("sự kiện cuối", "of the last event")),
        ],
        Text("Trang", "Where a page begins and ends"),
    )


def _event_type(types: TypeFactory) -> Any:
    """Return the type of an event."""
    return types.object(
        "TimelineEvent",
        [
            attribute_field("kind", str, Text("mã loại sự kiện", "code of the kind of event")),
            attribute_field("title", text_type(types), Text("loại sự kiện", "kind of event")),
            attribute_field(
                "date", PartialDate, Text("ngày, như ghi được", "the date, as far as it is known")
            ),
            attribute_field("database", str, Text("cơ sở dữ liệu", "the database")),
            attribute_field("record", str, Text("loại bản ghi", "the kind of record")),
            attribute_field(
                "record_id", strawberry.ID, Text("mã mờ của bản ghi", "recordId of the record")
            ),
            attribute_field(
                "state", types.enumeration(State), Text("tình trạng nguồn", "state of the source")
            ),
            attribute_field(
                "as_of",
                datetime | None,
                Text("nguồn công bố dữ liệu tính đến", "what the source itself states, or null"),
            ),
            attribute_field(
                "fetched_at",
                datetime | None,
                Text("lúc bắt đầu hỏi nguồn", "when the statement to the source started"),
            ),
            attribute_field(
                "from_cache", bool, Text("từ bộ nhớ tạm", "whether the row was read earlier")
            ),
        ],
        Text("Sự kiện", "An event: a date of a record"),
    )


def _gap_type(types: TypeFactory) -> Any:
    """Return the type of a gap."""
    until = Text(
        "chỉ thiếu từ ngày này trở về trước; null: bất kỳ ngày nào",
        "only events on this day and before may be missing; null: on any day",
    )
    return types.object(
        "TimelineGap",
        [
            attribute_field("database", str, Text("cơ sở dữ liệu", "the database")),
            attribute_field("state", types.enumeration(GapState), Text("vì sao", "why")),
            attribute_field("message", text_type(types), Text("giải thích", "why, in a sentence")),
            attribute_field("records", list[str], Text("loại bản ghi", "kinds of record")),
            attribute_field(
                "kinds", list[str], Text("loại sự kiện", "kinds of event that may be missing")
            ),
            attribute_field("until", date | None, until),
            attribute_field(
                "missing",
                list[str],
                Text("phạm vi, mục đích còn thiếu", "scopes and purposes that the caller lacks"),
            ),
        ],
        Text("Khoảng trống", "What may be missing from a timeline"),
    )
