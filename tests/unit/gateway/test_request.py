"""The way of a request: the steps of ``handle``, and the state it leaves."""

from __future__ import annotations

import inspect
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from gateway.access.authenticate import CallerHeaders
from gateway.access.caller import ANONYMOUS
from gateway.errors import GatewayError
from gateway.execution.execute import execute
from gateway.execution.operation import ExecutableOperation, OperationRequest, Result
from gateway.execution.parameters import Parameters, ReceivedRequest
from gateway.execution.resources import ExecutionResources
from gateway.plan.document import InvalidDocument
from gateway.procedures.procedure import UNIFIED
from gateway.request import Read, RequestState, handle
from gateway.settings import RateLimits
from tests.support.people import HOA
from tests.support.running import CASE_NUMBER, OFFICER, Running, running

QUERY = "query($id: PersonNumber!) { person(id: $id) { id } }"


def _headers(gateway: Running, *scopes: str) -> CallerHeaders:
    token = gateway.token(*scopes)
    return CallerHeaders(
        (f"Bearer {token}".encode(),), (UNIFIED.encode(),), (CASE_NUMBER.encode(),)
    )


def _reads(query: str, variables: dict[str, object] | None = None) -> Read:
    async def read(body_bytes: int) -> ReceivedRequest:
        assert body_bytes > 0
        return ReceivedRequest(lambda *_: Parameters(query, None, variables, in_url=False), None)

    return read


async def _no_parameters(_body_bytes: int) -> ReceivedRequest:
    pytest.fail("the body of a refused request was read")


def test_the_whole_way_fits_on_one_page() -> None:
    lines = inspect.getsource(handle).splitlines()
    assert len(lines) <= 60


async def test_a_request_is_executed_once_with_what_was_prepared_for_it(tmp_path: Path) -> None:
    executed: list[tuple[OperationRequest, ExecutableOperation | None]] = []

    async def note(
        resources: ExecutionResources,
        request: OperationRequest,
        executable: ExecutableOperation | None,
    ) -> Result:
        executed.append((request, executable))
        return await execute(resources, request, executable)

    async with running(tmp_path) as gateway:
        service = replace(gateway.service, execute=note)
        state = RequestState("request-1")
        answer = await handle(
            service, state, _headers(gateway, *OFFICER), _reads(QUERY, {"id": HOA})
        )
        assert orjson.loads(orjson.dumps(answer["data"])) == {"person": {"id": HOA}}
        ((request, executable),) = executed
        assert request.variables == {"id": HOA}
        assert executable is not None
        assert executable.plan is not None
        assert state.caller is request.caller
        assert state.caller.purpose == UNIFIED
        (entry,) = gateway.journal()
        assert (entry["requestId"], entry["result"]) == ("request-1", "ANSWERED")


async def test_a_bad_token_is_counted_among_the_anonymous_and_its_body_is_not_read(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, rates=RateLimits()) as gateway:
        state = RequestState("request-1")
        headers = CallerHeaders((b"Bearer not-a-token",))
        with pytest.raises(GatewayError) as refusal:
            await handle(gateway.service, state, headers, _no_parameters)
        assert refusal.value.code.name == "TOKEN_INVALID"
        assert state.caller is ANONYMOUS
        assert state.allowance is not None


async def test_a_refusal_of_a_known_caller_names_who_was_asked_about(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        state = RequestState("request-1")
        with pytest.raises(InvalidDocument):
            await handle(
                gateway.service,
                state,
                _headers(gateway, *OFFICER),
                _reads("{ nothing }", {"id": HOA}),
            )
        (entry,) = gateway.journal()
        assert (entry["result"], entry["codes"]) == ("REFUSED", ["VALIDATION_FAILED"])
        assert [person["role"] for person in entry["persons"]] == ["REFUSED"]


async def test_an_answer_that_cannot_be_recorded_does_not_leave(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        await gateway.service.audit.journal.close()
        state = RequestState("request-1")
        with pytest.raises(GatewayError) as refusal:
            await handle(
                gateway.service, state, _headers(gateway, *OFFICER), _reads(QUERY, {"id": HOA})
            )
        assert refusal.value.code.name == "AUDIT_UNAVAILABLE"
        gateway.service.audit.journal.open()
