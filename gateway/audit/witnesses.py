"""Witnesses: other places that keep the journal's checkpoints.

A process that can write to the journal's folder can remove its end together with the checkpoints
and the head. The checkpoints of a witness still show it. Checkpoints are sent in the background: no
answer waits for a witness, and an unreachable one gets them later.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import sqlalchemy as sa
import structlog
from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.audit.copy.database import Copy, CopyUnavailable
from gateway.audit.journal import checkpoints
from gateway.audit.journal.checkpoints import CHECKPOINTS, Checkpoint
from gateway.audit.journal.journal import Journal
from gateway.audit.journal.recovery import Alarm, raise_alarm

_T = TypeVar("_T")

FAILURES = Counter(
    "justice_gateway_audit_checkpoint_failures",
    "Failed attempts to keep checkpoints elsewhere",
    ["place"],
)

_FIRST_DELAY, _LONGEST_DELAY = 0.1, 30.0
#: Attempts of a gateway that stops to send the last checkpoint.
_TRIES_AT_END = 3

_METADATA = sa.MetaData()
_TABLE = sa.Table(
    "audit_checkpoints",
    _METADATA,
    sa.Column("journal", sa.String(16), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("line", sa.Text, nullable=False),
)


class Witness(Protocol):
    """A place that keeps checkpoints. ``place``: its name in logs and metrics.

    Every failure is an OSError, a ValueError or a CopyUnavailable.
    """

    place: str

    async def last(self, journal: str) -> int:
        """Return the entries that the newest checkpoint of ``journal`` here counts; 0: none."""
        ...

    async def add(self, journal: str, new: Sequence[Checkpoint]) -> None:
        """Append checkpoints to those that are here, in order."""
        ...

    async def read(self, journal: str) -> list[Checkpoint]:
        """Return all checkpoints of ``journal`` here, in order."""
        ...


class FolderWitness:
    """A folder, which should be on another machine's disk; a file for each journal.

    The folder is never created: an empty mount point must not pass for it.
    """

    place = "folder"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def last(self, journal: str) -> int:
        """Return the entries that the newest checkpoint of ``journal`` here counts; 0: none."""
        newest = await _in_thread(lambda: checkpoints.last(self._path(journal), journal, None))
        return 0 if newest is None else newest.link.seq

    async def add(self, journal: str, new: Sequence[Checkpoint]) -> None:
        """Append checkpoints, which are on disk when this returns."""
        content = b"\n".join(checkpoint.line for checkpoint in new)
        await _in_thread(lambda: checkpoints.append_line(self._path(journal), content))

    async def read(self, journal: str) -> list[Checkpoint]:
        """Return all checkpoints of ``journal`` here."""
        return await _in_thread(lambda: list(checkpoints.read(self._path(journal))))

    def _path(self, journal: str) -> Path:
        if not self.folder.is_dir():
            raise FileNotFoundError(f"there is no folder {self.folder}")
        return self.folder / f"checkpoints-{journal}.jsonl"


class CopyWitness:
    """The copy of the journals: a table beside those of the entries, created if missing."""

    place = "copy"

    def __init__(self, copy: Copy) -> None:
        self._copy = copy

    async def last(self, journal: str) -> int:
        """Return the entries that the newest checkpoint of ``journal`` here counts; 0: none."""

        async def work(connection: AsyncConnection) -> int:
            await connection.run_sync(_METADATA.create_all)
            return await _last(connection, journal)

        return await self._copy.run(work)

    async def add(self, journal: str, new: Sequence[Checkpoint]) -> None:
        """Insert checkpoints, all or none; those of an earlier call are skipped."""

        async def work(connection: AsyncConnection) -> None:
            newest = await _last(connection, journal)
            rows = [
                {"journal": journal, "seq": checkpoint.link.seq, "line": checkpoint.line.decode()}
                for checkpoint in new
                if checkpoint.link.seq > newest
            ]
            if rows:
                await connection.execute(sa.insert(_TABLE), rows)

        await self._copy.run(work)

    async def read(self, journal: str) -> list[Checkpoint]:
        """Return all checkpoints of ``journal`` here; none if the table does not exist yet."""

        async def work(connection: AsyncConnection) -> Sequence[str]:
            if not await connection.run_sync(lambda sync: sa.inspect(sync).has_table(_TABLE.name)):
                return []
            statement = sa.select(_TABLE.c.line).where(_TABLE.c.journal == journal)
            return (await connection.execute(statement.order_by(_TABLE.c.seq))).scalars().all()

        lines = await self._copy.run(work)
        return [checkpoints.parse_checkpoint(line.encode(), _TABLE.name) for line in lines]


class Forwarder:
    """Sends the checkpoints of ``journal`` to ``witness``, from ``open`` to ``close``."""

    def __init__(self, journal: Journal, witness: Witness) -> None:
        self._journal = journal
        self._witness = witness
        self._sent: int | None = None
        self._wake = asyncio.Event()
        self._closing = False
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Start; the journal must be open. The witness need not be reachable yet."""
        self._closing = False
        self._task = asyncio.create_task(self._run())

    def wake(self) -> None:
        """Send new checkpoints now."""
        self._wake.set()

    async def close(self, within: float = 5.0) -> None:
        """Send what is left within ``within`` seconds; the next start sends the rest.

        Close the journal first.
        """
        self._closing = True
        self._wake.set()
        if self._task is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within):
                    await self._task
            self._task = None

    async def _run(self) -> None:
        delay, tries = 0.0, _TRIES_AT_END
        while True:
            self._wake.clear()
            try:
                await self._send()
            except (CopyUnavailable, OSError, ValueError) as error:
                FAILURES.labels(self._witness.place).inc()
                if not delay:
                    place = self._witness.place
                    structlog.get_logger().error(
                        "audit_witness_failed", place=place, error=str(error)
                    )
                self._sent = None  # the effect of a failed call is unknown
                delay = min(max(delay * 2, _FIRST_DELAY), _LONGEST_DELAY)
                if self._closing:
                    delay = _FIRST_DELAY
            else:
                delay = 0.0
            if self._closing:
                tries -= 1
                is_left = delay or self._wake.is_set()  # signed while the last ones were sent
                if not is_left or not tries:
                    return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay or None):
                    await self._wake.wait()

    async def _send(self) -> None:
        journal = self._journal
        if self._sent is None:
            self._sent = await self._witness.last(journal.id)
            if self._sent > journal.on_disk:
                raise_alarm(Alarm.CUT, known_by=self._witness.place, written_until=self._sent)
        path, sent = journal.folder / CHECKPOINTS, self._sent
        new = await asyncio.to_thread(checkpoints.read_behind, path, journal.id, sent)
        # One that is just being synced may count more, and would look like a journal that was cut.
        fresh = [checkpoint for checkpoint in new if checkpoint.link.seq <= journal.on_disk]
        if fresh:
            await self._witness.add(journal.id, fresh)
            self._sent = fresh[-1].link.seq


async def _last(connection: AsyncConnection, journal: str) -> int:
    newest = sa.select(sa.func.max(_TABLE.c.seq)).where(_TABLE.c.journal == journal)
    return (await connection.execute(newest)).scalar() or 0


async def _in_thread(work: Callable[[], _T]) -> _T:
    """Run ``work`` in a daemon thread.

    Nothing waits for the thread when the process ends, because a mount may hang for ever.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_T] = loop.create_future()

    def resolve(result: _T | None, error: Exception | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]  # what work returned

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except Exception as caught:  # of a file system: the waiter gets it
            error = caught
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(resolve, result, error)

    threading.Thread(target=run, name="audit-witness", daemon=True).start()
    return await done
