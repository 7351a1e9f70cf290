"""The way of a request, on one page: ``handle``.

GraphQL over HTTP, published operations and subscriptions call it, and so does every other door.
What comes before it belongs to the door (HTTP, media types), what comes after it too (encoding,
status).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial

from graphql import OperationType
from starlette.types import Scope

from gateway.access.authenticate import CallerHeaders, CallerIdentity
from gateway.access.caller import ANONYMOUS, Caller
from gateway.audit.entry import TouchedPeople, describe_touched
from gateway.audit.record import RefusedRequest
from gateway.changes.feed import LONGEST_PAGE
from gateway.deliver import Payloads, deliver
from gateway.errors import GatewayError
from gateway.execution.delivery import Delivery
from gateway.execution.operation import (
    ExecutableOperation,
    OperationRequest,
    ReadyAnswer,
    Result,
)
from gateway.execution.parameters import Parameters, ReceivedRequest
from gateway.execution.plan_report import report_execution
from gateway.execution.prepare import explain_plan, prepare
from gateway.execution.ready_answers import find_ready_answer
from gateway.execution.repeated_requests import RepeatedRequest
from gateway.execution.resources import ExecutionResources
from gateway.fetch.loaders import Loaders
from gateway.fetch.traced_reads import FetchTrace
from gateway.limits.admission import AdmissionPlace
from gateway.limits.rates import RateLimitStatus
from gateway.operations.library import require_known_variables
from gateway.operations.operation import PublishedOperation
from gateway.people.representation import require_representation
from gateway.permission.operation import permit, require_free_form
from gateway.plan.document import Document, InvalidDocument, Operation, document_digest
from gateway.plan.permissions import requested_lists
from gateway.runtime.clock import legal_date
from gateway.service import Service
from gateway.shape.response import codes_of, error_codes, response_body


@dataclass(slots=True)
class RequestState:
    """What is known of a request so far: for the log, the metrics, headers and the journal.

    ``host``: the client's address. ``allowance``: how the client's rate stands, None until it was
    counted. ``published``: the published operation that is called. ``codes``: of the errors in the
    answer. ``delivery``: of a door that can send several answers; others refuse subscriptions.
    ``payloads``: takes all payloads but the last of an answer with deferred fragments; None where
    there may be one only.
    """

    request_id: str
    host: str | None = None
    caller: Caller = ANONYMOUS
    allowance: RateLimitStatus | None = None
    published: PublishedOperation | None = None
    codes: Sequence[str] = ()
    delivery: Delivery | None = None
    payloads: Payloads | None = None


#: What was answered: an operation that was executed, or an answer that was ready.
_Answered = ExecutableOperation | ReadyAnswer
#: Receives a request, within a number of bytes.
Read = Callable[[int], Awaitable[ReceivedRequest]]


async def handle(
    service: Service, state: RequestState, headers: CallerHeaders, read: Read
) -> dict[str, object]:
    """Answer one request: return the body of its response (``gateway.shape.response``).

    Whoever shows a bad token, or has no requests left, is refused before the body is read: such a
    refusal costs what its headers cost. The journal is written before the answer is returned. A
    refusal is recorded too, and raised: InvalidDocument, or GatewayError.
    """
    parameters, resources = None, service.resources
    try:
        identity = await authenticate_request(service, state, headers)
        client = identity.caller.client
        with service.admission.admit(client) as place:
            received = await _receive(service, client, read)
            repeated = service.repeated.find(identity.rights, received)
            parameters = received.parse() if repeated is None else repeated.parameters
            deadline = resources.clock.monotonic() + resources.settings.limits.deadline
            state.caller = identity.require_stated()
            document = await _find_document(service, state, parameters, repeated, deadline)
            caller, operation = state.caller, document.operation(parameters.operation_name)
            permit(caller, document, operation, parameters.in_url, state.delivery is not None)
            if state.delivery is not None:
                state.delivery.begin(caller, operation)
            explains = parameters.plan and caller.may_see_plans
            request = OperationRequest(
                document,
                operation,
                parameters.variables,
                caller,
                deadline,
                state.published,
                state.request_id,
                FetchTrace(resources.clock) if explains else None,
                state.delivery,
                operation.defers and state.payloads is not None and not explains,
            )
            if operation.names_persons:
                service.unidentified.require_left(client, caller.subject)
            if operation.reads_own_view:
                await _require_representation(resources, request)
            variables = None if repeated is None else repeated.variables
            ready = None if explains else find_ready_answer(resources, request, variables)
            if ready is not None and repeated is None:
                service.repeated.keep(identity.rights, client, received, parameters, document)
            executable = await prepare(resources, request) if ready is None else None
            answered = ready or executable
            if cost := _cost(operation, answered):
                await service.rates.cost(client, cost)
            execute = service.execute
            result = ready.result if ready else await execute(resources, request, executable)
            extensions = _extensions(service, request, answered, result)
            answer = response_body(result.data, result.all_errors, extensions)
            if result.increments is not None:
                return await _deliver(service, state, request, answered, result, answer, place)
            await _record(service, state, request, answered, result, answer)
            return answer
    except (GatewayError, InvalidDocument) as error:
        await _record_refusal(service, state, parameters, error)
        raise


async def authenticate_request(
    service: Service, state: RequestState, headers: CallerHeaders
) -> CallerIdentity:
    """Return who sends the request, which is counted towards their rate.

    Whoever shows a bad token counts among the anonymous. Raises GatewayError RATE_LIMITED, or else
    what ``gateway.access.authenticate`` raises.
    """
    try:
        identity = await service.callers.authenticate(headers)
        state.caller = identity.caller
    finally:
        state.allowance = await service.rates.request(state.caller.client)
    return identity


async def refuse_request(service: Service, state: RequestState, error: GatewayError) -> None:
    """Count and record the refusal of a request whose door could not tell who sends it.

    It counts among the anonymous, and is recorded as a bad token is. Raises GatewayError: that
    refusal, RATE_LIMITED or AUDIT_UNAVAILABLE.
    """
    try:
        state.allowance = await service.rates.request(None)
        raise error
    except GatewayError as refusal:
        await _record_refusal(service, state, None, refusal)
        raise


def _cost(operation: Operation, answered: _Answered | None) -> int:
    """Return what is counted towards the client's cost; a feed reads a page of the log."""
    if answered is not None:
        return answered.cost
    return LONGEST_PAGE if operation.reads_events else 0


