"""The feed of a caller: the events that it may see, after a cursor.

An event is shown to a client that registered an interest in the person, for the same agency and
under the same purpose, before the event came into the log; while that interest lasts, its kinds
include the event's, the caller's scopes and purpose permit the record
(``gateway.changes.feed_scope``), and no rule of law hides the row
(``gateway.changes.feed_protection``).

Silence never reads as none: a page says up to which moment it has everything of each database,
which kinds it does not show, and whether there is any interest at all.

A page opens at most ``LONGEST_SCAN`` entries of the log, of whomever (some 20 us each, with NATS
80), so that whoever was away for long reads more pages, and not one that takes long. Two look-ups
find out whose an event is.

Interests are read again after the entries: a page ends where an interest begins that was registered
meanwhile, so that no cursor passes the events of an interest that was there before they came, and
before an event of an interest that ended meanwhile, since the event may have come after that. While
some interests cannot be read, cursors remember it: once all can be read again, or have ended, the
page after such a cursor begins with EVENTS_MISSED of each database.

An interest may stand at a position that the log has lost: an older copy was restored and written
on, and has other entries under the same numbers. Which of them came after the registration the
clock says then, and where it does not, EVENTS_MISSED stands in place of the event.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from connectors.description import Coded
from gateway.access.caller import Caller
from gateway.catalogue.life_events import SCOPE
from gateway.changes.event import SOURCE_KINDS, LifeEvent, LifeEventKind
from gateway.changes.feed_cursors import FeedCursors, FeedPlace
from gateway.changes.feed_protection import EventDecision, RowProtection
from gateway.changes.feed_scope import DeniedKind, FeedScope, feed_scope, unseen_kinds
from gateway.changes.interests import Interest, InterestOwner, InterestStore
from gateway.changes.log import (
    EventLog,
    EventLogEntry,
    EventLogUnavailable,
    FollowState,
    PositionExpired,
    SourceStatus,
)
from gateway.changes.origins import Origin, lookups_by_record
from gateway.errors import GatewayError
from gateway.fetch.loaders import Loaders
from gateway.fetch.sharing import Sharing
from gateway.fetch.source import Source
from gateway.keys.keyring import Keyring
from gateway.runtime.clock import Clock
from gateway.settings import Settings
from gateway.storage.unavailable import StoreUnavailable

#: Events of a page, where nothing else is said, and at most.
DEFAULT_PAGE, LONGEST_PAGE = 100, 500
#: Entries of the log that a page opens at most, and at once.
LONGEST_SCAN, _CHUNK = 5_000, 500
#: To prove the position of an interest costs as much as to open so many entries.
_PROOF_COST = 20
#: By how much the clocks of two gateways may differ.
_CLOCK_DIFFERENCE = timedelta(minutes=1)


class FeedState(Coded):
    """How the changes of a database are followed."""

    FOLLOWED = "đang theo dõi", "its changes are followed"
    INTERRUPTED = "gián đoạn", "its changes could not be read since the moment stated"
    NOT_FOLLOWED = "không theo dõi", "its changes are not followed: nothing is known of them"


@dataclass(frozen=True, slots=True)
class FeedParts:
    """What feeds are made of.

    ``followed``: the databases whose changes settings follow. ``origins``: of all ``sources``.
    """

    log: EventLog
    interests: InterestStore
    followed: Collection[str]
    origins: Sequence[Origin]
    sources: Mapping[str, Source]
    settings: Settings
    keys: Keyring
    clock: Clock


@dataclass(frozen=True, slots=True)
class FeedEdge:
    """An event of a feed. ``cursor``: what comes after it comes after this.

    ``interest``: because of which it is shown; None for events about a source. ``shows_row``: False
    where the row is gone. ``interest_id``: because of which it was decided on, also where that gave
    EVENTS_MISSED; None for the others about a source.
    """

    cursor: str
    event: LifeEvent
    interest: Interest | None
    shows_row: bool = True
    interest_id: str | None = None


@dataclass(frozen=True, slots=True)
class FeedSource:
    """How complete a page is of one database.

    ``complete_until``: every change that was committed before (UTC), and may be shown, is on this
    page or on one before it; None: not known, or not before the last page, or the owner may have
    more interests than can be read. ``since``: when ``state`` began.
    """

    database: str
    state: FeedState
    complete_until: datetime | None
    since: datetime | None


@dataclass(frozen=True, slots=True)
class FeedPage:
    """A page of a feed.

    ``end_cursor``: the next page begins there, also after a page without events. ``has_more``:
    there may be more already. ``is_waiting``: a database must answer before more can be shown; to
    ask again at once is of no use. ``interests``: how many interests the owner has: with 0
    nothing can come; None: not known, since some interests of nobody knows whom cannot be read.
    ``denied``: what is not shown.
    """

    edges: Sequence[FeedEdge]
    end_cursor: str
    has_more: bool
    is_waiting: bool
    sources: Sequence[FeedSource]
    denied: Sequence[DeniedKind]
    interests: int | None
    numbers: frozenset[str] = frozenset()


def permitted_kinds(settings: Settings, purpose: str | None) -> frozenset[LifeEventKind]:
    """Return the kinds of which an interest under ``purpose`` may be; none by default."""
    return frozenset(LifeEventKind[name] for name in settings.interest_terms(purpose).kinds)


def require_kinds(parts: FeedParts, caller: Caller, kinds: Collection[LifeEventKind]) -> None:
    """Refuse kinds of which the feed of ``caller`` could not show any event.

    Raises GatewayError INTEREST_NOT_PERMITTED where the settings of the purpose do not permit
    them, FORBIDDEN where scopes or the purpose do not.
    """
    permitted = permitted_kinds(parts.settings, caller.purpose)
    if not kinds or not permitted.issuperset(kinds):
        names = sorted(kind.name for kind in permitted)
        days = parts.settings.interest_terms(caller.purpose).days
        raise GatewayError("INTEREST_NOT_PERMITTED", details={"kinds": names, "days": days})
    unseen = unseen_kinds(caller, parts.origins, kinds)
    if unseen:
        missing = dict.fromkeys(name for names in unseen.values() for name in names)
        names = [kind.name for kind in unseen]
        raise GatewayError("FORBIDDEN", details={"missing": list(missing), "kinds": names})


def require_events(caller: Caller) -> InterestOwner:
    """Return to whom the interests of a caller belong who may read events.

    Raises GatewayError FORBIDDEN, PURPOSE_REQUIRED.
    """
    if caller.client is None or SCOPE not in caller.scopes:
        raise GatewayError("FORBIDDEN", details={"missing": [SCOPE]})
    if caller.purpose is None:
        raise GatewayError("PURPOSE_REQUIRED")
    return InterestOwner(caller.client, caller.agency, caller.purpose)


async def read_feed(
    parts: FeedParts,
    caller: Caller,
    *,
    after: str | None = None,
    first: int = DEFAULT_PAGE,
    kinds: Collection[LifeEventKind] | None = None,
    deadline: float,
) -> FeedPage:
    """Return a page of the feed of ``caller``, in the order of the log.

    ``after``: None: from the registration of the first interest; where the log no longer has that,
    from now, behind EVENTS_MISSED. ``kinds``: None: all. Events about sources come always.
    ``deadline``: in seconds of the clock's monotonic time, for databases.

    Raises GatewayError FORBIDDEN, PURPOSE_REQUIRED, INVALID_VALUE for ``after``, CURSOR_EXPIRED
    where the log no longer has what comes after it, EVENTS_UNAVAILABLE.
    """
    owner = require_events(caller)
    cursors = FeedCursors(parts.keys, owner)
    place = None if after is None else FeedPlace.parse(cursors.parse(after))
    with answering():
        now = parts.clock.now()
        # Read before the interests: what comes after one that is registered later comes after it.
        end = await parts.log.end() if place is None else ""
        interests = await parts.interests.of_owner(owner, now)
        is_whole = not await parts.interests.count_unreadable(now)
        # Read before the entries: what a status speaks of is in the log by then.
        statuses = await parts.log.statuses()
        permitted = permitted_kinds(parts.settings, owner.purpose)
        scope = feed_scope(caller, parts.origins, permitted, interests, kinds)
        protection = _protection(parts, caller, deadline)
        scan = _Scan(parts.log, owner, scope, _by_number(interests), protection, first)
        if place is None:
            await scan.begin(interests, now, end)
        else:
            scan.position = place.position
        begin = scan.position
        await scan.run()
        if scan.position != begin:
            later = await parts.interests.of_owner(owner, parts.clock.now())
            former_ids = {interest.id for interest in interests}
            await scan.end_before(begin, [item for item in later if item.id not in former_ids])
            scan.withdraw(begin, {item.id for item in later})
            is_whole = is_whole and not await parts.interests.count_unreadable(parts.clock.now())
    had_gap = place is not None and place.has_gap
    if had_gap and is_whole:
        scan.tell_gap(begin, now)
    # Also where a feed begins, since it may begin after an interest that cannot be read.
    has_gap = not is_whole and (had_gap or place is None or scan.position != begin)
    cursor_at = scan.cursors(cursors, has_gap=has_gap)
    sources = [_source(parts, statuses.get(name), name, scan) for name in scope.databases]
    if not is_whole:
        sources = [replace(source, complete_until=None) for source in sources]
    return FeedPage(
        [replace(edge, cursor=cursor_at[position]) for position, edge in scan.edges],
        cursor_at[scan.position],
        not scan.is_end,
        scan.is_waiting,
        sources,
        scope.denied,
        len(interests) if is_whole else None,
        frozenset(scan.by_number),
    )


def _protection(parts: FeedParts, caller: Caller, deadline: float) -> RowProtection:
    """Return what reads rows again for ``caller`` that a rule may hide."""
    is_deferred = parts.settings.deferral(caller.purpose) is not None
    sharing = Sharing((), True, is_deferred)
    loaders = Loaders(parts.sources, parts.clock, deadline, caller.asker, sharing)
    return RowProtection(parts.sources, loaders, lookups_by_record(parts.origins))


@contextmanager
def answering() -> Iterator[None]:
    """Raise GatewayError EVENTS_UNAVAILABLE where log or interests do not answer."""
    try:
        yield
    except (EventLogUnavailable, StoreUnavailable):
        raise GatewayError("EVENTS_UNAVAILABLE") from None


def _by_number(interests: Sequence[Interest]) -> Mapping[str, Sequence[Interest]]:
    by_number: dict[str, list[Interest]] = {}
    for interest in interests:
        for number in interest.numbers:
            by_number.setdefault(number, []).append(interest)
    return by_number


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An entry of the log. ``interest``: because of which it may be shown.

    ``is_notice``: it is about a source that the caller may see. ``is_certain``: False where it is
    not known whether the interest was registered before.
    """

    entry: EventLogEntry
    interest: Interest | None
    is_notice: bool
    is_certain: bool = True

    @property
    def is_for_caller(self) -> bool:
        return self.is_notice or self.interest is not None


