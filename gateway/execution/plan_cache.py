"""The cache of documents, analyses and plans: each compiled once, off the event loop.

One thread compiles them all (``gateway.execution.compile_queue``). Compiling is pure. Requests that
need the same entry at the same time share one computation, and each waits until its own deadline.
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
from gateway.plan.permissions import Permissions, requested_fields
from gateway.plan.plan import Plan
from gateway.plan.selection import Analysis
from gateway.runtime.clock import Clock
from gateway.settings import Limits
from gateway.shape.codegen import compile_plan
from gateway.telemetry.redaction import random_id

log = structlog.get_logger(__name__)

T = TypeVar("T")
#: Returns a new exception with which a document is refused. One that was raised before would keep
#: the frames of another request alive.
_Refusal = Callable[[], GatewayError | InvalidDocument]
Parse = Callable[[GraphQLSchema, Limits, str], Document]
Analyse = Callable[[GraphQLSchema, Bindings, SelectedOperation], AnalysedOperation]
Generate = Callable[[Analysis, Permissions], Plan]


@dataclass(frozen=True, slots=True)
class Compiler:
    """Makes the entries of a cache: documents of texts, analyses of operations, and plans. Pure."""

    parse: Parse = parse_document
    analyse: Analyse = analyse_operation
    generate: Generate = compile_plan


#: Bytes, measured with tracemalloc on W1: of a token of a cached tree; of a cached analysis, or of
#: a document beside its text; of a field of a plan.
_TOKEN, _ANALYSIS, _FIELD = 500, 8_000, 400
#: Bytes for the entries of each kind. A full garbage collection visits every cached object while
#: the event loop waits: this bounds it to a few milliseconds.
_ROOM = 16 * 2**20


@dataclass(frozen=True, slots=True)
class _Compiled(Generic[T]):
    """A computed value, the part of it that is cached, and the estimated bytes of that part."""

    value: T
    cached: T
    weight: int


#: Entries of each kind that dry runs keep, and bytes for them.
_TRIAL_ENTRIES, _TRIAL_ROOM = 100, 2**20

#: Refusals in which names may be suggested.
_SUGGESTIVE = frozenset({"VALIDATION_FAILED"})


class Unplanned:
    """Marks an operation for which no plan could be generated."""


class PlanCache:
    """Computes entries and caches them, bounded in number and estimated bytes for each client.

    ``trials_of``: this serves the dry runs beside that cache: it has an allowance and a small room
    of its own, so that they take nothing from real requests, and waits in the same queue.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        bindings: Bindings,
        limits: Limits,
        clock: Clock,
        *,
        compiler: Compiler | None = None,
        trials_of: PlanCache | None = None,
    ) -> None:
        self._compiler = compiler or Compiler()
        self._schema = schema
        self._bindings = bindings
        self._limits = limits
        count, room, a_minute = limits.cached_documents, _ROOM, limits.new_documents_per_minute
        if trials_of is not None:
            count, room = _TRIAL_ENTRIES, _TRIAL_ROOM
            a_minute = limits.trial_documents_per_minute
        self._budget = CompileBudget(a_minute, clock)
        self._documents: FairCache[Hashable, Document | _Refusal] = FairCache(count, room)
        self._prepared: FairCache[Hashable, AnalysedOperation] = FairCache(count, room)
        self._permissions: FairCache[Hashable, Permissions] = FairCache(count, room)
        self._plans: FairCache[Hashable, Plan | Unplanned] = FairCache(count, room)
        #: Computations in progress, by key; the keys of the three kinds differ.
        self._pending: dict[Hashable, Work[Any]] = {}
        self._queue: CompileQueue = CompileQueue() if trials_of is None else trials_of._queue
        self._clock = clock

    @property
    def schema(self) -> GraphQLSchema:
        """The schema against which documents are validated."""
        return self._schema

    def close(self) -> None:
        """Stop the thread, once its current computation is complete."""
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
        entry = self._documents.get(key)
        if entry is None:
            make = partial(_document, self._compiler.parse, self._schema, self._limits, text)
            entry = await self._make(self._documents, key, client, deadline, make)
        if isinstance(entry, Document):
            return entry
        refusal = entry()
        if suggest and isinstance(refusal, InvalidDocument) and refusal.code in _SUGGESTIVE:
            suggested_key = (key, "suggest")
            entry = self._documents.get(suggested_key)
            if entry is None:
                again = partial(_suggested, self._schema, self._limits, text, refusal)
                entry = await self._make(self._documents, suggested_key, client, deadline, again)
            assert not isinstance(entry, Document)
            refusal = entry()
        raise refusal

    async def prepared(
        self, chosen: SelectedOperation, client: str | None, deadline: float | None = None
    ) -> AnalysedOperation:
        """Return an operation analysed; raises GatewayError."""
        key = tree_conditions(chosen)
        prepared = self._prepared.get(key)
        if prepared is not None:
            return prepared
        make = partial(_prepared, self._analysis_of(chosen), chosen)
        return await self._make(self._prepared, key, client, deadline, make)

    def permissions(self, prepared: AnalysedOperation, caller: Caller) -> Permissions:
        """Return what of an operation ``caller`` may see; once for equal scopes and purpose."""
        key = (prepared.key, caller.scopes, caller.purpose, caller.citizen is None)
        permissions = self._permissions.get(key)
        if permissions is None:
            lacking = tuple(caller.missing_for(*need) for need in prepared.needs)
            requested = requested_fields(prepared.needs, prepared.selected, lacking)
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
        plan = self._plans.get(key)
        if plan is None:
            again = self._analysis_of(chosen)
            make = partial(_plan, self._compiler.generate, prepared, again, permissions)
            plan = await self._make(self._plans, key, client, deadline, make)
        return plan if isinstance(plan, Plan) else None

    def _analysis_of(self, chosen: SelectedOperation) -> Callable[[], AnalysedOperation]:
        """Return what analyses ``chosen``."""
        return partial(self._compiler.analyse, self._schema, self._bindings, chosen)

    async def _make(
        self,
        cache: FairCache[Hashable, T],
        key: Hashable,
        client: str | None,
        deadline: float | None,
        make: Callable[[], _Compiled[T]],
    ) -> T:
        """Have made what is not kept under ``key``; those who need it meanwhile wait together."""
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


