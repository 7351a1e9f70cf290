"""A request to correct a record, as a sheet to print and sign: nothing is sent.

Law on Civil Status 60/2014/QH13 Art. 60(2) and the law behind each rule say which record prevails;
the request goes to the owner of the other. Where the law prefers none, it asks all owners to look
into the papers. The law is the rule's own; this module adds none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.pages.languages import VIETNAMESE
from gateway.pages.person.ask import JoinedAnswer
from gateway.pages.person.conflict_view import ConflictsView, ConflictView, SideView
from gateway.pages.person.records import say_date
from gateway.runtime.clock import legal_date

_Json = Mapping[str, Any]
#: Rules about what a letter begins with: whoever signs it fills that in by hand.
_OF_NAMES = frozenset({"DIFFERENT_NAME", "INCOMPLETE_NAME", "NAME_FORM", "UNREADABLE_NAME"})
_OF_BIRTH = frozenset({"BIRTH_DATE"})


@dataclass(frozen=True, slots=True)
class CorrectionRequest:
    """A sheet: to whom it goes, who asks, and the conflict.

    ``addressees``: owner and database of each record that is to be corrected. ``full_name``,
    ``birth_date`` and ``number``: as the population database has them, empty where it did not say
    or where the conflict is about them; they are then filled in by hand.
    """

    conflict: ConflictView
    addressees: tuple[SideView, ...]
    full_name: str
    birth_date: str
    number: str
    day: tuple[str, str, str]


def view_corrections(
    rule: str,
    conflicts: ConflictsView,
    answer: JoinedAnswer,
    now: datetime,
) -> tuple[CorrectionRequest, ...]:
    """Return a request for each conflict that ``rule`` finds; none where it finds nothing."""
    section = answer.person.get("population") or {}
    identity: _Json = (section.get("identity") or {}).get("item") or {}
    stated = identity.get("birthDate")
    birth_date = say_date(VIETNAMESE, stated) if stated else ""
    today = legal_date(now)
    day = (f"{today.day:02}", f"{today.month:02}", str(today.year))
    return tuple(
        CorrectionRequest(
            conflict,
            _addressees(conflict),
            "" if conflict.code in _OF_NAMES else identity.get("fullName") or "",
            "" if conflict.code in _OF_BIRTH else birth_date,
            answer.person.get("id") or "",
            day,
        )
        for conflict in conflicts.conflicts
        if conflict.code == rule
    )


def _addressees(conflict: ConflictView) -> tuple[SideView, ...]:
    """Return a side for each database that is to correct its record, each once."""
    sides = {(side.owner, side.database): side for side in conflict.wrong}
    return tuple(sides.values())
