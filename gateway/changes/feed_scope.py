"""What the feed of a caller can show: kinds, records and databases, before any event is read.

Permission is that of ``person``: a scope for the record, and a purpose that needs it (design
section 7). The settings of the purpose say which kinds an interest may have. What the law withholds
as a whole from this caller is withheld here too (``gateway.protection``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from connectors.description import Record
from gateway.access.caller import Caller
from gateway.changes.event import SOURCE_KINDS, LifeEventKind
from gateway.changes.interests import Interest
from gateway.changes.origins import Origin
from gateway.protection.rules import PROTECTION

#: Kinds of events of people.
PERSON_KINDS = frozenset(LifeEventKind) - SOURCE_KINDS


@dataclass(frozen=True, slots=True)
class DeniedKind:
    """A kind of event that a feed does not show, of one record.

    ``database``, ``record``: None where no record decides. ``missing``: scopes and purposes, or
    what else is missing; empty: the law withholds it.
    """

    kind: LifeEventKind
    database: str | None
    record: str | None
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FeedScope:
    """What a feed can show.

    ``kinds``: that are asked for and permitted by settings. ``shown``: kinds and records
    (database, name) whose events may be shown. ``databases``: those that some of ``kinds`` come
    from, as far as the caller may see it. ``denied``: what was asked for and is not shown.
    """

    kinds: frozenset[LifeEventKind]
    shown: frozenset[tuple[LifeEventKind, str, str]]
    databases: tuple[str, ...]
    denied: tuple[DeniedKind, ...]


def missing_for_record(caller: Caller, record: Record) -> tuple[str, ...] | None:
    """Return what ``caller`` lacks to see events of ``record``; None: the law withholds it.

    Adoptions are of nobody's feed, whatever the purpose.
    """
    missing = caller.missing_for(record, None)
    if missing:
        return missing
    is_withheld = (
        PROTECTION.is_withheld(record, caller, False)
        or PROTECTION.is_withheld(record, Caller(scopes=caller.scopes), False)
        or PROTECTION.opens_on_death(record)
    )
    return None if is_withheld else ()


def feed_scope(
    caller: Caller,
    origins: Iterable[Origin],
    permitted: Collection[LifeEventKind],
    interests: Iterable[Interest],
    asked: Collection[LifeEventKind] | None,
) -> FeedScope:
    """Return what the feed of ``caller`` can show.

    ``permitted``: kinds that an interest under the purpose may have. ``asked``: of which kinds
    events are asked for; None: of all in which the client has an interest, or may have one.
    """
    of_interests = frozenset(kind for interest in interests for kind in interest.kinds)
    wished = frozenset(asked) if asked is not None else of_interests or frozenset(permitted)
    wished &= PERSON_KINDS
    kinds = wished & frozenset(permitted)
    denied = [
        DeniedKind(kind, None, None, (f"purpose:interest.{kind.name}",))
        for kind in LifeEventKind
        if kind in wished - kinds
    ]
    decided: dict[Record, tuple[str, ...] | None] = {}
    shown: dict[tuple[LifeEventKind, str, str], None] = {}
    for kind, record in ((each.kind, each.record) for each in origins if each.kind in kinds):
        if record not in decided:
            decided[record] = missing_for_record(caller, record)
        missing = decided[record]
        if missing == ():
            shown[kind, record.database, record.name] = None
        else:
            denied.append(DeniedKind(kind, record.database, record.name, missing or ()))
    databases = tuple(dict.fromkeys(database for _, database, _ in shown))
    return FeedScope(kinds, frozenset(shown), databases, tuple(denied))


def unseen_kinds(
    caller: Caller, origins: Iterable[Origin], kinds: Collection[LifeEventKind]
) -> Mapping[LifeEventKind, tuple[str, ...]]:
    """Return the kinds of which ``caller`` could not see any event, and what is missing.

    A kind that no database tells of is missing nothing that anybody could grant.
    """
    origins = tuple(origins)
    unseen: dict[LifeEventKind, tuple[str, ...]] = {}
    for kind in sorted(kinds, key=lambda each: each.name):
        decisions = [
            missing_for_record(caller, origin.record) for origin in origins if origin.kind is kind
        ]
        if () not in decisions:
            lacks = (name for missing in decisions for name in missing or ())
            unseen[kind] = tuple(dict.fromkeys(lacks))
    return unseen
