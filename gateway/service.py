"""What a running gateway consists of."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.access.tokens import Tokens
from gateway.audit.journal.journal import Journal
from gateway.audit.open import AuditLog
from gateway.audit.refusal_counts import RefusalCounts
from gateway.execution.resources import ExecutionResources
from gateway.limits.admission import Admission
from gateway.limits.rates import RateLimiter
from gateway.limits.unidentified import UnidentifiedAnswers
from gateway.operations.library import Operations


@dataclass(frozen=True, slots=True)
class Service:
    """Everything that requests share; made by ``gateway.app``, and again in part at a reload.

    ``resources``: what operations are executed with.
    """

    resources: ExecutionResources
    schema_text: str
    rates: RateLimiter
    admission: Admission
    tokens: Tokens
    journal: Journal
    audit: AuditLog
    refusals: RefusalCounts
    operations: Operations
    unidentified: UnidentifiedAnswers