@dataclass(slots=True)
class _Scan:
    """One page while it is read.

    ``position``: what the page covers ends there. ``edges``: with their positions, and without
    cursors. ``is_end``: it covers all that the log had when it was read. ``proofs``: whether the
    log has the entries at positions of interests, as far as that was looked up.
    """

    log: EventLog
    owner: InterestOwner
    scope: FeedScope
    by_number: Mapping[str, Sequence[Interest]]
    protection: RowProtection
    room: int
    position: str = ""
    edges: list[tuple[str, FeedEdge]] = field(default_factory=list)
    is_end: bool = False
    is_waiting: bool = False
    proofs: dict[str, bool] = field(default_factory=dict)

    def cursors(self, cursors: FeedCursors, *, has_gap: bool) -> Mapping[str, str]:
        """Return the cursor of each position of the page: of one position always the same."""
        positions = {self.position, *(position for position, _ in self.edges)}
        return {position: cursors.make(str(FeedPlace(position, has_gap))) for position in positions}

    async def begin(self, interests: Sequence[Interest], now: datetime, end: str) -> None:
        """Begin at the first interest, or at ``end`` where the log no longer has what came then."""
        earliest = await self._earliest(interests)
        if earliest is not None:
            self.position = earliest
            return
        self.position = end
        since = min((interest.registered_at for interest in interests), default=None)
        if since is not None:
            self.edges += self._missed_edges("begin", end, now, since)

    def tell_gap(self, begin: str, now: datetime) -> None:
        """Put before all edges that events before ``begin`` may not have been shown."""
        self.edges[:0] = self._missed_edges("gap", begin, now, None)

    def _missed_edges(
        self, cause: str, position: str, now: datetime, since: datetime | None
    ) -> list[tuple[str, FeedEdge]]:
        """Return EVENTS_MISSED of each database, with the same ids for the same arguments."""
        owner = self.owner
        edges = []
        for database in self.scope.databases:
            parts = (cause, owner.client, owner.agency or "", owner.purpose, database, position)
            notice = _missed("\n".join(parts), database, now, since)
            edges.append((position, FeedEdge("", notice, None)))
        return edges

    async def _earliest(self, interests: Sequence[Interest]) -> str | None:
        """Return the position of the first interest; None: there is none, or the log lost it.

        Also None where the log lost the position of another that was registered before, or at about
        the same time: after an older copy was restored, numbers do not tell which was the first.
        """
        first: tuple[str, datetime] | None = None
        for interest in interests:
            try:
                if interest.position is None:
                    return None
                if first is None or self.log.is_before(interest.position, first[0]):
                    first = interest.position, interest.registered_at
            except (PositionExpired, ValueError):
                return None
        if first is None:
            return None
        earliest, registered_at = first
        latest = registered_at + _CLOCK_DIFFERENCE
        early = (item.position for item in interests if item.registered_at <= latest)
        for position in dict.fromkeys(early):
            if not await self._has(position):
                return None
        return earliest

    async def _has(self, position: str | None) -> bool:
        """Return whether the log has the entry at a position of an interest.

        ``is_before`` compares numbers, which a log that was restored has used again. Nor does one
        position that is there prove those before it: their interests may be of entries that were
        lost. One read for each position, once a page.
        """
        if position is None:
            return False
        if position not in self.proofs:
            try:
                await self.log.read(position, 1)
                self.proofs[position] = True
            except (PositionExpired, ValueError):
                self.proofs[position] = False
        return self.proofs[position]

    async def run(self) -> None:
        """Read on until the page is full, the log ends, or a database must answer first.

        A position of an interest is proven only where an event that would be shown stands before
        it: mostly none. It counts as ``_PROOF_COST`` entries, so that a page of an owner with
        thousands of them ends earlier, and does not take longer.

        Raises GatewayError CURSOR_EXPIRED, INVALID_VALUE for a position in another log.
        """
        scanned = -_PROOF_COST * len(self.proofs)  # those made to find the begin do not count
        while scanned + _PROOF_COST * len(self.proofs) < LONGEST_SCAN:
            try:
                page = await self.log.read(self.position, _CHUNK)
            except PositionExpired:
                raise GatewayError("CURSOR_EXPIRED") from None
            except ValueError:
                raise GatewayError("INVALID_VALUE", "after is of another event log") from None
            is_whole = await self._add([await self._candidate(entry) for entry in page.entries])
            self.is_end = is_whole and page.is_end
            if not is_whole or page.is_end or not page.entries:
                return
            scanned += len(page.entries)

    async def end_before(self, begin: str, interests: Iterable[Interest]) -> None:
        """End the page, which begins at ``begin``, where the first of ``interests`` begins.

        They were registered while it was read, and it has none of their events.
        """
        for interest in interests:
            place = begin
            position = interest.position
            with suppress(PositionExpired, ValueError):
                if position and self.log.is_before(begin, position) and await self._has(position):
                    place = position
            if place != self.position and self.log.is_before(place, self.position):
                self.position, self.is_end, self.is_waiting = place, False, False
        self.edges = [edge for edge in self.edges if self.log.is_before(edge[0], self.position)]

    def withdraw(self, begin: str, interest_ids: Collection[str]) -> None:
        """End the page, which begins at ``begin``, before an event of none of these interests.

        Also before EVENTS_MISSED in place of one. The interest ended while the page was read. The
        next page decides whether another shows it.
        """
        place = begin
        for index, (position, edge) in enumerate(self.edges):
            if edge.interest_id is not None and edge.interest_id not in interest_ids:
                self.position, self.is_end, self.is_waiting = place, False, False
                del self.edges[index:]
                return
            place = position

    async def _add(self, candidates: Sequence[_Candidate]) -> bool:
        """Add the events that are shown; returns whether all entries are covered.

        What waits for a database ends the page, so that it is not left behind.
        """
        events = [item for item in candidates if item.is_for_caller][: self.room]
        decisions = iter(await asyncio.gather(*(self._decide(item) for item in events)))
        for candidate in candidates:
            if candidate.is_for_caller:
                decision = next(decisions, None)
                if decision is None:
                    return False
                if decision is EventDecision.WAITING:
                    self.is_waiting = True
                    return False
                self._show(candidate, decision)
            self.position = candidate.entry.position
        return True

    async def _decide(self, candidate: _Candidate) -> EventDecision:
        if candidate.interest is None:
            return EventDecision.SHOWN
        decision = await self.protection.decide(candidate.entry.event, candidate.interest)
        if candidate.is_certain or decision in {EventDecision.HIDDEN, EventDecision.WAITING}:
            return decision
        return EventDecision.UNKNOWN

    def _show(self, candidate: _Candidate, decision: EventDecision) -> None:
        """Add the event of an entry, as was decided."""
        if decision is EventDecision.HIDDEN:
            return
        event, interest = candidate.entry.event, candidate.interest
        interest_id = None if interest is None else interest.id
        if decision is EventDecision.UNKNOWN:
            since = event.committed_at or event.detected_at
            event = _missed(f"undecided {event.id}", event.database, event.detected_at, since)
            interest = None
        position = candidate.entry.position
        edge = FeedEdge("", event, interest, decision is EventDecision.SHOWN, interest_id)
        self.edges.append((position, edge))
        self.room -= 1

    async def _candidate(self, entry: EventLogEntry) -> _Candidate:
        """Find out for whom an entry is, before protection."""
        event, uncertain = entry.event, None
        if event.kind in SOURCE_KINDS:
            return _Candidate(entry, None, event.database in self.scope.databases)
        if (event.kind, event.database, event.record) in self.scope.shown:
            for interest in self.by_number.get(event.person or "", ()):
                if event.kind not in interest.kinds:
                    continue
                lasts = await self._lasts(interest, entry)
                if lasts:
                    return _Candidate(entry, interest, False)
                if lasts is None:
                    uncertain = uncertain or interest
        return _Candidate(entry, uncertain, False, is_certain=False)

    async def _lasts(self, interest: Interest, entry: EventLogEntry) -> bool | None:
        """Say whether an interest was registered before an event, and had not ended by then.

        None: not known.
        """
        detected_at = entry.event.detected_at
        if detected_at >= interest.until:
            return False
        is_before = interest.registered_at < detected_at
        try:
            if interest.position is None:
                return is_before
            if not self.log.is_before(entry.position, interest.position):
                return True
        except (PositionExpired, ValueError):
            return is_before  # it was registered while events stood in another log
        if await self._has(interest.position):
            return False
        return True if is_before else None  # clocks differ, and numbers were used again


def _missed(name: str, database: str, detected_at: datetime, since: datetime | None) -> LifeEvent:
    """Return the event that others of a database may have been missed; ``name``: of what."""
    event_id = hashlib.blake2b(name.encode(), digest_size=16).hexdigest()
    missed = LifeEventKind.EVENTS_MISSED
    return LifeEvent(event_id, missed, database, None, None, None, None, None, detected_at, since)


def _source(parts: FeedParts, status: SourceStatus | None, name: str, scan: _Scan) -> FeedSource:
    """Return how complete a page is of the database ``name``."""
    if name not in parts.followed:
        return FeedSource(name, FeedState.NOT_FOLLOWED, None, None)
    if status is None:
        return FeedSource(name, FeedState.INTERRUPTED, None, None)
    is_followed = status.state is FollowState.FOLLOWED
    state = FeedState.FOLLOWED if is_followed else FeedState.INTERRUPTED
    is_covered = scan.is_end or _covers(scan, status.position)
    return FeedSource(name, state, status.complete_until if is_covered else None, status.since)


def _covers(scan: _Scan, position: str) -> bool:
    """Say whether a page covers the log up to ``position``."""
    try:
        return scan.log.is_before(position, scan.position)
    except (PositionExpired, ValueError):
        return False
