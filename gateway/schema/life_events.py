"""``lifeEvents``: the events that a caller may see, page by page (``gateway.changes.feed``).

It is answered field by field, like the catalogue: nothing of it is planned or kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import strawberry
from strawberry.types.field import StrawberryField

from connectors.description import Database, Text
from connectors.values import PersonNumber
from gateway.access.caller import Caller
from gateway.answer import State
from gateway.audit.touched import Role
from gateway.catalogue.life_events import SCOPE
from gateway.changes.event import LifeEvent, LifeEventKind
from gateway.changes.feed import (
    DEFAULT_PAGE,
    LONGEST_PAGE,
    FeedEdge,
    FeedPage,
    FeedSource,
    FeedState,
    read_feed,
)
from gateway.changes.feed_scope import PERSON_KINDS, DeniedKind, visible_date
from gateway.errors import GatewayError
from gateway.execution.feeds import feed_parts
from gateway.execution.reference import ReferenceContext
from gateway.execution.resources import ExecutionResources
from gateway.execution.state import ExecutionState
from gateway.schema.factory import TypeFactory
from gateway.schema.field_definitions import attribute_field, list_annotation, resolved_field
from gateway.schema.requires_scopes import require_any_scope
from gateway.schema.shared_types import database_type, text_type

_NO_INTEREST = Text(
    "Chưa đăng ký theo dõi ai theo mục đích này: không có sự kiện nào được cung cấp.",
    "No interest is registered under this purpose: no event of anybody can come.",
)
_UNREADABLE_INTERESTS = Text(
    "Có đăng ký theo dõi không còn đọc được, không rõ của cơ quan nào: hãy đăng ký lại; không có "
    "sự kiện không có nghĩa là không có gì xảy ra.",
    "Some interests can no longer be read, and whose they are is not known: register yours again; "
    "no event does not mean that nothing happened.",
)


@dataclass(frozen=True, slots=True)
class LifeEventView:
    """An event as the schema shows it to ``caller``.

    ``person``: the number under which the interest was registered, None for events about a source.
    """

    resources: ExecutionResources
    caller: Caller
    event: LifeEvent
    person: str | None
    shows_row: bool

    @property
    def id(self) -> str:
        """The id of the event."""
        return self.event.id

    @property
    def kind(self) -> str:
        """The name of its kind."""
        return self.event.kind.name

    @property
    def title(self) -> Text:
        """Its kind in words."""
        return self.event.kind.title

    @property
    def database(self) -> Database:
        """The database that it comes from."""
        return self.resources.sources[self.event.database].database

    @property
    def record(self) -> str | None:
        """The record that it names."""
        return self.event.record

    @property
    def record_id(self) -> str | None:
        """The ``recordId`` of the row, where there is one and its identity may be seen."""
        event = self.event
        if event.record is None or event.row is None or not self.shows_row:
            return None
        record = self.database.by_name[event.record]
        if self.caller.missing_for(record, record.positions[record.identity]):
            return None
        return self.resources.record_ids.of_identity(record, event.row)

    @property
    def date(self) -> str | None:
        """When it happened, where the caller may see the field that says so."""
        if self.event.record is None:
            return self.event.date
        return visible_date(self.caller, self.database, self.event)

    @property
    def committed_at(self) -> datetime | None:
        """When the database had it."""
        return self.event.committed_at

    @property
    def detected_at(self) -> datetime:
        """When the gateway had it."""
        return self.event.detected_at

    @property
    def since(self) -> datetime | None:
        """From when events may be missing."""
        return self.event.since


@dataclass(frozen=True, slots=True)
class _EventPerson:
    """The person of an event."""

    id: str


@dataclass(frozen=True, slots=True)
class _PageInfo:
    """Where a page ends."""

    has_next_page: bool
    end_cursor: str


@dataclass(frozen=True, slots=True)
class _Feed:
    """A page as the schema shows it."""

    page: FeedPage


def life_event_type(types: TypeFactory) -> Any:
    """Return the type of an event, read from ``LifeEventView``."""
    person = types.object(
        "LifeEventPerson",
        [attribute_field("id", PersonNumber, Text("số định danh", "the person's number"))],
        Text("Người có sự kiện", "The person of an event"),
    )
    return types.object(
        "LifeEvent",
        [
            attribute_field(
                "id", str, Text("mã; lặp lại là cùng một sự kiện", "the same id is the same event")
            ),
            attribute_field("kind", types.enumeration(LifeEventKind), Text("loại", "kind")),
            attribute_field("title", text_type(types), Text("tên loại", "the kind in words")),
            attribute_field(
                "date",
                str | None,
                Text("ngày xảy ra, nếu biết: 1957, 1957-03, 1957-03-02", "when, as far as known"),
            ),
            attribute_field("database", database_type(types), Text("cơ sở dữ liệu", "database")),
            attribute_field("record", str | None, Text("loại bản ghi", "kind of record")),
            attribute_field(
                "record_id",
                str | None,
                Text("recordId của bản ghi; null: không còn", "recordId; null: it is gone"),
            ),
            resolved_field(
                "person",
                person | None,
                _person,
                title=Text(
                    "người; null: sự kiện về nguồn dữ liệu",
                    "the person; null: the event is about the source",
                ),
            ),
            attribute_field(
                "committed_at", datetime | None, Text("nguồn ghi lúc", "when the source had it")
            ),
            attribute_field(
                "detected_at", datetime, Text("cổng biết lúc", "when the gateway had it")
            ),
            attribute_field(
                "since",
                datetime | None,
                Text("có thể thiếu sự kiện từ lúc", "from when events may be missing"),
            ),
        ],
        Text("Một sự kiện", "An event"),
    )


def life_events_field(types: TypeFactory) -> StrawberryField:
    """Return the root field ``lifeEvents``."""
    field = resolved_field(
        "life_events",
        _feed_type(types) | None,
        _life_events,
        {
            "after": str | None,
            "first": int,
            "kinds": list_annotation(types.enumeration(LifeEventKind)) | None,
        },
        Text(
            "sự kiện của những người đã đăng ký theo dõi, sau một vị trí",
            "events of people in whom an interest is registered, after a cursor",
        ),
        {"first": DEFAULT_PAGE},
    )
    return require_any_scope(field, (SCOPE,))


def _feed_type(types: TypeFactory) -> Any:
    edge = types.object(
        "LifeEventEdge",
        [
            attribute_field("cursor", str, Text("vị trí", "cursor")),
            resolved_field("node", life_event_type(types), _node, title=Text("sự kiện", "event")),
        ],
        Text("Sự kiện và vị trí của nó", "An event and its cursor"),
    )
    info = types.object(
        "PageInfo",
        [
            attribute_field("has_next_page", bool, Text("còn trang sau", "there may be more now")),
            attribute_field(
                "end_cursor", str, Text("trang sau bắt đầu từ", "the next begins here")
            ),
        ],
        Text("Trang", "A page"),
    )
    count = Text(
        "số đăng ký theo dõi theo mục đích này; 0: không thể có sự kiện; null: chưa biết",
        "interests under this purpose; 0: no event can come; null: not known",
    )
    waiting = Text(
        "đang chờ một cơ sở dữ liệu trả lời; hỏi lại sau ít phút",
        "a database must answer before more is shown: ask again in a minute",
    )
    return types.object(
        "LifeEventFeed",
        [
            resolved_field("edges", list_annotation(edge), _edges, title=Text("sự kiện", "events")),
            resolved_field("page_info", info, _page_info, title=Text("trang", "page")),
            resolved_field("is_waiting", bool, _is_waiting, title=waiting),
            resolved_field("interests", int | None, _interest_count, title=count),
            resolved_field(
                "message", text_type(types) | None, _message, title=Text("lưu ý", "what to note")
            ),
            resolved_field(
                "sources",
                list_annotation(_source_type(types)),
                _sources,
                title=Text("đầy đủ đến đâu", "how complete it is, by database"),
            ),
            resolved_field(
                "denied",
                list_annotation(denied_type(types)),
                _denied,
                title=Text("loại không được cung cấp", "kinds that are not shown"),
            ),
        ],
        Text("Sự kiện", "Events"),
    )


def _source_type(types: TypeFactory) -> Any:
    return types.object(
        "LifeEventSource",
        [
            resolved_field(
                "database", database_type(types), _source_database, title=Text("CSDL", "database")
            ),
            attribute_field("state", types.enumeration(FeedState), Text("tình trạng", "state")),
            attribute_field(
                "complete_until",
                datetime | None,
                Text(
                    "đầy đủ đến lúc; null: chưa biết, hoặc chưa hết trang",
                    "complete until; null: not known, or not before the last page",
                ),
            ),
            attribute_field("since", datetime | None, Text("từ lúc", "since when")),
            resolved_field(
                "message", text_type(types), _source_message, title=Text("giải thích", "why")
            ),
        ],
        Text("Sự kiện của một cơ sở dữ liệu", "Events of a database"),
    )


def denied_type(types: TypeFactory) -> Any:
    """Return the type of events that are not shown, read from ``DeniedKind``."""
    return types.object(
        "DeniedLifeEvents",
        [
            attribute_field("kind", types.enumeration(LifeEventKind), Text("loại", "kind")),
            attribute_field("database", str | None, Text("cơ sở dữ liệu", "database")),
            attribute_field("record", str | None, Text("loại bản ghi", "record")),
            resolved_field(
                "state",
                types.enumeration(State),
                _denied_state,
                title=Text(
                    "DENIED, WITHHELD; NOT_OPERATING, INCOMPLETE: nguồn không báo (hết) loại này",
                    "DENIED, WITHHELD; NOT_OPERATING, INCOMPLETE: no source tells (all of) them",
                ),
            ),
            attribute_field("missing", list[str], Text("còn thiếu", "what is missing")),
        ],
        Text("Loại sự kiện không được cung cấp", "A kind of event that is not shown"),
    )


async def _life_events(
    self: Any,
    info: strawberry.Info,
    after: str | None = None,
    first: int = DEFAULT_PAGE,
    kinds: Any = None,
) -> _Feed:
    context: ReferenceContext = info.context
    if not 1 <= first <= LONGEST_PAGE:
        raise GatewayError("INVALID_VALUE", f"first must be 1 to {LONGEST_PAGE}")
    resources = context.resources
    delivery = context.delivery
    if delivery is not None and delivery.after is not None:
        after = delivery.after
    if kinds == []:
        raise GatewayError("INVALID_VALUE", "kinds must name some kind of event, or be left out")
    chosen = [LifeEventKind[kind.value] for kind in kinds] if kinds else None
    if chosen is not None and PERSON_KINDS.isdisjoint(chosen):
        raise GatewayError("INVALID_VALUE", "events about sources come whatever kinds names")
    page = await read_feed(
        feed_parts(resources),
        context.rules.caller,
        after=after or None,
        first=first,
        kinds=chosen,
        deadline=resources.clock.monotonic() + resources.settings.limits.deadline,
    )
    note_delivered(context.state, page.edges)
    if delivery is not None:
        delivery.cursor, delivery.events = page.end_cursor, len(page.edges)
        delivery.has_more = page.has_more and not page.is_waiting
        delivery.listens_to = page.numbers
    return _Feed(page)


def note_delivered(state: ExecutionState, edges: Iterable[FeedEdge]) -> None:
    """Note for the journal whose events are delivered, under the case of each interest."""
    cases: dict[str | None, ExecutionState] = {}
    for edge in edges:
        if edge.interest is None:
            continue
        case_number = edge.interest.caller.case_number
        if case_number not in cases:
            cases[case_number] = state.begin_case(case_number)
        case = cases[case_number]
        name = f"{edge.event.database}.{edge.event.record}"
        case.trail.note_opened_section(edge.interest.person, Role.NAMED, name)
        case.note_state(name, State.ANSWERED)


def _node(self: FeedEdge, info: strawberry.Info) -> LifeEventView:
    context: ReferenceContext = info.context
    person = None if self.interest is None else self.interest.person
    return LifeEventView(
        context.resources, context.rules.caller, self.event, person, self.shows_row
    )


def _person(self: LifeEventView, info: strawberry.Info) -> _EventPerson | None:
    return None if self.person is None else _EventPerson(self.person)


def _edges(self: _Feed, info: strawberry.Info) -> Any:
    return self.page.edges


def _page_info(self: _Feed, info: strawberry.Info) -> _PageInfo:
    return _PageInfo(self.page.has_more, self.page.end_cursor)


def _is_waiting(self: _Feed, info: strawberry.Info) -> bool:
    return self.page.is_waiting


def _interest_count(self: _Feed, info: strawberry.Info) -> int | None:
    return self.page.interests


def _message(self: _Feed, info: strawberry.Info) -> Text | None:
    if self.page.interests is None:
        return _UNREADABLE_INTERESTS
    return None if self.page.interests else _NO_INTEREST


def _sources(self: _Feed, info: strawberry.Info) -> Any:
    return self.page.sources


def _source_database(self: FeedSource, info: strawberry.Info) -> Database:
    context: ReferenceContext = info.context
    return context.resources.sources[self.database].database


def _source_message(self: FeedSource, info: strawberry.Info) -> Text:
    return self.state.title


def _denied(self: _Feed, info: strawberry.Info) -> Any:
    return self.page.denied


def _denied_state(self: DeniedKind, info: strawberry.Info) -> str:
    return self.state.name
