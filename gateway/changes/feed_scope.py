"""What the feed of a caller can show: kinds, records and databases, before any event is read.

Permission is that of ``person``: a scope for the record, and a purpose that needs it (design
section 7). The settings of the purpose say which kinds an interest may have. What the law withholds
as a whole from this caller is withheld here too (``gateway.protection``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from connectors.description import Database, Record
from gateway.access.caller import Caller
from gateway.answer import State
from gateway.changes.event import SOURCE_KINDS, LifeEvent, LifeEventKind
from gateway.changes.interests import Interest
from gateway.changes.origins import Origin
from gateway.protection.rules import PROTECTION

#: Kinds of events of people.
PERSON_KINDS = frozenset(LifeEventKind) - SOURCE_KINDS


@dataclass(frozen=True, slots=True)
class DeniedKind:
    """A kind of event that a feed does not show, or not whole, of one record.

    ``database``, ``record``: None where no record decides. ``missing``: scopes and purposes, or
    what else is missing. ``state``: DENIED for want of rights, WITHHELD by law, NOT_OPERATING where
    no source can tell such events, INCOMPLETE where it can tell some of them, which are shown.
    """

    kind: LifeEventKind
    database: str | None
    record: str | None
    missing: tuple[str, ...]
    state: State = State.DENIED


@dataclass(frozen=True, slots=True)
class FeedScope:
    """What a feed can show.

    ``kinds``: that are asked for and permitted by settings. ``shown``: kinds and records
    (database, name) whose events may be shown. ``databases``: those that can tell some of
    ``kinds``, as far as the caller may see it. ``denied``: what was asked for and is not shown, or
    of which some can never be told.
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
    requested_kinds: Collection[LifeEventKind] | None,
) -> FeedScope:
    """Return what the feed of ``caller`` can show.

    ``permitted``: kinds that an interest under the purpose may have. ``requested_kinds``: of which
    kinds events are asked for; None: of all in which the client has an interest, or may have one.
    """
    of_interests = frozenset(kind for interest in interests for kind in interest.kinds)
    wished = (
        frozenset(requested_kinds)
        if requested_kinds is not None
        else of_interests or frozenset(permitted)
    )
    wished &= PERSON_KINDS
    kinds = wished & frozenset(permitted)
    denied = [
        DeniedKind(kind, None, None, (f"purpose:interest.{kind.name}",))
        for kind in LifeEventKind
        if kind in wished - kinds
    ]
    chosen = [origin for origin in origins if origin.kind in kinds]
    decisions = {record: missing_for_record(caller, record) for record in _records(chosen)}
    shown = [origin for origin in chosen if decisions[origin.record] == ()]
    denied += [
        denial
        for origin in chosen
        if (denial := _denial(origin, decisions[origin.record])) is not None
    ]
    sources = {origin.kind for origin in chosen}
    denied += [
        DeniedKind(kind, None, None, (), State.NOT_OPERATING)
        for kind in LifeEventKind
        if kind in kinds - sources
    ]
    return FeedScope(
        kinds,
        frozenset(
            (shown_record.kind, shown_record.record.database, shown_record.record.name)
            for shown_record in shown
        ),
        tuple(
            dict.fromkeys(
                shown_record.record.database for shown_record in shown if shown_record.is_told
            )
        ),
        tuple(denied),
    )


def _records(origins: Iterable[Origin]) -> Iterable[Record]:
    """Return the records of origins, each once."""
    return dict.fromkeys(origin.record for origin in origins)


def _denial(origin: Origin, missing: tuple[str, ...] | None) -> DeniedKind | None:
    """Return what of an origin is not shown, for want of rights or by its nature; None: nothing.

    ``missing``: what ``missing_for_record`` returns.
    """
    kind, record = origin.kind, origin.record
    if missing is None:
        return DeniedKind(kind, record.database, record.name, (), State.WITHHELD)
    if missing:
        return DeniedKind(kind, record.database, record.name, missing)
    if origin.untold is None:
        return None
    state = State.INCOMPLETE if origin.is_told else State.NOT_OPERATING
    return DeniedKind(kind, record.database, record.name, origin.wants, state)


def visible_date(caller: Caller, database: Database, event: LifeEvent) -> str | None:
    """Return when an event of ``database`` happened; None where ``caller`` may not see it.

    Each column that can say so for events of this kind must be permitted.
    """
    columns = (
        (record, record.positions[rule.date])
        for record in database.records
        for rule in record.changes
        if rule.date is not None and (rule.kind, rule.shown[0]) == (event.kind.name, event.record)
    )
    return None if any(caller.missing_for(*column) for column in columns) else event.date


def unseen_kinds(
    caller: Caller, origins: Iterable[Origin], kinds: Collection[LifeEventKind]
) -> Mapping[LifeEventKind, tuple[str, ...]]:
    """Return the kinds of which ``caller`` could not see any event, and what is missing.

    A kind that no database tells of is missing nothing that anybody could grant. Where a database
    can never tell it, ``missing`` says for want of what.
    """
    origins = tuple(origins)
    unseen: dict[LifeEventKind, tuple[str, ...]] = {}
    for kind in sorted(kinds, key=lambda kind: kind.name):
        decisions = [_lacks(caller, origin) for origin in origins if origin.kind is kind]
        if () not in decisions:
            lacks = (name for missing in decisions for name in missing or ())
            unseen[kind] = tuple(dict.fromkeys(lacks))
    return unseen


def _lacks(caller: Caller, origin: Origin) -> tuple[str, ...] | None:
    """Return what is lacking for any event of an origin; None: the law withholds them."""
    missing = missing_for_record(caller, origin.record)
    return missing if missing != () or origin.is_told else origin.wants
