"""From the answer of ``statistics`` to a table: its lines, its columns, and what each cell says.

A cell without a count is suppressed, and a table without cells was not answered: neither is ever
shown as a number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product
from typing import Any

from connectors.description import Text
from gateway.answer import State

_Json = Mapping[str, Any]
#: Values of a dimension that stand beside one another: as columns of the table, bars of the chart.
_MOST_SERIES = 6
_YEAR = "YEAR"


@dataclass(frozen=True, slots=True)
class ShownValue:
    """A value of a dimension: its code and its title."""

    code: str
    title: Text


@dataclass(frozen=True, slots=True)
class ShownDimension:
    """A dimension with the values that the table has, in their order."""

    name: str
    title: Text
    values: tuple[ShownValue, ...]

    @property
    def is_time(self) -> bool:
        """Whether its values are years."""
        return self.name == _YEAR


@dataclass(frozen=True, slots=True)
class StatisticsTable:
    """A table of counts. ``counts``: by the codes of ``dimensions``; None: suppressed.

    ``counts`` itself is None where the source did not answer; ``message`` says why. ``total`` None:
    suppressed, or not known either. ``series``: the dimension whose values stand beside one
    another, if any; ``lines``: the others, in their order.
    """

    counted_before: date
    dimensions: tuple[ShownDimension, ...]
    counts: Mapping[tuple[str, ...], int | None] | None
    total: int | None
    method: Text
    state: State
    message: Text | None

    @property
    def series(self) -> ShownDimension | None:
        """The dimension whose values stand beside one another; None: there is but one line."""
        small = [
            dimension
            for dimension in self.dimensions
            if not dimension.is_time and len(dimension.values) <= _MOST_SERIES
        ]
        return small[-1] if small and len(self.dimensions) > 1 else None

    @property
    def lines(self) -> tuple[ShownDimension, ...]:
        """The dimensions that lines are by."""
        return tuple(dimension for dimension in self.dimensions if dimension is not self.series)

    @property
    def suppressed(self) -> int:
        """How many cells are suppressed."""
        return sum(count is None for count in (self.counts or {}).values())

    def rows(self) -> list[tuple[tuple[ShownValue, ...], tuple[int | None, ...]]]:
        """Return each line: its values, and its counts by the values of ``series``.

        Empty where the source did not answer.
        """
        if self.counts is None:
            return []
        lines, series = self.lines, self.series
        columns: Sequence[ShownValue | None] = (None,) if series is None else series.values
        return [
            (values, tuple(self._count(lines, values, column) for column in columns))
            for values in product(*(dimension.values for dimension in lines))
        ]

    def _count(
        self,
        lines: Sequence[ShownDimension],
        values: Sequence[ShownValue],
        column: ShownValue | None,
    ) -> int | None:
        assert self.counts is not None
        by_name = {
            dimension.name: value.code for dimension, value in zip(lines, values, strict=True)
        }
        if column is not None and self.series is not None:
            by_name[self.series.name] = column.code
        return self.counts[tuple(by_name[dimension.name] for dimension in self.dimensions)]


def view_statistics(answer: _Json) -> StatisticsTable:
    """Return the table of ``statistics`` in an answer."""
    cells = answer["cells"]
    counts = None if cells is None else {tuple(cell["values"]): cell["count"] for cell in cells}
    source = answer["source"]
    shown = None if counts is None else list(map(set, zip(*counts, strict=True)))
    return StatisticsTable(
        date.fromisoformat(answer["countedBefore"]),
        tuple(
            ShownDimension(
                dimension["name"],
                Text(**dimension["title"]),
                tuple(
                    ShownValue(value["code"], Text(**value["title"]))
                    for value in dimension["values"]
                    if shown is None or (shown and value["code"] in shown[place])
                ),
            )
            for place, dimension in enumerate(answer["dimensions"])
        ),
        counts,
        answer["total"],
        Text(**answer["method"]),
        State[source["state"]],
        None if source["message"] is None else Text(**source["message"]),
    )
