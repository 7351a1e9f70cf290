"""Nobody can work out a suppressed or an exact count, by any combination of tables, also over time.

The attack is a linear program (HiGHS): all equations between the tables of a lattice, the published
counts and the published method, and for each cell the least and the greatest count that fit.

Covers ``disclosure.lattice`` and ``disclosure.cells``.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import product
from random import Random
from typing import Any

import highspy
import numpy as np
import pytest

from disclosure.cells import Cell
from disclosure.control import (
    BASE,
    SMALLEST_SHOWN,
    protect_counts,
    round_count,
    threshold_of,
)
from disclosure.lattice import Axis, Lattice, build_lattice

KEY = b"k" * 32
#: Lattices that are attacked, and cells of each that are looked at; ``make disclosure`` takes more.
ATTACKS = int(os.environ.get("DISCLOSURE_ATTACKS", "4"))
LOOKED_AT = 40 if ATTACKS <= 4 else 10_000
#: Counts that must remain possible for every cell that holds records or could.
FEWEST_CHOICES = 2
Finest = Mapping[tuple[str, ...], int]


def axes_of(rng: Random) -> list[Axis]:
    places = tuple("pqrs")[: rng.randint(3, 4)]
    coarse = {place: "u" if place in "pq" else "v" for place in places}
    return [
        Axis("AGE", tuple("abcd")[: rng.randint(2, 4)]),
        Axis("PLACE", places),
        Axis("REGION", ("u", "v"), ("PLACE", coarse)),
        Axis("SEX", tuple("xyz")[: rng.randint(2, 3)]),
        Axis("STATUS", ("m", "n")),
    ]


def draw_counts(rng: Random, axes: Sequence[Axis]) -> Finest:
    scale = rng.choice([3, 8, 20, 60])
    values = product(*(axis.values for axis in axes if axis.finer is None))
    return {each: int(rng.expovariate(1 / scale)) if rng.random() < 0.8 else 0 for each in values}


def sample(rng: Random, cells: list[Cell]) -> list[Cell]:
    return rng.sample(cells, min(LOOKED_AT, len(cells)))


class Attack:
    """What an attacker knows: the tables of one month, or of several after each other."""

    def __init__(self) -> None:
        self.solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]
        self.solver.setOptionValue("output_flag", False)
        self.columns: list[dict[Cell, int]] = []
        self.count = 0

    def add_month(self, lattice: Lattice, shown: Mapping[Cell, int]) -> None:
        """Add the published tables of a month; counts never fall from month to month."""
        columns: dict[Cell, int] = {}
        for cell in lattice.counts:
            low, high = 0.0, highspy.kHighsInf
            if cell in shown:
                low = max(SMALLEST_SHOWN, shown[cell] - BASE + 1)
                high = shown[cell] + BASE - 1
            self.solver.addVar(float(low), float(high))
            columns[cell] = self.count
            self.count += 1
        for line in lattice.lines:
            places = [columns[line.total], *(columns[cell] for cell in line.parts)]
            self._add_row(0.0, 0.0, places, [-1.0, *([1.0] * len(line.parts))])
        if self.columns:
            for cell, place in columns.items():
                before = self.columns[-1][cell]
                self._add_row(0.0, highspy.kHighsInf, [place, before], [1.0, -1.0])
        self.columns.append(columns)

    def _add_row(
        self, low: float, high: float, places: Sequence[int], factors: Sequence[float]
    ) -> None:
        indices = np.array(places, dtype=np.int32)
        self.solver.addRow(low, high, len(places), indices, np.array(factors))

    def choices(self, month: int, cell: Cell) -> float:
        """Return how many counts remain possible for a cell."""
        column = self.columns[month][cell]
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


@pytest.mark.parametrize("seed", range(ATTACKS))
def test_no_combination_of_tables_tells_a_count(seed: int) -> None:
    rng = Random(seed)
    axes = axes_of(rng)
    lattice = build_lattice(axes, draw_counts(rng, axes))
    shown = protect_counts(lattice.counts, lattice.lines, KEY).shown
    attack = Attack()
    attack.add_month(lattice, shown)
    cells = sample(rng, list(lattice.counts))
    exposed = [cell for cell in cells if attack.choices(0, cell) < FEWEST_CHOICES]
    assert exposed == []
    assert shown or max(lattice.counts.values()) < 2 * SMALLEST_SHOWN


@pytest.mark.parametrize("seed", range(ATTACKS // 2))
def test_nor_do_the_tables_of_several_months(seed: int) -> None:
    rng = Random(f"months {seed}")
    axes = axes_of(rng)
    counts = Counter(draw_counts(rng, axes))
    attack, lattices = Attack(), []
    for _ in range(3):
        lattice = build_lattice(axes, counts)
        attack.add_month(lattice, protect_counts(lattice.counts, lattice.lines, KEY).shown)
        lattices.append(lattice)
        counts.update(rng.choices(list(counts), k=5))
    exposed = [
        (month, cell)
        for month, lattice in enumerate(lattices)
        for cell in sample(rng, list(lattice.counts))[: LOOKED_AT // 4]
        if attack.choices(month, cell) < FEWEST_CHOICES
    ]
    assert exposed == []


def test_small_cells_are_suppressed_and_others_are_multiples_of_five() -> None:
    rng = Random(3)
    axes = axes_of(rng)
    lattice = build_lattice(axes, draw_counts(rng, axes))
    shown = protect_counts(lattice.counts, lattice.lines, KEY).shown
    for cell, count in lattice.counts.items():
        assert cell not in shown or count >= SMALLEST_SHOWN
        assert cell not in shown or (shown[cell] % BASE == 0 and abs(shown[cell] - count) < BASE)


@pytest.mark.parametrize("threshold", range(1, BASE + 1))
def test_a_count_that_grows_never_shrinks_and_is_rounded_by_its_threshold(threshold: int) -> None:
    rounded = [round_count(count, threshold) for count in range(100)]
    assert rounded == sorted(rounded)
    assert all(
        (each - count == BASE - count % BASE) is (count % BASE >= threshold)
        for count, each in enumerate(rounded)
        if count % BASE
    )


def test_thresholds_differ_by_cell_and_by_key_and_stay() -> None:
    cells: list[Cell] = [(("SEX",), (str(number),)) for number in range(200)]
    drawn = Counter(threshold_of(KEY, cell) for cell in cells)
    assert set(drawn) == set(range(1, BASE + 1))
    assert [threshold_of(KEY, cell) for cell in cells] == [
        threshold_of(KEY, cell) for cell in cells
    ]
    assert [threshold_of(b"o" * 32, cell) for cell in cells] != [
        threshold_of(KEY, cell) for cell in cells
    ]


def test_the_cells_of_a_line_add_up_to_its_total() -> None:
    rng = Random(5)
    axes = axes_of(rng)
    lattice = build_lattice(axes, draw_counts(rng, axes))
    counts = lattice.counts
    for line in lattice.lines:
        assert counts[line.total] == sum(counts[cell] for cell in line.parts)
    assert ("PLACE", "REGION") not in {names[:2] for names in lattice.tables}
