"""The schema over a set of databases."""

from __future__ import annotations

from collections.abc import Iterable

import strawberry
from graphql import GraphQLSchema
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import create_type

from connectors.description import Database
from gateway.plan.defer_directive import DEFER_DIRECTIVE
from gateway.plan.graphql_compat import core_schema
from gateway.schema.ask_again import ticket_fields
from gateway.schema.factory import TypeFactory
from gateway.schema.interests import interest_mutations
from gateway.schema.invalidation import invalidation_field
from gateway.schema.life_events import life_events_field
from gateway.schema.maintenance import mutation_fields
from gateway.schema.query import query_fields
from gateway.schema.row_views import resolve_value
from gateway.schema.scalars import SCALARS
from gateway.schema.webhooks import webhook_mutations


def build_schema(databases: Iterable[Database]) -> GraphQLSchema:
    """Return the schema of ``databases``: population first, then by name.

    Pure and deterministic. Raises ValueError if two declarations have the same type name, or an
    entry point the name of another root field. Costs about a second for all seven databases: done
    once, at start-up.
    """
    ordered = tuple(
        sorted(databases, key=lambda database: (database.name != "population", database.name))
    )
    types = TypeFactory(ordered)
    query = create_type(
        "Query", query_fields(types, ordered), description="Mọi truy vấn / Everything to ask"
    )
    mutation = create_type(
        "Mutation",
        [
            *mutation_fields(types),
            invalidation_field(types),
            *ticket_fields(types, ordered),
            *webhook_mutations(types),
            *interest_mutations(types),
        ],
        description="Việc của người vận hành, phiếu hẹn, theo dõi, webhook / "
        "Operators, tickets, interests, webhooks",
    )
    # Each answer is executed as that of a query is (``gateway.subscriptions.answers``).
    subscription = create_type(
        "Subscription",
        [life_events_field(types)],
        description="Sự kiện khi chúng xảy ra / Events as they happen",
    )
    config = StrawberryConfig(default_resolver=resolve_value, scalar_map=SCALARS)
    schema = core_schema(
        strawberry.Schema(query=query, mutation=mutation, subscription=subscription, config=config)
    )
    schema.directives = (*schema.directives, DEFER_DIRECTIVE)
    return schema
