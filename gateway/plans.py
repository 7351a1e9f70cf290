"""Documents, analyses and plans: each made once, off the event loop, and kept within bounds.

One thread makes them all, one after the other, and for each client one at a time: whoever sends
ever new documents waits for themselves. What is made is pure; two who need the same at the same
time wait for the same.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import structlog
from graphql import GraphQLError, GraphQLSchema
from graphql.execution.values import VariableValues

from gateway.access.caller import Caller
from gateway.clock import Clock
from gateway.errors import GatewayError
from gateway.limits.budget import Budget
from gateway.plan.bindings import Bindings
from gateway.plan.document import Document, InvalidDocument, Operation, digest, read
from gateway.plan.kept import Kept
from gateway.plan.plan import Plan
from gateway.plan.prepared import Permissions, Prepared, compiled, conditions, prepare
from gateway.settings import Limits

log = structlog.get_logger(__name__)

T = TypeVar("T")
#: Makes the exception with which a document is refused: one that was raised holds on to the request
#: that it was raised in.
_Refusal = Callable[[], GatewayError | InvalidDocument]

#: Bytes, measured: a token of a kept document; a character of an analysed or compiled one's tree.
_TOKEN, _FIELD = 350, 2_000
#: For how many bytes of each kind there is room per document that the settings allow.
_ROOM = 60_000


class Unplanned:
    """Stands in place of a plan that could not be generated."""


class Plans:
    """Makes and keeps; bounded in number and in bytes (estimated), for each client and together."""

    def __init__(
        self, schema: GraphQLSchema, bindings: Bindings, limits: Limits, clock: Clock
    ) -> None:
        self._schema = schema
        self._bindings = bindings
        self._limits = limits
        self._budget = Budget(limits.new_documents, clock)
        room = limits.documents * _ROOM
        self._documents: Kept[Hashable, Document | _Refusal] = Kept(limits.documents, room)
        self._prepared: Kept[Hashable, Prepared] = Kept(limits.documents, room)
        self._permissions: Kept[Hashable, Permissions] = Kept(limits.documents, room)
        self._plans: Kept[Hashable, Plan | Unplanned] = Kept(limits.documents, room)
        #: What is being made, by key: keys tell the three kinds apart.
        self._under_way: dict[Hashable, asyncio.Task[Any]] = {}
        self._turns: dict[str | None, asyncio.Lock] = {}
        self._thread = ThreadPoolExecutor(1, "plans")

    def close(self) -> None:
        """Let go of the thread; what is being made is finished first."""
        self._thread.shutdown()

    async def document(self, text: str, client: str | None) -> Document:
        """Return the document of ``text``; refusals are kept too.

        Raises InvalidDocument, or GatewayError: one of the limits, or TOO_MANY_DOCUMENTS.
        """
        make = partial(_document, self._schema, self._limits, text)
        found = await self._get(self._documents, digest(text), client, make)
        if isinstance(found, Document):
            return found
        raise found()

    async def prepared(
        self, document: Document, operation: Operation, values: VariableValues, client: str | None
    ) -> Prepared:
        """Return ``operation`` analysed; raises GatewayError."""
        key = conditions(document, operation, values)
        make = partial(_prepared, self._schema, self._bindings, document, operation, values)
        return await self._get(self._prepared, key, client, make)

    def permissions(self, prepared: Prepared, caller: Caller) -> Permissions:
        """Return what of an operation ``caller`` may see; found out once for the same scopes."""
        key = (prepared.key, caller.scopes, caller.citizen is None)
        found = self._permissions.get(key)
        if found is None:
            lacking = tuple(caller.lacks(*need) for need in prepared.analysis.needs)
            found = Permissions(lacking, caller.citizen is not None)
            self._permissions.keep(key, found, len(lacking), caller.client)
        return found

    async def plan(
        self, prepared: Prepared, permissions: Permissions, client: str | None
    ) -> Plan | None:
        """Return the plan, None where it could not be generated: the log says why, once.

        Raises GatewayError TOO_MANY_DOCUMENTS.
        """
        key = (prepared.key, permissions)
        make = partial(_plan, prepared, permissions)
        found = await self._get(self._plans, key, client, make)
        return found if isinstance(found, Plan) else None

    async def _get(
        self,
        kept: Kept[Hashable, T],
        key: Hashable,
        client: str | None,
        make: Callable[[], tuple[T, int]],
    ) -> T:
        """Return what is kept under ``key``, or have it made: ``make`` says what it weighs too."""
        found = kept.get(key)
        if found is not None:
            return found
        under_way = self._under_way.get(key)
        if under_way is None:
            self._budget.take(client)
            under_way = asyncio.create_task(self._made(kept, key, client, make))
            self._under_way[key] = under_way
        # Shielded: whoever goes away must not take it from the others who wait.
        made: T = await asyncio.shield(under_way)
        return made

    async def _made(
        self,
        kept: Kept[Hashable, T],
        key: Hashable,
        client: str | None,
        make: Callable[[], tuple[T, int]],
    ) -> T:
        turn = self._turns.setdefault(client, asyncio.Lock())
        try:
            async with turn:
                loop = asyncio.get_running_loop()
                made, weight = await loop.run_in_executor(self._thread, make)
            kept.keep(key, made, weight, client)
            return made
        finally:
            del self._under_way[key]
            if not turn.locked():
                self._turns.pop(client, None)


def _document(schema: GraphQLSchema, limits: Limits, text: str) -> tuple[Document | _Refusal, int]:
    try:
        document = read(schema, limits, text)
    except InvalidDocument as error:
        errors = tuple(_bare(one) for one in error.errors)
        return partial(InvalidDocument, error.code, errors), len(text)
    except GatewayError as error:
        refusal = partial(GatewayError, error.code.name, error.message, details=error.details)
        return refusal, len(text)
    return document, len(text) + document.tokens * _TOKEN


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
    schema: GraphQLSchema,
    bindings: Bindings,
    document: Document,
    operation: Operation,
    values: VariableValues,
) -> tuple[Prepared, int]:
    made = prepare(schema, bindings, document, operation, values)
    return made, made.analysis.fields * _FIELD


def _plan(prepared: Prepared, permissions: Permissions) -> tuple[Plan | Unplanned, int]:
    try:
        return compiled(prepared, permissions), prepared.analysis.fields * _FIELD
    except Exception:  # a defect; the reference executor answers in the plan's place
        log.exception("no plan", error_id=uuid.uuid4().hex, document=prepared.key.digest)
        return Unplanned(), _FIELD
