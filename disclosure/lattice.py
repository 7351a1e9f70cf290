"""The lattice of tables that may be asked of a record: every choice of up to three dimensions.

All of it follows from the finest counts, those by all dimensions at once. A cell of a table is the
sum of a line of cells in each table with one dimension more, and, where a dimension is a coarser
form of another (provinces after the mergers of 2025), of cells there. Whoever combines tables can
use these equations and no others, so that disclosure control (``disclosure.control``)
is about them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from disclosure.cells import Cell, Equation

#: Dimensions that a table may have, at most.
MOST_DIMENSIONS = 3

#: The cells of one table, with their counts.
Table = Mapping[tuple[str, ...], int]


@dataclass(frozen=True, slots=True)
class Axis:
    """A dimension with all values that it can have, stored or not, in the order of display.

    ``finer``: the axis that this one is a coarser form of, with the coarse value of each of its
    values; None: it is counted by itself.
    """

    name: str
    values: tuple[str, ...]
    finer: tuple[str, Mapping[str, str]] | None = None


@dataclass(frozen=True, slots=True)
class Lattice:
    """All tables of a record, and the lines that connect them.

    ``tables``: by their dimensions, in the order of the axes; zero cells are there too. Costs some
    2 us a cell.
    """

    axes: tuple[Axis, ...]
    tables: Mapping[tuple[str, ...], Table]
    lines: tuple[Equation, ...]

    @property
    def counts(self) -> dict[Cell, int]:
        """The count of each cell."""
        return {
            (names, values): count
            for names, table in self.tables.items()
            for values, count in table.items()
        }


def build_lattice(axes: Sequence[Axis], finest: Mapping[tuple[str, ...], int]) -> Lattice:
    """Return the lattice of ``axes``.

    ``finest``: counts by the axes that are counted by themselves, in their order; combinations that
    are not there count 0.
    """
    counted = [axis for axis in axes if axis.finer is None]
    by_name = {axis.name: axis for axis in axes}
    places = {axis.name: place for place, axis in enumerate(counted)}
    tables: dict[tuple[str, ...], dict[tuple[str, ...], int]] = {}
    for names in _choices(axes):
        table = dict.fromkeys(_values([by_name[name] for name in names]), 0)
        readers = [_reader(by_name[name], places) for name in names]
        for values, count in finest.items():
            table[tuple(read(values) for read in readers)] += count
        tables[names] = table
    lines = [line for names in tables for line in _lines(names, tables, by_name)]
    return Lattice(tuple(axes), tables, tuple(lines))


def _choices(axes: Sequence[Axis]) -> list[tuple[str, ...]]:
    """Return the dimensions of every table: no axis stands beside its coarser form."""
    coarser = {axis.name: axis.finer[0] for axis in axes if axis.finer is not None}
    names = [axis.name for axis in axes]
    return [
        choice
        for size in range(MOST_DIMENSIONS + 1)
        for choice in combinations(names, size)
        if not any(coarser.get(name) in choice for name in choice)
    ]


def _values(axes: Sequence[Axis]) -> list[tuple[str, ...]]:
    combined: list[tuple[str, ...]] = [()]
    for axis in axes:
        combined = [(*values, value) for values in combined for value in axis.values]
    return combined


class _Reader:
    """Reads the value of an axis off the values of the finest table."""

    def __init__(self, place: int, coarse: Mapping[str, str] | None) -> None:
        self._place = place
        self._coarse = coarse

    def __call__(self, values: tuple[str, ...]) -> str:
        value = values[self._place]
        return value if self._coarse is None else self._coarse[value]


def _reader(axis: Axis, places: Mapping[str, int]) -> _Reader:
    if axis.finer is None:
        return _Reader(places[axis.name], None)
    name, coarse = axis.finer
    return _Reader(places[name], coarse)


def _lines(
    names: tuple[str, ...],
    tables: Mapping[tuple[str, ...], Table],
    axes: Mapping[str, Axis],
) -> list[Equation]:
    """Return the lines whose parts are cells of the table with dimensions ``names``."""
    parts: dict[Cell, list[Cell]] = defaultdict(list)
    coarser = {axis.finer[0]: axis for axis in axes.values() if axis.finer is not None}
    order = list(axes)
    for values in tables[names]:
        cell = (names, values)
        for place, name in enumerate(names):
            total = (names[:place] + names[place + 1 :], values[:place] + values[place + 1 :])
            parts[total].append(cell)
            axis = coarser.get(name)
            if axis is not None and axis.finer is not None:
                renamed = [*names]
                renamed[place] = axis.name
                revalued = [*values]
                revalued[place] = axis.finer[1][values[place]]
                pairs = sorted(
                    zip(renamed, revalued, strict=True), key=lambda pair: order.index(pair[0])
                )
                total = (tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs))
                parts[total].append(cell)
    return [Equation(total, tuple(cells)) for total, cells in parts.items()]
