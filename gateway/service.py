"""What a running gateway consists of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graphql import GraphQLSchema

from gateway.access.tokens import Tokens
from gateway.audit.journal import Journal
from gateway.clock import Clock
from gateway.fetch.source import Source
from gateway.plans import Plans
from gateway.settings import Settings


@dataclass(frozen=True, slots=True)
class Service:
    """Everything that requests share; made once by ``gateway.app``."""

    settings: Settings
    clock: Clock
    schema: GraphQLSchema
    schema_text: str
    plans: Plans
    tokens: Tokens
    sources: Mapping[str, Source]
    journal: Journal
    audit_secret: bytes
