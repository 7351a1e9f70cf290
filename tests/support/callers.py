"""Generated callers, from all permissions to none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from random import Random

from strawberry.utils.str_converters import to_camel_case

from connectors.registry import installed_databases
from gateway.access.caller import Caller
from gateway.catalogue.checks import SCOPE as CHECK
from gateway.catalogue.entry_points import entries_of
from gateway.catalogue.scopes import INTROSPECT, OWN_VIEW
from gateway.catalogue.verification import SCOPE as VERIFY
from gateway.derived.registry import derived_of
from gateway.derived.view import PERSON
from gateway.procedures.procedure import UNIFIED
from gateway.procedures.registry import ALL, procedure_of
from gateway.protection import address, adoption, will
from tests.support.check_inputs import check_codes

_ACTIONS = ("read", "sensitive", "restricted")


def caller(rng: Random, citizens: Sequence[str]) -> Caller:
    """Return a caller with a token, sometimes one of ``citizens``."""
    result = Caller(client="test-client", agency="test", subject="somebody", scopes=_scopes(rng))
    if rng.random() < 0.4:
        result = replace(result, scopes=result.scopes | {INTROSPECT})
    other_scopes = {scope for scope in _other_scopes() if rng.random() < 0.7}
    if result.scopes:
        result = replace(result, scopes=result.scopes | other_scopes)
    if rng.random() < 0.97:
        purpose = _purpose(rng)
        result = replace(result, purpose=purpose, case_number="1/2026")
    if citizens and rng.random() < 0.35:
        return _as_citizen(rng, result, rng.choice(citizens))
    return result


def _purpose(rng: Random) -> str:
    """Return a purpose: mostly the unified one, sometimes one that opens rows, or has a check."""
    draw = rng.random()
    if draw < 0.52:
        return UNIFIED
    if draw < 0.67:
        return rng.choice((adoption.PURPOSE, will.PURPOSE, address.PURPOSE))
    if draw < 0.8:
        return rng.choice([code for codes in check_codes().values() for code in codes])
    return rng.choice([code for procedure in ALL for code in procedure.codes])


@lru_cache(maxsize=64)
def needed_fields(purpose: str | None) -> frozenset[str] | None:
    """Return the sections and lists that a purpose needs; None: all of them."""
    procedure = None if purpose is None else procedure_of(purpose)
    if procedure is None or procedure.unlimited:
        return None
    records = [
        record
        for database in installed_databases()
        for record in database.records
        if procedure.covers(record, None)
    ]
    lists = {lookup.name for record in records for lookup in record.lookups}
    return frozenset(map(to_camel_case, lists | {record.database for record in records}))


def own_view_share(caller: Caller) -> float:
    """Return how often an operation of ``caller`` should select ``me`` to get an answer."""
    if caller.citizen is None:
        return 0.02
    return 0.4 if caller.may_name_persons else 0.93


def _as_citizen(rng: Random, base: Caller, number: str) -> Caller:
    """Return a citizen as the caller, mostly with the scope of the own view only."""
    introspecting = base.scopes & {INTROSPECT}
    scopes = introspecting if rng.random() < 0.45 else base.scopes
    citizen = replace(base, citizen=number, subject=number, scopes=scopes | {OWN_VIEW})
    return replace(citizen, representative="001090099999") if rng.random() < 0.15 else citizen


def _scopes(rng: Random) -> frozenset[str]:
    draw = rng.random()
    names = tuple(name for name, _ in _declared())
    if draw < 0.5:
        return frozenset(f"{name}:{action}" for name in names for action in _ACTIONS)
    if draw < 0.65:
        return frozenset(f"{name}:read" for name in names)
    if draw < 0.67:
        return frozenset()
    scopes: set[str] = set()
    for name, records in _declared():
        scopes.update(_of_database(rng, name, records))
    return frozenset(scopes)


def _of_database(rng: Random, name: str, records: Sequence[str]) -> set[str]:
    """Return scopes for one database: none, all of it, or record by record."""
    draw = rng.random()
    if draw < 0.1:
        return set()
    if draw < 0.65:
        return {f"{name}:{action}" for action in _ACTIONS[: rng.choice((1, 1, 2, 3))]}
    if draw < 0.72:
        return {f"{name}:{rng.choice(_ACTIONS)}"}
    scopes = {f"{name}:read"} if rng.random() < 0.4 else set()
    for record in records:
        scopes |= {f"{name}.{record}:{action}" for action in _ACTIONS if rng.random() < 0.55}
    return scopes


@lru_cache(maxsize=1)
def _other_scopes() -> tuple[str, ...]:
    """Return the scopes that open no record: to look up things, verify people, and check."""
    entries = entries_of(installed_databases()).values()
    return (VERIFY, CHECK, *sorted(entry.scope for entry in entries))


@lru_cache(maxsize=1)
def _declared() -> tuple[tuple[str, tuple[str, ...]], ...]:
    facts = (PERSON, tuple(view.name for view in derived_of(PERSON)))
    databases = (
        (database.name, tuple(record.name for record in database.records))
        for database in installed_databases()
    )
    return (facts, *databases)
