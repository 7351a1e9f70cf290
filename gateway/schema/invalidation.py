"""The operator's mutation that invalidates cached rows.

Permission is decided for all mutations at once, before they run
(``gateway.permission.operation``).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import strawberry
from strawberry.types.field import StrawberryField

from connectors.description import Text
from connectors.values import PersonNumber
from gateway.cache.invalidate import Invalidated, invalidate, invalidations_for
from gateway.execution.reference import ReferenceContext
from gateway.schema.factory import TypeFactory
from gateway.schema.field_definitions import attribute_field, resolved_field


def invalidation_field(types: TypeFactory) -> StrawberryField:
    """Return the mutation that has cached rows read anew."""
    effective = Text(
        "từ lúc này không yêu cầu mới nào được trả lời bằng dữ liệu đọc trước đó",
        "no request that begins after it is answered from rows read before",
    )
    kind = types.object(
        "Invalidated",
        [attribute_field("effective_by", datetime, effective)],
        Text("Dữ liệu lưu tạm bị hủy", "Cached rows that are out of date"),
    )
    return resolved_field(
        "invalidate",
        kind | None,
        _invalidate,
        {"person": PersonNumber | None, "database": str | None, "record": str | None},
        Text(
            "đọc lại từ nguồn: dữ liệu của một người, một cơ sở dữ liệu, hoặc một loại bản ghi",
            "have rows read anew: of a person, of a database, of one record of it",
        ),
    )


async def _invalidate(
    self: Any,
    info: strawberry.Info,
    person: str | None = strawberry.UNSET,
    database: str | None = strawberry.UNSET,
    record: str | None = strawberry.UNSET,
) -> Invalidated:
    context: ReferenceContext = info.context
    databases = {name: source.database for name, source in context.resources.sources.items()}
    persons = [person] if person else []
    invalidation = invalidations_for(databases, persons, database or None, record or None)
    return await invalidate(context.resources.cache, invalidation)
