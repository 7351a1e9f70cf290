"""A database behind X-Road as a source: one message for many people, signed for one caller."""

from __future__ import annotations

from collections.abc import Sequence

import httpx2

from connectors.backends.base import (
    NOBODY,
    Asker,
    Batch,
    Capabilities,
    Examination,
    Finding,
    NotMapped,
    Scope,
    SourceMaintenance,
    SourceRefused,
    SourceUnavailable,
    merge_batches,
    report_unreachable,
)
from connectors.description import Database, Lookup, Record
from connectors.xroad.exchange import Reply, TooLarge, XroadExchange, XroadOptions, code_of
from connectors.xroad.messages import (
    MAINTENANCE,
    NOT_KEPT,
    MalformedMessage,
    parse_answer,
    request_body,
)

_KEYS_AT_ONCE = 200
_MAKE = "X-Road"


class XroadBackend:
    """The records of ``database`` behind an X-Road service.

    Raises ValueError for TLS files that cannot be used. ``transport`` replaces the network in
    tests.
    """

    def __init__(
        self,
        database: Database,
        options: XroadOptions,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        scope = Scope.PROCESS if options.shared else Scope.CALLER
        self.capabilities = Capabilities(batch_scope=scope, cache_scope=scope)
        self._database = database
        self._options = options
        self._exchange = XroadExchange(options, transport)

    async def open(self) -> None:
        """Do nothing: connections are opened on demand."""

    async def close(self) -> None:
        """Close all connections."""
        await self._exchange.close()

    async def ping(self) -> None:
        """List the allowed methods: both security servers must answer. Raises SourceUnavailable."""
        await self._exchange.allowed()

    async def examine(self, *, thoroughly: bool = False) -> Examination:
        """Examine whether the service may be called at all; see ``Backend.examine``."""
        code = self._options.service.parts[-1]
        advice = "have the provider grant it to this client, or mend service and client"
        try:
            allowed = await self._exchange.allowed()
        except SourceRefused as error:
            finding = Finding("service", f"it is refused: {error}", advice, ("xroad", "client"))
            return Examination((finding,), _MAKE, serves=False)
        except SourceUnavailable as error:
            return report_unreachable(error)
        if code in allowed:
            return Examination(server=_MAKE)
        text = f"service {code} is not among those that may be called"
        finding = Finding("service", text, advice, ("xroad", "service"))
        return Examination((finding,), _MAKE, serves=False)

    async def fetch(
        self, record: Record, lookup: Lookup, keys: Sequence[str], asker: Asker = NOBODY
    ) -> Batch:
        """Return the rows for ``keys``; see ``Backend.fetch``.

        Costs a message per 200 keys, more where answers are too large for one. Raises
        SourceUnavailable (with its kinds) or NotMapped.
        """
        every = list(dict.fromkeys(keys))
        batches = [
            await self._fetch_part(record, lookup, every[start : start + _KEYS_AT_ONCE], asker)
            for start in range(0, len(every), _KEYS_AT_ONCE)
        ]
        return merge_batches(batches)

    async def _fetch_part(
        self, record: Record, lookup: Lookup, keys: list[str], asker: Asker
    ) -> Batch:
        usable = [key for key in keys if _is_text(key)]
        unusable = {key: "it is no text" for key in keys if not _is_text(key)}
        if not usable:
            return Batch({}, failed=unusable)
        try:
            reply = await self._exchange.post(request_body(record, lookup, usable), asker)
        except TooLarge:
            if len(usable) == 1:
                return Batch({}, failed={usable[0]: "its answer is too large", **unusable})
            half = len(usable) // 2
            halves = (usable[:half], usable[half:])
            parts = [await self._fetch_part(record, lookup, part, asker) for part in halves]
            return merge_batches([*parts, Batch({}, failed=unusable)])
        batch = self._understood(record, usable, reply)
        evidence = dict.fromkeys(usable, reply.evidence)
        return Batch(batch.by_key, batch.as_of, {**batch.failed, **unusable}, evidence)

    def _understood(self, record: Record, keys: list[str], reply: Reply) -> Batch:
        """Parse the provider's own answer."""
        if reply.status != 200:
            code = code_of(reply.body)
            if reply.status == 404 and code == NOT_KEPT:
                raise NotMapped(f"the provider does not keep {record.name}")
            if reply.status == 503 and code == MAINTENANCE:
                raise SourceMaintenance("the provider says so")
            raise SourceUnavailable(f"the provider answered with status {reply.status}")
        try:
            return parse_answer(record, keys, reply.body)
        except MalformedMessage as error:
            raise SourceUnavailable(
                f"the provider answered otherwise than agreed: {error}"
            ) from None


def _is_text(key: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in key)
