"""``interests`` of a person: who follows the events of this person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import strawberry
from strawberry.types.field import StrawberryField

from connectors.description import Text
from gateway.answer import State
from gateway.audit.access_log.interests import PersonInterest
from gateway.changes.event import LifeEventKind
from gateway.errors import GatewayError
from gateway.execution.reference import Person, ReferenceContext
from gateway.schema.factory import TypeFactory
from gateway.schema.field_definitions import attribute_field, list_annotation, resolved_field
from gateway.schema.shared_types import text_type


def person_interests_field(types: TypeFactory) -> StrawberryField:
    """Return the field ``interests`` of Person."""
    return resolved_field(
        "interests",
        list_annotation(_interest_type(types)) | None,
        _read,
        title=Text(
            "ai đang theo dõi sự kiện của người này; null: chưa biết",
            "who follows the events of this person; null: not known",
        ),
    )


def _interest_type(types: TypeFactory) -> Any:
    """Return the type of an interest, as the person sees it."""
    return types.object(
        "PersonInterest",
        [
            attribute_field("agency", str | None, Text("cơ quan", "agency")),
            attribute_field("purpose", str | None, Text("mã thủ tục", "procedure code")),
            attribute_field("purpose_title", text_type(types) | None, Text("thủ tục", "procedure")),
            attribute_field("case_number", str | None, Text("số hồ sơ", "case number")),
            resolved_field(
                "kinds",
                list_annotation(types.enumeration(LifeEventKind)),
                _kinds,
                title=Text("các loại sự kiện", "kinds of events"),
            ),
            attribute_field("registered_at", datetime, Text("từ lúc", "since when")),
            attribute_field("until", datetime, Text("đến lúc", "until when")),
        ],
        Text("Một đăng ký theo dõi sự kiện", "An interest in a person's events"),
    )


def _kinds(self: PersonInterest, info: strawberry.Info) -> list[str]:
    return [kind.name for kind in self.kinds]


async def _read(self: Person, info: strawberry.Info) -> Sequence[PersonInterest] | None:
    context: ReferenceContext = info.context
    state, interests = await context.rules.interests(self.numbers, self.is_own)
    context.state.note_interests(self.sections, state)
    if state is State.UNAVAILABLE:
        context.problem(info._raw_info, GatewayError("EVENTS_UNAVAILABLE"))
    elif self.reason is not None:
        self.shortfall.note(self.reason, tuple(info._raw_info.path.as_list()))
    return interests
