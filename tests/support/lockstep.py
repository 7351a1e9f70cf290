"""Databases that answer in lockstep: all that was asked together is one wave."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import TypeVar

from connectors.backends.base import NOBODY, Asker, Batch
from connectors.description import Lookup, Record
from tests.support.faults import Faulty
from tests.support.worlds import World

_Answer = TypeVar("_Answer")
#: Turns of the event loop within which whatever goes on without an answer has gone on.
_QUIET = 200


class Waves:
    """Holds back what is asked until nothing more is, answers it, and counts."""

    def __init__(self) -> None:
        self.count = 0
        self.asked = 0
        self._gate = asyncio.Event()

    async def join(self) -> None:
        """Wait with everything else that is asked now."""
        self.asked += 1
        await self._gate.wait()

    async def during(self, request: Awaitable[_Answer]) -> _Answer:
        """Return the answer to ``request``, and count its waves."""
        task = asyncio.ensure_future(request)
        while not task.done():
            before = self.asked
            for _ in range(_QUIET):
                await asyncio.sleep(0)
            if self.asked == before and not task.done() and self.asked:
                self.count += 1
                self.asked, gate = 0, self._gate
                self._gate = asyncio.Event()
                gate.set()
        return task.result()


class Lockstep(Faulty):
    """A database that answers with its wave."""

    waves: Waves | None = None

    async def fetch(
        self, record: Record, lookup: Lookup, keys: Sequence[str], asker: Asker = NOBODY
    ) -> Batch:
        """Wait for the wave, then fetch."""
        if self.waves is not None:
            await self.waves.join()
        return await super().fetch(record, lookup, keys, asker)


def in_lockstep(world: World) -> World:
    """Return the databases of ``world``, answering in waves once ``waves`` is set."""
    return World({name: Lockstep(world.of(name).inner) for name in world})
