"""What a running gateway consists of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.access.authenticate import Callers
from gateway.access.tokens import Tokens
from gateway.audit.open import AuditLog
from gateway.audit.record import Recorder
from gateway.execution.execute import execute
from gateway.execution.operation import ExecutableOperation, OperationRequest, Result
from gateway.execution.repeated_requests import RepeatedRequests
from gateway.execution.resources import ExecutionResources
from gateway.limits.admission import Admission
from gateway.limits.rates import RateLimiter
from gateway.limits.unidentified import UnidentifiedAnswers
from gateway.operations.library import OperationLibrary
from gateway.sessions.sessions import Sessions

#: Executes an operation: ``gateway.execution.execute.execute``, or one that is compared with it.
Execute = Callable[
    [ExecutionResources, OperationRequest, ExecutableOperation | None], Awaitable[Result]
]


@dataclass(frozen=True, slots=True)
class Service:
    """Everything that requests share; made by ``gateway.app``, and again in part at a reload.

    ``resources``: what operations are executed with. ``sessions``: None where nobody signs in.
    """

    resources: ExecutionResources
    schema_text: str
    rates: RateLimiter
    admission: Admission
    callers: Callers
    audit: AuditLog
    operations: OperationLibrary
    unidentified: UnidentifiedAnswers
    repeated: RepeatedRequests
    sessions: Sessions | None
    execute: Execute = execute

    @property
    def tokens(self) -> Tokens:
        """What verifies tokens."""
        return self.resources.tokens

    @property
    def recorder(self) -> Recorder:
        """What writes requests to the audit journal."""
        return self.resources.recorder
