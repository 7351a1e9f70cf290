"""What a running gateway consists of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphql import GraphQLSchema

from gateway.access.tokens import Tokens
from gateway.audit.journal import Journal
from gateway.audit.log import AuditLog
from gateway.audit.refusal_counts import RefusalCounts
from gateway.cache.answers import Answers
from gateway.cache.cache import Cache
from gateway.clock import Clock
from gateway.fetch.source import Source
from gateway.keys import Keyring
from gateway.limits.admission import Admission
from gateway.limits.guesses import Guesses
from gateway.limits.rates import Rates
from gateway.limits.unidentified import UnidentifiedAnswers
from gateway.maintenance import Maintenance
from gateway.operations.registry import Operations
from gateway.plans import Plans
from gateway.reading import Log
from gateway.record_ids import RecordIds
from gateway.settings import Settings

if TYPE_CHECKING:
    from gateway.remembering import Remembered


@dataclass(frozen=True, slots=True)
class Service:
    """Everything that requests share; made once by ``gateway.app``."""

    settings: Settings
    clock: Clock
    schema: GraphQLSchema
    schema_text: str
    plans: Plans
    rates: Rates
    admission: Admission
    tokens: Tokens
    sources: Mapping[str, Source]
    maintenance: Maintenance
    cache: Cache
    answers: Answers[Remembered]
    journal: Journal
    audit: AuditLog
    refusals: RefusalCounts
    log: Log
    operations: Operations
    guesses: Guesses
    unidentified: UnidentifiedAnswers
    person_hash: Keyring
    record_ids: RecordIds
