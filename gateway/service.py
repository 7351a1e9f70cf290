"""What a running gateway consists of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphql import GraphQLSchema

from gateway.access.tokens import Tokens
from gateway.audit.journal.journal import Journal
from gateway.audit.open import AuditLog
from gateway.audit.refusal_counts import RefusalCounts
from gateway.cache.answer_store import Answers
from gateway.cache.rows import Cache
from gateway.execution.decisions import Log
from gateway.execution.plan_cache import Plans
from gateway.execution.record_ids import RecordIds
from gateway.fetch.maintenance import Maintenance
from gateway.fetch.source import Source
from gateway.keys.keyring import Keyring
from gateway.limits.admission import Admission
from gateway.limits.rates import Rates
from gateway.limits.unidentified import UnidentifiedAnswers
from gateway.limits.verification_attempts import Guesses
from gateway.operations.library import Operations
from gateway.runtime.clock import Clock
from gateway.settings import Settings

if TYPE_CHECKING:
    from gateway.execution.ready_answers import Remembered


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
