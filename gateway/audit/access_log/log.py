"""Access logs from the copy of the journals (``gateway.execution.decisions.Log``)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from gateway.answer import State
from gateway.audit.access_log.entries import EntryPage, page
from gateway.audit.access_log.interests import InterestLog, PersonInterest
from gateway.audit.access_log.page import LogEntry, LogPage
from gateway.audit.copy.database import Copy, CopyUnavailable
from gateway.audit.entry import person_hashes
from gateway.audit.open import AuditLog
from gateway.audit.touched import Role
from gateway.keys.keyring import Keyring
from gateway.people.numbers import PersonNumbers
from gateway.plan.list_arguments import LogArguments
from gateway.procedures.registry import procedure_of
from gateway.runtime.clock import Clock

log = structlog.get_logger(__name__)

#: Roles in which a person is the subject of the case; in others the case number is not shown.
_OF_THE_CASE = frozenset({Role.OWN, Role.REPRESENTED, Role.NAMED})

#: An idle gateway states every 30 seconds that it has no new entries; older statements are late.
_BEHIND = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class PersonLog:
    """Reads the access log of one person at a time.

    ``patience``: seconds to wait for this gateway's own entries, and as many for the copy, so that
    an answer keeps its deadline.
    """

    audit: AuditLog
    hashes: Keyring
    clock: Clock
    patience: float
    interest_log: InterestLog

    async def interests(
        self, numbers: PersonNumbers, by_representative: bool
    ) -> Sequence[PersonInterest] | None:
        """See ``gateway.execution.decisions.Log.interests``."""
        return await self.interest_log.of_person(numbers.all, self.clock.now(), by_representative)

    async def page(
        self, numbers: PersonNumbers, arguments: LogArguments, by_representative: bool
    ) -> LogPage:
        """Return a page of the log of a person, with entries under former keys too.

        Raises GatewayError INVALID_VALUE for a bad cursor.
        """
        copy, shipper = self.audit.copy, self.audit.shipper
        if copy is None:
            return LogPage(State.NOT_OPERATING)
        caught_up = shipper is None or await shipper.catch_up(self.patience)
        try:
            entries = await self._read_page(copy, numbers, arguments, by_representative)
            items = [_shown(entry) for entry in entries.entries]
        except (CopyUnavailable, TimeoutError):
            log.warning("the copy of the journals cannot be read")
            return LogPage(State.UNAVAILABLE)
        except (KeyError, TypeError, ValueError) as error:  # of the content of an entry
            log.error("an entry in the copy of the journals is none", error=type(error).__name__)
            return LogPage(State.UNAVAILABLE)
        until = entries.complete_until
        is_complete = caught_up and until is not None and until >= self.clock.now() - _BEHIND
        state = State.ANSWERED if is_complete else State.PARTIAL
        return LogPage(state, items, entries.next, until)

    async def _read_page(
        self, copy: Copy, numbers: PersonNumbers, arguments: LogArguments, by_representative: bool
    ) -> EntryPage:
        persons, now = person_hashes(self.hashes, numbers.all), self.clock.now()
        async with asyncio.timeout(self.patience):
            return await page(
                copy, persons, now, arguments.first, arguments.after, by_representative
            )


def _shown(entry: Mapping[str, Any]) -> LogEntry:
    role = Role[entry["own"]["role"]]
    of_the_case = role in _OF_THE_CASE
    # Kin must not learn from this that somebody sought legal aid or protection.
    shows_purpose = of_the_case or not entry["hiddenFromGuardians"]
    purpose = entry["purpose"] if shows_purpose else None
    procedure = procedure_of(purpose) if purpose else None
    return LogEntry(
        at=datetime.fromisoformat(entry["at"]),
        agency=entry["agency"] if shows_purpose else None,
        purpose=purpose,
        purpose_title=procedure.title if procedure else None,
        case_number=entry["caseNumber"] if of_the_case else None,
        role=role,
        sections=entry["own"]["sections"],
        request_id=entry["requestId"],
    )
