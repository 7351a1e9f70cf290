"""A database on a page: how it stands, and how it works, in values that templates show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from connectors.description import Database, Group
from gateway.access.caller import Caller
from gateway.fetch.contacts import CacheShare, Latency
from gateway.fetch.source import Source
from gateway.fetch.standing import SourceStanding, describe_standing
from gateway.service import Service


@dataclass(frozen=True, slots=True)
class SourceFigures:
    """How a database works, as this process measured it. ``latency`` None: not measured yet.

    ``cache`` None: its rows are never cached.
    """

    latency: Latency | None
    cache: CacheShare | None


@dataclass(frozen=True, slots=True)
class SourceView:
    """A database on a page. ``figures`` None: the caller may not see them."""

    database: Database
    standing: SourceStanding
    figures: SourceFigures | None = None


def view_source(source: Source, now: datetime, *, with_figures: bool = False) -> SourceView:
    """Return ``source`` as pages show it ``now`` (UTC). Asks no database."""
    figures = None
    if with_figures:
        is_cached = source.cache is not None and any(
            source.settings.freshness(record.name).longest > 0 for record in source.database.records
        )
        figures = SourceFigures(source.contacts.latency(), source.cache_use if is_cached else None)
    return SourceView(source.database, describe_standing(source, now), figures)


def group_sources(views: Iterable[SourceView]) -> Mapping[Group, list[SourceView]]:
    """Return ``views`` by lifecycle group: every group is there, also one without databases."""
    groups: dict[Group, list[SourceView]] = {group: [] for group in Group}
    for view in views:
        groups[view.database.group].append(view)
    return groups


def may_see_figures(service: Service, caller: Caller) -> bool:
    """Say whether ``caller`` may see what ``/metrics`` shows."""
    return service.resources.settings.public_metrics or caller.may_see_metrics


def may_see_fields(service: Service, caller: Caller) -> bool:
    """Say whether ``caller`` may see what ``/schema.graphql`` shows (decision 6)."""
    return service.resources.settings.public_schema or caller.may_introspect
