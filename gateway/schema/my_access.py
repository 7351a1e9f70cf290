"""``myAccess``: what a caller's token permits, until when, and what of a document it denies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import strawberry
from strawberry.types.field import StrawberryField

from connectors.description import Text
from gateway.access.caller import Caller
from gateway.answer import State
from gateway.execution.dry_run import Trial, trial
from gateway.execution.reference import ReferenceContext
from gateway.procedures.registry import procedure_of
from gateway.schema.factory import TypeFactory
from gateway.schema.field_definitions import attribute_field, list_annotation, resolved_field
from gateway.schema.shared_types import text_type


@dataclass(frozen=True, slots=True)
class _Granted:
    """A purpose that the token grants. ``title`` None: this gateway has no such procedure."""

    code: str
    title: Text | None


@dataclass(frozen=True, slots=True)
class _Access:
    """What the token of ``caller`` permits."""

    caller: Caller

    @property
    def client(self) -> str | None:
        return self.caller.client

    @property
    def agency(self) -> str | None:
        return self.caller.agency

    @property
    def expires_at(self) -> datetime | None:
        return self.caller.expires

    @property
    def scopes(self) -> list[str]:
        return sorted(self.caller.scopes)

    @property
    def purpose(self) -> str | None:
        return self.caller.purpose

    @property
    def sees_own_view(self) -> bool:
        return self.caller.citizen is not None

    @property
    def acts_for_another(self) -> bool:
        return self.caller.representative is not None

    @property
    def purposes(self) -> list[_Granted]:
        procedures = ((code, procedure_of(code)) for code in sorted(self.caller.purposes))
        return [
            _Granted(code, procedure.title if procedure else None) for code, procedure in procedures
        ]


def my_access_field(types: TypeFactory) -> StrawberryField:
    """Return the root field ``myAccess``."""
    title = Text("Quyền của mã truy cập", "What the token permits")
    kind = types.object("MyAccess", _access_fields(types), title)
    return resolved_field("my_access", kind, _my_access, title=title)


def _access_fields(types: TypeFactory) -> list[StrawberryField]:
    return [
        attribute_field(
            "client", str | None, Text("ứng dụng; null: ẩn danh", "client; null: anonymous")
        ),
        attribute_field("agency", str | None, Text("cơ quan", "agency")),
        attribute_field("expires_at", datetime | None, Text("hết hạn lúc", "until when")),
        attribute_field("scopes", list[str], Text("phạm vi truy cập", "scopes")),
        attribute_field(
            "purposes",
            list_annotation(_purpose_type(types)),
            Text("các mục đích được phép", "purposes granted"),
        ),
        attribute_field("purpose", str | None, Text("mục đích đã nêu", "the purpose stated")),
        attribute_field(
            "sees_own_view", bool, Text("xem dữ liệu của mình (me)", "has an own view (me)")
        ),
        attribute_field(
            "acts_for_another", bool, Text("thay mặt người khác", "asks for somebody else")
        ),
        resolved_field(
            "trial",
            _trial_type(types),
            _trial,
            {"document": str, "operation_name": str | None, "purpose": str | None},
            Text(
                "vì sao một câu truy vấn sẽ bị từ chối; không tra cứu gì",
                "why a document would be denied; nothing is fetched",
            ),
        ),
    ]


def _purpose_type(types: TypeFactory) -> Any:
    """Return the type of a purpose that the token grants."""
    return types.object(
        "GrantedPurpose",
        [
            attribute_field("code", str, Text("mã thủ tục", "procedure code")),
            attribute_field(
                "title",
                text_type(types) | None,
                Text("tên; null: không có thủ tục này", "title; null: there is no such procedure"),
            ),
        ],
        Text("Mục đích được phép", "A purpose that the token grants"),
    )


def _trial_type(types: TypeFactory) -> Any:
    return types.object(
        "Trial",
        [
            attribute_field(
                "code",
                str | None,
                Text("mã lỗi; null: sẽ được trả lời", "error code; null: it would be answered"),
            ),
            attribute_field(
                "message", text_type(types) | None, Text("giải thích", "what the error says")
            ),
            attribute_field(
                "denied",
                list_annotation(_denial_type(types)),
                Text("trường bị từ chối", "fields denied"),
            ),
            attribute_field(
                "cost",
                _cost_type(types) | None,
                Text(
                    "chi phí; null: không biết, hoặc không tra cứu về người",
                    "its cost; null: not known, or nothing is read about persons",
                ),
            ),
        ],
        Text("Chạy thử", "A trial"),
    )


def _denial_type(types: TypeFactory) -> Any:
    """Return the type of a field that would be denied."""
    return types.object(
        "TrialDenial",
        [
            attribute_field("path", str, Text("vị trí trong câu trả lời", "place in the answer")),
            attribute_field("line", int, Text("dòng trong câu truy vấn", "line in the document")),
            attribute_field(
                "state", types.enumeration(State), Text("DENIED, WITHHELD", "DENIED, WITHHELD")
            ),
            attribute_field("missing", list[str], Text("còn thiếu", "what is missing")),
            attribute_field(
                "reasons", list_annotation(text_type(types)), Text("lý do", "why, in words")
            ),
            attribute_field(
                "grantors",
                list_annotation(_grantor_type(types)),
                Text(
                    "ai cấp phần còn thiếu; rỗng: không ai cấp được",
                    "who grants what is missing; empty: nobody can",
                ),
            ),
        ],
        Text("Trường sẽ bị từ chối", "A field that would be null"),
    )


def _grantor_type(types: TypeFactory) -> Any:
    """Return the type of who grants what is missing."""
    return types.object(
        "Grantor",
        [
            attribute_field(
                "database",
                str | None,
                Text("cơ sở dữ liệu; null: của cổng", "database; null: it is the gateway's"),
            ),
            attribute_field("owner", text_type(types), Text("cơ quan cấp", "who grants it")),
            attribute_field("contact", str | None, Text("liên hệ", "contact")),
        ],
        Text("Nơi cấp quyền", "Who grants a permission"),
    )


def _cost_type(types: TypeFactory) -> Any:
    """Return the type of the cost of a document."""
    return types.object(
        "TrialCost",
        [
            attribute_field("at_most", int, Text("nhiều nhất", "at most")),
            attribute_field("limit", int, Text("giới hạn của một yêu cầu", "limit of a request")),
            attribute_field(
                "depends_on_variables",
                bool,
                Text(
                    "có thể ít hơn, tùy giá trị của biến",
                    "it may be less, by the values of variables",
                ),
            ),
        ],
        Text("Chi phí", "A cost"),
    )


def _my_access(self: Any, info: strawberry.Info) -> _Access:
    context: ReferenceContext = info.context
    return _Access(context.rules.caller)


async def _trial(
    self: _Access,
    info: strawberry.Info,
    document: str,
    operation_name: str | None = None,
    purpose: str | None = None,
) -> Trial:
    context: ReferenceContext = info.context
    name, stated = operation_name or None, purpose or None
    return await trial(context.resources, self.caller, document, name, stated)
