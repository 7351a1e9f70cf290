"""What a derived view is: the records that it reads, and a pure function over their rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from connectors.description import Database, Lookup, Record, Row, Text


@dataclass(frozen=True, slots=True)
class Facts:
    """The rows of one list that a view rests on. ``complete``: they are all that there are."""

    record: Record
    rows: Sequence[Row]
    complete: bool

    def value(self, row: Row, column: str) -> object:
        """Return a column of a row by its name."""
        return row[self.record.positions[column]]


@dataclass(frozen=True, eq=False)
class DerivedView:
    """One derived view of a person, a field of its database's section. Equal to itself only.

    ``type_name``: of what it answers. ``lists``: lookups under the person's numbers; ``hanging``:
    one under the values of a column of one of them (list, column). ``compute`` takes the facts by
    lookup, the date and the sector asked for, and says True, False, or None where it is not known.
    ``past_for``: purposes for which it is answered of days before today; citizens always may ask.
    """

    database: str
    name: str
    type_name: str
    title: Text
    lists: tuple[str, ...]
    hanging: tuple[str, str, str]
    compute: Callable[[Mapping[str, Facts], date, str | None], bool | None]
    past_for: frozenset[str] = frozenset()


def reads_of(derived: DerivedView, database: Database) -> dict[str, tuple[Record, Lookup]]:
    """Return record and lookup of every list that the view reads, by lookup name."""
    names = {*derived.lists, derived.hanging[0]}
    return {
        lookup.name: (record, lookup)
        for record in database.records
        for lookup in record.lookups
        if lookup.name in names
    }
