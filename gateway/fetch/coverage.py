"""The group, coverage and contact of a database, as settings narrow or state them."""

from __future__ import annotations

from dataclasses import replace

from connectors.description import Coverage, Database, Record
from gateway.settings import DatabaseSettings


def narrow_database(database: Database, settings: DatabaseSettings) -> Database:
    """Return ``database`` with the group, coverage and contact that settings give it."""
    return replace(
        database,
        group=settings.group or database.group,
        contact=settings.contact or database.contact,
        coverage=_narrow(database.coverage, settings),
    )


def coverage_of(record: Record, database: Database, settings: DatabaseSettings) -> Coverage:
    """Return the coverage of a record of the narrowed ``database``."""
    coverage = database.coverage
    if record.coverage is not None:
        coverage = _narrow(record.coverage, settings)
    stated = settings.records.get(record.name)
    if stated is None or stated.unnumbered is None:
        return coverage
    return replace(coverage, unnumbered=stated.unnumbered)


def _narrow(coverage: Coverage, settings: DatabaseSettings) -> Coverage:
    """Narrow a declared coverage; settings never widen it."""
    provinces, since = coverage.provinces, coverage.since
    if settings.provinces is not None:
        declared = settings.provinces if provinces is None else provinces
        provinces = tuple(province for province in settings.provinces if province in declared)
    if settings.since is not None:
        since = settings.since if since is None else max(since, settings.since)
    unnumbered = coverage.unnumbered if settings.unnumbered is None else settings.unnumbered
    return replace(coverage, provinces=provinces, since=since, unnumbered=unnumbered)
