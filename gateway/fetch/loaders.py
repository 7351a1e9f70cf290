"""One request's reads for the reference executor: batched by lookup, within one deadline.

Built on aiodataloader: keys that are loaded in the same turn of the event loop go to the source
together, past the cache. Waiting ends at the request's deadline, whatever the source does. Where a
source fails, older rows may stand in, as they may for ``gateway.fetch.reads``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

from aiodataloader import DataLoader

from connectors.backends.base import Asker
from gateway.answer import Answer, State
from gateway.catalogue.read import Read, ReadKind
from gateway.fetch.reads import SubjectNumbers
from gateway.fetch.sharing import SHARE_ALL, Sharing
from gateway.fetch.source import LARGEST_BATCH, Source
from gateway.runtime.clock import Clock


class Loader(Protocol):
    """Loads answers, one key at a time."""

    async def load(self, read: Read, key: str, subject_numbers: SubjectNumbers = ()) -> Answer:
        """Return the answer for ``key``; never raises for what a source does.

        ``subject_numbers``: of the person for whose view it is.
        """
        ...

    def for_asker(self, asker: Asker) -> Loader:
        """Return what loads for ``asker``, within the same request."""
        ...


class Loaders:
    """Loads answers for the request of ``asker``.

    ``deadline`` is a moment of the clock's monotonic time. ``sharing``: what the request shares
    with others.
    """

    def __init__(
        self,
        sources: Mapping[str, Source],
        clock: Clock,
        deadline: float,
        asker: Asker,
        sharing: Sharing = SHARE_ALL,
    ) -> None:
        self._sharing = sharing
        self._sources = sources
        self._asker = asker
        self._clock = clock
        self._deadline = deadline
        self._loaders: dict[ReadKind, DataLoader[str, Answer]] = {}

    async def load(self, read: Read, key: str, subject_numbers: SubjectNumbers = ()) -> Answer:
        """Return the answer for one key; loading the same key again costs nothing.

        Never raises for what a source does. After the deadline the answer is TIMED_OUT, while the
        call goes on for others until the database's own timeout.
        """
        record, source = read.record, self._sources[read.record.database]
        loader = self._loader(read)
        try:
            async with asyncio.timeout(self._seconds_left()):
                answer = await asyncio.shield(loader.load(key))
        except TimeoutError:
            answer = Answer(source.report(record, State.TIMED_OUT))
        if read.fresh or self._sharing.is_fresh(record):
            return answer
        return source.stale_or(read, key, subject_numbers, answer)

    def for_asker(self, asker: Asker) -> Loaders:
        """Return the loaders of ``asker``; the same ones where no source is told who asks."""
        if not any(source.is_told_who_asks for source in self._sources.values()):
            return self
        return Loaders(self._sources, self._clock, self._deadline, asker, self._sharing)

    def _seconds_left(self) -> float:
        return max(self._deadline - self._clock.monotonic(), 0)

    def _loader(self, read: Read) -> DataLoader[str, Answer]:
        loader = self._loaders.get(read.kind)
        if loader is None:
            source, stores = self._sources[read.record.database], not self._sharing.isolated

            async def fetch(keys: list[str]) -> list[Answer]:
                source.cache_use.keys += len(keys)
                left = self._seconds_left()
                return await source.fetch(read, keys, left, self._asker, stores=stores)

            loader = DataLoader(fetch, max_batch_size=LARGEST_BATCH)
            self._loaders[read.kind] = loader
        return loader
