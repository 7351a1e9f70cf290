"""Generated callers: from those who may see everything to those who may see nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from random import Random

from connectors.registry import installed_databases
from gateway.access.caller import Caller
from gateway.catalogue.entry_points import entries_of
from gateway.catalogue.scopes import INTROSPECT, OWN_VIEW
from gateway.catalogue.verification import SCOPE as VERIFY
from gateway.procedures.procedure import UNIFIED
from gateway.procedures.registry import ALL
from gateway.protection import address, adoption, will

_ACTIONS = ("read", "sensitive", "restricted")


def caller(rng: Random, citizens: Sequence[str]) -> Caller:
    """Return a caller who has shown a token, at times one of ``citizens``."""
    found = Caller(client="test-client", agency="test", subject="somebody", scopes=_scopes(rng))
    if rng.random() < 0.4:
        found = replace(found, scopes=found.scopes | {INTROSPECT})
    others = {one for one in _others() if rng.random() < 0.7}
    if found.scopes:
        found = replace(found, scopes=found.scopes | others)
    if rng.random() < 0.97:
        purpose = _purpose(rng)
        found = replace(found, purpose=purpose, case_number="1/2026")
    if citizens and rng.random() < 0.35:
        return _as_citizen(rng, found, rng.choice(citizens))
    return found


def _purpose(rng: Random) -> str:
    """Return a purpose: mostly one that covers everything, else any, those that open more often."""
    drawn = rng.random()
    if drawn < 0.6:
        return UNIFIED
    if drawn < 0.75:
        return rng.choice((adoption.PURPOSE, will.PURPOSE, address.PURPOSE))
    return rng.choice([code for one in ALL for code in one.codes])


def share_of_own(caller: Caller) -> float:
    """Return how often an operation of ``caller`` should ask for ``me``, to come to something."""
    if caller.citizen is None:
        return 0.02
    return 0.4 if caller.may_name_persons else 0.93


def _as_citizen(rng: Random, found: Caller, number: str) -> Caller:
    """Let a citizen ask, mostly with no other scope than that of their own view."""
    introspecting = found.scopes & {INTROSPECT}
    scopes = introspecting if rng.random() < 0.45 else found.scopes
    own = replace(found, citizen=number, subject=number, scopes=scopes | {OWN_VIEW})
    return replace(own, representative="001090099999") if rng.random() < 0.15 else own


def _scopes(rng: Random) -> frozenset[str]:
    drawn = rng.random()
    names = tuple(name for name, _ in _declared())
    if drawn < 0.5:
        return frozenset(f"{name}:{action}" for name in names for action in _ACTIONS)
    if drawn < 0.65:
        return frozenset(f"{name}:read" for name in names)
    if drawn < 0.67:
        return frozenset()
    found: set[str] = set()
    for name, records in _declared():
        found.update(_of_database(rng, name, records))
    return frozenset(found)


def _of_database(rng: Random, name: str, records: Sequence[str]) -> set[str]:
    """Return scopes for one database: none, all of it, or record by record."""
    drawn = rng.random()
    if drawn < 0.1:
        return set()
    if drawn < 0.65:
        return {f"{name}:{action}" for action in _ACTIONS[: rng.choice((1, 1, 2, 3))]}
    if drawn < 0.72:
        return {f"{name}:{rng.choice(_ACTIONS)}"}
    found = {f"{name}:read"} if rng.random() < 0.4 else set()
    for record in records:
        found |= {f"{name}.{record}:{one}" for one in _ACTIONS if rng.random() < 0.55}
    return found


@lru_cache(maxsize=1)
def _others() -> tuple[str, ...]:
    """Return the scopes that open no record: to find things, and to verify people."""
    entries = entries_of(installed_databases()).values()
    return (VERIFY, *sorted(one.scope for one in entries))


@lru_cache(maxsize=1)
def _declared() -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(
        (one.name, tuple(record.name for record in one.records)) for one in installed_databases()
    )
