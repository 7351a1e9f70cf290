"""Makes checks again for which tickets wait, once the databases that were silent are back.

Every few seconds the process looks at the tickets that are due. A check is made as its caller would
make it, with the rights of the token that left the ticket, as long as that would be accepted; the
journal has it before the answer is kept. What is not answered in full waits on, for longer each
time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import structlog
from graphql import coerce_input_value
from starlette.applications import Starlette

from gateway.access.claims import TokenRefused
from gateway.answer import State
from gateway.audit.entry import describe_touched
from gateway.catalogue.checks import checks_of
from gateway.errors import GatewayError
from gateway.execution.check_tickets import (
    CheckTicket,
    databases_to_wait_for,
    decode_ticket,
    encode_ticket,
    states_of,
    touches_of,
)
from gateway.execution.checking import ProcedureCheck
from gateway.execution.execute import record_rules
from gateway.execution.operation import OperationRequest
from gateway.execution.reference import ReferenceContext
from gateway.execution.state import ExecutionState
from gateway.execution.stored_check import encode_check
from gateway.schema.check_procedure import check_case
from gateway.service import Service
from gateway.storage.unavailable import StoreUnavailable

log = structlog.get_logger(__name__)

#: What the journal names as the document of such a check.
_DOCUMENT = """query AskAgain($code: String!, $input: CheckInput!, $at: Date) {
  checkProcedure(code: $code, input: $input, at: $at) { outcome } }"""
#: Doublings of the time until the next attempt, at most.
_MOST_DOUBLINGS = 7


class AskAgain:
    """Looks at the tickets of ``app`` from ``start`` to ``close``."""

    def __init__(self, app: Starlette) -> None:
        self._app = app
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look at tickets."""
        self._task = asyncio.create_task(self._look())

    async def close(self) -> None:
        """Stop, after the check that is under way: it has a deadline as every request."""
        self._closing.set()
        if self._task is not None:
            await self._task

    async def _look(self) -> None:
        service: Service = self._app.state.service
        interval = service.resources.settings.tickets.interval_seconds
        while not self._closing.is_set():
            try:
                await self.visit()
            except StoreUnavailable as error:
                log.warning("tickets cannot be looked at", reason=str(error))
            except Exception:  # a defect costs this look, and no later one
                log.exception("tickets were not looked at")
            try:
                async with asyncio.timeout(interval):
                    await self._closing.wait()
            except TimeoutError:
                continue

    async def visit(self) -> int:
        """Look at every ticket that is due; returns how many checks were answered.

        Raises StoreUnavailable.
        """
        service: Service = self._app.state.service
        answered = 0
        for ticket_id in await service.resources.tickets.claim_due():
            if self._closing.is_set():
                break
            # Each with the settings of its moment: a reload may have come meanwhile.
            answered += await _visit_ticket(self._app.state.service, ticket_id)
        return answered


async def _visit_ticket(service: Service, ticket_id: str) -> bool:
    tickets = service.resources.tickets
    content = await tickets.open(ticket_id)
    if content is None:
        return False
    try:
        ticket = decode_ticket(content)
    except ValueError:
        log.warning("a ticket is of another version")
        return False
    client = ticket.caller.client or ""
    try:
        service.tokens.require_usable(ticket.caller)
    except TokenRefused as refused:
        if refused.code != "ISSUER_UNAVAILABLE":
            await tickets.take(ticket_id, client)
            log.info("a ticket is dropped", client=client, reason=refused.reason)
        return False
    if not await _are_back(service, ticket.waits_for):
        return False
    check, later = await _check_again(service, ticket)
    if later.check is None:
        interval = service.resources.settings.tickets.interval_seconds
        wait = interval * 2 ** min(later.attempts, _MOST_DOUBLINGS)
        await tickets.keep_waiting(ticket_id, encode_ticket(later), wait)
        return False
    await tickets.answer(ticket_id, encode_ticket(later))
    return check is not None


async def _are_back(service: Service, names: Sequence[str]) -> bool:
    sources = service.resources.sources
    live = await asyncio.gather(*(sources[name].live() for name in names if name in sources))
    return all(status.state is State.ANSWERED for status in live)


async def _check_again(
    service: Service, ticket: CheckTicket
) -> tuple[ProcedureCheck | None, CheckTicket]:
    """Make a check again, with its entry in the journal; returns the ticket as it is then."""
    resources = service.resources
    context, digest = await _context(service, ticket)
    codes: list[str] = []

    def note_problem(error: GatewayError) -> None:
        codes.append(error.code.name)

    databases = tuple(source.database for source in resources.sources.values())
    check: ProcedureCheck | None = None
    try:
        check = await check_case(
            context, checks_of(databases), _values(service, ticket), note_problem
        )
    except GatewayError as error:
        note_problem(error)
    trail, states = context.state.trail, context.state.states
    await service.recorder.record_answer(
        context.request_id,
        ticket.caller,
        digest,
        describe_touched(resources.person_hash, trail.touches(), states),
        codes,
        deferred=resources.settings.deferral(ticket.caller.purpose),
    )
    names = ticket.waits_for if check is None else databases_to_wait_for(resources, check)
    if check is None or names:
        return None, replace(ticket, waits_for=names, attempts=ticket.attempts + 1)
    encoded = encode_check(check).decode()
    touched = touches_of(trail)
    return check, replace(ticket, check=encoded, touched=touched, states=states_of(states))


async def _context(service: Service, ticket: CheckTicket) -> tuple[ReferenceContext, str]:
    """Return what the check is made with, and the digest of its document."""
    resources, caller = service.resources, ticket.caller
    document = await resources.plans.document(_DOCUMENT, caller.client)
    limits = resources.settings.limits
    deadline = resources.clock.monotonic() + limits.deadline
    request_id = f"{ticket.request_id}/again/{ticket.attempts + 1}"
    request = OperationRequest(
        document, document.operation(None), None, caller, deadline, id=request_id
    )
    rules = record_rules(resources, request)
    context = ReferenceContext(resources, rules, ExecutionState(limits), request_id)
    return context, document.digest


def _values(service: Service, ticket: CheckTicket) -> dict[str, Any]:
    """Return the arguments of the check, as the schema coerces them."""
    kind = service.resources.schema.type_map["CheckInput"]
    value = coerce_input_value(dict(ticket.input), kind)  # type: ignore[arg-type]
    return {"code": ticket.code, "input": value, "at": ticket.at}
