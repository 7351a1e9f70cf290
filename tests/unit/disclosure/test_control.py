"""Nobody can work out a suppressed or an exact count, by any combination of tables, also over time.

The attack is a linear program (HiGHS): all equations between the tables of a lattice, the published
counts and the published method, and for each cell the least and the greatest count that fit.

Covers ``disclosure.lattice`` and ``disclosure.cells``.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import product
from random import Random

import pytest

from disclosure.cells import Cell, Equation
from disclosure.control import (
    BASE,
    SMALLEST_SHOWN,
    protect_counts,
    round_count,
    threshold_of,
)
from disclosure.lattice import Axis, Lattice, build_lattice
from tests.support.disclosure_attack import FEWEST_CHOICES, Attack

KEY = b"k" * 32
#: Lattices that are attacked, and cells of each that are looked at; ``make disclosure`` takes more.
ATTACKS = int(os.environ.get("DISCLOSURE_ATTACKS", "4"))
LOOKED_AT = 40 if ATTACKS <= 4 else 10_000
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


@pytest.mark.parametrize("seed", range(ATTACKS))
def test_no_combination_of_tables_tells_a_count(seed: int) -> None:
    rng = Random(seed)
    axes = axes_of(rng)
    lattice = build_lattice(axes, draw_counts(rng, axes))
    shown = protect_counts(lattice.counts, lattice.lines, KEY).shown
    attack = Attack()
    attack.add_tables(lattice.counts, lattice.lines, shown)
    cells = sample(rng, list(lattice.counts))
    exposed = [cell for cell in cells if attack.choices(0, cell) < FEWEST_CHOICES]
    assert exposed == []
    assert shown or max(lattice.counts.values()) < 2 * SMALLEST_SHOWN


@pytest.mark.parametrize("seed", range(ATTACKS // 2))
def test_nor_do_the_tables_of_several_months(seed: int) -> None:
    rng = Random(f"months {seed}")
    axes = axes_of(rng)
    counts = Counter(draw_counts(rng, axes))
    attack = Attack()
    lattices: list[Lattice] = []
    for _ in range(3):
        lattice = build_lattice(axes, counts)
        shown = protect_counts(lattice.counts, lattice.lines, KEY).shown
        attack.add_tables(lattice.counts, lattice.lines, shown)
        if lattices:
            attack.grow()
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


#: One table of two cells and their total.
FIRST: Cell = (("A",), ("x",))
SECOND: Cell = (("A",), ("y",))
ALL: Cell = (("A",), ("all",))
LINES = [Equation(ALL, (FIRST, SECOND))]


def test_what_was_published_stays_as_it_was() -> None:
    counts = {FIRST: 40, SECOND: 33, ALL: 73}
    safe = protect_counts(counts, LINES, KEY, {FIRST: None, ALL: 70})
    assert (safe.count(FIRST), safe.count(ALL)) == (None, 70)
    # Beside a hidden cell nothing else may tell it.
    assert safe.count(SECOND) is None
    assert protect_counts(counts, LINES, KEY).count(SECOND) in (30, 35)


@pytest.mark.parametrize("shown", [0, 65, 72, 80])
def test_what_cannot_have_been_published_is_refused(shown: int) -> None:
    with pytest.raises(ValueError, match="cannot have been shown"):
        protect_counts({FIRST: 40, SECOND: 33, ALL: 73}, LINES, KEY, {ALL: shown})
