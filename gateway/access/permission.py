"""What is decided about an operation before anything is fetched."""

from __future__ import annotations

from graphql import OperationType

from gateway.access.caller import Caller
from gateway.errors import GatewayError
from gateway.plan.document import Document, Operation


def permit(caller: Caller, document: Document, operation: Operation, in_url: bool) -> None:
    """Refuse an operation that this caller, or a request in a URL, may not make.

    ``in_url``: the document came by GET. Raises GatewayError PERSON_IN_URL, METHOD_NOT_ALLOWED,
    UNSUPPORTED_OPERATION, UNAUTHENTICATED or INTROSPECTION_DENIED.
    """
    if in_url and document.names_person:
        raise GatewayError("PERSON_IN_URL")
    if operation.kind is OperationType.MUTATION and in_url:
        raise GatewayError("METHOD_NOT_ALLOWED", headers={"Allow": "POST"})
    if operation.kind is OperationType.SUBSCRIPTION:
        raise GatewayError("UNSUPPORTED_OPERATION")
    if caller.is_anonymous and (operation.reads_persons or operation.introspects):
        raise unauthenticated("UNAUTHENTICATED")
    if operation.introspects and not caller.may_introspect:
        raise GatewayError("INTROSPECTION_DENIED")


def unauthenticated(code: str) -> GatewayError:
    """Return an error that asks for a (better) token, as RFC 6750 section 3 has it."""
    challenge = "Bearer" if code == "UNAUTHENTICATED" else 'Bearer error="invalid_token"'
    return GatewayError(code, headers={"WWW-Authenticate": challenge})
