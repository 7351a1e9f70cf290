"""What the execution of operations shares: settings, clock, sources, caches, keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import GraphQLSchema

from gateway.access.tokens import Tokens
from gateway.audit.record import Recorder
from gateway.cache.answer_store import AnswerStore
from gateway.cache.rows import Cache
from gateway.changes.changes import Changes
from gateway.changes.interests import InterestStore
from gateway.changes.webhooks.registry import Webhooks
from gateway.execution.decisions import Log
from gateway.execution.gather import Gatherer
from gateway.execution.operation import ReadyAnswer
from gateway.execution.plan_cache import PlanCache
from gateway.execution.program import Programs
from gateway.execution.record_ids import RecordIds
from gateway.fetch.maintenance import Maintenance
from gateway.fetch.source import Source
from gateway.keys.keyring import Keyring
from gateway.limits.verification_attempts import VerificationAttempts
from gateway.receipts.issue import ReceiptIssuer
from gateway.runtime.clock import Clock
from gateway.settings import Settings
from gateway.statistics.snapshots import Snapshots
from gateway.tickets.tickets import Tickets


@dataclass(frozen=True, slots=True)
class ExecutionResources:
    """What all operations share while they are executed; ``gateway.service.Service`` holds it.

    ``trials``: the documents of dry runs, beside ``plans``. ``changes``: None where settings follow
    the changes of no database. ``webhooks``: None where settings do not enable them.
    """

    settings: Settings
    clock: Clock
    tokens: Tokens
    schema: GraphQLSchema
    plans: PlanCache
    trials: PlanCache
    sources: Mapping[str, Source]
    maintenance: Maintenance
    cache: Cache
    answers: AnswerStore[ReadyAnswer]
    log: Log
    recorder: Recorder
    attempts: VerificationAttempts
    person_hash: Keyring
    record_ids: RecordIds
    receipts: ReceiptIssuer
    tickets: Tickets
    interests: InterestStore
    snapshots: Snapshots
    changes: Changes | None = None
    webhooks: Webhooks | None = None
    programs: Programs = field(default_factory=Programs)
    gatherer: Gatherer = field(default_factory=Gatherer)
