"""Documents, analyses and plans: each made once, off the event loop, and kept within bounds.

One thread makes them all (``gateway.execution.compile_queue``). What is made is pure; two who need
the same at the same time wait for the same, each until the deadline of their own request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

import structlog
from graphql import GraphQLError, GraphQLSchema

from gateway.access.caller import Caller
from gateway.catalogue.sections import Bindings
from gateway.errors import GatewayError
from gateway.execution.compile_queue import CompileQueue, Work
from gateway.execution.fair_cache import FairCache
from gateway.limits.compile_budget import CompileBudget
from gateway.plan.compile import (
    AnalysedOperation,
    SelectedOperation,
    analyse_operation,
    tree_conditions,
)
from gateway.plan.document import (
    Document,
    InvalidDocument,
    document_digest,
    parse_document,
    suggest_names,
)
from gateway.plan.permissions import Permissions, asked_fields
from gateway.plan.plan import Plan
from gateway.runtime.clock import Clock
from gateway.settings import Limits
from gateway.shape.codegen import compile_plan
from gateway.telemetry.redaction import random_id

log = structlog.get_logger(__name__)

T = TypeVar("T")
#: Makes the exception with which a document is refused: one that was raised holds on to the request
#: that it was raised in.
_Refusal = Callable[[], GatewayError | InvalidDocument]

#: Bytes, measured (tracemalloc, W1): a token of a kept tree; what is kept of an analysis, or of a
#: document beside its text; a field of a plan.
_TOKEN, _PREPARED, _FIELD = 500, 8_000, 400
#: Bytes that there are for each kind. Every full collection of garbage visits all that is kept, and
#: the event loop waits for it: this is a few milliseconds.
_ROOM = 16 * 2**20


@dataclass(frozen=True, slots=True)
class _Compiled(Generic[T]):
    """What was made, what of it is kept, and how many bytes that is."""

    value: T
    cached: T
    weight: int


#: Refusals in which names may be suggested.
_SUGGESTIVE = frozenset({"VALIDATION_FAILED"})


class Unplanned:
    """Stands in place of a plan that could not be generated."""


class PlanCache:
    """Makes and keeps; bounded in number and in bytes (estimated), for each client and together."""

    def __init__(
        self, schema: GraphQLSchema, bindings: Bindings, limits: Limits, clock: Clock
    ) -> None:
        self._schema = schema
        self._bindings = bindings
        self._limits = limits
        self._budget = CompileBudget(limits.new_documents, clock)
        self._documents: FairCache[Hashable, Document | _Refusal] = FairCache(
            limits.documents, _ROOM
        )
        self._prepared: FairCache[Hashable, AnalysedOperation] = FairCache(limits.documents, _ROOM)
        self._permissions: FairCache[Hashable, Permissions] = FairCache(limits.documents, _ROOM)
        self._plans: FairCache[Hashable, Plan | Unplanned] = FairCache(limits.documents, _ROOM)
        #: What is being made, by key: keys tell the three kinds apart.
        self._pending: dict[Hashable, Work[Any]] = {}
        self._queue = CompileQueue()
        self._clock = clock

    @property
    def schema(self) -> GraphQLSchema:
        """The schema that documents are held against."""
        return self._schema

    def close(self) -> None:
        """Let go of the thread; what is being made is finished first."""
        self._queue.close()

    async def document(
        self,
        text: str,
        client: str | None,
        deadline: float | None = None,
        *,
        suggest: bool = False,
    ) -> Document:
        """Return the document of ``text``; refusals are kept too.

        ``deadline``: until when to wait, of the clock's monotonic time; None: as long as a request
        may take from now on. ``suggest``: faults may name what the schema has instead. Raises
        InvalidDocument, or GatewayError: one of the limits, TOO_MANY_DOCUMENTS, or GATEWAY_BUSY
        at the deadline.
        """
        key = document_digest(text)
        make = partial(_document, self._schema, self._limits, text)
        entry = await self._find_or_make(self._documents, key, client, deadline, make)
        if isinstance(entry, Document):
            return entry
        refusal = entry()
        if suggest and isinstance(refusal, InvalidDocument) and refusal.code in _SUGGESTIVE:
            again = partial(_suggested, self._schema, self._limits, text, refusal)
            entry = await self._find_or_make(
                self._documents, (key, "suggest"), client, deadline, again
            )
            assert not isinstance(entry, Document)
            refusal = entry()
        raise refusal

    async def prepared(
        self, chosen: SelectedOperation, client: str | None, deadline: float | None = None
    ) -> AnalysedOperation:
        """Return an operation analysed; raises GatewayError."""
        make = partial(_prepared, self._schema, self._bindings, chosen)
        return await self._find_or_make(
            self._prepared, tree_conditions(chosen), client, deadline, make
        )

    def permissions(self, prepared: AnalysedOperation, caller: Caller) -> Permissions:
        """Return what of an operation ``caller`` may see; once for equal scopes and purpose."""
        key = (prepared.key, caller.scopes, caller.purpose, caller.citizen is None)
        permissions = self._permissions.get(key)
        if permissions is None:
            lacking = tuple(caller.missing_for(*need) for need in prepared.needs)
            requested = asked_fields(prepared.needs, prepared.selected, lacking)
            permissions = Permissions(lacking, caller.citizen is not None, requested)
            self._permissions.store(key, permissions, len(lacking), caller.client)
        return permissions

    async def plan(
        self,
        chosen: SelectedOperation,
        prepared: AnalysedOperation,
        permissions: Permissions,
        client: str | None,
        deadline: float | None = None,
    ) -> Plan | None:
        """Return the plan, None where it could not be generated: the log says why, once.

        Raises GatewayError TOO_MANY_DOCUMENTS or GATEWAY_BUSY.
        """
        key = (prepared.key, permissions)
        again = partial(analyse_operation, self._schema, self._bindings, chosen)
        make = partial(_plan, prepared, again, permissions)
        plan = await self._find_or_make(self._plans, key, client, deadline, make)
        return plan if isinstance(plan, Plan) else None

    async def _find_or_make(
        self,
        cache: FairCache[Hashable, T],
        key: Hashable,
        client: str | None,
        deadline: float | None,
        make: Callable[[], _Compiled[T]],
    ) -> T:
        """Return what is kept under ``key``, or have it made."""
        value = cache.get(key)
        if value is not None:
            return value
        work: Work[_Compiled[T]] | None = self._pending.get(key)
        if work is None:
            self._budget.take(client)
            work = self._pending[key] = Work(make, partial(self._store, cache, key, client))
        if deadline is None:
            deadline = self._clock.monotonic() + self._limits.deadline
        seconds = deadline - self._clock.monotonic()
        return (await self._queue.result(work, client, seconds)).value

    def _store(
        self,
        cache: FairCache[Hashable, T],
        key: Hashable,
        client: str | None,
        work: asyncio.Future[_Compiled[T]],
    ) -> None:
        """Keep what was made, before anybody who waited for it asks again."""
        del self._pending[key]
        if not work.cancelled() and work.exception() is None:
            result = work.result()
            cache.store(key, result.cached, result.weight, client)


def _document(schema: GraphQLSchema, limits: Limits, text: str) -> _Compiled[Document | _Refusal]:
    try:
        document = parse_document(schema, limits, text)
    except InvalidDocument as error:
        errors = tuple(_bare(one) for one in error.errors)
        refusal: _Refusal = partial(InvalidDocument, error.code, errors)
        return _Compiled(refusal, refusal, len(text))
    except GatewayError as error:
        refusal = partial(GatewayError, error.code.name, error.message, details=error.details)
        return _Compiled(refusal, refusal, len(text))
    if any(one.reads_persons for one in document.operations.values()):
        return _Compiled(document, document.without_tree(), len(text) + _PREPARED)
    return _Compiled(document, document, len(text) + document.tokens * _TOKEN)


def _suggested(
    schema: GraphQLSchema, limits: Limits, text: str, plain: InvalidDocument
) -> _Compiled[Document | _Refusal]:
    """Return ``plain`` with suggestions in its first errors."""
    suggested = [_bare(one) for one in suggest_names(schema, limits, text)]
    errors = [
        next((one for one in suggested if _says_more(one, error)), error) for error in plain.errors
    ]
    refusal = partial(InvalidDocument, plain.code, tuple(errors))
    return _Compiled(refusal, refusal, len(text))


def _says_more(error: GraphQLError, than: GraphQLError) -> bool:
    """Whether ``error`` is the same fault with more said of it."""
    return error.positions == than.positions and error.message.startswith(than.message)


def _bare(error: GraphQLError) -> GraphQLError:
    """Return ``error`` without the tree that it was found in, and without frames."""
    original = error.original_error
    return GraphQLError(
        error.message,
        source=error.source,
        positions=error.positions,
        original_error=original.with_traceback(None) if original else None,
    )


def _prepared(
    schema: GraphQLSchema, bindings: Bindings, chosen: SelectedOperation
) -> _Compiled[AnalysedOperation]:
    made = analyse_operation(schema, bindings, chosen)
    weight = _PREPARED
    if made.unplanned is not None:
        weight += chosen.document.tokens * _TOKEN
    return _Compiled(made, made.without_analysis(), weight)


def _plan(
    prepared: AnalysedOperation, again: Callable[[], AnalysedOperation], permissions: Permissions
) -> _Compiled[Plan | Unplanned]:
    analysis = prepared.analysis or again().analysis
    assert analysis is not None
    made: Plan | Unplanned
    try:
        made = compile_plan(analysis, permissions)
    except Exception:  # a defect; the reference executor answers in the plan's place
        log.exception("no plan", error_id=random_id(), document=prepared.key.digest)
        made = Unplanned()
    return _Compiled(made, made, prepared.fields * _FIELD)
