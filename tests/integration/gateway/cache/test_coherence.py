"""The guarantee of the cache (design section 8) under random histories.

A history interleaves writes, invalidations, requests, statements that read early and return late,
reads of the log, time, processes that stop or are replaced, and a Redis that is killed and comes
back empty or with older contents. After every step, no request that started after an invalidation's
``effectiveBy`` may be answered from rows read before it.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
import structlog

from gateway.answer import State
from gateway.cache.invalidations import Invalidation
from gateway.settings import DatabaseSettings
from tests.support.coherence import (
    QUESTIONS,
    ROWS,
    Process,
    Question,
    Row,
    Truth,
    is_about,
    someone,
    version_of,
    wait_until,
)
from tests.support.redis_server import Server, redis_process
from tests.support.running import TestClock

#: Histories, and steps of each: 4 x 15 x 120 in CI (some 20 s), more with COHERENCE_HISTORIES.
HISTORIES = int(os.environ.get("COHERENCE_HISTORIES", "15"))
STEPS = 120
SETTINGS = (
    DatabaseSettings(timeout=9_000, fresh=60),
    DatabaseSettings(timeout=9_000, fresh=0.5, stale_while_revalidate=60),
    DatabaseSettings(timeout=9_000, fresh=1, stale_while_revalidate=3, stale_if_error=60),
    DatabaseSettings(timeout=9_000, stale_if_error=60),
)


@dataclass
class History:
    """One run. ``promised``: what was invalidated, from when, and the versions at that moment."""

    rng: random.Random
    redis: Server
    settings: DatabaseSettings
    folder: Path
    truth: Truth = field(default_factory=Truth)
    clock: TestClock = field(default_factory=TestClock)
    processes: list[Process] = field(default_factory=list)
    effective: list[tuple[Invalidation, datetime, dict[Row, int]]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    story: list[str] = field(default_factory=list)

    async def run(self) -> None:
        self.processes = [self._process() for _ in range(2)]
        for other_process in self.processes:
            await other_process.log.step()
        steps = {
            self._ask: 16,
            self._write: 4,
            self._invalidate: 1,
            self._read_log: 6,
            self._release_statement: 24,
            self._pass_time: 6,
            self._stand_still: 0.5,
            self._replace: 0.3,
            self._fail: 0.7,
            self._dump: 1,
            self._kill_redis: 0.3,
        }
        try:
            for _ in range(STEPS):
                (step,) = self.rng.choices(list(steps), list(steps.values()))
                await step()
                await self._settle()
        finally:
            for process in self.processes:
                await process.close()

    def _process(self) -> Process:
        url = f"redis://127.0.0.1:{self.redis.port}"
        return Process(url, self.truth, self.clock, self.settings)

    def _awake(self) -> Process | None:
        awake = [process for process in self.processes if not process.stopped]
        return self.rng.choice(awake) if awake else None

    async def _ask(self) -> None:
        process, question = self._awake(), self.rng.choice(QUESTIONS)
        if process is not None:
            if process.requests and self.rng.random() < 0.4:  # another request for the same rows
                question = self.rng.choice(process.requests).question
            fresh = self.rng.random() < 0.1
            oldest_version = self._oldest_version(question, fresh)
            self.story.append(
                f"ask {question.row} about {question.person} >= {oldest_version} {fresh=}"
            )
            process.ask(question, oldest_version, fresh)

    def _oldest_version(self, question: Question, fresh: bool) -> int:
        """Return the oldest version that the answer to a request that starts now may show."""
        now = self.clock.now()
        if fresh:
            return self.truth.versions[question.row]
        return max(
            (
                versions[question.row]
                for invalidation, effective_by, versions in self.effective
                if effective_by <= now and is_about(invalidation, question)
            ),
            default=0,
        )

    async def _write(self) -> None:
        row = self.rng.choice(ROWS)
        self.truth.versions[row] += 1
        self.story.append(f"write {row} {self.truth.versions[row]}")
        if self.rng.random() < 0.6:
            await self._invalidate(row)

    async def _invalidate(self, row: Row | None = None) -> None:
        process = self._awake()
        if process is None:
            return
        invalidation, versions = (
            someone(self.rng, row or self.rng.choice(ROWS)),
            dict(self.truth.versions),
        )
        effective_by = await process.invalidate(invalidation)
        self.counts["invalidated" if effective_by else "not invalidated"] += 1
        self.story.append(f"invalidate {invalidation} from {effective_by}")
        if effective_by is not None:
            self.effective.append((invalidation, effective_by, versions))
            if self.rng.random() < 0.5:
                await self._pass_time(1.0)

    async def _read_log(self) -> None:
        process = self._awake()
        if process is not None:
            await process.log.step()
            self.story.append(f"look {self.processes.index(process)} {process.log.position()}")

    async def _release_statement(self) -> None:
        """Let a statement read, or one that has read return."""
        process = self._awake()
        if process is None or not process.statements:
            return
        statement = self.rng.choice(process.statements)
        (statement.returns if statement.has_read else statement.reads).set()
        self.story.append(f"let {'return' if statement.has_read else 'read'}")

    async def _pass_time(self, seconds: float | None = None) -> None:
        seconds = seconds or self.rng.choice((0.05, 0.05, 0.3, 0.3, 0.6, 1.1, 4.0))
        self.clock.advance(seconds)
        self.story.append(f"{seconds} s pass")
        for process in self.processes:
            if not process.stopped and self.rng.random() < 0.8:
                await process.log.step()

    async def _stand_still(self) -> None:
        process = self.rng.choice(self.processes)
        process.stopped = not process.stopped
        self.story.append(f"stopped {[process.stopped for process in self.processes]}")

    async def _replace(self) -> None:
        place = self.rng.randrange(len(self.processes))
        await self.processes[place].close()
        self.processes[place] = self._process()
        await self.processes[place].log.step()
        self.story.append(f"replace {place}")

    async def _fail(self) -> None:
        self.truth.is_down = not self.truth.is_down and self.rng.random() < 0.7
        self.story.append(f"databases down={self.truth.is_down}")

    async def _dump(self) -> None:
        self.redis.client.save()
        shutil.copy(self.folder / "dump.rdb", self.folder / "older.rdb")

    async def _kill_redis(self) -> None:
        """Kill Redis; it comes back empty, or as it was when it was last dumped."""
        dump, older = self.folder / "dump.rdb", self.folder / "older.rdb"
        self.redis.stop()
        dump.unlink(missing_ok=True)
        way = "dump" if older.exists() and self.rng.random() < 0.7 else "empty"
        if way == "dump":
            shutil.copy(older, dump)
        if self.rng.random() < 0.3:  # somebody looks while it is away
            await self._read_log()
        self.redis.start()
        self.counts[f"killed: {way}"] += 1
        self.story.append(f"redis killed: {way}")
        if self.rng.random() < 0.7:
            await self._replace()

    async def _settle(self) -> None:
        """Wait until nothing more happens, and check the answers against the guarantee."""
        await wait_until(lambda: all(process.is_quiet() for process in self.processes))
        for process in self.processes:
            for request in [request for request in process.requests if request.task.done()]:
                process.requests.remove(request)
                answer = request.task.result()
                version = version_of(request.question.row.record, answer)
                state = answer.report.state
                self.counts[f"{state.name}{' cached' if answer.report.from_cache else ''}"] += 1
                assert version is None or version >= request.oldest_version, (
                    f"{request.question} began at {request.start} and was shown {version}, "
                    f"not {request.oldest_version}: {answer.report.from_cache=} {state}\n"
                    + "\n".join(self.story)
                )


@pytest.mark.parametrize("place", range(len(SETTINGS)))
def test_nothing_read_before_an_invalidation_is_served_after_it_is_effective(
    tmp_path: Path, place: int
) -> None:
    counts: Counter[str] = Counter()
    with redis_process(tmp_path) as redis:
        for number in range(HISTORIES):
            history = History(random.Random(f"{place}/{number}"), redis, SETTINGS[place], tmp_path)
            with structlog.testing.capture_logs():  # what fails is meant to
                asyncio.run(history.run())
            counts += history.counts
            redis.client.flushall()
            (tmp_path / "older.rdb").unlink(missing_ok=True)
    print(f"{HISTORIES} histories of {STEPS} steps:", dict(sorted(counts.items())))
    # Or it would have looked for nothing.
    stale_only = SETTINGS[place].fresh == 0
    state = State.STALE if stale_only else State.ANSWERED
    assert counts[f"{state.name} cached"] > HISTORIES / (10 if stale_only else 1)
    assert counts["invalidated"] > HISTORIES
