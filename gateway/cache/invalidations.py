"""Invalidations, and what a process knows of them.

The promise (design section 8): an invalidation answers with ``effectiveBy``. No request that begins
after that moment is answered from rows read before it, by any process.

How it is kept (decision 31): all invalidations are in one log, in one order. A read from a source
first takes the position up to which its process knows the log, and the rows carry that position. A
process serves rows only while no later invalidation concerns them, and only if it knows the log as
it was a second ago or later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from connectors.description import Record

#: Seconds within which every process knows of an invalidation, or serves nothing from its cache.
KNOWN_WITHIN = 1.0
#: Scopes told apart. With more, everything that was read before the newest invalidation is void.
_MAX_SCOPES = 100_000
#: Hashes of numbers that are kept.
_RECENT_HASHES = 10_000
#: Stands for any person in a scope.
_ANYBODY = "*"


@dataclass(frozen=True, slots=True)
class Invalidation:
    """Which rows are out of date. None: of every person, database or record.

    ``person``: a number under which records are filed, or that they mention: both are meant.
    """

    person: str | None = None
    database: str | None = None
    record: str | None = None


class Position(NamedTuple):
    """A position in the log. ``epoch``: which log; positions in two logs cannot be compared."""

    epoch: str
    at: int


#: An invalidation as the log has it: hash of the number, database, record.
Scope = tuple[str | None, str | None, str | None]


class Hashes:
    """Keyed hashes of persons' numbers, which stand for them in the log and in the keys of Redis.

    Costs a microsecond, or a tenth of it for a number that was hashed recently.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = hashlib.blake2b(secret, person=b"cache hashes", digest_size=32).digest()
        self._recent: dict[str, str] = {}

    def of(self, number: str) -> str:
        """Return the hash of ``number``, 32 hex digits."""
        hashed = self._recent.get(number)
        if hashed is None:
            if len(self._recent) >= _RECENT_HASHES:
                self._recent.clear()  # cheaper than the order that an LRU keeps, and as good here
            digest = hashlib.blake2b(number.encode(), key=self._secret, digest_size=16)
            hashed = self._recent[number] = digest.hexdigest()
        return hashed


@dataclass(slots=True)
class KnownInvalidations:
    """The invalidations that a process knows: of each scope, the last one.

    ``latest``: the position of the last of all. ``floor``: nothing is known from before it.
    ``max_scopes``: how many scopes are told apart.
    """

    hashes: Hashes
    epoch: str = ""
    latest: int = 0
    floor: int = 0
    max_scopes: int = _MAX_SCOPES
    _last: dict[Scope, int] = field(default_factory=dict)
    _databases: dict[str | None, int] = field(default_factory=dict)

    def begin(self, epoch: str, floor: int) -> None:
        """Start with a log: rows read before ``floor`` are void."""
        self.epoch, self.latest, self.floor = epoch, floor, floor
        self._last.clear()
        self._databases.clear()

    def note(self, scope: Scope, at: int) -> None:
        """Note an invalidation. They must be noted in the order of the log."""
        self.latest = at
        if len(self._last) >= self.max_scopes:
            self.begin(self.epoch, at)
            return
        person, database, _ = scope
        self._last[scope] = self._databases[database] = at
        if person is not None:
            self._last[_ANYBODY, database, None] = at

    def is_latest(self, read: Position) -> bool:
        """Return whether nothing at all was invalidated since ``read``."""
        return read.at >= self.latest and read.epoch == self.epoch

    def concerns(
        self,
        record: Record,
        mentions: Collection[str],
        subject_numbers: Sequence[str],
        read: Position,
    ) -> bool:
        """Return whether an invalidation since ``read`` concerns rows of ``record``.

        ``mentions``: the numbers in the rows. ``subject_numbers``: those of the person for whose
        view they are; without any, an invalidation of anybody in the database concerns them. Costs
        0.2 us if nothing at all was invalidated since, else some 3 us.
        """
        if read.epoch != self.epoch:
            return True
        since = read.at
        if since >= self.latest:
            return False
        if since < self.floor:
            return True
        database, last = record.database, self._last
        scopes: list[Scope] = [(None, None, None), (None, database, None)]
        scopes.append((None, database, record.name))
        if not subject_numbers:
            scopes += [(_ANYBODY, None, None), (_ANYBODY, database, None)]
        for number in {*mentions, *subject_numbers}:
            person = self.hashes.of(number)
            scopes += [(person, None, None), (person, database, None)]
            scopes.append((person, database, record.name))
        return any(last.get(scope, 0) > since for scope in scopes)

    def touches(self, database: str, read: Position) -> bool:
        """Return whether any invalidation since ``read`` may concern ``database``."""
        if read.epoch != self.epoch:
            return True
        if read.at >= self.latest:
            return False
        if read.at < self.floor:
            return True
        return any(self._databases.get(name, 0) > read.at for name in (None, database))


class LogUnavailable(Exception):
    """An invalidation could not be put into the log: nothing was invalidated."""


class InvalidationLog(Protocol):
    """The log of all invalidations, as one process follows it.

    ``known_within``: seconds after which no process answers from rows that an invalidation concerns
    and that were read before it.
    """

    invalidations: KnownInvalidations
    known_within: float

    async def open(self) -> None:
        """Start to follow the log. A log that cannot be reached is no error."""
        ...

    async def close(self) -> None:
        """Stop following it."""
        ...

    def position(self) -> Position | None:
        """Return the position up to which this process knows the log.

        None: it may lack what was invalidated more than a second ago. Then nothing may be served
        from the cache, and nothing that is read may be kept.
        """
        ...

    async def invalidate(self, invalidations: Sequence[Invalidation]) -> datetime:
        """Append to the log and return ``effectiveBy``, in UTC. Raises LogUnavailable."""
        ...

    async def is_effective_everywhere(self) -> bool:
        """Return whether what this process invalidated last is effective sooner.

        False where that cannot be told. Never raises.
        """
        ...


def invalidation_scope(invalidation: Invalidation, hashes: Hashes) -> Scope:
    """Return an invalidation as the log has it."""
    person = None if invalidation.person is None else hashes.of(invalidation.person)
    return (person, invalidation.database, invalidation.record)
