"""What a caller can be permitted, and the scopes that permit it."""

from __future__ import annotations

from collections.abc import Iterable

from connectors.description import Database, Record, Sensitivity
from gateway.catalogue.checks import SCOPE as CHECK
from gateway.catalogue.checks import CheckPermission
from gateway.catalogue.entry_points import EntryPoint, entries_of
from gateway.catalogue.life_events import SCOPE as EVENTS
from gateway.catalogue.scopes import (
    AUDIT,
    INTROSPECT,
    INVALIDATE,
    METRICS,
    OPERATE,
    OWN_VIEW,
    PLANS,
    STATISTICS,
    scope,
)
from gateway.catalogue.verification import SCOPE as VERIFY
from gateway.catalogue.verification import Verification
from gateway.derived.registry import derived_of
from gateway.derived.view import PERSON, DerivedView

#: The scopes and purposes that a caller lacks (``Caller.missing_for``); empty: none.
Missing = tuple[str, ...]
#: What a permission is for.
Permitted = Record | DerivedView | EntryPoint | Verification | CheckPermission
#: A permission that a field needs. The second is the position of a record's column; None: the
#: record itself, a derived view, finding things by their key, verifying a person, or a check.
Need = tuple[Permitted, int | None]


def scope_of(permitted: Permitted, position: int | None) -> str:
    """Return the scope that permits a ``Need``."""
    if isinstance(permitted, EntryPoint):
        return permitted.scope
    if isinstance(permitted, Verification):
        return VERIFY
    if isinstance(permitted, CheckPermission):
        return CHECK
    level = Sensitivity.BASIC
    if isinstance(permitted, DerivedView):
        level = permitted.sensitivity
    elif position is not None:
        level = permitted.columns[position].sensitivity
    return scope(permitted.database, level)


def all_scopes(databases: Iterable[Database]) -> frozenset[str]:
    """Return every scope that exists for ``databases``."""
    declared = tuple(databases)
    scopes = {
        STATISTICS,
        OWN_VIEW,
        INTROSPECT,
        PLANS,
        AUDIT,
        METRICS,
        OPERATE,
        VERIFY,
        CHECK,
        EVENTS,
    }
    for database in declared:
        scopes.add(f"{database.name}:{INVALIDATE}")
        views = [derived.name for derived in derived_of(database.name)]
        for suffix in ("", *(f".{name}" for name in (*database.by_name, *views))):
            scopes |= {scope(f"{database.name}{suffix}", level) for level in Sensitivity}
    for suffix in ("", *(f".{view.name}" for view in derived_of(PERSON))):
        scopes |= {scope(f"{PERSON}{suffix}", level) for level in Sensitivity}
    return frozenset(scopes | {entry.scope for entry in entries_of(declared).values()})
