"""``statistics``: how many records there are by their dimensions, from which nobody can be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product
from typing import Any

import strawberry
from strawberry.types.field import StrawberryField

from connectors.description import Database, Record, Text
from disclosure.lattice import MOST_DIMENSIONS
from gateway.answer import SourceReport
from gateway.catalogue.scopes import STATISTICS
from gateway.errors import GatewayError
from gateway.execution.reference import ReferenceContext
from gateway.fetch.source import Source
from gateway.plan.document import STATISTICS as STATISTICS_FIELD
from gateway.schema.factory import TypeFactory
from gateway.schema.field_definitions import attribute_field, list_annotation, resolved_field
from gateway.schema.requires_scopes import require_any_scope
from gateway.schema.shared_types import source_type, text_type
from gateway.statistics.dimensions import Dimension, dimensions_of
from gateway.statistics.snapshots import Snapshot

_YEAR = "YEAR"
METHOD = Text(
    "Số liệu chốt đến hết tháng trước. Ô dưới 10 (kể cả 0) và các ô có thể làm lộ ô đó được ẩn; "
    "số khác làm tròn đến bội của 5.",
    "Counted to the end of last month. Cells below 10 (0 among them), and cells that could tell "
    "them, are suppressed; others are rounded to a multiple of 5.",
)


@dataclass(frozen=True, slots=True)
class StatisticsCell:
    """A cell. ``count`` None: it is suppressed."""

    values: Sequence[str]
    count: int | None


@dataclass(frozen=True, slots=True)
class StatisticsValue:
    """A value of a dimension."""

    code: str
    title: Text


@dataclass(frozen=True, slots=True)
class StatisticsDimension:
    """A dimension as it is shown."""

    name: str
    title: Text
    values: Sequence[StatisticsValue]


@dataclass(frozen=True, slots=True)
class StatisticsAnswer:
    """A table of counts. ``cells`` None: they are not known, see ``source``."""

    counted_before: date
    dimensions: Sequence[StatisticsDimension]
    cells: Sequence[StatisticsCell] | None
    total: int | None
    method: Text
    source: SourceReport


def statistics_field(types: TypeFactory, databases: tuple[Database, ...]) -> StrawberryField:
    """Return the root field."""
    arguments: dict[str, object] = {
        "database": str,
        "record": str,
        "group_by": list[str],
        "from_year": int | None,
        "to_year": int | None,
    }
    title = Text(
        "thống kê số bản ghi theo các chiều, không cho biết về người nào",
        "counts of records by their dimensions, from which nobody can be told",
    )
    field = resolved_field(STATISTICS_FIELD, _type(types) | None, _statistics, arguments, title)
    return require_any_scope(field, (STATISTICS,))


def dimension_type(types: TypeFactory) -> Any:
    """Return the type of a dimension."""
    value = types.object(
        "StatisticsValue",
        [
            attribute_field("code", str, Text("mã", "code")),
            attribute_field("title", text_type(types), Text("tên", "title")),
        ],
        Text("Giá trị của một chiều", "A value of a dimension"),
    )
    return types.object(
        "StatisticsDimension",
        [
            attribute_field("name", str, Text("tên, dùng cho groupBy", "name, for groupBy")),
            attribute_field("title", text_type(types), Text("tiêu đề", "title")),
            attribute_field("values", list_annotation(value), Text("các giá trị", "values")),
        ],
        Text("Một chiều thống kê", "By what records are counted"),
    )


def _type(types: TypeFactory) -> Any:
    cell = types.object(
        "StatisticsCell",
        [
            attribute_field("values", list[str], Text("mã theo các chiều", "codes, by dimension")),
            attribute_field(
                "count", int | None, Text("số bản ghi; null: được ẩn", "count; null: suppressed")
            ),
        ],
        Text("Một ô", "A cell of a table of counts"),
    )
    return types.object(
        "Statistics",
        [
            attribute_field(
                "counted_before",
                date,
                Text("bản ghi trước ngày", "records dated before this day are counted"),
            ),
            attribute_field(
                "dimensions",
                list_annotation(dimension_type(types)),
                Text("các chiều", "dimensions"),
            ),
            attribute_field(
                "cells",
                list_annotation(cell) | None,
                Text("các ô; null: không rõ", "cells; null: not known, see source"),
            ),
            attribute_field(
                "total", int | None, Text("tổng số; null: được ẩn hoặc không rõ", "all records")
            ),
            attribute_field("method", text_type(types), Text("phương pháp", "method")),
            attribute_field("source", source_type(types) | None, Text("báo cáo nguồn", "source")),
        ],
        Text("Thống kê", "A table of counts"),
    )


async def _statistics(
    self: Any,
    info: strawberry.Info,
    database: str,
    record: str,
    group_by: list[str],
    from_year: Any = strawberry.UNSET,
    to_year: Any = strawberry.UNSET,
) -> StatisticsAnswer:
    context: ReferenceContext = info.context
    caller = context.rules.caller
    if STATISTICS not in caller.scopes:
        raise GatewayError("FORBIDDEN", details={"missing": [STATISTICS]})
    source, declared = _find_record(context, database, record)
    today = context.rules.today
    chosen = _choose(dimensions_of(declared, today.replace(day=1)), group_by)
    years = _years(chosen, from_year or None, to_year or None)
    answer = await context.resources.snapshots.find(source, declared, today)
    context.state.note(declared, answer.report.state)
    problem = context.rules.problem_of_state(declared, answer.report.state)
    if problem is not None:
        context.problem(info._raw_info, problem)
    cells = None if answer.snapshot is None else _cells(answer.snapshot, chosen, years)
    total = None if answer.snapshot is None else answer.snapshot.shown.get(((), ()))
    return StatisticsAnswer(
        today.replace(day=1),
        [
            StatisticsDimension(
                dimension.name,
                dimension.title,
                [StatisticsValue(code, title) for code, title in dimension.values.items()],
            )
            for dimension in chosen
        ],
        cells,
        total,
        METHOD,
        answer.report,
    )


def _find_record(context: ReferenceContext, database: str, name: str) -> tuple[Source, Record]:
    source = context.resources.sources.get(database)
    record = None if source is None else source.database.by_name.get(name)
    if source is None or record is None:
        raise GatewayError("INVALID_VALUE", "there is no such record")
    return source, record


def _choose(dimensions: Sequence[Dimension], names: Sequence[str]) -> list[Dimension]:
    """Return the dimensions called ``names``, as declared; raises GatewayError INVALID_VALUE."""
    by_name = {dimension.name: dimension for dimension in dimensions}
    if len(names) > MOST_DIMENSIONS or len(set(names)) < len(names):
        raise GatewayError("INVALID_VALUE", f"groupBy takes {MOST_DIMENSIONS} dimensions at most")
    if not set(names) <= by_name.keys():
        valid_names = ", ".join(by_name) or "none"
        raise GatewayError(
            "INVALID_VALUE", f"groupBy must be of the record's dimensions: {valid_names}"
        )
    chosen = [dimension for dimension in dimensions if dimension.name in names]
    if any(dimension.finer is not None and dimension.finer[0] in names for dimension in chosen):
        raise GatewayError("INVALID_VALUE", "a dimension cannot stand beside its coarser form")
    return chosen


def _years(chosen: Sequence[Dimension], first: int | None, last: int | None) -> range | None:
    """Return the years that are shown; raises GatewayError INVALID_VALUE."""
    if first is None and last is None:
        return None
    if not any(dimension.name == _YEAR for dimension in chosen):
        raise GatewayError("INVALID_VALUE", "fromYear and toYear need YEAR among groupBy")
    years = range(first or date.min.year, (last or date.max.year) + 1)
    if not years:
        raise GatewayError("INVALID_VALUE", "fromYear must not be later than toYear")
    return years


def _cells(
    snapshot: Snapshot, chosen: Sequence[Dimension], years: range | None
) -> list[StatisticsCell]:
    names = tuple(dimension.name for dimension in chosen)
    values = [
        [
            code
            for code in dimension.values
            if years is None or dimension.name != _YEAR or _is_in(code, years)
        ]
        for dimension in chosen
    ]
    return [
        StatisticsCell(combination, snapshot.shown.get((names, combination)))
        for combination in product(*values)
    ]


def _is_in(code: str, years: range) -> bool:
    return code.isdigit() and int(code) in years
