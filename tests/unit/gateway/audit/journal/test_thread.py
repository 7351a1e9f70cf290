"""The writing thread: groups are written in order, together if they wait, and never forgotten."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from gateway.audit.journal.pending import PendingEntry
from gateway.audit.journal.thread import WriterThread


class Written:
    """Notes what the thread writes and hands back; ``held`` holds a write until it is set."""

    def __init__(self) -> None:
        self.writes: list[list[bytes]] = []
        self.outcomes: list[tuple[int, int, Exception | None]] = []
        self.threads: set[threading.Thread] = set()
        self.held = threading.Event()
        self.held.set()
        self.begun = threading.Event()
        self.fault: Exception | None = None
        self._returned = asyncio.Event()

    def write(self, bodies: Sequence[bytes]) -> int:
        self.threads.add(threading.current_thread())
        self.writes.append([*bodies])
        self.begun.set()
        assert self.held.wait(10)
        if self.fault is not None:
            raise self.fault
        return 1 + sum(len(before) for before in self.writes[:-1])

    def written(
        self, groups: list[list[PendingEntry]], first: int, error: Exception | None
    ) -> None:
        assert threading.current_thread() is threading.main_thread()
        self.outcomes.append((len(groups), first, error))
        self._returned.set()

    async def returned(self, writes: int) -> None:
        async with asyncio.timeout(10):
            while len(self.outcomes) < writes:
                self._returned.clear()
                await self._returned.wait()


def _group(*bodies: bytes) -> list[PendingEntry]:
    loop = asyncio.get_running_loop()
    return [PendingEntry(body, loop.create_future(), 0.0) for body in bodies]


async def test_a_group_is_written_at_once_and_handed_back_once() -> None:
    noted = Written()
    thread = WriterThread(noted.write, noted.written)
    thread.put(_group(b"1", b"2", b"3"))
    await noted.returned(1)
    thread.stop()
    assert noted.writes == [[b"1", b"2", b"3"]]
    assert noted.outcomes == [(1, 1, None)]
    assert threading.main_thread() not in noted.threads


async def test_groups_that_come_while_others_are_written_are_written_together() -> None:
    noted = Written()
    noted.held.clear()
    thread = WriterThread(noted.write, noted.written)
    thread.put(_group(b"1"))
    assert await asyncio.to_thread(noted.begun.wait, 10)
    for body in (b"2", b"3", b"4"):
        thread.put(_group(body))
    noted.held.set()
    await noted.returned(2)
    thread.stop()
    assert noted.writes == [[b"1"], [b"2", b"3", b"4"]]
    assert noted.outcomes == [(1, 1, None), (3, 2, None)]


async def test_a_write_that_fails_fails_all_its_groups_and_no_other() -> None:
    noted = Written()
    noted.held.clear()
    thread = WriterThread(noted.write, noted.written)
    noted.fault = OSError(5, "broken")
    thread.put(_group(b"1"))
    assert await asyncio.to_thread(noted.begun.wait, 10)
    thread.put(_group(b"2"))
    thread.put(_group(b"3"))
    noted.held.set()
    await noted.returned(2)
    assert [(groups, error) for groups, _, error in noted.outcomes] == [
        (1, noted.fault),
        (2, noted.fault),
    ]
    noted.fault = None
    thread.put(_group(b"4"))
    await noted.returned(3)
    thread.stop()
    assert noted.outcomes[2][2] is None


async def test_other_work_comes_after_what_was_handed_over_before_it() -> None:
    noted = Written()
    seen: list[int] = []
    thread = WriterThread(noted.write, noted.written)
    thread.put(_group(b"1"))
    await thread.run(lambda: seen.append(len(noted.writes)))
    assert seen == [1]
    assert noted.outcomes == [(1, 1, None)], "its outcome came back first"
    thread.stop()


async def test_work_that_fails_raises_where_it_is_waited_for() -> None:
    noted = Written()
    thread = WriterThread(noted.write, noted.written)

    def broken() -> None:
        raise OSError(5, "broken")

    with pytest.raises(OSError, match="broken"):
        await thread.run(broken)
    thread.put(_group(b"1"))
    await noted.returned(1)
    thread.stop()
    assert noted.writes == [[b"1"]], "the thread goes on"


async def test_stopping_writes_what_was_handed_over() -> None:
    noted = Written()
    thread = WriterThread(noted.write, noted.written)
    for number in range(50):
        thread.put(_group(b"%d" % number))
    thread.stop()
    assert [body for bodies in noted.writes for body in bodies] == [b"%d" % n for n in range(50)]
    assert not any(one.is_alive() for one in noted.threads)
    await noted.returned(len(noted.writes))
    assert sum(groups for groups, _, _ in noted.outcomes) == 50
