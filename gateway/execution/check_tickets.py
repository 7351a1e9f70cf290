"""What a ticket of a check holds: the case, who asked and why, and the check once it was made.

It is JSON, which ``gateway.tickets`` seals. Whoever fetches the answer must be who left the ticket,
for the same purpose and case, and may have lost no scope since.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson

from gateway.access.caller import Caller
from gateway.answer import State
from gateway.audit.touched import Role, Trail
from gateway.execution.checking import ProcedureCheck
from gateway.execution.resources import ExecutionResources
from gateway.execution.state import ExecutionState
from gateway.procedures.checks.rule import Outcome

#: Somebody whom the check touched: number, role and sections.
Touch = tuple[str, str, tuple[str, ...]]
#: Of a caller, what has to be the same when the answer is fetched.
_SAME = ("client", "agency", "subject", "purpose", "case_number", "citizen", "representative")


@dataclass(frozen=True, slots=True)
class CheckTicket:
    """A case to be checked again.

    ``code``, ``input``, ``at``: as in ``checkProcedure``, the input as JSON has it. ``caller``: who
    asked, with the rights of the token then. ``request_id``: of the request that left the ticket.
    ``waits_for``: the databases that were silent. ``attempts``: how often the check was made in
    vain. ``check``: once it was made (``gateway.execution.stored_check``), with whom it touched and
    the states of its lists.
    """

    code: str
    input: Mapping[str, Any]
    at: date | None
    caller: Caller
    request_id: str
    expires: datetime
    waits_for: tuple[str, ...]
    attempts: int = 0
    check: str | None = None
    touched: tuple[Touch, ...] = ()
    states: Mapping[str, str] | None = None

    def is_of(self, caller: Caller, now: datetime) -> bool:
        """Say whether ``caller`` may have the answer ``now``."""
        is_same = all(getattr(caller, name) == getattr(self.caller, name) for name in _SAME)
        return is_same and caller.scopes >= self.caller.scopes and now < self.expires

    def note_check(self, state: ExecutionState) -> None:
        """Note again whom the check touched, and its lists: its answer is of them."""
        for number, role, sections in self.touched:
            state.trail.note_read(number, Role[role], sections)
        for name, list_state in (self.states or {}).items():
            state.note_state(name, State[list_state])


def touches_of(trail: Trail) -> tuple[Touch, ...]:
    """Return whom a check touched, as a ticket keeps it."""
    return tuple((number, role.name, tuple(sections)) for number, role, sections in trail.touches())


def states_of(states: Mapping[str, State]) -> dict[str, str]:
    """Return the states of lists as a ticket keeps them."""
    return {name: state.name for name, state in states.items()}


def databases_to_wait_for(resources: ExecutionResources, check: ProcedureCheck) -> tuple[str, ...]:
    """Return the databases whose silence leaves a check open, and which may come back.

    One that does not operate yet is not waited for.
    """
    if check.outcome is not Outcome.UNKNOWN:
        return ()
    return tuple(
        database.name
        for database in check.silent
        if resources.sources[database.name].database.group.name == "OPERATING"
    )


def encode_ticket(ticket: CheckTicket) -> bytes:
    """Return a ticket as JSON."""
    content = {field.name: getattr(ticket, field.name) for field in fields(ticket)}
    caller = {field.name: getattr(ticket.caller, field.name) for field in fields(Caller)}
    return orjson.dumps({**content, "caller": caller}, default=_plain)


def decode_ticket(content: bytes) -> CheckTicket:
    """Return the ticket of ``encode_ticket``; raises ValueError for anything else."""
    try:
        value = orjson.loads(content)
        value["caller"] = _caller(value["caller"])
        value["expires"] = datetime.fromisoformat(value["expires"])
        value["at"] = None if value["at"] is None else date.fromisoformat(value["at"])
        value["waits_for"] = tuple(value["waits_for"])
        value["touched"] = tuple(_touches(value["touched"]))
        return CheckTicket(**value)
    except (KeyError, TypeError) as error:
        raise ValueError("it is no ticket of this version") from error


def _caller(value: dict[str, Any]) -> Caller:
    expires = value["expires"]
    return Caller(
        **{
            **value,
            "scopes": frozenset(value["scopes"]),
            "purposes": frozenset(value["purposes"]),
            "expires": None if expires is None else datetime.fromisoformat(expires),
        }
    )


def _touches(touches: Iterable[Sequence[Any]]) -> Iterable[Touch]:
    for number, role, sections in touches:
        yield number, role, tuple(sections)


def _plain(value: object) -> object:
    """Return what orjson does not know: sets, decimals, and enumerations of the schema by name."""
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, enum.Enum):
        return value.value
    raise TypeError(type(value).__name__)
