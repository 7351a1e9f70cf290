"""Invalidation on request: who may invalidate what, and the call itself.

The GraphQL mutation, ``POST /invalidations`` and the command line all use it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.description import Database
from gateway.cache.invalidations import Invalidation, LogUnavailable
from gateway.cache.rows import Cache
from gateway.catalogue.scopes import INVALIDATE, OPERATE
from gateway.errors import GatewayError

#: Persons in one call. For more of them, a database or a record is invalidated.
MOST_PERSONS = 1_000


@dataclass(frozen=True, slots=True)
class Invalidated:
    """What was invalidated. ``effective_by``: the moment (UTC) from which the promise holds.

    No request that begins later is answered from rows read before.
    """

    effective_by: datetime


def missing_for_invalidation(scopes: Collection[str], database: str | None) -> tuple[str, ...]:
    """Return the scopes that are missing to invalidate rows of ``database``; None: of all.

    ``operate`` covers every database, the scope ``<database>:invalidate`` only that one.
    """
    needed = OPERATE if database is None else f"{database}:{INVALIDATE}"
    return () if OPERATE in scopes or needed in scopes else (needed,)


def invalidations_for(
    databases: Mapping[str, Database],
    persons: Sequence[str],
    database: str | None,
    record: str | None,
) -> list[Invalidation]:
    """Return the invalidations that a call asks for.

    ``persons``: valid numbers; none: of every person. Raises GatewayError INVALID_VALUE for a
    combination that makes no sense, TOO_MANY_PERSONS.
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
    return [Invalidation(person, database, record) for person in persons or (None,)]


async def invalidate(cache: Cache, invalidations: Sequence[Invalidation]) -> Invalidated:
    """Append ``invalidations`` to the log.

    Raises GatewayError INVALIDATION_FAILED: then nothing was invalidated. Costs a command to Redis,
    or a write to the disk.
    """
    try:
        return Invalidated(await cache.log.invalidate(invalidations))
    except LogUnavailable:
        raise GatewayError("INVALIDATION_FAILED") from None
