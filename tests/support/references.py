"""Every reference to a person that the connectors declare, and the way to it from a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from strawberry.utils.str_converters import to_camel_case

from connectors.description import Column, Database, Kind, Lookup, Record
from gateway.catalogue.organisations import is_person_number

Rows = Mapping[tuple[str, str], Sequence[Mapping[str, object]]]
#: Lists hang on lists, three deep at most: a case, who works on it, their organisation.
_DEEPEST = 3


@dataclass(frozen=True)
class Step:
    """A list on the way: of a person, or on the rows of the step before by ``column`` of theirs."""

    record: Record
    lookup: Lookup
    column: str | None = None


@dataclass(frozen=True)
class Reference:
    """A column with a person's number, and the lists that lead to its record."""

    database: Database
    column: Column
    way: tuple[Step, ...]

    @property
    def record(self) -> Record:
        """The record in which the number stands."""
        return self.way[-1].record

    @property
    def name(self) -> str:
        """The reference's name in the output of tests."""
        return f"{self.database.name}.{self.record.name}.{self.column.name}"

    @property
    def field(self) -> str:
        """The GraphQL field that leads to the person."""
        assert self.column.field.person is not None
        return to_camel_case(self.column.field.person)

    @property
    def is_required(self) -> bool:
        """Whether a row without the number is unreadable."""
        return self.column.required

    @property
    def is_party(self) -> bool:
        """Whether the number stands in a party's struct, with name and document beside it."""
        document = (*self.column.path[:-1], "id_document", "number")
        return (
            len(self.column.path) > 1
            and self.column.path[-1] == "citizen_id"
            and any(column.path == document for column in self.record.columns)
        )

    @property
    def number(self) -> str:
        """The GraphQL field of the number itself."""
        return to_camel_case(self.column.path[-1])

    def selection(self, selected: str, arguments: str = "") -> str:
        """Return the section that shows ``selected`` of the person of each row.

        ``arguments``: of every list on the way, in brackets.
        """
        inner = f"{self.number} {self.field} {{ {selected} }}"
        if self.is_party:
            inner += " name idDocument { kind number }"
        for name in reversed(self.column.path[:-1]):
            inner = f"{to_camel_case(name)} {{ {inner} }}"
        for step in reversed(self.way):
            name = to_camel_case(step.lookup.name)
            if step.record.single:
                inner = f"{name} {{ item {{ {inner} }} source {{ state }} }}"
            else:
                inner = f"{name}{arguments} {{ items {{ {inner} }} source {{ state }} }}"
        return f"{to_camel_case(self.database.name)} {{ {inner} }}"

    def shown(self, person: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """Yield the struct, or the row, with the number, of every row that the answer shows."""
        values: list[Any] = [person[to_camel_case(self.database.name)]]
        for step in self.way:
            lists = [value[to_camel_case(step.lookup.name)] for value in values]
            items = [found["item"] if step.record.single else found["items"] for found in lists]
            values = [
                item
                for found in items
                for item in (found if isinstance(found, list) else [found])
                if item is not None
            ]
        for name in self.column.path[:-1]:
            values = [value[to_camel_case(name)] for value in values]
        yield from (value for value in values if value is not None)

    def subjects(self, row: Mapping[str, object], rows: Rows) -> set[str]:
        """Return the numbers of the people from whom the way leads to ``row``."""
        values = self._keys(self.way[-1], row, rows)
        for step, below in zip(self.way[-2::-1], self.way[:0:-1], strict=True):
            assert below.column is not None
            parents = [
                parent
                for parent in rows[self.database.name, step.record.name]
                if parent.get(below.column) in values
            ]
            values = {key for parent in parents for key in self._keys(step, parent, rows)}
        return {str(value) for value in values if is_person_number(str(value))}

    def _keys(self, step: Step, row: Mapping[str, object], rows: Rows) -> set[object]:
        """Return the keys by which ``step`` finds ``row``."""
        holders = [row]
        if step.lookup.through is not None:
            other, link = step.lookup.through
            holders = [
                holder
                for holder in rows[self.database.name, other]
                if holder.get(link) == row.get(link)
            ]
        values = {holder.get(name) for holder in holders for name in step.lookup.by}
        return values - {None}


def references(databases: Sequence[Database]) -> Iterator[Reference]:
    """Yield every reference that people's lists, and the lists on their rows, lead to."""
    for database in databases:
        for record in database.records:
            ways = list(ways_to(database, record))
            for column in record.columns:
                if column.field.person is not None:
                    assert ways, f"nothing leads to {database.name}.{record.name}"
                    for way in ways:
                        yield Reference(database, column, way)


def ways_to(
    database: Database, record: Record, deepest: int = _DEEPEST
) -> Iterator[tuple[Step, ...]]:
    """Yield the ways from a person to ``record``, shortest first for each of its lists."""
    if deepest == 0:
        return
    for lookup in record.lookups:
        if lookup.hidden or lookup.entry is not None:
            continue
        if lookup.on is None:
            yield (Step(record, lookup),)
            continue
        name, column = lookup.on
        for above in ways_to(database, database.by_name[name], deepest - 1):
            if all(step.record is not record for step in above):
                yield (*above, Step(record, lookup, column))


def number_columns(databases: Sequence[Database]) -> Iterator[tuple[Database, Record, Column]]:
    """Yield every column that holds numbers of people."""
    for database in databases:
        for record in database.records:
            for column in record.columns:
                if column.field.kind is Kind.PERSON_NUMBER:
                    yield database, record, column
