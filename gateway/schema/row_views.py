"""Rows as resolvers of the reference executor see them: nested dictionaries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from connectors.description import Coded, Field, Kind, Record, Row, Sensitivity
from gateway.errors import GatewayError
from gateway.people.identification import Shortfall

#: The key under which the dictionary of a struct keeps the numbers in it, seen or not. No field has
#: this name.
NUMBERS = ""

_ColumnPath = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeniedValue:
    """Stands in a view for a value that the caller may not see, whether or not there is one."""

    missing: tuple[str, ...]

    def error(self) -> GatewayError:
        """Return the error that says what is missing."""
        return GatewayError("FORBIDDEN", details={"missing": list(self.missing)})


class RowView(dict[str, object]):
    """A row as resolvers see it.

    ``open_up_to``: the sensitivity up to which it is open (``gateway.catalogue.own_view``).
    ``sections``: notes what is read of the person whose row it is. ``subject_numbers``: that
    person's numbers, () for a thing. ``shortfall``: notes which lists that hang on the row may lack
    rows.
    """

    open_up_to: Sensitivity | None = None
    sections: set[str]
    subject_numbers: tuple[str, ...]
    shortfall: Shortfall


def resolve_value(source: object, name: str) -> object:
    """Resolve a field from its source by name: the schema's default resolver.

    Raises FORBIDDEN for a value that the caller may not see.
    """
    value = source[name] if isinstance(source, dict) else getattr(source, name)
    if isinstance(value, DeniedValue):
        raise value.error()
    return value.name if isinstance(value, Coded) else value


def build_view(
    record: Record, row: Row, missing: Sequence[tuple[str, ...]], open_up_to: Sensitivity | None
) -> RowView:
    """Return the view of a row.

    ``missing``: what the caller lacks, column by column. A struct is null only if all of it may be
    seen and all of it is empty, so that null never stands for a denial.
    """
    stored = {column.path: value for column, value in zip(record.columns, row, strict=True)}
    visible = {
        column.path: DeniedValue(lacks) if lacks else stored[column.path]
        for column, lacks in zip(record.columns, missing, strict=True)
    }
    view = RowView(_nest(record.fields, (), visible, stored))
    view.open_up_to = open_up_to
    return view


def number_fields(field: Field) -> list[str]:
    """Return the names of the fields of a struct that hold a person's number."""
    fields = field.struct.fields if field.struct else ()
    return [inner.name for inner in fields if inner.kind is Kind.PERSON_NUMBER]


def _nest(
    fields: Iterable[Field],
    path: _ColumnPath,
    visible: Mapping[_ColumnPath, object],
    stored: Mapping[_ColumnPath, object],
) -> dict[str, object]:
    """Return ``fields`` by name; ``visible`` and ``stored`` have values by column path."""
    nested: dict[str, object] = {}
    for field in fields:
        field_path = (*path, field.name)
        if field.struct is None:
            nested[field.name] = visible[field_path]
        else:
            value = _struct_value(_nest(field.struct.fields, field_path, visible, stored))
            if isinstance(value, dict):
                value[NUMBERS] = [stored[*field_path, number] for number in number_fields(field)]
            nested[field.name] = value
    return nested


def _struct_value(fields: dict[str, object]) -> object:
    values = list(fields.values())
    if all(isinstance(value, DeniedValue) for value in values):
        return values[0]
    return None if all(value is None for value in values) else fields
