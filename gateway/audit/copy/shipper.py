"""Shipping: this gateway's journal is copied to where a person's entries can be found.

It reads the segments, not what is in memory, so that a crash loses nothing; and only what is known
to be on disk, so that the copy never holds what the journal does not. Answers do not wait for it,
unless the copy is the commit point (``audit.commit``).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson
import structlog
from prometheus_client import Counter, Gauge

from gateway.audit.copy.database import Copy, CopyUnavailable, Load, Shipped
from gateway.audit.copy.tail import Gap, Line, Tail
from gateway.audit.journal.journal import Journal
from gateway.runtime.clock import Clock

LAG_ENTRIES = Gauge(
    "justice_gateway_audit_copy_lag_entries", "Entries in the journal that are not in the copy yet"
)
LAG_SECONDS = Gauge(
    "justice_gateway_audit_copy_lag_seconds", "For how long the copy has been behind the journal"
)
FAILURES = Counter("justice_gateway_audit_copy_failures", "Failed attempts to ship to the copy")

_AT_ONCE = 500
_FIRST_DELAY, _LONGEST_DELAY = 0.1, 5.0
#: Seconds after which an idle journal says again up to when it is complete.
_IDLE = 30.0


class Shipper:
    """Ships ``journal`` to ``copy`` in a task of its own, from ``open`` to ``close``.

    ``commits``: entries count as written only when the copy has them too.
    """

    def __init__(self, journal: Journal, copy: Copy, clock: Clock, commits: bool = False) -> None:
        self._journal = journal
        self._copy = copy
        self._clock = clock
        self._commits = commits
        self._wake = asyncio.Event()
        self._closing = asyncio.Event()
        self._tail: Tail | None = None
        self._shipped = Shipped(0, None, None)
        self._behind_since: float | None = None
        self._reaching: list[tuple[int, asyncio.Future[None]]] = []
        self._asked: list[asyncio.Future[None]] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def lag(self) -> int:
        """How many entries are on disk and not in the copy."""
        return max(self._journal.on_disk - self._shipped.seq, 0)

    def open(self) -> None:
        """Begin; the journal is open. Whether the copy can be reached does not matter yet."""
        self._journal.grown = self._grown
        if self._commits:
            self._journal.committed = self._reached
        LAG_ENTRIES.set_function(lambda: self.lag)
        LAG_SECONDS.set_function(self._lag_seconds)
        self._closing.clear()
        self._grown()
        self._task = asyncio.create_task(self._run())

    async def close(self, within: float = 5.0) -> None:
        """Ship what is left, if that can be done in time: the next start ships the rest.

        The journal is closed before. The copy is closed after.
        """
        self._closing.set()
        self._wake.set()
        if self._task is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within):
                    await self._task
            self._task = None
        LAG_ENTRIES.set_function(lambda: 0)
        LAG_SECONDS.set_function(lambda: 0)

    async def catch_up(self, within: float) -> bool:
        """Return whether all that is on disk now is in the copy, after ``within`` s at most."""
        asked: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asked.append(asked)
        self._wake.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                await asked
                return True
        return False

    def _reached(self, seq: int) -> asyncio.Future[None]:
        """Return a future that is done once entry ``seq`` is in the copy."""
        reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if seq > self._shipped.seq:
            self._reaching.append((seq, reached))
        else:
            reached.set_result(None)
        return reached

    def _grown(self) -> None:
        self._wake.set()
        if self._behind_since is None:
            self._behind_since = self._clock.monotonic()

    def _lag_seconds(self) -> float:
        since = self._behind_since
        return 0.0 if since is None or not self.lag else self._clock.monotonic() - since

    async def _run(self) -> None:
        delay = 0.0
        while True:
            self._wake.clear()
            try:
                await self._ship()
            except (CopyUnavailable, Gap) as error:
                FAILURES.inc()
                if not delay:
                    structlog.get_logger().error("audit_copy_failed", error=str(error))
                self._forget()
                delay = min(max(delay * 2, _FIRST_DELAY), _LONGEST_DELAY)
            else:
                delay = 0.0
            if self._closing.is_set():
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay or _IDLE):
                    await (self._closing if delay else self._wake).wait()

    def _forget(self) -> None:
        """Begin anew after a failure; of those who waited some have left."""
        self._tail = None
        self._reaching = [one for one in self._reaching if not one[1].done()]
        self._asked = [one for one in self._asked if not one.done()]

    async def _ship(self) -> None:
        """Ship all that is on disk; raises CopyUnavailable, Gap."""
        tail = self._tail or await self._resumed()
        self._tail = tail
        asked, end = self._asked, self._journal.on_disk
        self._asked = []
        try:
            await self._ship_some(tail)
            while self._shipped.seq < end:
                await self._ship_some(tail)
        except BaseException:
            self._asked += asked
            raise
        if not self.lag:
            self._behind_since = None
        for one in asked:
            _settle(one)

    async def _resumed(self) -> Tail:
        """Find out from the copy how far it is: what a failed call did is not known."""
        shipped = await self._copy.shipped(self._journal.id)
        if shipped.seq > self._journal.on_disk:
            raise Gap(f"the copy has entry {shipped.seq}, the journal ends before it")
        journal = self._journal
        tail = await asyncio.to_thread(
            Tail, journal.folder, shipped.seq, shipped.mac, journal.chain
        )
        self._shipped = shipped
        return tail

    async def _ship_some(self, tail: Tail) -> None:
        now, is_idle, end = self._clock.now(), self._journal.is_idle, self._journal.on_disk
        lines, load, last = await asyncio.to_thread(self._read, tail, end, now)
        until = now if is_idle and tail.seq == end else last
        until = _complete(until, self._shipped.until, now)
        shipped = Shipped(tail.seq, lines[-1].mac if lines else self._shipped.mac, until)
        await self._copy.ship(self._journal.id, load, shipped)
        self._shipped = shipped
        waiting, self._reaching = self._reaching, []
        for seq, reached in waiting:
            if seq > shipped.seq:
                self._reaching.append((seq, reached))
            else:
                _settle(reached)

    def _read(
        self, tail: Tail, end: int, now: datetime
    ) -> tuple[list[Line], Load, datetime | None]:
        """Read some entries, in a thread; also returns the time of the last one."""
        lines, load, last = tail.read(end, _AT_ONCE), Load(), None
        for line in lines:
            last = _add(load, self._journal.id, line, now)
        return lines, load, last


def _complete(until: datetime | None, known: datetime | None, now: datetime) -> datetime | None:
    """Return up to when the copy is complete: ``until``, or what was ``known`` if that is later.

    A time in the future says nothing: the clock was wrong then, and entries to come will bear
    earlier times.
    """
    return max((at for at in (until, known) if at is not None and at <= now), default=None)


def _settle(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)


def _add(load: Load, journal: str, line: Line, now: datetime) -> datetime:
    """Add the rows of one entry and return its time. An entry that has none is of ``now``."""
    body: dict[str, Any] = orjson.loads(line.content)
    at = _moment(body.get("at")) or now
    entry = {"journal": journal, "seq": line.seq, "at": at, "entry_id": _entry_id(body, line)}
    load.entries.append({**entry, "mac": line.mac, "body": line.content.decode()})
    shown = {
        "shows_from": _moment(body.get("showsFrom")),
        "guardian_hidden": bool(body.get("hiddenFromGuardians")),
    }
    for person, role in _persons(body.get("persons") or ()):
        load.persons.append({**entry, **shown, "person": person, "role": role})
    return at


def _entry_id(body: dict[str, Any], line: Line) -> str:
    return str(body.get("id") or f"{line.seq:016x}")


def _persons(persons: Iterable[dict[str, Any]]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((str(one["person"]), str(one["role"])) for one in persons))


def _moment(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None
