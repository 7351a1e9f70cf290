"""Permission of an operation as a whole, decided before anything is fetched."""

from __future__ import annotations

from collections.abc import Mapping

from graphql import OperationType

from gateway.access.caller import Caller
from gateway.catalogue.checks import SCOPE as CHECK
from gateway.catalogue.checks import TICKET_FIELDS
from gateway.catalogue.life_events import INTEREST_MUTATIONS, REGISTER
from gateway.catalogue.life_events import SCOPE as EVENTS
from gateway.catalogue.scopes import OPERATE
from gateway.catalogue.webhooks import WEBHOOK_MUTATIONS
from gateway.errors import GatewayError, unauthenticated
from gateway.plan.document import Document, Operation
from gateway.settings import Client

_STREAM_NEEDED = (
    "a subscription has many answers: use WebSocket (graphql-transport-ws) or text/event-stream"
)


def permit(
    caller: Caller, document: Document, operation: Operation, in_url: bool, streams: bool = False
) -> None:
    """Refuse an operation that ``caller`` may not call, or not by GET.

    ``in_url``: the document came by GET. ``streams``: the door can send several answers. Raises
    GatewayError PERSON_IN_URL, METHOD_NOT_ALLOWED, UNSUPPORTED_OPERATION, UNAUTHENTICATED,
    FORBIDDEN, INTROSPECTION_DENIED, PURPOSE_REQUIRED or CASE_NUMBER_REQUIRED.
    """
    if in_url and document.names_person:
        raise GatewayError("PERSON_IN_URL")
    if operation.kind is OperationType.MUTATION and in_url:
        raise GatewayError("METHOD_NOT_ALLOWED", headers={"Allow": "POST"})
    if operation.kind is OperationType.SUBSCRIPTION:
        _permit_subscription(caller, streams)
    needs_token = operation.reads_persons or operation.counts_records or operation.introspects
    needs_token |= operation.reads_events
    if caller.is_anonymous and needs_token:
        raise unauthenticated("UNAUTHENTICATED")
    if operation.kind is OperationType.MUTATION:
        _permit_mutation(caller, operation)
    if operation.reads_events:
        _permit_events(caller, operation)
    if operation.introspects and not caller.may_introspect:
        raise GatewayError("INTROSPECTION_DENIED")
    if caller.purpose is None or caller.case_number is None:
        _require_statements(caller, operation)


def _permit_subscription(caller: Caller, streams: bool) -> None:
    if not streams:
        raise GatewayError("UNSUPPORTED_OPERATION", _STREAM_NEEDED)
    if caller.is_anonymous:
        raise unauthenticated("UNAUTHENTICATED")


def _permit_mutation(caller: Caller, operation: Operation) -> None:
    """Require an operator for what changes how the gateway works, and else who has the right.

    Tickets are for callers who may check, webhooks and interests for those who may read events.
    """
    if caller.is_anonymous:
        raise unauthenticated("UNAUTHENTICATED")
    callers_mutations = TICKET_FIELDS | WEBHOOK_MUTATIONS | INTEREST_MUTATIONS
    needs_operator = not operation.root_fields <= callers_mutations
    if needs_operator and OPERATE not in caller.scopes:
        raise GatewayError("FORBIDDEN", details={"missing": [OPERATE]})
    if not operation.root_fields.isdisjoint(WEBHOOK_MUTATIONS):
        _permit_webhooks(caller)
    if operation.root_fields.isdisjoint(TICKET_FIELDS):
        return
    if not caller.may_check:
        raise GatewayError("FORBIDDEN", details={"missing": [CHECK]})
    if caller.purpose is None:
        raise GatewayError("PURPOSE_REQUIRED")
    if caller.case_number is None:
        raise GatewayError("CASE_NUMBER_REQUIRED")


def _permit_webhooks(caller: Caller) -> None:
    """Require the scope of events, and a purpose: a webhook is of a client under a purpose."""
    if EVENTS not in caller.scopes:
        raise GatewayError("FORBIDDEN", details={"missing": [EVENTS]})
    if caller.purpose is None:
        raise GatewayError("PURPOSE_REQUIRED")


def _permit_events(caller: Caller, operation: Operation) -> None:
    """Require the scope and a purpose for events of people, and a case for an interest in them.

    They stand alone: each interest has a case of its own, under which the journal has its events.
    """
    if operation.reads_persons or operation.counts_records:
        raise GatewayError(
            "UNSUPPORTED_OPERATION", "events and interests need an operation of their own"
        )
    if EVENTS not in caller.scopes:
        raise GatewayError("FORBIDDEN", details={"missing": [EVENTS]})
    if caller.purpose is None:
        raise GatewayError("PURPOSE_REQUIRED")
    if caller.case_number is None and REGISTER in operation.root_fields:
        raise GatewayError("CASE_NUMBER_REQUIRED")


def _require_statements(caller: Caller, operation: Operation) -> None:
    """Require a purpose and a case number for reading about persons (design section 7)."""
    # Callers without these rights learn what is missing from the denial of each field.
    may_read = caller.may_name_persons or caller.may_verify or caller.may_check
    if not may_read or not (operation.names_persons or operation.finds_things):
        return
    if caller.purpose is None:
        raise GatewayError("PURPOSE_REQUIRED")
    if caller.case_number is None and not operation.names_cases:
        raise GatewayError("CASE_NUMBER_REQUIRED")


def require_free_form(caller: Caller, clients: Mapping[str, Client]) -> None:
    """Refuse free-form documents of callers of published operations: PUBLISHED_ONLY.

    Those are partners, whose tokens permit nothing by themselves, and clients whose settings say so
    (design section 7: outward sharing goes by published operations).
    """
    client = clients.get(caller.client or "")
    if caller.is_partner or (client is not None and client.published_only):
        raise GatewayError("PUBLISHED_ONLY")