async def _receive(service: Service, client: str | None, read: Read) -> ReceivedRequest:
    """Receive the request; meanwhile it is in flight, and no work."""
    service.admission.receiving += 1
    try:
        return await read(service.resources.settings.limits.body_bytes_of(client))
    finally:
        service.admission.receiving -= 1


async def _find_document(
    service: Service,
    state: RequestState,
    parameters: Parameters,
    repeated: RepeatedRequest | None,
    deadline: float,
) -> Document:
    """Return the document; a published operation lends its caller rights (``state.caller``)."""
    caller, resources = state.caller, service.resources
    if parameters.published is None:
        require_free_form(caller, resources.settings.clients)
        if repeated is not None and repeated.document is not None:
            return repeated.document
        return await resources.plans.document(
            parameters.query, caller.client, deadline, suggest=caller.may_introspect
        )
    published, state.caller = service.operations.call(parameters.published, caller)
    state.published = published
    require_known_variables(published, parameters.variables)
    return published.document


async def _require_representation(resources: ExecutionResources, request: OperationRequest) -> None:
    """Refuse who may not act for the citizen they name."""
    await require_representation(
        resources.sources,
        Loaders(resources.sources, resources.clock, request.deadline, request.caller.asker),
        request.caller,
        legal_date(resources.clock.now()),
        resources.settings.numbers.are_checked,
    )


def _extensions(
    service: Service,
    request: OperationRequest,
    answered: _Answered | None,
    result: Result,
) -> dict[str, object]:
    """Return what stands beside data and errors; costs for those who may see plans.

    A request with a trace shows its plan too, and what came of it.
    """
    extensions: dict[str, object] = {}
    if result.mirrored:
        extensions["notices"] = result.mirrored
    if answered is not None and request.caller.may_see_plans:
        limit = service.resources.settings.limits.cost
        extensions["cost"] = {"atMost": answered.cost, "limit": limit}
        if request.trace is not None and isinstance(answered, ExecutableOperation):
            extensions["plan"] = explain_plan(service.resources, request, answered)
            report = report_execution(service.resources, request, answered, result)
            if report is not None:
                extensions["execution"] = report
    return extensions


