"""Types that every list of records and the catalogue share: source reports, coverage, databases."""

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
from gateway.schema.factory import Types, list_of, plain, resolved
from gateway.schema.maintenance import window_type


def text_type(types: Types) -> Any:
    """A phrase in both languages."""
    return types.object(
        "Text",
        [plain("vi", str, "tiếng Việt / Vietnamese"), plain("en", str, "tiếng Anh / English")],
        Text("Văn bản song ngữ", "A phrase in Vietnamese and in English"),
    )


def coverage_type(types: Types) -> Any:
    """What is covered: an empty list means "none within this"."""
    text = text_type(types)
    return types.object(
        "Coverage",
        [
            plain(
                "provinces",
                list[str] | None,
                Text("mã tỉnh; null là cả nước", "province codes; null for the whole country"),
            ),
            plain("since", date | None, Text("có dữ liệu từ ngày", "covered from this date")),
            plain("includes", list_of(text), Text("bao gồm", "what is included")),
            plain("excludes", list_of(text), Text("không bao gồm", "what is not included")),
            plain(
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


def database_type(types: Types) -> Any:
    """A database of the catalogue."""
    text, coverage = text_type(types), coverage_type(types)
    state = types.enumeration(State)
    record = types.object(
        "RecordKind",
        [
            plain("name", str, Text("tên", "name")),
            plain("title", text, Text("tiêu đề", "title")),
            plain("type_name", str, Text("kiểu GraphQL", "GraphQL type")),
            resolved("lists", list[str], _lists, title=Text("các danh sách", "lists of it")),
            plain("coverage", coverage | None, Text("phạm vi riêng", "coverage of its own")),
        ],
        Text("Loại bản ghi", "A kind of record"),
    )
    live = types.object(
        "LiveState",
        [
            plain("state", state, Text("tình trạng", "state")),
            plain("checked_at", datetime | None, Text("hỏi lúc", "asked at")),
            plain(
                "breaker",
                types.enumeration(BreakerState),
                Text("có đang được hỏi không", "whether it is asked"),
            ),
            plain(
                "maintenance",
                list_of(window_type(types)),
                Text("bảo trì đang diễn ra và sắp tới", "maintenance, now and planned"),
            ),
        ],
        Text("Tình trạng hiện tại", "Whether the database answers now"),
    )
    return types.object(
        "Database",
        [
            plain("name", str, Text("tên", "name")),
            plain("title", text, Text("tiêu đề", "title")),
            plain("owner", text, Text("cơ quan chủ quản", "owner")),
            plain("legal_basis", list[str], Text("căn cứ pháp lý", "legal basis")),
            plain("group", types.enumeration(Group), Text("nhóm", "lifecycle group")),
            plain("coverage", coverage, Text("phạm vi", "coverage")),
            plain("records", list_of(record), Text("các loại bản ghi", "kinds of record")),
            resolved("live", live, _live, title=Text("tình trạng hiện tại", "live state")),
        ],
        Text("Cơ sở dữ liệu", "A database"),
    )


def _lists(self: Record, info: strawberry.Info) -> list[str]:
    return list_names(self)


async def _live(self: Database, info: strawberry.Info) -> LiveState:
    context: ReferenceContext = info.context
    return await context.resources.sources[self.name].live()


def source_type(types: Types) -> Any:
    """The source report of a list of records."""
    return types.object(
        "Source",
        [
            plain("state", types.enumeration(State), Text("tình trạng", "what happened")),
            plain(
                "as_of",
                datetime | None,
                Text("nguồn công bố dữ liệu tính đến", "what the source itself states, or null"),
            ),
            plain(
                "fetched_at",
                datetime | None,
                Text("lúc bắt đầu hỏi nguồn", "when the statement to the source started"),
            ),
            plain("from_cache", bool, Text("từ bộ nhớ tạm", "whether the rows were read earlier")),
            plain(
                "message",
                text_type(types) | None,
                Text("giải thích", "what happened, in a sentence"),
            ),
            plain(
                "earlier_numbers_asked",
                bool | None,
                Text(
                    "đã hỏi cả các số trước đây; false là chưa xác định được",
                    "the person's earlier numbers were asked for too; false: they could not be "
                    "found out, records filed under them may be missing",
                ),
            ),
            plain(
                "evidence",
                evidence_type(types) | None,
                Text("bằng chứng trao đổi", "proof of the message that brought it"),
            ),
            plain("coverage", coverage_type(types), Text("phạm vi", "what the list covers")),
            plain("database", database_type(types), Text("cơ sở dữ liệu", "the database")),
        ],
        Text("Báo cáo nguồn", "Source report: where a list comes from, or why it is missing"),
    )


def evidence_type(types: Types) -> Any:
    """What proves that a message was exchanged with a database, in the words of X-Road."""
    return types.object(
        "Evidence",
        [
            plain("id", str, Text("mã thông điệp", "id of the message (X-Road-Id)")),
            plain("request_id", str, Text("mã yêu cầu", "X-Road-Request-Id")),
            plain("request_hash", str, Text("mã băm yêu cầu", "X-Road-Request-Hash")),
        ],
        Text("Bằng chứng trao đổi dữ liệu", "What proves that a message was exchanged"),
    )


def notice_type(types: Types) -> Any:
    """What a reader of a person must not miss."""
    return types.object(
        "Notice",
        [
            plain("code", types.enumeration(NoticeCode), Text("mã", "code")),
            plain("message", text_type(types), Text("nội dung", "the notice as a sentence")),
            plain("detail", str | None, Text("ngày liên quan", "the date concerned")),
            plain(
                "reason",
                types.enumeration(State) | None,
                Text("lý do chưa xác định được", "why an UNKNOWN is unknown"),
            ),
        ],
        Text("Lưu ý", "A notice"),
    )
