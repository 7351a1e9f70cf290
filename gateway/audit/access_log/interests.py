"""Who follows the events of a person, as the person may see it.

What holds for the access log holds here: an interest under a purpose with a lawful delay shows once
that has passed, and what concerns legal aid or protection is not shown to whoever acts for the
person (``gateway.protection.represented``).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from connectors.description import Text
from gateway.changes.event import LifeEventKind
from gateway.changes.interests import Interest, InterestStore
from gateway.procedures.registry import procedure_of
from gateway.protection.represented import is_closed
from gateway.settings import Settings
from gateway.storage.unavailable import StoreUnavailable

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PersonInterest:
    """An interest in a person, as the person sees it."""

    agency: str | None
    purpose: str | None
    purpose_title: Text | None
    case_number: str | None
    kinds: Sequence[LifeEventKind]
    registered_at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class InterestLog:
    """Reads the interests in one person at a time."""

    store: InterestStore
    settings: Settings

    async def of_person(
        self, numbers: Collection[str], now: datetime, by_representative: bool
    ) -> Sequence[PersonInterest] | None:
        """Return the interests in whoever has ``numbers``, newest first.

        None where the store does not answer: that is not "nobody".
        """
        try:
            interests = await self.store.in_person(numbers, now)
        except StoreUnavailable:
            log.warning("the store of interests cannot be read")
            return None
        return [
            _shown(interest)
            for interest in reversed(interests)
            if self._shows_from(interest) <= now
            and not (by_representative and is_closed((), interest.caller.purpose))
        ]

    def _shows_from(self, interest: Interest) -> datetime:
        delay = self.settings.deferral(interest.caller.purpose)
        return interest.registered_at if delay is None else interest.registered_at + delay


def _shown(interest: Interest) -> PersonInterest:
    caller = interest.caller
    procedure = procedure_of(caller.purpose) if caller.purpose else None
    kinds = [kind for kind in LifeEventKind if kind in interest.kinds]
    return PersonInterest(
        caller.agency,
        caller.purpose,
        procedure.title if procedure else None,
        caller.case_number,
        kinds,
        interest.registered_at,
        interest.until,
    )
