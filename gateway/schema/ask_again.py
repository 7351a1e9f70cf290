"""``askAgain`` and ``answerOf``: a ticket for a check that silent databases left open.

The check is made again by ``gateway.ask_again`` once the databases are back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

import strawberry
from strawberry.types.field import StrawberryField

from connectors.description import Coded, Database, Text
from gateway.catalogue.checks import SCOPE, CheckBinding, checks_of
from gateway.errors import GatewayError
from gateway.execution.check_tickets import (
    CheckTicket,
    databases_to_wait_for,
    decode_ticket,
    encode_ticket,
)
from gateway.execution.checking import ProcedureCheck
from gateway.execution.reference import ReferenceContext
from gateway.execution.stored_check import decode_check
from gateway.procedures.registry import procedure_of
from gateway.schema.check_procedure import check_case, check_type, input_type, plain_input
from gateway.schema.factory import TypeFactory
from gateway.schema.field_definitions import attribute_field, list_annotation, resolved_field
from gateway.schema.requires_scopes import require_any_scope
from gateway.schema.shared_types import database_type
from gateway.storage.unavailable import StoreUnavailable


class TicketState(Coded):
    """What has become of a ticket."""

    WAITING = "đang chờ cơ sở dữ liệu trả lời", "it waits for databases to answer"
    ANSWERED = "đã kiểm tra lại", "the check was made again"


@dataclass(frozen=True, slots=True)
class LeftTicket:
    """What comes of ``askAgain``. ``ticket`` None: no database that may come back was silent."""

    ticket: str | None
    expires: datetime | None
    waits_for: list[Database]
    check: ProcedureCheck


@dataclass(frozen=True, slots=True)
class TicketAnswer:
    """What a ticket has to say. ``check`` None: it waits still, and can be asked for again."""

    state: TicketState
    expires: datetime
    waits_for: list[Database]
    check: ProcedureCheck | None


def ticket_fields(types: TypeFactory, databases: tuple[Database, ...]) -> list[StrawberryField]:
    """Return the mutations of tickets; none where no check can be made."""
    checks = checks_of(databases)
    if not checks:
        return []
    check = check_type(types, checks)
    expires = attribute_field("expires", datetime | None, Text("hết hạn lúc", "when it expires"))
    waits_for = attribute_field(
        "waits_for",
        list_annotation(database_type(types)),
        Text("đang chờ các cơ sở dữ liệu", "the databases that it waits for"),
    )
    ticket = _ticket_type(types, check, [expires, waits_for])
    answer = _answer_type(types, check, [expires, waits_for])
    ask_again = resolved_field(
        "ask_again",
        ticket | None,
        _ask_again(checks),
        {"code": str, "input": input_type(types, checks), "at": date | None},
        Text(
            "kiểm tra, và hẹn kiểm tra lại khi cơ sở dữ liệu im lặng trả lời được",
            "check, and once more when databases that are silent now are back",
        ),
    )
    answer_of = resolved_field(
        "answer_of",
        answer | None,
        _answer_of,
        {"ticket": str},
        Text("lấy kết quả theo phiếu hẹn", "fetch the answer under a ticket"),
    )
    return [require_any_scope(field, (SCOPE,)) for field in (ask_again, answer_of)]


def _ticket_type(types: TypeFactory, check: Any, waiting: Sequence[StrawberryField]) -> Any:
    """Return the type of a ticket. ``waiting``: the fields until when and for what it waits."""
    ticket = attribute_field(
        "ticket",
        str | None,
        Text(
            "phiếu hẹn; null: không cần chờ cơ sở dữ liệu nào",
            "the ticket; null: there is no database to wait for",
        ),
    )
    check_now = attribute_field("check", check, Text("kết quả lúc này", "the check as it is now"))
    return types.object(
        "LeftTicket",
        [ticket, *waiting, check_now],
        Text("Phiếu hẹn kiểm tra lại", "A ticket for another check"),
    )


def _answer_type(types: TypeFactory, check: Any, waiting: Sequence[StrawberryField]) -> Any:
    """Return the type of what a ticket has to say. ``waiting``: as of ``_ticket_type``."""
    state = attribute_field("state", types.enumeration(TicketState), Text("tình trạng", "state"))
    fetched_check = attribute_field(
        "check",
        check | None,
        Text("kết quả; chỉ lấy được một lần", "the check; it can be fetched once"),
    )
    return types.object(
        "TicketAnswer",
        [state, *waiting, fetched_check],
        Text("Kết quả theo phiếu hẹn", "What a ticket has to say"),
    )


def _ask_again(checks: Mapping[str, CheckBinding]) -> Any:
    async def ask_again(
        self: Any,
        info: strawberry.Info,
        code: str,
        input: Any,  # noqa: A002 - the argument's name in the schema
        at: Any = strawberry.UNSET,
    ) -> LeftTicket:
        context: ReferenceContext = info.context
        resources = context.resources
        values = {"code": code, "input": plain_input(input), "at": at or None}
        note_problem = partial(context.problem, info._raw_info)
        check = await check_case(context, checks, values, note_problem)
        names = databases_to_wait_for(resources, check)
        if not names:
            return LeftTicket(None, None, [], check)
        caller, expires = context.rules.caller, resources.tickets.expires()
        ticket = CheckTicket(
            code, values["input"], values["at"], caller, context.request_id, expires, names
        )
        with _answering():
            text = await resources.tickets.leave(caller.client or "", encode_ticket(ticket))
        return LeftTicket(text, expires, _databases(context, names), check)

    return ask_again


async def _answer_of(self: Any, info: strawberry.Info, ticket: str) -> TicketAnswer:
    context: ReferenceContext = info.context
    resources, caller = context.resources, context.rules.caller
    with _answering():
        stored = await resources.tickets.find(ticket)
    left = None if stored is None else _decoded(stored.content)
    if stored is None or left is None or not left.is_of(caller, resources.clock.now()):
        raise GatewayError("TICKET_UNKNOWN")
    if left.check is None:
        waits_for = _databases(context, left.waits_for)
        return TicketAnswer(TicketState.WAITING, left.expires, waits_for, None)
    check = _check(context, left)
    with _answering():
        is_taken = await resources.tickets.take(stored.id, caller.client or "")
    if check is None or not is_taken:
        raise GatewayError("TICKET_UNKNOWN")
    left.note_check(context.state)
    return TicketAnswer(TicketState.ANSWERED, left.expires, [], check)


def _check(context: ReferenceContext, ticket: CheckTicket) -> ProcedureCheck | None:
    """Return the check that was made; None: by another version of the gateway."""
    procedure = procedure_of(ticket.code)
    if procedure is None or procedure.check is None or ticket.check is None:
        return None
    databases = {name: source.database for name, source in context.resources.sources.items()}
    try:
        return decode_check(ticket.check.encode(), procedure.check, databases)
    except ValueError:
        return None


def _decoded(content: bytes) -> CheckTicket | None:
    try:
        return decode_ticket(content)
    except ValueError:
        return None


def _databases(context: ReferenceContext, names: tuple[str, ...]) -> list[Database]:
    sources = context.resources.sources
    return [sources[name].database for name in names if name in sources]


@contextmanager
def _answering() -> Iterator[None]:
    """Raise GatewayError TICKETS_UNAVAILABLE where the store does not answer."""
    try:
        yield
    except StoreUnavailable:
        raise GatewayError("TICKETS_UNAVAILABLE") from None
