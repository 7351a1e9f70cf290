"""From a result to the body of the response.

Errors keep their path and locations and carry a code. An error without a code is a defect of the
gateway: the log has it with an id, and the client sees the id only.
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

#: Characters of a message at most: it may quote a whole document.
_MAX_MESSAGE = 1_000


def gateway_error(error: BaseException | None) -> GatewayError | None:
    """Return the gateway's own error at the bottom of ``error``, None if there is none."""
    while error is not None:
        if isinstance(error, GatewayError):
            return error
        error = error.original_error if isinstance(error, GraphQLError) else None
    return None


def refusal_body(error: GatewayError) -> dict[str, object]:
    """Return the body of a response that is one error and nothing else."""
    return {"errors": [{"message": error.message, "extensions": error.extensions}]}


def invalid_document_body(code: str, errors: Sequence[GraphQLError]) -> dict[str, object]:
    """Return the body for a request whose document or variables are invalid.

    An error that has a code of its own keeps it; all others get ``code``.
    """
    return {"errors": [_format_error(error, code) for error in errors]}


def render_error(error: GraphQLError) -> dict[str, object]:
    """Return an error that graphql-core reports as the response shows it."""
    return _format_error(error, None)


def render_problem(problem: Problem) -> dict[str, object]:
    """Return an error beside the data as the response shows it."""
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
    """Return the body of an executed operation; empty parts are left out."""
    answer: dict[str, object] = {"data": data}
    if errors:
        answer["errors"] = merge_denials(errors)
    if extensions:
        answer["extensions"] = extensions
    return answer


def add_documentation_links(answer: dict[str, object], documentation: str) -> dict[str, object]:
    """Add the address of its documentation to every error of a body; return the body.

    ``documentation``: the address of a page, with ``{code}`` for the error's code.
    """
    errors: Any = answer.get("errors", ())
    for error in errors:
        extensions = error["extensions"]
        extensions["documentation"] = documentation.replace("{code}", extensions["code"])
    return answer


def error_codes(answer: dict[str, object]) -> list[str]:
    """Return the codes of the errors in a body, in their order."""
    errors = answer.get("errors", [])
    assert isinstance(errors, list)
    return codes_of(errors)


def codes_of(errors: Sequence[dict[str, Any]]) -> list[str]:
    """Return the codes of errors, in their order."""
    return [error["extensions"]["code"] for error in errors]


def _format_error(error: GraphQLError, code: str | None) -> dict[str, object]:
    cause = gateway_error(error)
    if cause is not None:
        shown: dict[str, object] = {"message": cause.message, "extensions": cause.extensions}
    elif code is not None or (code := _code_of_value_error(error)) is not None:
        extensions = {"code": code, "messageVi": CODES[code].vi}
        shown = {"message": redact(error.message[:_MAX_MESSAGE]), "extensions": extensions}
    else:
        shown = _report_defect(error)
    if error.locations:
        shown["locations"] = [{"line": at.line, "column": at.column} for at in error.locations]
    if error.path is not None:
        shown["path"] = tuple(error.path)
    return shown


def _code_of_value_error(error: GraphQLError) -> str | None:
    """Return the code of an error in a value that only the execution of its field reveals.

    A variable may be null where an argument must not be, as long as one of them has a default.
    The executor places such an error at the argument; its other errors have no node of their own.
    """
    raised = _unwrap(error)
    if isinstance(raised, GraphQLError) and raised is not error and raised.nodes:
        return "INVALID_VARIABLES"
    return None


def _unwrap(error: GraphQLError) -> Exception:
    """Return the exception that graphql-core wrapped with path and locations."""
    raised: Exception = error
    while isinstance(raised, GraphQLError) and raised.original_error is not None:
        raised = raised.original_error
    return raised


def _report_defect(error: GraphQLError) -> dict[str, object]:
    """Log a defect and return what the client sees of it.

    The text of a GraphQL error is not logged: it quotes documents and values.
    """
    error_id = random_id()
    cause = _unwrap(error)
    shown_cause = None if isinstance(cause, GraphQLError) else cause
    log.error("internal error", error_id=error_id, path=error.path, exc_info=shown_cause)
    shown = GatewayError("INTERNAL", details={"errorId": error_id})
    return {"message": shown.message, "extensions": shown.extensions}


def merge_denials(errors: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    """Return ``errors`` with one denial for each field, at its first path, and its count.

    Design section 6.1.
    """
    denials: dict[object, dict[str, Any]] = {}
    shown: list[dict[str, object]] = []
    for error in errors:
        path: Any = error.get("path")
        extensions: Any = error["extensions"]
        if extensions["code"] != "FORBIDDEN" or path is None:
            shown.append(error)
            continue
        count = extensions.setdefault("count", 1)
        field = tuple(step for step in path if isinstance(step, str))
        first = denials.setdefault(field, error)
        if first is error:
            shown.append(error)
            continue
        first["extensions"]["count"] += count
        if path < first["path"]:  # entities of two types have the same field at two places
            first["path"], first["locations"] = path, error["locations"]
    return shown
