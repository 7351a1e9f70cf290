"""``@requiresScopes`` in the schema: which scopes open a field.

Of the outer list one is enough, of an inner one all are needed, as the directive of Apollo
Federation has it. Derived from the connectors' declarations, like everything; what decides is
``Caller.missing_for``, and a purpose is needed too. Fields without it need the scope of their list
alone. The fields of structs, which several databases share, do not carry it: a struct in a record
does.
"""

from __future__ import annotations

from collections.abc import Iterable

import strawberry
from strawberry.schema_directive import Location
from strawberry.types.field import StrawberryField

from connectors.description import Record, Sensitivity
from gateway.catalogue.scopes import scope
from gateway.derived.view import DerivedView


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="requiresScopes",
    description="Phạm vi truy cập cần có / The scopes that open a field",
)
class RequiresScopes:
    """The directive."""

    scopes: list[list[str]]


def require_scopes(
    field: StrawberryField, record: Record | DerivedView, level: Sensitivity
) -> StrawberryField:
    """Return ``field`` with the scopes that open fields of ``level`` of ``record``."""
    whole = scope(record.database, level)
    of_record = scope(f"{record.database}.{record.name}", level)
    field.directives = [RequiresScopes(scopes=[[whole], [of_record]])]
    return field


def require_any_scope(field: StrawberryField, scopes: Iterable[str]) -> StrawberryField:
    """Return ``field`` with ``scopes``, of which one is enough."""
    field.directives = [RequiresScopes(scopes=[[scope_name] for scope_name in scopes])]
    return field


def require_column_scopes(fields: Iterable[StrawberryField], record: Record) -> None:
    """Give each field of ``record`` that is more sensitive than its list its scopes."""
    levels: dict[str, Sensitivity] = {}
    for column in record.columns:
        lowest = levels.get(column.path[0], column.sensitivity)
        levels[column.path[0]] = min(lowest, column.sensitivity)
    names = {field.person: field.name for field in record.fields if field.person}
    for field in fields:
        name = field.python_name.removesuffix("_is_valid")
        level = levels[names.get(name, name)]
        if level > Sensitivity.BASIC:
            require_scopes(field, record, level)
