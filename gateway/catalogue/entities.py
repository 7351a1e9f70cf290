"""Entities: people and organisations as other subgraphs of a federated graph refer to them.

Apollo Federation 2, "Resolve entities": a router asks the root field ``_entities`` for objects by
representations, each with a type name and the fields of a key.
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.catalogue.organisations import FIELD as ORGANISATION
from gateway.catalogue.organisations import TYPE as ORGANISATION_TYPE

#: The root field of entities, its argument, and the union and the scalar that it has.
ENTITIES = "_entities"
REPRESENTATIONS = "representations"
ENTITY_UNION = "_Entity"
ANY_SCALAR = "_Any"
#: The root field that shows the schema definition of this subgraph.
SERVICE = "_service"

PERSON_TYPE = "Person"
#: The field of a person that has the other key: the number, and details that must agree with it.
MATCHING = "matching"
#: The field of the key of each entity type.
ENTITY_KEYS: Mapping[str, str] = {PERSON_TYPE: "id", ORGANISATION_TYPE: "code"}
#: The root field that opens what an entity of each type is: an entity is treated as it.
ENTITY_ROOTS: Mapping[str, str] = {PERSON_TYPE: "person", ORGANISATION_TYPE: ORGANISATION}
