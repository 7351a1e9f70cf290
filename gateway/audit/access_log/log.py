"""Access logs out of the copy of the journals (``gateway.execution.decisions.Log``)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from gateway.answer import State
from gateway.audit.access_log.entries import EntryPage, page
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

#: Roles of somebody whose own case it was; others do not see which case it was.
_OF_THE_CASE = frozenset({Role.OWN, Role.REPRESENTED, Role.NAMED})

#: Idle gateways say every 30 seconds that they had nothing to add; later is too late.
_BEHIND = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class PersonLog:
    """Reads the access log of one person at a time.

    ``patience``: seconds that this gateway's own entries are waited for, and as long again the copy
    itself, so that an answer does not outlive its deadline for it.
    """

    audit: AuditLog
    hashes: Keyring
    clock: Clock
    patience: float

    async def page(
        self, numbers: PersonNumbers, asked: LogArguments, by_representative: bool
    ) -> LogPage:
        """Return a page of the log of the person with ``numbers``, under former keys too.

        Raises GatewayError INVALID_VALUE for a bad cursor.
        """
        copy, shipper = self.audit.copy, self.audit.shipper
        if copy is None:
            return LogPage(State.NOT_OPERATING)
        caught_up = shipper is None or await shipper.catch_up(self.patience)
        try:
            found = await self._found(copy, numbers, asked, by_representative)
            items = [_shown(one) for one in found.entries]
        except (CopyUnavailable, TimeoutError):
            log.warning("the copy of the journals cannot be read")
            return LogPage(State.UNAVAILABLE)
        except (KeyError, TypeError, ValueError) as error:  # of what an entry ought to hold
            log.error("an entry in the copy of the journals is none", error=type(error).__name__)
            return LogPage(State.UNAVAILABLE)
        until = found.complete_until
        complete = caught_up and until is not None and until >= self.clock.now() - _BEHIND
        state = State.ANSWERED if complete else State.PARTIAL
        return LogPage(state, items, found.next, until)

    async def _found(
        self, copy: Copy, numbers: PersonNumbers, asked: LogArguments, by_representative: bool
    ) -> EntryPage:
        persons, now = person_hashes(self.hashes, numbers.all), self.clock.now()
        async with asyncio.timeout(self.patience):
            return await page(copy, persons, now, asked.first, asked.after, by_representative)


def _shown(entry: Mapping[str, Any]) -> LogEntry:
    role = Role[entry["own"]["role"]]
    of_the_case = role in _OF_THE_CASE
    # That somebody sought legal aid or protection is not for their kin to learn from this.
    told = of_the_case or not entry["hiddenFromGuardians"]
    purpose = entry["purpose"] if told else None
    procedure = procedure_of(purpose) if purpose else None
    return LogEntry(
        at=datetime.fromisoformat(entry["at"]),
        agency=entry["agency"] if told else None,
        purpose=purpose,
        purpose_title=procedure.title if procedure else None,
        case_number=entry["caseNumber"] if of_the_case else None,
        role=role,
        sections=entry["own"]["sections"],
        request_id=entry["requestId"],
    )
