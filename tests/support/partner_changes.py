"""A partner that offers the changes of the sample database over X-Road."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx2

from connectors.backends.memory import MemoryBackend
from connectors.changes.xroad_pull import XroadChangeSource, XroadPullOptions
from connectors.xroad.identifiers import Identifier
from connectors.xroad.stand_in import StandIn
from tests.support.backend_samples import DATABASE, EMPTY
from tests.support.xroad import NAMES, SERVICE, options

Values = Mapping[str, object]
CHANGES = Identifier((*SERVICE.parts[:4], "changes"))


class Partner:
    """Keeps rows of the sample database, and a feed of their changes behind a stand-in."""

    def __init__(self) -> None:
        backend = MemoryBackend(DATABASE, EMPTY, None)
        self.stand_in = StandIn(DATABASE, backend, *NAMES, change_service=CHANGES)
        self._rows: dict[tuple[str, object], dict[str, object]] = {}

    def source(self, **changed: Any) -> XroadChangeSource:
        """Return a source of the changes; ``changed``: options that are otherwise."""
        return XroadChangeSource(
            DATABASE,
            replace(options(), service=CHANGES),
            XroadPullOptions(**{"sees_before": True, **changed}),
            transport=httpx2.ASGITransport(self.stand_in.app()),
        )

    async def insert(self, record: str, row: Values) -> None:
        self._change(record, "c", row, None, dict(row))

    async def update(self, record: str, row: Values) -> None:
        old = self._rows[record, row[DATABASE.by_name[record].identity]]
        self._change(record, "u", row, old, {**old, **row})

    async def delete(self, record: str, row: Values) -> None:
        self._change(
            record, "d", row, self._rows[record, row[DATABASE.by_name[record].identity]], None
        )

    async def clear(self, record: str) -> None:
        for name, identity in [key for key in self._rows if key[0] == record]:
            await self.delete(name, {DATABASE.by_name[record].identity: identity})

    def _change(
        self,
        record: str,
        operation: str,
        row: Values,
        old: dict[str, object] | None,
        new: dict[str, object] | None,
    ) -> None:
        described = DATABASE.by_name[record]
        identity = str(row[described.identity])
        self.stand_in.changes.append(described, operation, identity, old, new)
        if new is None:
            del self._rows[record, identity]
        else:
            self._rows[record, identity] = new
