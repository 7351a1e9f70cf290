"""What every store of interests does: functions that each take an empty store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.access.caller import Caller
from gateway.changes.event import LifeEventKind
from gateway.changes.interests import Interest, InterestOwner
from gateway.changes.sealed_interests import SealedInterests, SealedInterestStore
from gateway.keys.keyring import Keyring, Secret
from gateway.storage.unavailable import StoreUnavailable

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
OWNER = InterestOwner("notary-1", "agency", "notarised-transfer")
END = NOW + timedelta(days=2)
NEW_KEY, OLD_KEY = Secret.of(b"n" * 32), Secret.of(b"o" * 32)
KEYS = Keyring(NEW_KEY)


def interest(
    name: str,
    person: str = "001090012345",
    *,
    client: str = "notary-1",
    agency: str | None = "agency",
    purpose: str = "notarised-transfer",
    until: datetime = END,
    numbers: Sequence[str] = (),
    kinds: Sequence[LifeEventKind] = (LifeEventKind.DEATH,),
    registered_at: datetime = NOW,
    position: str | None = None,
) -> Interest:
    """Return an interest of ``client`` in ``person``."""
    caller = Caller(
        client, agency, "clerk", frozenset({"events:read"}), purpose=purpose, case_number="C-1"
    )
    return Interest(
        name,
        caller,
        person,
        frozenset({person, *numbers}),
        frozenset(kinds),
        registered_at,
        until,
        position,
    )


def over(store: SealedInterestStore, keys: Keyring = KEYS) -> SealedInterests:
    """Return interests over ``store``."""
    return SealedInterests(store, keys)


def _ids(interests: Sequence[Interest]) -> list[str]:
    return [each.id for each in interests]


async def keeps_each_client_agency_and_purpose_apart(store: SealedInterestStore) -> None:
    """What an office registered is nobody else's, and not its own under another purpose."""
    interests = over(store)
    mine = interest("a", numbers=["123456789"], position="p.1")
    other_purpose, other_client = interest("b", purpose="x"), interest("c", client="bank")
    other_agency, no_agency = interest("d", agency="other"), interest("e", agency=None)
    for each in (mine, other_purpose, other_client, other_agency, no_agency):
        assert await interests.put([each], 9, NOW)
    assert list(await interests.of_owner(OWNER, NOW)) == [mine]
    for owner, expected in (
        (replace(OWNER, purpose="x"), [other_purpose]),
        (replace(OWNER, client="bank"), [other_client]),
        (replace(OWNER, agency="other"), [other_agency]),
        (replace(OWNER, agency=None), [no_agency]),
        (InterestOwner("bank", "agency", "x"), []),
    ):
        assert list(await interests.of_owner(owner, NOW)) == expected


async def finds_all_interests_in_a_person(store: SealedInterestStore) -> None:
    """By any of the numbers, whoever registered it."""
    interests = over(store)
    await interests.put([interest("a", numbers=["123456789"]), interest("b", "002")], 9, NOW)
    await interests.put([interest("c", client="bank")], 9, NOW)
    assert _ids(await interests.in_person(["123456789"], NOW)) == ["a"]
    assert _ids(await interests.in_person(["001090012345", "123456789"], NOW)) == ["a", "c"]
    assert await interests.in_person(["003"], NOW) == []


async def forgets_what_has_ended(store: SealedInterestStore) -> None:
    """At its end an interest is gone, and counts no more."""
    interests = over(store)
    await interests.put([interest("a", until=LATER), interest("b")], 2, NOW)
    assert _ids(await interests.of_owner(OWNER, LATER)) == ["b"]
    assert _ids(await interests.in_person(["001090012345"], LATER)) == ["b"]
    assert not await interests.put([interest("c")], 2, NOW)
    assert await interests.put([interest("c")], 2, LATER)
    assert _ids(await interests.of_owner(OWNER, LATER)) == ["b", "c"]


