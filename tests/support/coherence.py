"""A small site in parts: processes that share a Redis, and rows that change.

Each process has a real cache, invalidation log, Redis and sources. The test controls only when a
statement reads, when it returns, when a process reads the log, and the clock.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from connectors.backends.base import (
    NOBODY,
    Asker,
    Batch,
    Capabilities,
    Examination,
    Rows,
    Scope,
    SourceUnavailable,
    read_rows,
)
from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.description import Database, Lookup, Record
from connectors.population import DATABASE as POPULATION
from connectors.security_measures import DATABASE as SECURITY
from gateway.answer import Answer
from gateway.cache.invalidations import Hashes, Invalidation, LogUnavailable
from gateway.cache.memory import MemoryCache
from gateway.cache.redis_log import RedisLog
from gateway.cache.redis_rows import RedisCache
from gateway.cache.rows import Cache
from gateway.cache.seal import Seal
from gateway.catalogue.read import Read
from gateway.fetch.reads import Reads
from gateway.fetch.source import Source
from gateway.keys.keyring import Secret
from gateway.settings import DatabaseSettings, Redis
from tests.support.running import TestClock

SECRET = Secret.of(b"a key of the test that is long enough")
#: A couple with a marriage, and a registration with collateral that husband and wife share.
COUPLES = (("001090000001", "001191000002"),)
PEOPLE = tuple(number for couple in COUPLES for number in couple)
_DATABASES = (POPULATION, CIVIL_STATUS, SECURITY)
DEADLINE = 10_000.0


@dataclass(frozen=True)
class Row:
    """A row of the truth. ``kind``: identity, marriage or collateral. ``people``: its persons."""

    kind: str
    place: int

    @property
    def people(self) -> tuple[str, ...]:
        return (PEOPLE[self.place],) if self.kind == "identity" else COUPLES[self.place]

    @property
    def database(self) -> Database:
        return _DATABASES[("identity", "marriage", "collateral").index(self.kind)]

    @property
    def record(self) -> Record:
        name = {"marriage": "marriages"}.get(self.kind, self.kind)
        return self.database.by_name[name]


ROWS = (
    *(Row("identity", place) for place in range(len(PEOPLE))),
    *(Row(kind, place) for kind in ("marriage", "collateral") for place in range(len(COUPLES))),
)


@dataclass(frozen=True)
class Question:
    """A list to read by a key, for the view of a person."""

    row: Row
    person: str

    @property
    def lookup(self) -> Lookup:
        return self.row.record.lookups[0]

    @property
    def key(self) -> str:
        return f"R{self.row.place}" if self.row.kind == "collateral" else self.person


QUESTIONS = tuple(Question(row, person) for row in ROWS for person in row.people)


@dataclass
class Truth:
    """The contents of the databases: the version of each row."""

    versions: dict[Row, int] = field(default_factory=lambda: dict.fromkeys(ROWS, 0))
    is_down: bool = False

    def rows(self, record: Record, key: str) -> list[dict[str, object]]:
        rows: list[dict[str, object]] = []
        for row, version in self.versions.items():
            if row.record is not record:
                continue
            if row.kind == "identity" and key in row.people:
                rows.append({"citizen_id": key, "full_name": str(version)})
            elif row.kind == "marriage" and key in row.people:
                husband, wife = row.people
                people = {"husband_citizen_id": husband, "wife_citizen_id": wife}
                rows.append({"event_id": f"M{row.place}", "certificate_no": str(version), **people})
            elif row.kind == "collateral" and key == f"R{row.place}":
                number = {"collateral_id": f"C{row.place}", "registration_no": key}
                rows.append({**number, "description": str(version)})
        return rows


_VERSION_COLUMN = {
    "identity": "full_name",
    "marriages": "certificate_no",
    "collateral": "description",
}


def version_of(record: Record, answer: Answer) -> int | None:
    """Return which version an answer shows, None where it has no rows."""
    if answer.rows is None:
        return None
    (row,) = answer.rows
    return int(str(row[record.positions[_VERSION_COLUMN[record.name]]]))


@dataclass(eq=False)
class Statement:
    """A call of a backend: it reads and returns when the test sets its events."""

    reads: asyncio.Event = field(default_factory=asyncio.Event)
    returns: asyncio.Event = field(default_factory=asyncio.Event)
    has_read: bool = False


class ControlledBackend:
    """A backend whose statements wait for the test."""

    capabilities = Capabilities(Scope.PROCESS, Scope.PROCESS)

    def __init__(self, truth: Truth, statements: list[Statement]) -> None:
        self._truth = truth
        self._statements = statements

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def ping(self) -> None: ...

    async def examine(self, *, thoroughly: bool = False) -> Examination:
        return Examination()

    async def fetch(
        self, record: Record, lookup: Lookup, keys: Sequence[str], asker: Asker = NOBODY
    ) -> Batch:
        statement = Statement()
        self._statements.append(statement)
        try:
            await statement.reads.wait()
            if self._truth.is_down:
                raise SourceUnavailable("down")
            rows_by_key = {key: self._find(record, key) for key in keys}
            statement.has_read = True
            await statement.returns.wait()
        finally:
            self._statements.remove(statement)
        return Batch(rows_by_key)

    def _find(self, record: Record, key: str) -> Rows:
        columns = [column.name for column in record.columns]
        raw = [[row.get(name) for name in columns] for row in self._truth.rows(record, key)]
        rows = read_rows(record, raw)
        assert not rows.unreadable, rows.faults
        return rows


@dataclass(eq=False)
class PendingRequest:
    """A request that reads one list. ``oldest_version``: the oldest that its answer may show."""

    question: Question
    start: datetime
    oldest_version: int
    task: asyncio.Task[Answer]


class Process:
    """The reads and the cache of one process of the gateway. ``stopped``: it does nothing."""

    def __init__(
        self, url: str, truth: Truth, clock: TestClock, settings: DatabaseSettings
    ) -> None:
        self.statements: list[Statement] = []
        self.requests: list[PendingRequest] = []
        self.stopped = False
        self._clock = clock
        redis = Redis(url=url, timeout=1.0)
        self.log = RedisLog(url, Hashes(SECRET.key), clock, wait=0.0)
        self.shared = RedisCache(redis, clock)
        self.cache = Cache(MemoryCache(10**6), self.log, clock, self.shared, Seal.of(SECRET))
        self.sources = {
            database.name: Source(
                database,
                ControlledBackend(truth, self.statements),
                settings,
                clock,
                deadline=DEADLINE,
                cache=self.cache,
            )
            for database in _DATABASES
        }

    def ask(self, question: Question, oldest_version: int, fresh: bool) -> None:
        """Start a request."""
        now = self._clock.monotonic()
        reads = Reads(self.sources, self._clock, now + DEADLINE, NOBODY)
        read, key = Read(question.row.record, question.lookup, fresh), question.key

        async def run() -> Answer:
            try:
                reads.column(read).ask((key,), (question.person,))
                while key not in reads.column(read).answers:
                    await reads.arrive()
                return reads.column(read).answers[key]
            finally:
                reads.close()

        task = asyncio.get_running_loop().create_task(run())
        self.requests.append(PendingRequest(question, self._clock.now(), oldest_version, task))

    async def invalidate(self, invalidation: Invalidation) -> datetime | None:
        """Invalidate; return ``effectiveBy``, None if the log was unavailable."""
        try:
            return await self.log.invalidate([invalidation])
        except LogUnavailable:
            return None

    async def close(self) -> None:
        """End the process, whatever it is doing."""
        for request in self.requests:
            request.task.cancel()
        await asyncio.gather(*(request.task for request in self.requests), return_exceptions=True)
        await wait_until(self._end_statements)
        await self.cache.close()

    def _end_statements(self) -> bool:
        """Let every statement end, and those that waited for it; return whether none is left."""
        for statement in list(self.statements):
            statement.reads.set()
            statement.returns.set()
        return not self.statements

    def is_quiet(self) -> bool:
        """Whether all statements that are left wait for the test."""
        waiting = len([statement for statement in self.statements if not _is_released(statement)])
        busy = [request for request in self.requests if not request.task.done()]
        writing = self.shared._writing is not None
        return not writing and len(self.statements) == waiting and (waiting > 0 or not busy)


def _is_released(statement: Statement) -> bool:
    return statement.returns.is_set() if statement.has_read else statement.reads.is_set()


async def wait_until(condition: Callable[[], bool]) -> None:
    """Let other tasks run until ``condition`` holds; Redis may have to answer meanwhile."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what it looks at belongs to the gateway
            await asyncio.sleep(0.0005)  # between two looks, not instead of one


def someone(rng: random.Random, row: Row) -> Invalidation:
    """Return an invalidation that covers ``row``."""
    person: str | None = rng.choice(row.people)
    database, record = row.database.name, row.record.name
    return rng.choice(
        (
            Invalidation(person),
            Invalidation(person, database),
            Invalidation(person, database, record),
            Invalidation(None, database, record),
            Invalidation(None, database),
        )
    )


def is_about(invalidation: Invalidation, question: Question) -> bool:
    """Whether an invalidation covers the rows that answer a question."""
    row = question.row
    mentioned = (question.person,) if row.kind == "collateral" else row.people
    return (
        (invalidation.person is None or invalidation.person in mentioned)
        and invalidation.database in {None, row.database.name}
        and invalidation.record in {None, row.record.name}
    )
