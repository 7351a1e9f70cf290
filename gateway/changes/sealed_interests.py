"""Interests as stores have them: sealed, and found by keyed hashes alone.

A store knows hashes of clients, purposes and people, and when an interest ends. The key is the
cache's; a hash is made with the current key and looked for with all of them, so that a rotation
loses nothing while the former key is in the ring.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

import orjson
import structlog
from cachetools import LRUCache

from gateway.access.caller import Caller
from gateway.changes.event import LifeEventKind
from gateway.changes.interests import Interest, InterestOwner
from gateway.keys.keyring import Keyring, Secret
from gateway.storage.sealing import Sealing
from gateway.storage.unavailable import StoreUnavailable

log = structlog.get_logger(__name__)

#: Interests that stay decoded, of some kilobyte each: a feed reads those of its client each time.
_DECODED = 20_000
#: Seconds for which a count of unreadable interests holds, unless it is 0.
_COUNTED_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class SealedInterest:
    """An interest as a store has it. ``client``, ``group``, ``persons``: keyed hashes.

    ``group``: of client, agency and purpose. ``persons``: one for each number. ``until``: seconds
    since 1970; then it is gone.
    """

    id: str
    client: str
    group: str
    persons: tuple[str, ...]
    value: bytes
    until: float


class SealedInterestStore(Protocol):
    """Keeps sealed interests. Every method raises StoreUnavailable."""

    async def close(self) -> None:
        """Close what is open."""
        ...

    async def put(
        self,
        interests: Sequence[SealedInterest],
        clients: Sequence[str],
        most: int,
        now: float,
    ) -> bool:
        """Keep interests, all or none; False where ``clients`` together would have more."""
        ...

    async def of_groups(self, groups: Sequence[str], now: float) -> Mapping[str, bytes]:
        """Return the values of interests that have not ended, by id."""
        ...

    async def count_by_key(self, now: float) -> Mapping[str, int]:
        """Return how many interests have not ended, by the id of the key that sealed them."""
        ...

    async def of_persons(self, persons: Sequence[str], now: float) -> Mapping[str, bytes]:
        """Return the values of interests in anybody with one of these hashes, by id."""
        ...

    async def remove(self, groups: Sequence[str], ids: Sequence[str]) -> int:
        """Remove interests of any of ``groups``; returns how many there were."""
        ...


@dataclass(frozen=True, slots=True)
class SealedInterests:
    """An ``InterestStore`` over a store of sealed values."""

    store: SealedInterestStore
    keys: Keyring
    _decoded: LRUCache[str, tuple[bytes, Interest]] = field(
        default_factory=lambda: LRUCache(_DECODED)
    )
    #: When unreadable interests were last counted, and how many there were.
    _counts: list[tuple[float, int]] = field(default_factory=list)

    async def close(self) -> None:
        """See ``InterestStore.close``."""
        await self.store.close()

    async def put(self, interests: Sequence[Interest], most: int, now: datetime) -> bool:
        """See ``InterestStore.put``. Costs some 20 us each."""
        if not interests:
            return True
        sealed = [self._seal(interest) for interest in interests]
        clients = self._hashes(_of_client(interests[0].caller.client or ""))
        return await self.store.put(sealed, clients, most, now.timestamp())

    async def of_owner(self, owner: InterestOwner, now: datetime) -> Sequence[Interest]:
        """See ``InterestStore.of_owner``. Costs 1 us an interest, 15 us where it is not decoded.

        Raises StoreUnavailable too where an interest does not open: a feed without it would pass
        for a complete one.
        """
        groups = self._hashes(_of_group(owner))
        values = await self.store.of_groups(groups, now.timestamp())
        interests = [self._open(interest_id, value) for interest_id, value in values.items()]
        return sorted(interests, key=lambda interest: (interest.registered_at, interest.id))

    async def count_unreadable(self, now: datetime) -> int:
        """See ``InterestStore.count_unreadable``. That there are some holds for some seconds.

        That there are none never does: another process may have a key that this one has not.
        """
        moment = now.timestamp()
        counted_at, former = self._counts[0] if self._counts else (0.0, 0)
        if former and 0 <= moment - counted_at < _COUNTED_SECONDS:
            return former
        counts = await self.store.count_by_key(moment)
        count = sum(number for key, number in counts.items() if self.keys.by_id(key) is None)
        if count != former:
            log.error("interests cannot be read: their key is gone", interests=count)
        self._counts[:] = [(moment, count)]
        return count

    async def in_person(self, numbers: Collection[str], now: datetime) -> Sequence[Interest]:
        """See ``InterestStore.in_person``."""
        if await self.count_unreadable(now):
            raise StoreUnavailable("interests of nobody knows whom cannot be read")
        persons = [person for number in numbers for person in self._hashes(_of_person(number))]
        values = await self.store.of_persons(persons, now.timestamp())
        interests = [self._open(interest_id, value) for interest_id, value in values.items()]
        return sorted(interests, key=lambda interest: (interest.registered_at, interest.id))

    async def end(self, owner: InterestOwner, interest_ids: Collection[str]) -> int:
        """See ``InterestStore.end``."""
        if not interest_ids:
            return 0
        ids = list(dict.fromkeys(interest_ids))
        return await self.store.remove(self._hashes(_of_group(owner)), ids)

    def _seal(self, interest: Interest) -> SealedInterest:
        key, caller = self.keys.current, interest.caller
        owner = InterestOwner(caller.client or "", caller.agency, caller.purpose or "")
        return SealedInterest(
            interest.id,
            _hash(key, _of_client(owner.client)),
            _hash(key, _of_group(owner)),
            tuple(_hash(key, _of_person(number)) for number in sorted(interest.numbers)),
            self._sealing.seal(interest.id, encode_interest(interest)),
            interest.until.timestamp(),
        )

    def _open(self, interest_id: str, value: bytes) -> Interest:
        decoded = self._decoded.get(interest_id)
        if decoded is not None and decoded[0] == value:
            return decoded[1]
        content = self._sealing.open(interest_id, value)
        if content is None:
            raise StoreUnavailable("an interest does not open: its key is gone")
        try:
            interest = decode_interest(content)
        except ValueError as error:
            raise StoreUnavailable(str(error)) from None
        self._decoded[interest_id] = (value, interest)
        return interest

    @property
    def _sealing(self) -> Sealing:
        return Sealing(self.keys, b"interests")

    def _hashes(self, message: bytes) -> list[str]:
        return [_hash(secret, message) for secret in self.keys.all]


def encode_interest(interest: Interest) -> bytes:
    """Return an interest as JSON."""
    caller = interest.caller
    return orjson.dumps(
        {
            "id": interest.id,
            "caller": {
                "client": caller.client,
                "agency": caller.agency,
                "subject": caller.subject,
                "scopes": sorted(caller.scopes),
                "purpose": caller.purpose,
                "case_number": caller.case_number,
            },
            "person": interest.person,
            "numbers": sorted(interest.numbers),
            "kinds": sorted(kind.name for kind in interest.kinds),
            "registered_at": interest.registered_at.timestamp(),
            "until": interest.until.timestamp(),
            "position": interest.position,
        }
    )


def decode_interest(content: bytes) -> Interest:
    """Return the interest of ``encode_interest``; raises ValueError for anything else."""
    try:
        value: dict[str, Any] = orjson.loads(content)
        caller = {**value["caller"], "scopes": frozenset(value["caller"]["scopes"])}
        return Interest(
            value["id"],
            Caller(**caller),
            value["person"],
            frozenset(value["numbers"]),
            frozenset(LifeEventKind[name] for name in value["kinds"]),
            datetime.fromtimestamp(value["registered_at"], UTC),
            datetime.fromtimestamp(value["until"], UTC),
            value["position"],
        )
    except (KeyError, TypeError) as error:
        raise ValueError("it is no interest of this version") from error


def _of_client(client: str) -> bytes:
    return b"client of interests " + client.encode()


def _of_group(owner: InterestOwner) -> bytes:
    return b"group of interests " + orjson.dumps([owner.client, owner.agency, owner.purpose])


def _of_person(number: str) -> bytes:
    return b"person of interests " + number.encode()


def _hash(secret: Secret, message: bytes) -> str:
    return secret.mac(message)
