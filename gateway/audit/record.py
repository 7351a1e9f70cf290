"""Records requests in the journal before their answers are sent: answers, and refusals.

A refusal of a known caller is an entry that names the people whom the request named. Refusals of
strangers, and those of callers beyond their rate, are only counted: an entry for each would fill
the disk (``gateway.audit.refusal_counts``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from gateway.access.caller import Caller
from gateway.audit.entry import RequestOutcome, TouchedPeople, describe_touched, encode_entry
from gateway.audit.journal.journal import Journal
from gateway.audit.numbers_in_refusals import find_named_numbers
from gateway.audit.refusal_counts import RefusalCounts, network_of
from gateway.audit.touched import Role
from gateway.keys.keyring import Keyring
from gateway.runtime.clock import Clock
from gateway.telemetry.metrics import REFUSALS

#: Refusals of known callers that are counted: a flood of them would fill the journal.
_COUNTED = frozenset({"RATE_LIMITED", "GATEWAY_BUSY"})


@dataclass(frozen=True, slots=True)
class Recorder:
    """Writes to ``journal``; ``hashes``: the keys by which people are named there."""

    journal: Journal
    refusals: RefusalCounts
    hashes: Keyring
    clock: Clock

    async def record_answer(
        self,
        request_id: str,
        caller: Caller,
        document: str,
        persons: TouchedPeople,
        codes: Iterable[str] = (),
        requested: bytes = b"{}",
        deferred: timedelta | None = None,
        operation: str | None = None,
    ) -> None:
        """Write the entry of an answer to the disk; raises GatewayError AUDIT_UNAVAILABLE.

        The arguments are those of ``gateway.audit.entry.encode_entry``.
        """
        await self.journal.append(
            encode_entry(
                self.hashes,
                self.clock.now(),
                request_id,
                caller,
                document,
                persons,
                codes,
                requested,
                deferred=deferred,
                operation=operation,
            )
        )

    async def record_refusal(
        self,
        request_id: str,
        caller: Caller,
        code: str,
        host: str | None,
        request: RefusedRequest | None,
    ) -> None:
        """Record a refusal; raises GatewayError AUDIT_UNAVAILABLE, in place of the refusal.

        ``host``: the client's address, None where it is not known. ``request``: None if it was
        refused before it was read. Strangers are only counted, and what they send is not examined.
        """
        REFUSALS.labels(code, "stranger" if caller.is_anonymous else "known").inc()
        if caller.is_anonymous or code in _COUNTED:
            self.refusals.count(code, caller.client or network_of(host))
        elif request is not None and code != "AUDIT_UNAVAILABLE":
            await self._append_refusal(request_id, caller, code, request)

    async def _append_refusal(
        self, request_id: str, caller: Caller, code: str, request: RefusedRequest
    ) -> None:
        """Write whom a known caller named, ten people at most."""
        represented = None if caller.representative is None else caller.citizen
        named = find_named_numbers(request.query, request.variables, represented)
        if not named.count:
            return
        people = [(number, Role.REFUSED, ()) for number in named.numbers]
        refusal = encode_entry(
            self.hashes,
            self.clock.now(),
            request_id,
            caller,
            request.document,
            describe_touched(self.hashes, people, {}),
            [code],
            result=RequestOutcome.REFUSED,
            operation=request.operation,
        )
        await self.journal.append(b'%b,"personsNamed":%d}' % (refusal[:-1], named.count))


@dataclass(frozen=True, slots=True)
class RefusedRequest:
    """A request that was refused after it was read.

    ``document``: the hash of its text, or of the name by which a published operation was called.
    ``operation``: name and version of the published operation, where it is known.
    """

    query: str
    variables: Mapping[str, object] | None
    document: str
    operation: str | None
