"""What routers of a federated graph ask a subgraph for: ``_entities`` and ``_service``.

Apollo Federation 2, "Subgraph schema specification". The fields are in every schema, under the
rules that hold for ``person``, ``organization`` and introspection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.field import StrawberryField
from strawberry.types.union import StrawberryUnion

from connectors.description import Text
from gateway.catalogue.entities import (
    ENTITIES,
    ENTITY_KEYS,
    ENTITY_UNION,
    REPRESENTATIONS,
    SERVICE,
)
from gateway.errors import GatewayError
from gateway.execution.reference import Person, ReferenceContext
from gateway.people.entities import EntityKey, parse_representations
from gateway.people.matching import require_matching
from gateway.schema.factory import TypeFactory
from gateway.schema.field_definitions import list_annotation, resolved_field
from gateway.schema.organization import open_organisation_by_code
from gateway.schema.person import open_named_person
from gateway.schema.scalars import AnyRepresentation
from gateway.schema.texts import subgraph_text


@strawberry.type(
    name="_Service",
    description="Phân hệ của đồ thị liên kết / A subgraph of a federated graph",
)
class SubgraphDefinition:
    """What ``_service`` shows."""

    sdl: str = strawberry.field(description="định nghĩa lược đồ / the schema definition")


def entity_fields(types: TypeFactory) -> list[StrawberryField]:
    """Return the two root fields, over the entity types that are made already."""
    kinds = {name: kind for name in ENTITY_KEYS if (kind := types.find(name)) is not None}
    union: Any = StrawberryUnion(
        ENTITY_UNION,
        type_annotations=tuple(StrawberryAnnotation(kind) for kind in kinds.values()),
        description="Đối tượng được dẫn chiếu từ phân hệ khác / What other subgraphs refer to",
    )
    entities = resolved_field(
        ENTITIES,
        list_annotation(union | None),
        _resolver(frozenset(kinds)),
        {REPRESENTATIONS: list[AnyRepresentation]},
        Text(
            "người và tổ chức mà phân hệ khác dẫn chiếu, theo thứ tự; dành cho bộ định tuyến",
            "people and organisations that other subgraphs refer to, in order; for routers",
        ),
    )
    shown = resolved_field(
        SERVICE,
        SubgraphDefinition,
        _show_subgraph,
        title=Text(
            "lược đồ của phân hệ này; dành cho bộ định tuyến",
            "the schema of this subgraph; for routers",
        ),
    )
    for field in (entities, shown):
        field.graphql_name = field.python_name
    return [entities, shown]


def _resolver(types: frozenset[str]) -> Callable[..., Any]:
    async def open_entities(
        self: Any, info: strawberry.Info, representations: Sequence[object]
    ) -> list[Person | None]:
        context: ReferenceContext = info.context
        keys = parse_representations(representations, types)
        try:
            context.state.name_entities(keys)
        except GatewayError as error:
            context.problem(info._raw_info, error)
            return [None] * len(keys)
        entities = (_open_entity(context, info, key, place) for place, key in enumerate(keys))
        return list(await asyncio.gather(*entities))

    return open_entities


async def _open_entity(
    context: ReferenceContext, info: strawberry.Info, key: EntityKey, place: int
) -> Person | None:
    """Open an entity; None, with an error beside the data, for what may not be shown."""
    try:
        key.require_valid()
        if not key.is_person:
            return await open_organisation_by_code(context, info, key.key, place)
        require_matching(context.rules.matching, key.matching)
        return await open_named_person(context, info, key.key, key.matching, place)
    except GatewayError as error:
        context.problem(info._raw_info, error, place)
        return None


def _show_subgraph(self: Any, info: strawberry.Info) -> SubgraphDefinition:
    context: ReferenceContext = info.context
    return SubgraphDefinition(sdl=subgraph_text(context.resources.schema))
