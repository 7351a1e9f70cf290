"""Tickets of checks: what leaves one, looks at it, and fetches its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.ask_again import AskAgain
from tests.support.people import HOA
from tests.support.running import CASE_NUMBER, Running

CODE = "no-sanction-check"
SILENT = "administrative_violations"
_CHECK = """{ outcome rules { code state sentence { vi } evidence { database id } } factsAsOf
  silent { name } sources { state database { name } } toBring { code }
  deadline { amount } receipt competentBody { vi } results { isConsideredUnsanctioned } }"""
_ASK = f"""mutation($code: String!, $input: CheckInput!, $at: Date) {{
  askAgain(code: $code, input: $input, at: $at) {{
    ticket expires waitsFor {{ name owner {{ vi }} }} check {_CHECK} }} }}"""
_ANSWER = f"""mutation($ticket: String!) {{ answerOf(ticket: $ticket) {{
  state expires waitsFor {{ name }} check {_CHECK} }} }}"""


async def ask_again(
    gateway: Running,
    number: str = HOA,
    scopes: Sequence[str] = ("procedures:check",),
    case: str = CASE_NUMBER,
    **token: Any,
) -> dict[str, Any]:
    """Return the body of the answer to a check that leaves a ticket."""
    variables = {"code": CODE, "input": {"noSanctionCheck": {"applicant": number}}}
    return await _post(gateway, _ASK, variables, scopes, case, **token)


async def answer_of(
    gateway: Running,
    ticket: str,
    scopes: Sequence[str] = ("procedures:check",),
    case: str = CASE_NUMBER,
    **token: Any,
) -> dict[str, Any]:
    """Return the body of the answer under a ticket."""
    return await _post(gateway, _ANSWER, {"ticket": ticket}, scopes, case, **token)


async def _post(
    gateway: Running,
    query: str,
    variables: Mapping[str, object],
    scopes: Sequence[str],
    case: str,
    purpose: str = CODE,
    **token: Any,
) -> dict[str, Any]:
    bearer = gateway.token(*scopes, purposes=[purpose], **token)
    headers = {"x_purpose": purpose, "x_case_number": case}
    body: dict[str, Any] = (await gateway.post(query, variables, bearer, **headers)).json()
    return body


async def visit(gateway: Running) -> int:
    """Look at the tickets that are due, after the longest time that a look takes."""
    await gateway.pass_time(1000)
    again: AskAgain = gateway.app.state.ask_again
    return await again.visit()


async def left(gateway: Running, **asking: Any) -> str:
    """Leave a ticket, and return its text."""
    body = await ask_again(gateway, **asking)
    ticket: str = body["data"]["askAgain"]["ticket"]
    assert ticket is not None
    return ticket
