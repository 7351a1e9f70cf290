"""The entries about a person, newest first, from the copy of the journals.

An entry that may not be shown yet, or not to this reader, leaves no trace: it is filtered out
before entries are counted, limited or turned into a cursor (design section 7).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.audit.copy.database import ENTRIES, JOURNALS, PERSONS, REFUSED, Copy
from gateway.errors import GatewayError

#: Of several roles in one entry the first counts. REFUSED is not shown at all.
_ROLES = ("OWN", "NAMED", "REPRESENTED", "KIN", "MENTIONED")
#: By how much the clocks of two gateways may differ.
_CLOCK_SKEW = timedelta(seconds=10)
_CURSOR = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6})\|([\w.-]{1,64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class EntryPage:
    """A page of entries.

    ``entries``: each as it was written, without ``persons``, and with ``own``: role and sections of
    the person whose log it is. ``next``: cursor of the next page, None at the end.
    ``complete_until``: no entry before this time is missing; None: not known.
    """

    entries: tuple[dict[str, Any], ...]
    next: str | None
    complete_until: datetime | None


async def page(
    copy: Copy,
    persons: Sequence[str],
    now: datetime,
    first: int,
    after: str | None,
    for_guardian: bool,
) -> EntryPage:
    """Return ``first`` entries about a person after the cursor ``after``, newest first.

    ``persons``: all hashes of one person, at least one. ``for_guardian``: leave out what is hidden
    from guardians. Raises GatewayError INVALID_VALUE for a bad cursor, CopyUnavailable. Costs two
    statements.
    """
    newest = statement(persons, now, first, _position(after), for_guardian)

    async def work(connection: AsyncConnection) -> tuple[datetime | None, Sequence[sa.Row[Any]]]:
        journals = await connection.execute(sa.select(JOURNALS.c.shipped_until))
        # Read before the entries, so it holds for them.
        until = _earliest(list(journals.scalars()), now)
        return until, (await connection.execute(newest)).all()

    until, rows = await copy.run(work)
    shown = rows[:first]
    following = _cursor(shown[-1].at, shown[-1].entry_id) if len(rows) > first else None
    hashes = frozenset(persons)
    return EntryPage(tuple(_entry(row.body, hashes) for row in shown), following, until)


def statement(
    persons: Sequence[str],
    now: datetime,
    first: int,
    after: tuple[datetime, str] | None,
    for_guardian: bool,
) -> sa.Select[Any]:
    """Return the statement that reads one more than ``first`` entries after ``after``.

    It reads that many rows of the index ``audit_persons_shown`` for each of ``persons``, however
    many entries there are: 5 to 15 ms with ten million (``bench/access_log.py``).
    """
    columns = PERSONS.c
    chosen = sa.select(columns.at, columns.entry_id, columns.journal, columns.seq).where(
        columns.role != REFUSED, sa.or_(columns.shows_from.is_(None), columns.shows_from <= now)
    )
    if for_guardian:
        chosen = chosen.where(sa.not_(columns.guardian_hidden))
    if after is not None:
        at, entry_id = after
        # The first condition is a range of the index; the second by itself would not be.
        behind = sa.or_(columns.at < at, columns.entry_id > entry_id)
        chosen = chosen.where(columns.at <= at, behind)
    # One read of the index for each hash, then the newest of all.
    parts = [
        _newest(chosen.where(columns.person == person), PERSONS, first + 1) for person in persons
    ]
    every = sa.union_all(*(sa.select(part.subquery()) for part in parts)).subquery()
    newest = _newest(sa.select(every), every, first + 1).subquery()
    same = sa.and_(ENTRIES.c.journal == newest.c.journal, ENTRIES.c.seq == newest.c.seq)
    return (
        sa.select(newest.c.at, newest.c.entry_id, ENTRIES.c.body)
        .select_from(newest.join(ENTRIES, same))
        .order_by(newest.c.at.desc(), newest.c.entry_id)
    )


def _newest(chosen: sa.Select[Any], source: sa.FromClause, most: int) -> sa.Select[Any]:
    return chosen.distinct().order_by(source.c.at.desc(), source.c.entry_id).limit(most)


def _entry(text: str, persons: frozenset[str]) -> dict[str, Any]:
    body: dict[str, Any] = orjson.loads(text)
    touches = [touch for touch in body.pop("persons") if touch["person"] in persons]
    roles = {touch["role"] for touch in touches}
    role = next((name for name in _ROLES if name in roles), None)
    shown = [touch for touch in touches if touch["role"] != "REFUSED"]
    sections = dict.fromkeys(section for touch in shown for section in touch.get("sections", ()))
    del body["seq"], body["mac"]
    return {**body, "own": {"role": role, "sections": list(sections)}}


def _earliest(moments: Sequence[datetime | None], now: datetime) -> datetime | None:
    """Return the earliest of ``moments`` and ``now``; None if one is None or in the future."""
    plausible = [moment for moment in moments if moment is not None and moment <= now + _CLOCK_SKEW]
    return min(*plausible, now) if plausible and len(plausible) == len(moments) else None


def _cursor(at: datetime, entry_id: str) -> str:
    moment = at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
    return base64.urlsafe_b64encode(f"{moment}|{entry_id}".encode()).decode()


def _position(cursor: str | None) -> tuple[datetime, str] | None:
    if cursor is None:
        return None
    try:
        text = base64.b64decode(cursor, b"-_", validate=True).decode("ascii")
        match = _CURSOR.fullmatch(text)
        if match is None:
            raise ValueError(cursor)
        return datetime.fromisoformat(match[1]).replace(tzinfo=UTC), match[2]
    except (binascii.Error, ValueError):
        raise GatewayError("INVALID_VALUE", "The cursor is not one of ours.") from None