async def bounds_the_interests_of_a_client(store: SealedInterestStore) -> None:
    """All of a call or none; those of other agencies and purposes count too."""
    interests = over(store)
    assert await interests.put([interest("a", numbers=["123456789"])], 2, NOW)
    assert not await interests.put([interest("b"), interest("c")], 2, NOW)
    assert await interests.put([interest("b", purpose="x")], 2, NOW)
    for other in ("agency", "other"):
        assert not await interests.put([interest("c", agency=other)], 2, NOW)
    assert await interests.put([interest("c", client="bank")], 2, NOW)


async def ends_the_interests_of_their_owner_alone(store: SealedInterestStore) -> None:
    """Nobody ends what is somebody else's, or learns that it is there."""
    interests = over(store)
    await interests.put([interest("a", numbers=["123456789"]), interest("b")], 9, NOW)
    for other in (
        replace(OWNER, client="bank"),
        replace(OWNER, agency="other"),
        replace(OWNER, agency=None),
        replace(OWNER, purpose="x"),
    ):
        assert await interests.end(other, ["a", "b"]) == 0
    assert await interests.end(OWNER, ["a", "a", "nothing"]) == 1
    assert await interests.end(OWNER, ["a"]) == 0
    assert _ids(await interests.of_owner(OWNER, NOW)) == ["b"]
    assert _ids(await interests.in_person(["123456789", "001090012345"], NOW)) == ["b"]


async def survives_a_rotation_of_keys(store: SealedInterestStore) -> None:
    """With the former key in the ring nothing is lost; the bound counts both."""
    await over(store, Keyring(OLD_KEY)).put([interest("a")], 9, NOW)
    interests = over(store, Keyring(NEW_KEY, (OLD_KEY,)))
    assert not await interests.put([interest("b")], 1, NOW)
    assert await interests.put([interest("b")], 2, NOW)
    assert _ids(await interests.of_owner(OWNER, NOW)) == ["a", "b"]
    assert _ids(await interests.in_person(["001090012345"], NOW)) == ["a", "b"]
    assert await interests.end(OWNER, ["a", "b"]) == 2


async def counts_what_a_key_that_is_gone_sealed(store: SealedInterestStore) -> None:
    """Nobody knows whose these are, so that nobody is said to have no others."""
    former = over(store, Keyring(OLD_KEY))
    await former.put([interest("a", until=LATER), interest("b", client="bank")], 9, NOW)
    await over(store).put([interest("c")], 9, NOW)
    assert await over(store, Keyring(NEW_KEY, (OLD_KEY,))).count_unreadable(NOW) == 0
    assert await over(store).count_unreadable(NOW) == 2
    assert await over(store).count_unreadable(LATER) == 1, "the other has ended"
    assert await over(store).count_unreadable(END) == 0
    with pytest.raises(StoreUnavailable):
        await over(store).in_person(["001090012345"], NOW)
    assert await former.end(OWNER, ["a"]) == 1
    assert await over(store).count_unreadable(NOW) == 1


async def names_nobody(store: SealedInterestStore) -> None:
    """A store holds neither numbers nor names of clients and purposes."""
    sealed: list[object] = []

    class Spy:
        async def put(self, interests: Sequence[object], *rest: object) -> bool:
            sealed.extend(interests)
            return True

    await SealedInterests(Spy(), KEYS).put([interest("a", numbers=["123456789"])], 9, NOW)  # type: ignore[arg-type]
    text = repr(sealed)
    for secret in ("001090012345", "123456789", "notary-1", "notarised-transfer", "DEATH", "C-1"):
        assert secret not in text


CASES: Mapping[str, Callable[[SealedInterestStore], Awaitable[None]]] = {
    case.__name__.replace("_", " "): case
    for case in (
        keeps_each_client_agency_and_purpose_apart,
        finds_all_interests_in_a_person,
        forgets_what_has_ended,
        bounds_the_interests_of_a_client,
        ends_the_interests_of_their_owner_alone,
        survives_a_rotation_of_keys,
        counts_what_a_key_that_is_gone_sealed,
        names_nobody,
    )
}
