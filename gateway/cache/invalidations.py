"""What is invalidated, and what a process knows of it.

The promise (design section 8): an invalidation answers with ``effectiveBy``; no request that begins
after that moment is answered from rows read before it, by any process. How it is kept
(``docs/decisions``, 31): all invalidations stand in one log, in one order. Whoever reads from a
source notes first how far they know the log, and the rows carry that position. They are served only
while nothing behind their position concerns them, by processes that know the log to its end of a
second ago at most.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from connectors.description import Record

#: Seconds within which every process knows of an invalidation, or serves nothing that is cached.
KNOWN_WITHIN = 1.0
#: So many invalidations are told apart; beyond, everything read before the newest of them is void.
_MOST = 100_000
#: Stands for any person.
_ANYBODY = "*"


@dataclass(frozen=True, slots=True)
class Invalidation:
    """Whose rows, and which, are out of date; None: whoever's, whichever.

    ``person``: a number of theirs, as records are filed under it or mention it. Rows that mention
    the person are meant too.
    """

    person: str | None = None
    database: str | None = None
    record: str | None = None


class Position(NamedTuple):
    """A place in the log. ``epoch``: which log; a place in another one means nothing."""

    epoch: str
    at: int


#: What an invalidation is about, as the log has it: hash of the number, database, record.
Scope = tuple[str | None, str | None, str | None]


class Hashes:
    """Keyed hashes of persons' numbers, which stand for them in the log and in Redis' keys.

    Costs a microsecond; what was hashed lately, a tenth of it.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = hashlib.blake2b(secret, person=b"cache hashes", digest_size=32).digest()
        self._known: dict[str, str] = {}

    def of(self, number: str) -> str:
        """Return what stands for ``number``, 32 hex digits."""
        found = self._known.get(number)
        if found is None:
            if len(self._known) >= 10_000:
                self._known.clear()
            digest = hashlib.blake2b(number.encode(), key=self._secret, digest_size=16)
            found = self._known[number] = digest.hexdigest()
        return found


@dataclass(slots=True)
class KnownInvalidations:
    """The invalidations that a process knows, as far as it needs them: the last of each scope.

    ``latest``: the position of the last of all. ``floor``: nothing is known of what was before it.
    """

    hashes: Hashes
    epoch: str = ""
    latest: int = 0
    floor: int = 0
    _last: dict[Scope, int] = field(default_factory=dict)
    _databases: dict[str | None, int] = field(default_factory=dict)

    def begin(self, epoch: str, floor: int) -> None:
        """Forget everything: rows read before ``floor`` of this log are void."""
        self.epoch, self.latest, self.floor = epoch, floor, floor
        self._last.clear()
        self._databases.clear()

    def note(self, scope: Scope, at: int) -> None:
        """Take note of an invalidation; they come in the order of the log."""
        self.latest = at
        if len(self._last) >= _MOST:
            self.begin(self.epoch, at)
            return
        person, database, _ = scope
        self._last[scope] = self._databases[database] = at
        if person is not None:
            self._last[_ANYBODY, database, None] = at

    def concerns(
        self, record: Record, mentioned: Collection[str], about: Sequence[str], read: Position
    ) -> bool:
        """Say whether something since ``read`` concerns rows of ``record``.

        ``mentioned``: the numbers in the rows. ``about``: those of the person for whose view they
        are wanted; where there is none, an invalidation of anybody in the database concerns them.
        Costs 0.2 us if nothing at all was invalidated since, else some 3 us.
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
        if not about:
            scopes += [(_ANYBODY, None, None), (_ANYBODY, database, None)]
        for number in {*mentioned, *about}:
            person = self.hashes.of(number)
            scopes += [(person, None, None), (person, database, None)]
            scopes.append((person, database, record.name))
        return any(last.get(scope, 0) > since for scope in scopes)

    def touches(self, database: str, read: Position) -> bool:
        """Say whether anything since ``read`` may concern ``database`` at all."""
        if read.epoch != self.epoch:
            return True
        if read.at >= self.latest:
            return False
        if read.at < self.floor:
            return True
        return any(self._databases.get(of, 0) > read.at for of in (None, database))


class LogUnavailable(Exception):
    """An invalidation could not be put into the log: nothing was invalidated."""


class InvalidationLog(Protocol):
    """The log of all invalidations, as one process follows it."""

    known: KnownInvalidations

    async def open(self) -> None:
        """Begin to follow the log. That it cannot be reached is no error."""
        ...

    async def close(self) -> None:
        """Stop following it."""
        ...

    def position(self) -> Position | None:
        """Return how far this process knows the log; None: not to its end of a second ago.

        Then nothing that is cached may be served, and nothing read may be kept.
        """
        ...

    async def invalidate(self, what: Sequence[Invalidation]) -> datetime:
        """Put ``what`` into the log; returns ``effectiveBy``, in UTC. Raises LogUnavailable."""
        ...


def scope_of(one: Invalidation, hashes: Hashes) -> Scope:
    """Return what the log says of an invalidation."""
    person = None if one.person is None else hashes.of(one.person)
    return (person, one.database, one.record)
