"""Maintenance windows in the schema, and the operator's mutations.

Permission is decided for all mutations at once, before they run
(``gateway.permission.operation``).
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import strawberry
from strawberry.types.field import StrawberryField

from connectors.description import Text
from gateway.errors import GatewayError
from gateway.execution.reference import ReferenceContext
from gateway.fetch.maintenance import Window
from gateway.schema.factory import TypeFactory
from gateway.schema.field_definitions import attribute_field, resolved_field


def window_type(types: TypeFactory) -> Any:
    """Return the type of a maintenance window."""
    return types.object(
        "MaintenanceWindow",
        [
            attribute_field(
                "id", str | None, Text("mã; null: do cấu hình", "id; null: settings say so")
            ),
            attribute_field("database", str, Text("tên cơ sở dữ liệu", "name of the database")),
            attribute_field("begins", datetime, Text("bắt đầu lúc", "from when")),
            attribute_field(
                "ends", datetime | None, Text("đến lúc; null: chưa định", "until; null: no end")
            ),
        ],
        Text("Thời gian bảo trì", "When a database is in maintenance"),
    )


def mutation_fields(types: TypeFactory) -> list[StrawberryField]:
    """Return the mutations by which an operator plans and ends maintenance."""
    window = window_type(types)
    return [
        resolved_field(
            "plan_maintenance",
            window | None,
            _plan,
            {"database": str, "begins": datetime | None, "ends": datetime | None},
            Text(
                "đặt thời gian bảo trì; không nêu lúc bắt đầu: ngay bây giờ, không nêu lúc kết "
                "thúc: đến khi có thay đổi",
                "plan maintenance; begins left out: now, ends left out: until it is ended",
            ),
        ),
        resolved_field(
            "end_maintenance",
            window | None,
            _end,
            {"id": str},
            Text("kết thúc hoặc hủy một đợt bảo trì", "end maintenance, or call it off"),
        ),
    ]


async def _plan(
    self: Any,
    info: strawberry.Info,
    database: str,
    begins: datetime | None = strawberry.UNSET,
    ends: datetime | None = strawberry.UNSET,
) -> Window:
    context: ReferenceContext = info.context
    if database not in context.resources.sources:
        raise GatewayError("INVALID_VALUE", "there is no database of this name")
    window = Window(
        database,
        _require_time_zone(begins) or context.resources.maintenance.now(),
        _require_time_zone(ends),
        planned_by=context.rules.caller.client,
    )
    try:
        return await asyncio.to_thread(context.resources.maintenance.plan, window)
    except ValueError as error:
        raise GatewayError("INVALID_VALUE", str(error)) from None


async def _end(self: Any, info: strawberry.Info, id: str) -> Window:  # noqa: A002 - in the schema
    context: ReferenceContext = info.context
    window = context.resources.maintenance.find(id)
    if window is None:
        raise GatewayError("INVALID_VALUE", "no maintenance with this id is open or to come")
    return await asyncio.to_thread(context.resources.maintenance.end, window)


def _require_time_zone(moment: datetime | None) -> datetime | None:
    """Return ``moment``, None if left out; raises INVALID_VALUE if it has no time zone."""
    if not isinstance(moment, datetime):
        return None
    if moment.tzinfo is None:
        raise GatewayError(
            "INVALID_VALUE", "a moment must have a time zone: 2026-11-27T22:00:00+07:00"
        )
    return moment
