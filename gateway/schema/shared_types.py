"""Types that lists of records and the catalogue share: source reports, coverage, databases."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import strawberry

from connectors.description import Database, Group, Record, Text
from gateway.answer import State
from gateway.catalogue.sections import list_names
from gateway.execution.reference import ReferenceContext
from gateway.fetch.breaker import BreakerState
from gateway.fetch.source import LiveState
from gateway.people.notices import NoticeCode
from gateway.schema.factory import TypeFactory
from gateway.schema.field_definitions import attribute_field, list_annotation, resolved_field
from gateway.schema.maintenance import window_type


def text_type(types: TypeFactory) -> Any:
    """Return the type of a text in both languages."""
    return types.object(
        "Text",
        [
            attribute_field("vi", str, "tiếng Việt / Vietnamese"),
            attribute_field("en", str, "tiếng Anh / English"),
        ],
        Text("Văn bản song ngữ", "A phrase in Vietnamese and in English"),
    )


def coverage_type(types: TypeFactory) -> Any:
    """Return the type of coverage: an empty list means "none within this"."""
    text = text_type(types)
    return types.object(
        "Coverage",
        [
            attribute_field(
                "provinces",
                list[str] | None,
                Text("mã tỉnh; null là cả nước", "province codes; null for the whole country"),
            ),
            attribute_field(
                "since", date | None, Text("có dữ liệu từ ngày", "covered from this date")
            ),
            attribute_field("includes", list_annotation(text), Text("bao gồm", "what is included")),
            attribute_field(
                "excludes", list_annotation(text), Text("không bao gồm", "what is not included")
            ),
            attribute_field(
                "unnumbered",
                bool | None,
                Text(
                    "có bản ghi không ghi số định danh, tra theo số không thấy; null là chưa rõ",
                    "whether there are records without a number of the person, which no look-up "
                    "by number finds; null: not stated",
                ),
            ),
        ],
        Text("Phạm vi dữ liệu", "What the data cover"),
    )


def database_type(types: TypeFactory) -> Any:
    """Return the type of a database in the catalogue."""
    text = text_type(types)
    return types.object(
        "Database",
        [
            attribute_field("name", str, Text("tên", "name")),
            attribute_field("title", text, Text("tiêu đề", "title")),
            attribute_field("owner", text, Text("cơ quan chủ quản", "owner")),
            attribute_field(
                "contact",
                str | None,
                Text("liên hệ khi không trả lời", "whom to call when it does not answer"),
            ),
            attribute_field("legal_basis", list[str], Text("căn cứ pháp lý", "legal basis")),
            attribute_field("group", types.enumeration(Group), Text("nhóm", "lifecycle group")),
            attribute_field("coverage", coverage_type(types), Text("phạm vi", "coverage")),
            attribute_field(
                "records",
                list_annotation(_record_kind_type(types)),
                Text("các loại bản ghi", "kinds of record"),
            ),
            resolved_field(
                "live",
                _live_state_type(types),
                _live,
                title=Text("tình trạng hiện tại", "live state"),
            ),
        ],
        Text("Cơ sở dữ liệu", "A database"),
    )


def _record_kind_type(types: TypeFactory) -> Any:
    """Return the type of a kind of record in the catalogue."""
    return types.object(
        "RecordKind",
        [
            attribute_field("name", str, Text("tên", "name")),
            attribute_field("title", text_type(types), Text("tiêu đề", "title")),
            attribute_field("type_name", str, Text("kiểu GraphQL", "GraphQL type")),
            resolved_field("lists", list[str], _lists, title=Text("các danh sách", "lists of it")),
            attribute_field(
                "coverage",
                coverage_type(types) | None,
                Text("phạm vi riêng", "coverage of its own"),
            ),
            attribute_field(
                "events",
                list_annotation(_event_kind_type(types)),
                Text("các sự kiện trong dòng thời gian", "its events in timelines"),
            ),
        ],
        Text("Loại bản ghi", "A kind of record"),
    )


def _event_kind_type(types: TypeFactory) -> Any:
    """Return the type of a kind of event in the catalogue."""
    return types.object(
        "EventKind",
        [
            attribute_field("code", str, Text("mã", "code, for kinds of a timeline")),
            attribute_field("title", text_type(types), Text("tiêu đề", "title")),
        ],
        Text("Loại sự kiện", "A kind of event"),
    )


def _live_state_type(types: TypeFactory) -> Any:
    """Return the type that says whether a database answers now."""
    return types.object(
        "LiveState",
        [
            attribute_field("state", types.enumeration(State), Text("tình trạng", "state")),
            attribute_field("checked_at", datetime | None, Text("hỏi lúc", "asked at")),
            attribute_field(
                "breaker",
                types.enumeration(BreakerState),
                Text("có đang được hỏi không", "whether it is asked"),
            ),
            attribute_field(
                "maintenance",
                list_annotation(window_type(types)),
                Text("bảo trì đang diễn ra và sắp tới", "maintenance, now and planned"),
            ),
        ],
        Text("Tình trạng hiện tại", "Whether the database answers now"),
    )


def _lists(self: Record, info: strawberry.Info) -> list[str]:
    return list_names(self)


async def _live(self: Database, info: strawberry.Info) -> LiveState:
    context: ReferenceContext = info.context
    return await context.resources.sources[self.name].live()


def source_type(types: TypeFactory) -> Any:
    """Return the type of the source report of a list."""
    return types.object(
        "Source",
        [
            attribute_field("state", types.enumeration(State), Text("tình trạng", "what happened")),
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
                "from_cache", bool, Text("từ bộ nhớ tạm", "whether the rows were read earlier")
            ),
            attribute_field(
                "message",
                text_type(types) | None,
                Text("giải thích", "what happened, in a sentence"),
            ),
            attribute_field(
                "earlier_numbers_asked",
                bool | None,
                Text(
                    "đã hỏi cả các số trước đây; false là chưa xác định được",
                    "the person's earlier numbers were asked for too; false: they could not be "
                    "found out, records filed under them may be missing",
                ),
            ),
            attribute_field(
                "evidence",
                evidence_type(types) | None,
                Text("bằng chứng trao đổi", "proof of the message that brought it"),
            ),
            attribute_field(
                "coverage", coverage_type(types), Text("phạm vi", "what the list covers")
            ),
            attribute_field(
                "database", database_type(types), Text("cơ sở dữ liệu", "the database")
            ),
        ],
        Text("Báo cáo nguồn", "Source report: where a list comes from, or why it is missing"),
    )


def evidence_type(types: TypeFactory) -> Any:
    """Return the type of evidence: proof, in the words of X-Road, that a message was exchanged."""
    return types.object(
        "Evidence",
        [
            attribute_field("id", str, Text("mã thông điệp", "id of the message (X-Road-Id)")),
            attribute_field("request_id", str, Text("mã yêu cầu", "X-Road-Request-Id")),
            attribute_field("request_hash", str, Text("mã băm yêu cầu", "X-Road-Request-Hash")),
        ],
        Text("Bằng chứng trao đổi dữ liệu", "What proves that a message was exchanged"),
    )


def notice_type(types: TypeFactory) -> Any:
    """Return the type of a notice, which a reader of a person must not miss."""
    return types.object(
        "Notice",
        [
            attribute_field("code", types.enumeration(NoticeCode), Text("mã", "code")),
            attribute_field(
                "message", text_type(types), Text("nội dung", "the notice as a sentence")
            ),
            attribute_field("detail", str | None, Text("ngày liên quan", "the date concerned")),
            attribute_field(
                "reason",
                types.enumeration(State) | None,
                Text("lý do chưa xác định được", "why an UNKNOWN is unknown"),
            ),
        ],
        Text("Lưu ý", "A notice"),
    )
