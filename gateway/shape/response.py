"""From an executed operation to the body of the answer.

Errors keep their place (path, locations) and carry a code. What has no code is a defect of the
gateway: it is logged with an id, and the client sees that id only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import structlog
from graphql import GraphQLError

from gateway.errors import CODES, GatewayError, Problem
from gateway.telemetry.redaction import random_id, redact

log = structlog.get_logger(__name__)

#: Characters of a message: what it quotes of a document may be all of it.
_LONGEST = 1_000


def gateway_error(error: BaseException | None) -> GatewayError | None:
    """Return the client-safe error that ``error`` was made from, however deep, or None."""
    while error is not None:
        if isinstance(error, GatewayError):
            return error
        error = error.original_error if isinstance(error, GraphQLError) else None
    return None


def refusal_body(error: GatewayError) -> dict[str, object]:
    """Return the body of an answer that is one error and nothing else."""
    return {"errors": [{"message": error.message, "extensions": error.extensions}]}


def invalid_document_body(code: str, errors: Sequence[GraphQLError]) -> dict[str, object]:
    """Return the body for a request whose document or variables are invalid.

    An error that has a code of its own keeps it; all others get ``code``.
    """
    return {"errors": [_formatted(error, code) for error in errors]}


def render_error(error: GraphQLError) -> dict[str, object]:
    """Return ``error``, which an executor raised, as an answer shows it."""
    return _formatted(error, None)


def render_problem(problem: Problem) -> dict[str, object]:
    """Return ``problem``, which a plan came upon, as an answer shows it."""
    extensions = problem.error.extensions
    if problem.count > 1:
        extensions["count"] = problem.count
    shown: dict[str, object] = {"message": problem.error.message, "extensions": extensions}
    if problem.locations:
        shown["locations"] = problem.locations
    shown["path"] = problem.path
    return shown


def response_body(
    data: Mapping[str, object] | orjson.Fragment | None,
    errors: Sequence[dict[str, object]],
    extensions: Mapping[str, object],
) -> dict[str, object]:
    """Return the body of an operation that ran: data, errors, extensions."""
    answer: dict[str, object] = {"data": data}
    if errors:
        answer["errors"] = _denials_once(errors)
    if extensions:
        answer["extensions"] = extensions
    return answer


def add_documentation_links(answer: dict[str, object], documentation: str) -> dict[str, object]:
    """Give every error in ``answer`` the address of its page.

    ``documentation``: that of all pages, ``{code}`` standing for the error's code.
    """
    errors: Any = answer.get("errors", ())
    for error in errors:
        extensions = error["extensions"]
        extensions["documentation"] = documentation.replace("{code}", extensions["code"])
    return answer


def error_codes(answer: dict[str, object]) -> list[str]:
    """Return the codes of the errors in a body."""
    errors = answer.get("errors", [])
    assert isinstance(errors, list)
    return [error["extensions"]["code"] for error in errors]


def _formatted(error: GraphQLError, code: str | None) -> dict[str, object]:
    known = gateway_error(error)
    if known is not None:
        shown: dict[str, object] = {"message": known.message, "extensions": known.extensions}
    elif code is not None or (code := _of_the_caller(error)) is not None:
        extensions = {"code": code, "messageVi": CODES[code].vi}
        shown = {"message": redact(error.message[:_LONGEST]), "extensions": extensions}
    else:
        shown = _internal(error)
    if error.locations:
        shown["locations"] = [{"line": at.line, "column": at.column} for at in error.locations]
    if error.path is not None:
        shown["path"] = tuple(error.path)
    return shown


def _of_the_caller(error: GraphQLError) -> str | None:
    """Return the code for a value that turns out not to fit only when its field is run.

    A variable may be null where an argument must not be, as long as one of them has a default.
    The executor places such an error at the argument; its other errors have no node of their own.
    """
    raised = _raised(error)
    if isinstance(raised, GraphQLError) and raised is not error and raised.nodes:
        return "INVALID_VARIABLES"
    return None


def _raised(error: GraphQLError) -> Exception:
    """Return what was raised in the first place, below all that says where."""
    raised: Exception = error
    while isinstance(raised, GraphQLError) and raised.original_error is not None:
        raised = raised.original_error
    return raised


def _internal(error: GraphQLError) -> dict[str, object]:
    """Log a defect; a GraphQL error without its text, which quotes documents and values."""
    error_id = random_id()
    cause = _raised(error)
    shown_cause = None if isinstance(cause, GraphQLError) else cause
    log.error("internal error", error_id=error_id, path=error.path, exc_info=shown_cause)
    shown = GatewayError("INTERNAL", details={"errorId": error_id})
    return {"message": shown.message, "extensions": shown.extensions}


def _denials_once(errors: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    """Say of each selected field once, where it comes first, that it is denied, and how often.

    Design section 6.1.
    """
    seen: dict[object, dict[str, Any]] = {}
    kept: list[dict[str, object]] = []
    for error in errors:
        path: Any = error.get("path")
        extensions: Any = error["extensions"]
        if extensions["code"] != "FORBIDDEN" or path is None:
            kept.append(error)
            continue
        count = extensions.setdefault("count", 1)
        field = tuple(step for step in path if isinstance(step, str))
        first = seen.setdefault(field, error)
        if first is error:
            kept.append(error)
            continue
        first["extensions"]["count"] += count
        first["path"] = min(first["path"], path)
    return kept
