"""Shipping: this gateway's journal is copied to where a person's entries can be found.

It reads the segments, not memory, so that a crash loses nothing; and only entries that are on disk,
so that the copy never has an entry that the journal lacks. Answers do not wait for it, unless the
copy is the commit point (``audit.commit``), or does not know of this journal yet (decision 99).
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
from gateway.audit.copy.registration import CopyRegistration
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
#: Seconds after which an idle journal states again up to when it is complete.
_IDLE = 30.0


class Shipper:
    """Ships ``journal`` to ``copy`` in a background task, from ``open`` to ``close``.

    ``commits``: an entry counts as written only when the copy has it too.
    ``idle``: seconds after which an idle journal states again up to when it is complete.
    """

    def __init__(
        self,
        journal: Journal,
        copy: Copy,
        clock: Clock,
        commits: bool = False,
        *,
        idle: float = _IDLE,
    ) -> None:
        self._journal = journal
        self._copy = copy
        self._clock = clock
        self._commits = commits
        self._idle = idle
        self._wake = asyncio.Event()
        self._closing = asyncio.Event()
        self._tail: Tail | None = None
        self._shipped = Shipped(0, None, None)
        self._is_registered = False
        self._behind_since: float | None = None
        self._reaching: list[tuple[int, asyncio.Future[None]]] = []
        self._catching_up: list[asyncio.Future[None]] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def lag(self) -> int:
        """Entries that are on disk and not in the copy."""
        return max(self._journal.on_disk - self._shipped.seq, 0)

    def open(self) -> None:
        """Start; the journal must be open. The copy need not be reachable yet.

        Entries wait for it all the same where the journal has no row in it yet.
        """
        self._journal.grown = self._grown
        self._is_registered = self._registration().is_remembered()
        if self._commits or not self._is_registered:
            self._journal.committed = self._reached
        LAG_ENTRIES.set_function(lambda: self.lag)
        LAG_SECONDS.set_function(self._lag_seconds)
        self._closing.clear()
        self._grown()
        self._task = asyncio.create_task(self._run())

    async def close(self, within: float = 5.0) -> None:
        """Ship what is left within ``within`` seconds; the next start ships the rest.

        Close the journal first, the copy afterwards.
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
        """Return whether all entries that are on disk now are in the copy; waits ``within`` s."""
        caught_up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._catching_up.append(caught_up)
        self._wake.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                await caught_up
                return True
        return False

    def _reached(self, seq: int) -> asyncio.Future[None]:
        """Return a future that is done once entry ``seq`` is in the copy, or need not be."""
        reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if seq > self._shipped.seq or not self._is_registered:
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
            except (CopyUnavailable, Gap, OSError) as error:
                FAILURES.inc()
                if not delay:
                    structlog.get_logger().error("audit_copy_failed", error=str(error))
                self._reset()
                delay = min(max(delay * 2, _FIRST_DELAY), _LONGEST_DELAY)
            else:
                delay = 0.0
            if self._closing.is_set():
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay or self._idle):
                    await (self._closing if delay else self._wake).wait()

    def _reset(self) -> None:
        """Reset after a failure; drop the waiters that were cancelled."""
        self._tail = None
        self._reaching = [waiter for waiter in self._reaching if not waiter[1].done()]
        self._catching_up = [waiter for waiter in self._catching_up if not waiter.done()]

    async def _ship(self) -> None:
        """Ship all entries that are on disk; raises CopyUnavailable, Gap, OSError."""
        tail = self._tail or await self._resumed()
        self._tail = tail
        requests, end = self._catching_up, self._journal.on_disk
        self._catching_up = []
        try:
            await self._ship_some(tail)
            while self._shipped.seq < end:
                await self._ship_some(tail)
        except BaseException:
            self._catching_up += requests
            raise
        if not self.lag:
            self._behind_since = None
        for request in requests:
            _resolve(request)

    async def _resumed(self) -> Tail:
        """Return the tail behind the last entry in the copy: a failed call may have added some."""
        shipped = await self._copy.shipped(self._journal.id)
        if not self._is_registered:
            await self._register()
        if shipped.seq > self._journal.on_disk:
            raise Gap(f"the copy has entry {shipped.seq}, the journal ends before it")
        journal = self._journal
        tail = await asyncio.to_thread(
            Tail, journal.folder, shipped.seq, shipped.mac, journal.chain
        )
        self._shipped = shipped
        return tail

    def _registration(self) -> CopyRegistration:
        return CopyRegistration(self._journal.folder, self._journal.id, self._copy.place)

    async def _register(self) -> None:
        """Remember that the copy has the row of this journal, and let entries go that wait for it.

        Where the copy is the commit point, they still wait until they are in it.
        """
        await asyncio.to_thread(self._registration().remember)
        self._is_registered = True
        if not self._commits:
            self._journal.committed = None
            waiting, self._reaching = self._reaching, []
            for _, reached in waiting:
                _resolve(reached)

    async def _ship_some(self, tail: Tail) -> None:
        now, is_idle, end = self._clock.now(), self._journal.is_idle, self._journal.on_disk
        lines, load, last = await asyncio.to_thread(self._read, tail, end, now)
        until = now if is_idle and tail.seq == end else last
        until = _complete(until, self._shipped.until, now)
        shipped = Shipped(tail.seq, lines[-1].mac if lines else self._shipped.mac, until)
        await self._copy.ship(self._journal.id, load, self._shipped, shipped)
        self._shipped = shipped
        waiting, self._reaching = self._reaching, []
        for seq, reached in waiting:
            if seq > shipped.seq:
                self._reaching.append((seq, reached))
            else:
                _resolve(reached)

    def _read(
        self, tail: Tail, end: int, now: datetime
    ) -> tuple[list[Line], Load, datetime | None]:
        """Read some entries, in a thread; return them, their rows, and the time of the last one."""
        lines, load, last = tail.read(end, _AT_ONCE), Load(), None
        for line in lines:
            last = _add(load, self._journal.id, line, now)
        return lines, load, last


def _complete(until: datetime | None, earlier: datetime | None, now: datetime) -> datetime | None:
    """Return up to when the copy is complete: the later one of ``until`` and ``earlier``.

    A time in the future is ignored: a clock was wrong, and new entries will have earlier times.
    """
    return max((at for at in (until, earlier) if at is not None and at <= now), default=None)


def _resolve(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)


def _add(load: Load, journal: str, line: Line, now: datetime) -> datetime:
    """Add the rows of one entry and return its time, ``now`` for an entry without one."""
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
    return list(dict.fromkeys((str(person["person"]), str(person["role"])) for person in persons))


def _moment(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None
