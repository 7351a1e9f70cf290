"""A backend that fails on demand, to test how the gateway responds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import cast

from connectors.backends.base import (
    NOBODY,
    Asker,
    Backend,
    Batch,
    Capabilities,
    DataFault,
    Examination,
    NotMapped,
    SourceMaintenance,
    SourceRefused,
    SourceUnavailable,
)
from connectors.backends.row_counts import CountingBackend, CountRequest, GroupCounts
from connectors.description import Lookup, Record


class Faulty:
    """Passes calls on to ``inner`` unless ``fault`` says otherwise.

    ``fault``: None, "down", "once" (down for one call), "hangs", "defect", "unmapped", "refuses",
    "spoilt" (a value fails the statement) or "maintenance". ``fetched`` notes what was asked,
    ``pings`` how often whether it is there.
    """

    def __init__(self, inner: Backend, fault: str | None = None) -> None:
        self.inner = inner
        self.fault = fault
        self.only: str | None = None
        self.pings = 0
        self.fetched: list[tuple[str, str, tuple[str, ...]]] = []

    @property
    def capabilities(self) -> Capabilities:
        return self.inner.capabilities

    async def open(self) -> None:
        await self.inner.open()

    async def close(self) -> None:
        await self.inner.close()

    async def ping(self) -> None:
        self.pings += 1
        await self._fail()
        await self.inner.ping()

    async def examine(self, *, thoroughly: bool = False) -> Examination:
        return await self.inner.examine(thoroughly=thoroughly)

    async def fetch(
        self, record: Record, lookup: Lookup, keys: Sequence[str], asker: Asker = NOBODY
    ) -> Batch:
        self.fetched.append((record.name, lookup.name, tuple(keys)))
        # A table that is missing is missing for lists that are found through it, too.
        is_through = lookup.through is not None and lookup.through[0] == self.only
        is_missing = self.fault == "unmapped" and is_through
        if self.only is None or self.only == record.name or is_missing:
            await self._fail()
        return await self.inner.fetch(record, lookup, keys, asker)

    async def count(self, request: CountRequest) -> GroupCounts:
        """Pass the count on, unless there is a fault."""
        await self._fail()
        return await cast("CountingBackend", self.inner).count(request)

    async def _fail(self) -> None:
        match self.fault:
            case "down":
                raise SourceUnavailable("secret-host refused the connection to secret_table")
            case "once":
                self.fault = None
                raise SourceUnavailable("the connection was closed")
            case "refuses":
                raise SourceRefused("secret-host: access denied")
            case "spoilt":
                raise DataFault("a value cannot be read")
            case "maintenance":
                raise SourceMaintenance("secret-host: back soon")
            case "hangs":
                await asyncio.Event().wait()
            case "defect":
                raise RuntimeError("secret-host: secret_table exploded")
            case "unmapped":
                raise NotMapped("secret_table")
            case _:
                pass


class Gated(Faulty):
    """Answers for the record called ``held`` (None: for any) only once ``gate`` is open.

    ``is_waiting``: somebody has asked for it.
    """

    def __init__(self, inner: Backend, held: str | None = None) -> None:
        super().__init__(inner)
        self.held = held
        self.gate = asyncio.Event()
        self.is_waiting = asyncio.Event()

    async def fetch(
        self, record: Record, lookup: Lookup, keys: Sequence[str], asker: Asker = NOBODY
    ) -> Batch:
        """Wait for the gate, then fetch."""
        if self.held in {None, record.name}:
            self.is_waiting.set()
            await self.gate.wait()
        return await super().fetch(record, lookup, keys, asker)
