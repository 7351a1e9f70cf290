"""The thread that writes the journal: the event loop hands it groups of entries, never single ones.

Every hand-over lets another thread take the interpreter, which costs more than an entry does. So
there are two for a group, however many entries it has: one to the thread and one back.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.audit.journal.pending import PendingEntry

#: Takes groups whose entries were written together, the number of the first entry, and the error if
#: none was written.
Written = Callable[[list[list[PendingEntry]], int, Exception | None], None]


@dataclass(frozen=True, slots=True)
class _Work:
    """Something else to do in the thread, and the future of its end."""

    run: Callable[[], None]
    done: asyncio.Future[None]


class WriterThread:
    """Calls ``write`` in a thread of its own, and then ``written`` in the event loop.

    Groups that come while others are written are written together. Nothing is handed over twice,
    nothing is left out, and the order stays. Made in the running event loop, and used from it.
    """

    def __init__(self, write: Callable[[Sequence[bytes]], int], written: Written) -> None:
        self._write = write
        self._written = written
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[list[PendingEntry] | _Work | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
        self._thread.start()

    def put(self, group: list[PendingEntry]) -> None:
        """Hand over entries; ``written`` is called when they are on disk, or cannot be."""
        self._queue.put(group)

    async def run(self, work: Callable[[], None]) -> None:
        """Run ``work`` in the thread, after all that was handed over; raises what it raises."""
        done: asyncio.Future[None] = self._loop.create_future()
        self._queue.put(_Work(work, done))
        await done

    def stop(self) -> None:
        """End the thread, after all that was handed over, and wait for its end."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        groups: list[list[PendingEntry]] = []
        while True:
            item = self._queue.get()
            if isinstance(item, list):
                groups.append(item)
                if not self._queue.empty():
                    continue  # what waits is written together, up to other work
            if groups:
                self._write_groups(groups)
                groups = []
            if item is None:
                return
            if isinstance(item, _Work):
                self._work(item)

    def _write_groups(self, groups: list[list[PendingEntry]]) -> None:
        first, error = 0, None
        try:
            first = self._write([entry.body for group in groups for entry in group])
        except Exception as caught:  # whatever it was: no waiter may hang, or be answered
            error = caught
        self._call(self._written, groups, first, error)

    def _work(self, work: _Work) -> None:
        error = None
        try:
            work.run()
        except Exception as caught:  # the waiter gets it
            error = caught
        self._call(_end, work.done, error)

    def _call(self, function: Callable[..., None], *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            self._loop.call_soon_threadsafe(function, *arguments)


def _end(done: asyncio.Future[None], error: Exception | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)
