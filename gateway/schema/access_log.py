"""``accessLog`` of a person: who read their data, when and for what."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import strawberry
from strawberry.types.field import StrawberryField

from connectors.description import Text
from gateway.answer import State
from gateway.audit.access_log.page import LogPage, log_problem
from gateway.audit.touched import Role
from gateway.execution.reference import Person, ReferenceContext
from gateway.plan.list_arguments import LOG_FIRST, parse_log_arguments
from gateway.schema.factory import TypeFactory
from gateway.schema.field_definitions import attribute_field, list_annotation, resolved_field
from gateway.schema.shared_types import text_type


def access_log_field(types: TypeFactory) -> StrawberryField:
    """Return the field ``accessLog`` of Person."""
    return resolved_field(
        "access_log",
        _page_type(types) | None,
        _read,
        {"first": int, "after": str | None},
        Text("ai đã xem dữ liệu của người này", "who read this person's data"),
        {"first": LOG_FIRST},
    )


def _page_type(types: TypeFactory) -> Any:
    """Return the type of a page of the log."""
    return types.object(
        "AccessLog",
        [
            attribute_field(
                "items",
                list_annotation(_entry_type(types)) | None,
                Text("mới nhất trước", "newest first"),
            ),
            attribute_field(
                "next", str | None, Text("trang sau bắt đầu từ", "begin of the next page")
            ),
            attribute_field("state", types.enumeration(State), Text("tình trạng", "what happened")),
            attribute_field(
                "complete_until", datetime | None, Text("đầy đủ đến lúc", "complete until")
            ),
        ],
        Text("Nhật ký truy cập", "Access log"),
    )


def _entry_type(types: TypeFactory) -> Any:
    """Return the type of one look-up in the log."""
    return types.object(
        "AccessLogEntry",
        [
            attribute_field("at", datetime, Text("lúc", "when")),
            attribute_field("agency", str | None, Text("cơ quan", "agency")),
            attribute_field("purpose", str | None, Text("mã thủ tục", "procedure code")),
            attribute_field("purpose_title", text_type(types) | None, Text("thủ tục", "procedure")),
            attribute_field(
                "case_number",
                str | None,
                Text("số hồ sơ; null nếu là hồ sơ của người khác", "case; null: somebody else's"),
            ),
            attribute_field(
                "role", types.enumeration(Role), Text("vì sao", "how the person was touched")
            ),
            attribute_field("sections", list[str], Text("phần đã xem", "sections that were read")),
            attribute_field(
                "request_id", str, Text("mã yêu cầu", "request id, for questions about it")
            ),
        ],
        Text("Một lần truy cập", "A look-up"),
    )


async def _read(
    self: Person, info: strawberry.Info, first: int = LOG_FIRST, after: str | None = None
) -> LogPage:
    context: ReferenceContext = info.context
    arguments = parse_log_arguments({"first": first, "after": after})
    page = await context.rules.access_log(self.numbers, self.is_own, arguments)
    context.state.note_log(self.sections, page)
    if self.reason is not None and page.state.has_rows:
        self.shortfall.note(self.reason, tuple(info._raw_info.path.as_list()))
    problem = log_problem(page)
    if problem is not None:
        context.problem(info._raw_info, problem)
    return page
