"""Cells of tables, and the lines by which they add up."""

from __future__ import annotations

from dataclasses import dataclass

#: A cell: the names of its dimensions, and its value in each.
Cell = tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Equation:
    """Cells that add up to ``total``."""

    total: Cell
    parts: tuple[Cell, ...]
