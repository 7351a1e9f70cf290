"""Row templates: the JSON object that an operation makes of each row of a list.

A source that writes JSON itself is told by a template what to write
(``connectors.backends.rendering_statement``). Templates are the same object for the same selection,
so that they are cheap keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from connectors.description import Record, Row

#: Templates that are remembered.
_KEPT = 4_096


@dataclass(frozen=True, slots=True)
class Constant:
    """A text that is the same in every row, such as the name of a type."""

    text: str


@dataclass(frozen=True, slots=True)
class StructTemplate:
    """A struct of the columns from ``first`` to ``last`` (exclusive): null where all are empty."""

    first: int
    last: int
    entries: TemplateEntries


#: Pairs of a key and what stands there: a column by its position, a text, or a struct.
TemplateEntries = tuple[tuple[str, "int | Constant | StructTemplate"], ...]


@dataclass(frozen=True, slots=True)
class RowCondition:
    """True of the rows whose ``column`` has one of ``values``; None: has any value."""

    column: str
    values: frozenset[str] | None

    def holds(self, record: Record, row: Row) -> bool:
        """Say whether it is true of ``row``, a decoded row of ``record``."""
        value = row[record.positions[self.column]]
        return value is not None if self.values is None else value in self.values


@dataclass(frozen=True, slots=True, eq=False)
class RowTemplate:
    """The object that stands for a row.

    ``entries``: in the order in which they are written. ``mentions``: columns of numbers of people
    whose values are wanted beside the JSON. ``hidden``: rows of which any is true are left out.
    """

    entries: TemplateEntries
    mentions: tuple[int, ...]
    hidden: tuple[RowCondition, ...] = ()


@lru_cache(_KEPT)
def row_template(
    entries: TemplateEntries, mentions: tuple[int, ...], hidden: tuple[RowCondition, ...] = ()
) -> RowTemplate:
    """Return the template of a selection, the same object each time as long as it is remembered."""
    return RowTemplate(entries, mentions, hidden)
