"""The root fields of queries: persons, organisations, things, databases, and the caller's own."""

from __future__ import annotations

from typing import Any

import strawberry
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

from connectors.description import Database, Group, Text
from gateway.catalogue.entry_points import entries_of
from gateway.execution.reference import ReferenceContext
from gateway.schema.check_procedure import check_fields
from gateway.schema.entities import entity_fields
from gateway.schema.factory import TypeFactory
from gateway.schema.field_definitions import list_annotation, resolved_field
from gateway.schema.interests import interest_query
from gateway.schema.life_events import life_events_field
from gateway.schema.lookups import lookup_field
from gateway.schema.my_access import my_access_field
from gateway.schema.organization import organization_root_fields
from gateway.schema.person import person_root_fields, person_type
from gateway.schema.procedures import procedure_fields
from gateway.schema.shared_types import database_type
from gateway.schema.statistics import statistics_field
from gateway.schema.verify_person import verify_fields
from gateway.schema.webhooks import webhooks_field


def query_fields(types: TypeFactory, databases: tuple[Database, ...]) -> list[StrawberryField]:
    """Return the fields of Query over ``databases``.

    Raises ValueError for an entry point that has the name of another field.
    """
    person = person_type(types, databases)
    fields = [
        *person_root_fields(types, person),
        *organization_root_fields(types, databases, person),
        resolved_field(
            "databases",
            list_annotation(database_type(types)),
            _list_databases(databases),
            {"group": types.enumeration(Group) | None},
            Text("danh mục cơ sở dữ liệu", "the catalogue of databases"),
        ),
        my_access_field(types),
        statistics_field(types, databases),
        life_events_field(types),
        interest_query(types),
        *verify_fields(types, databases),
        *check_fields(types, databases),
        *procedure_fields(types, databases),
        webhooks_field(types),
        *entity_fields(types),
    ]
    entries = entries_of(databases)
    names = {field.graphql_name or to_camel_case(field.python_name) for field in fields}
    for name, entry in entries.items():
        if name in names:
            raise ValueError(f"{entry.record.where}: no entry can be called {name}, it is taken")
    return [*fields, *(lookup_field(types, entry, person) for entry in entries.values())]


def _list_databases(databases: tuple[Database, ...]) -> Any:
    def list_databases(
        self: Any, info: strawberry.Info, group: Any = strawberry.UNSET
    ) -> list[Database]:
        context: ReferenceContext = info.context
        shown = [context.resources.sources[database.name].database for database in databases]
        group_name = getattr(group, "value", None)
        return [
            database
            for database in shown
            if group_name is None or database.group.name == group_name
        ]

    return list_databases
