"""The values of a request on its way through the execution: what is requested, executed, answered.

``OperationRequest`` is an operation as a caller requests it. ``ExecutableOperation`` is what was
compiled for it, the plan and the rights. ``Result`` is what the execution returns. ``ReadyAnswer``
is a result that may be returned again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import orjson

from gateway.access.caller import Caller
from gateway.answer import State
from gateway.audit.entry import TouchedPeople
from gateway.audit.touched import Trail
from gateway.execution.delivery import Delivery
from gateway.fetch.source import Source
from gateway.fetch.traced_reads import FetchTrace
from gateway.operations.operation import PublishedOperation
from gateway.plan.compile import AnalysedOperation
from gateway.plan.document import Document, Operation
from gateway.plan.permissions import Permissions
from gateway.plan.plan import Plan


@dataclass(frozen=True, slots=True)
class OperationRequest:
    """An operation of a document, as a caller requests it.

    ``variables``: as they came, not coerced. ``deadline``: in seconds of the clock's monotonic
    time. ``published``: the published operation that is called, None for a free-form document.
    ``id``: that of the HTTP request, as in log and journal. ``trace``: notes what is read, for a
    caller who sees the plan; None for all others. ``delivery``: which answer of a subscription it
    is. ``is_incremental``: deferred fragments may be delivered later.
    """

    document: Document
    operation: Operation
    variables: Mapping[str, object] | None
    caller: Caller
    deadline: float
    published: PublishedOperation | None = None
    id: str = ""
    trace: FetchTrace | None = None
    delivery: Delivery | None = None
    is_incremental: bool = False


@dataclass(frozen=True, slots=True)
class ExecutableOperation:
    """An operation about persons that is ready to be executed: its plan and the caller's rights.

    ``arguments``: the values of ``prepared.dynamic``, slot by slot. ``cost``: the most that the
    operation may make the gateway read. ``unplanned``: why the reference executor has to answer,
    None where the plan does.
    """

    prepared: AnalysedOperation
    permissions: Permissions
    plan: Plan | None
    arguments: Sequence[object]
    cost: int
    unplanned: str | None

    @property
    def requested_fields(self) -> bytes:
        """Which fields are selected, as the journal says it (JSON)."""
        return self.permissions.requested_fields


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What the journal has of a case that was checked in a queue.

    ``case_number``: None where the caller gave a text that is none. ``errors``, ``trail`` and
    ``states``: as in ``Result``, of this case alone.
    """

    case_number: str | None
    errors: Sequence[dict[str, object]]
    trail: Trail
    states: Mapping[str, State]


@dataclass(frozen=True, slots=True)
class Increment:
    """What is delivered later, in one payload.

    ``pending``: fragments that are announced; ``incremental``: the data of some, with their
    errors; ``completed``: the fragments that are complete. ``result``: who was touched for them,
    the states of lists, notices that are not selected, and all their errors.
    """

    pending: Sequence[dict[str, object]]
    incremental: Sequence[dict[str, object]]
    completed: Sequence[dict[str, object]]
    has_next: bool
    result: Result

    @property
    def payload(self) -> dict[str, object]:
        """The payload as it is sent; empty parts are left out."""
        payload: dict[str, object] = {
            "pending": self.pending,
            "incremental": self.incremental,
            "completed": self.completed,
        }
        shown = {name: part for name, part in payload.items() if part}
        if self.result.mirrored:
            shown["extensions"] = {"notices": self.result.mirrored}
        return {**shown, "hasNext": self.has_next}


class Increments(Protocol):
    """What is still to be delivered of an answer (``gateway.execution.incremental``)."""

    def announce(self) -> list[dict[str, object]]:
        """Return the fragments that are to come, as ``pending`` shows them."""

    async def next(self) -> Increment:
        """Wait for fragments to be complete and return them; raises what their execution raises."""

    def when_executed(self, action: Callable[[], None]) -> AbstractContextManager[None]:
        """Call ``action`` once everything has been fetched, if the context lasts until then."""

    def fail(self, error: dict[str, object]) -> dict[str, object]:
        """Return the last payload, in which all fragments to come fail with ``error``."""

    def close(self) -> None:
        """End what is under way."""


@dataclass(frozen=True, slots=True)
class Result:
    """What the execution of an operation returns.

    ``errors``: as the answer shows them. ``mirrored``: notices of persons for whom the field is not
    selected, with their path. ``trail`` and ``states``: who was touched, and the worst state of
    each list of records; ``touched``: both as the journal writes them, where they are ready.
    ``unidentified``: how many people were named by a number that nobody holds. ``is_repeatable``:
    the same rows give the same answer; False where an access log was read or an attempt to match
    a person was counted. ``cases``: those of a queue, whose errors and people stand there alone.
    ``increments``: what is still to be delivered, None for nothing.
    """

    data: Mapping[str, object] | orjson.Fragment | None
    errors: Sequence[dict[str, object]]
    mirrored: Sequence[Mapping[str, object]]
    trail: Trail
    states: Mapping[str, State]
    touched: TouchedPeople | None = None
    unidentified: int = 0
    is_repeatable: bool = True
    cases: Sequence[CaseResult] = ()
    increments: Increments | None = None

    @property
    def all_errors(self) -> Sequence[dict[str, object]]:
        """The errors of the answer, with those of its cases."""
        if not self.cases:
            return self.errors
        return [*self.errors, *(error for case in self.cases for error in case.errors)]


@dataclass(frozen=True, slots=True)
class ReadyAnswer:
    """A result that may be returned again, and what each request for it needs of its operation.

    ``cost``, ``requested_fields``: as in ``ExecutableOperation``. The operation itself is not kept:
    a plan is larger than most answers, and would live as long as the last answer of it.
    ``sources``: those of its rows. ``namespaces``: those of the cache under which the rows were
    stored, in the order of ``sources``; a source whose backend changes gets another namespace.
    """

    cost: int
    requested_fields: bytes
    result: Result
    sources: tuple[Source, ...]
    namespaces: tuple[str, ...]
