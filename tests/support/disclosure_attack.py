"""An attack on disclosure control, by a linear program (HiGHS).

All equations between published tables, the published counts and the published method give for each
cell the least and the greatest count that fit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import highspy
import numpy as np

from disclosure.cells import Cell, Equation
from disclosure.control import BASE, SMALLEST_SHOWN

#: Counts that must remain possible for every cell that holds records or could.
FEWEST_CHOICES = 2


class Attack:
    """What an attacker knows: the tables of one time, or of several after each other."""

    def __init__(self) -> None:
        self.solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]
        self.solver.setOptionValue("output_flag", False)
        self.columns: list[dict[Cell, int]] = []
        self.count = 0

    def add_tables(
        self, cells: Iterable[Cell], lines: Iterable[Equation], shown: Mapping[Cell, int]
    ) -> None:
        """Add the tables that were published at one time."""
        columns: dict[Cell, int] = {}
        for cell in cells:
            low, high = 0.0, highspy.kHighsInf
            if cell in shown:
                low = max(SMALLEST_SHOWN, shown[cell] - BASE + 1)
                high = shown[cell] + BASE - 1
            self.solver.addVar(float(low), float(high))
            columns[cell] = self.count
            self.count += 1
        for line in lines:
            places = [columns[line.total], *(columns[cell] for cell in line.parts)]
            self._add_row(0.0, 0.0, places, [-1.0, *([1.0] * len(line.parts))])
        self.columns.append(columns)

    def grow(self) -> None:
        """Add that no count fell between the last two times."""
        before, after = self.columns[-2:]
        for cell, place in after.items():
            self._add_row(0.0, highspy.kHighsInf, [place, before[cell]], [1.0, -1.0])

    def equate(self, first: tuple[int, Cell], second: tuple[int, Cell]) -> None:
        """Add that two cells, each with its time, have the same count."""
        places = [self.columns[time][cell] for time, cell in (first, second)]
        self._add_row(0.0, 0.0, places, [1.0, -1.0])

    def _add_row(
        self, low: float, high: float, places: Sequence[int], factors: Sequence[float]
    ) -> None:
        indices = np.array(places, dtype=np.int32)
        self.solver.addRow(low, high, len(places), indices, np.array(factors))

    def choices(self, time: int, cell: Cell) -> float:
        """Return how many counts remain possible for a cell."""
        column = self.columns[time][cell]
        bounds = []
        for sign in (1.0, -1.0):
            self.solver.changeColCost(column, sign)
            self.solver.run()
            if self.solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
                bounds.append(-math.inf)  # unbounded
            else:
                bounds.append(self.solver.getInfo().objective_function_value)
            self.solver.changeColCost(column, 0.0)
        low, high = (
            math.ceil(max(bounds[0], 0.0) - 1e-6),
            math.floor(-bounds[1] + 1e-6) if (bounds[1] > -math.inf) else math.inf,
        )
        return high - low + 1