async def _deliver(
    service: Service,
    state: RequestState,
    request: OperationRequest,
    answered: _Answered | None,
    result: Result,
    answer: dict[str, object],
    place: AdmissionPlace,
) -> dict[str, object]:
    """Record and send all payloads but the last; return that one, recorded.

    Their entries are hidden alike, by all lists that the operation may read: what comes later must
    not decide who sees the entry of what came first.
    """
    assert isinstance(answered, ExecutableOperation)
    assert result.increments is not None
    assert state.payloads is not None
    databases = [source.database for source in service.resources.sources.values()]
    lists = requested_lists(answered.prepared.needs, databases).union(result.states)
    record = partial(_record, service, state, request, answered, lists=lists)
    release = place.give_back
    return await deliver(result.increments, state.payloads, record, result, answer, release)


async def _record(
    service: Service,
    state: RequestState,
    request: OperationRequest,
    answered: _Answered | None,
    result: Result,
    answer: dict[str, object],
    lists: Collection[str] = (),
) -> None:
    """Count numbers that nobody holds, and have the entries on disk before the answer leaves.

    There is one for the request and its case number, and one for each case of a queue, with its
    own number and people; a request for nothing but such cases has none of its own. All are written
    together, and hidden alike. ``lists``: those of the request's other payloads. Raises
    GatewayError AUDIT_UNAVAILABLE.
    """
    caller, operation = request.caller, request.operation
    if result.unidentified:
        await service.unidentified.add(caller.client, caller.subject, result.unidentified)
    is_recorded = operation.reads_persons or operation.counts_records or operation.reads_events
    if not is_recorded and operation.kind is not OperationType.MUTATION:
        return
    hashes = service.resources.person_hash
    record = partial(_record_entry, service, state, request, answered)
    if not result.cases:
        touched = result.touched or describe_touched(
            hashes, result.trail.touches(), result.states, lists
        )
        await record(caller, touched, error_codes(answer))
        return
    entries = []
    lists = {*lists, *result.states, *(name for case in result.cases for name in case.states)}
    people = list(result.trail.touches())
    if people or not operation.names_cases or operation.counts_records:
        touched = describe_touched(hashes, people, result.states, lists)
        entries.append(record(caller, touched, codes_of(result.errors)))
    for case in result.cases:
        of_case = replace(caller, case_number=case.case_number)
        touched = describe_touched(hashes, case.trail.touches(), case.states, lists)
        entries.append(record(of_case, touched, codes_of(case.errors)))
    await asyncio.gather(*entries)


async def _record_entry(
    service: Service,
    state: RequestState,
    request: OperationRequest,
    answered: _Answered | None,
    caller: Caller,
    touched: TouchedPeople,
    codes: Sequence[str],
) -> None:
    """Write one entry of an answer; ``caller``: with the case number that the entry has."""
    published = request.published
    await service.recorder.record_answer(
        state.request_id,
        caller,
        request.document.digest,
        touched,
        codes,
        b"{}" if answered is None else answered.requested_fields,
        deferred=service.resources.settings.deferral(caller.purpose),
        operation=None if published is None else published.header.id,
    )


async def _record_refusal(
    service: Service,
    state: RequestState,
    parameters: Parameters | None,
    error: GatewayError | InvalidDocument,
) -> None:
    code = error.code if isinstance(error, InvalidDocument) else error.code.name
    refused = None
    if parameters is not None:
        document = document_digest(parameters.query or parameters.published or "")
        operation = None
        if state.published is not None:
            document, operation = state.published.document.digest, state.published.header.id
        refused = RefusedRequest(parameters.query, parameters.variables, document, operation)
    await service.recorder.record_refusal(state.request_id, state.caller, code, state.host, refused)


def state_of(scope: Scope) -> RequestState:
    """Return the state of the request in an ASGI ``scope``; ``gateway.http.envelope`` puts it."""
    state: RequestState = scope["state"]["request"]
    return state
