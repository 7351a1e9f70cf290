"""Who may invalidate what, and what is asked for by name: for every way in which it is asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.description import Database
from gateway.cache.invalidations import Invalidation, LogUnavailable
from gateway.cache.rows import Cache
from gateway.catalogue.scopes import INVALIDATE, OPERATE
from gateway.errors import GatewayError

#: Persons in one call: what concerns more is asked for by database and record.
MOST_PERSONS = 1_000


@dataclass(frozen=True, slots=True)
class Invalidated:
    """``effective_by``: no request that begins later is answered from rows read before (UTC)."""

    effective_by: datetime


def missing_for_invalidation(scopes: Collection[str], database: str | None) -> tuple[str, ...]:
    """Return what is missing to invalidate rows of ``database``; None: of all of them.

    Operators may everything; the owner of a database, with its own scope, what is in it.
    """
    wanted = OPERATE if database is None else f"{database}:{INVALIDATE}"
    return () if OPERATE in scopes or wanted in scopes else (wanted,)


def invalidations_for(
    databases: Mapping[str, Database],
    persons: Sequence[str],
    database: str | None,
    record: str | None,
) -> list[Invalidation]:
    """Return what is to be invalidated; raises GatewayError INVALID_VALUE for what makes no sense.

    ``persons``: valid numbers, none for whoever's.
    """
    if record is not None and database is None:
        raise GatewayError("INVALID_VALUE", "a record must be named together with its database")
    if database is not None and database not in databases:
        raise GatewayError("INVALID_VALUE", "there is no database of this name")
    if database is not None and record is not None and record not in databases[database].by_name:
        raise GatewayError("INVALID_VALUE", "the database has no record of this name")
    if not persons and database is None:
        raise GatewayError("INVALID_VALUE", "name a person or a database")
    if len(persons) > MOST_PERSONS:
        raise GatewayError("TOO_MANY_PERSONS", details={"limit": MOST_PERSONS})
    return [Invalidation(one, database, record) for one in persons or (None,)]


async def invalidate(cache: Cache, what: Sequence[Invalidation]) -> Invalidated:
    """Invalidate ``what``; raises GatewayError INVALIDATION_FAILED: nothing was invalidated then.

    Costs a question to Redis, or a write to the disk.
    """
    try:
        return Invalidated(await cache.log.invalidate(what))
    except LogUnavailable:
        raise GatewayError("INVALIDATION_FAILED") from None
