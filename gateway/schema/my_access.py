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
    denied = types.object(
        "TrialDenial",
        [
            attribute_field("path", str, Text("vị trí trong câu trả lời", "place in the answer")),
            attribute_field(
                "state", types.enumeration(State), Text("DENIED, WITHHELD", "DENIED, WITHHELD")
            ),
            attribute_field("missing", list[str], Text("còn thiếu", "what is missing")),
        ],
        Text("Trường sẽ bị từ chối", "A field that would be null"),
    )
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
                "denied", list_annotation(denied), Text("trường bị từ chối", "fields denied")
            ),
        ],
        Text("Chạy thử", "A trial"),
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
    return await trial(context.resources.plans, self.caller, document, name, stated)
