"""Who read a person: the entries about them, newest first, out of the copy.

What may not be shown yet or not to this reader leaves no trace: it is left out before anything is
counted, limited or made a cursor of (design section 7).
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
#: How far the clocks of two gateways may be apart.
_CLOCKS_APART = timedelta(seconds=10)
_CURSOR = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6})\|([\w.-]{1,64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Some entries.

    ``entries``: each as it was written, without ``persons``, with ``own``: role and sections of
    the person whose log it is. ``next``: cursor of what follows, None at the end.
    ``complete_until``: no entry before this time is missing; None: that is not known.
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
    """Return ``first`` entries about a person behind the cursor ``after``, newest first.

    ``persons``: all hashes of one person, at least one. ``for_guardian``: without what is hidden
    from guardians. Raises GatewayError INVALID_VALUE for a bad cursor, CopyUnavailable. Costs two
    statements.
    """
    newest = statement(persons, now, first, _position(after), for_guardian)

    async def work(connection: AsyncConnection) -> tuple[datetime | None, Sequence[sa.Row[Any]]]:
        journals = await connection.execute(sa.select(JOURNALS.c.shipped_until))
        # Read first: it is true of the entries too.
        until = _earliest(list(journals.scalars()), now)
        return until, (await connection.execute(newest)).all()

    until, rows = await copy.run(work)
    shown = rows[:first]
    following = _cursor(shown[-1].at, shown[-1].entry_id) if len(rows) > first else None
    wanted = frozenset(persons)
    return EntryPage(tuple(_entry(row.body, wanted) for row in shown), following, until)


def statement(
    persons: Sequence[str],
    now: datetime,
    first: int,
    after: tuple[datetime, str] | None,
    for_guardian: bool,
) -> sa.Select[Any]:
    """Return what reads one more than ``first`` entries behind the position ``after``.

    It reads as many rows of the index ``audit_persons_shown`` for each of ``persons``, however many
    there are: 5 to 15 ms with ten million entries (``bench/access_log.py``).
    """
    one = PERSONS.c
    chosen = sa.select(one.at, one.entry_id, one.journal, one.seq).where(
        one.role != REFUSED, sa.or_(one.shows_from.is_(None), one.shows_from <= now)
    )
    if for_guardian:
        chosen = chosen.where(sa.not_(one.guardian_hidden))
    if after is not None:
        at, entry_id = after
        # The first condition is a range of the index, which the second by itself would not be.
        behind = sa.or_(one.at < at, one.entry_id > entry_id)
        chosen = chosen.where(one.at <= at, behind)
    # A read of the index for each hash, however many entries there are; then the newest of all.
    each = [_newest(chosen.where(one.person == person), PERSONS, first + 1) for person in persons]
    every = sa.union_all(*(sa.select(some.subquery()) for some in each)).subquery()
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
    about = [one for one in body.pop("persons") if one["person"] in persons]
    roles = {one["role"] for one in about}
    role = next((one for one in _ROLES if one in roles), None)
    shown = [one for one in about if one["role"] != "REFUSED"]
    sections = dict.fromkeys(section for one in shown for section in one.get("sections", ()))
    del body["seq"], body["mac"]
    return {**body, "own": {"role": role, "sections": list(sections)}}


def _earliest(moments: Sequence[datetime | None], now: datetime) -> datetime | None:
    """Return the earliest of ``moments`` and ``now``, None if one is not known or in the future."""
    known = [one for one in moments if one is not None and one <= now + _CLOCKS_APART]
    return min(*known, now) if known and len(known) == len(moments) else None


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
