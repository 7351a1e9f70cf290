"""One request's way to the sources past the cache: batched by record, within one deadline.

Built on aiodataloader: keys that are asked for in the same turn of the event loop go to the source
together. Waiting ends at the request's deadline, whatever the source does. Only where a source
fails, older rows may stand in, as they may for ``gateway.fetch.reads``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

from aiodataloader import DataLoader

from connectors.backends.base import Asker
from gateway.answer import Answer, State
from gateway.fetch.read import Read, ReadKind
from gateway.fetch.reads import SubjectNumbers
from gateway.fetch.sharing import SHARE_ALL, Sharing
from gateway.fetch.source import LARGEST_BATCH, Source
from gateway.runtime.clock import Clock


class Loader(Protocol):
    """What loads answers, one key at a time."""

    async def load(self, read: Read, key: str, subject_numbers: SubjectNumbers = ()) -> Answer:
        """Return the answer for ``key``; never raises for what a source does.

        ``subject_numbers``: of the person for whose view it is.
        """
        ...


class Loaders:
    """Loads answers for the request of ``asker``.

    ``deadline`` is a moment of the clock's monotonic time. ``terms``: what is shared with others.
    """

    def __init__(
        self,
        sources: Mapping[str, Source],
        clock: Clock,
        deadline: float,
        asker: Asker,
        terms: Sharing = SHARE_ALL,
    ) -> None:
        self._terms = terms
        self._sources = sources
        self._asker = asker
        self._clock = clock
        self._deadline = deadline
        self._loaders: dict[ReadKind, DataLoader[str, Answer]] = {}

    async def load(self, read: Read, key: str, subject_numbers: SubjectNumbers = ()) -> Answer:
        """Return the answer for one key; asking again for the same one costs nothing.

        Never raises for what a source does. After the deadline the answer is TIMED_OUT, while what
        was asked goes on for others until the database's own timeout.
        """
        record, loader = read.record, self._loader(read)
        left = self._deadline - self._clock.monotonic()
        try:
            async with asyncio.timeout(max(left, 0)):
                answer = await asyncio.shield(loader.load(key))
        except TimeoutError:
            answer = Answer(self._sources[record.database].report(record, State.TIMED_OUT))
        if read.fresh or self._terms.is_past(record):
            return answer
        return self._sources[record.database].stale_or(read, key, subject_numbers, answer)

    def _loader(self, read: Read) -> DataLoader[str, Answer]:
        loader = self._loaders.get(read.kind)
        if loader is None:
            source = self._sources[read.record.database]

            async def batch(keys: list[str]) -> list[Answer]:
                left = self._deadline - self._clock.monotonic()
                return await source.fetch(
                    read, keys, max(left, 0), self._asker, keeps=not self._terms.apart
                )

            loader = DataLoader(batch, max_batch_size=LARGEST_BATCH)
            self._loaders[read.kind] = loader
        return loader