def _document(
    parse: Parse, schema: GraphQLSchema, limits: Limits, text: str
) -> _Compiled[Document | _Refusal]:
    try:
        document = parse(schema, limits, text)
    except InvalidDocument as error:
        errors = tuple(_bare(fault) for fault in error.errors)
        refusal: _Refusal = partial(InvalidDocument, error.code, errors)
        return _Compiled(refusal, refusal, len(text))
    except GatewayError as error:
        refusal = partial(GatewayError, error.code.name, error.message, details=error.details)
        return _Compiled(refusal, refusal, len(text))
    if any(operation.reads_persons for operation in document.operations.values()):
        return _Compiled(document, document.without_tree(), len(text) + _ANALYSIS)
    return _Compiled(document, document, len(text) + document.tokens * _TOKEN)


def _suggested(
    schema: GraphQLSchema, limits: Limits, text: str, plain: InvalidDocument
) -> _Compiled[Document | _Refusal]:
    """Return ``plain`` with suggestions in its first errors."""
    suggested = [_bare(suggestion) for suggestion in suggest_names(schema, limits, text)]
    errors = [
        next((suggestion for suggestion in suggested if _says_more(suggestion, error)), error)
        for error in plain.errors
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
    analyse: Callable[[], AnalysedOperation], chosen: SelectedOperation
) -> _Compiled[AnalysedOperation]:
    analysed = analyse()
    weight = _ANALYSIS
    if analysed.unplanned is not None:
        weight += chosen.document.tokens * _TOKEN
    return _Compiled(analysed, analysed.without_analysis(), weight)


def _plan(
    generate: Generate,
    prepared: AnalysedOperation,
    again: Callable[[], AnalysedOperation],
    permissions: Permissions,
) -> _Compiled[Plan | Unplanned]:
    analysis = prepared.analysis or again().analysis
    assert analysis is not None
    plan: Plan | Unplanned
    try:
        plan = generate(analysis, permissions)
    except Exception:  # a defect; the reference executor answers in the plan's place
        log.exception("no plan", error_id=random_id(), document=prepared.key.digest)
        plan = Unplanned()
    return _Compiled(plan, plan, prepared.fields * _FIELD)
