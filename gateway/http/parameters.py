"""Reads the parameters of a request (GraphQL over HTTP specification, sections 4 and 5)."""

from __future__ import annotations

import re
from functools import lru_cache

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive

from gateway.errors import GatewayError, malformed
from gateway.execution.parameters import Parameters, ReceivedRequest, parse_parameters

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
MULTIPART = "multipart/mixed"
_WEIGHT = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")
_LENGTH = re.compile(r"[0-9]{1,18}")
#: Characters of an Accept header that are read; browsers send some 150.
_ACCEPT = 1_024
_NAMES = ("query", "documentId", "operationName", "variables", "onError", "extensions")


def accepted(request: Request) -> str:
    """Return the Accept headers of a request, joined; raises GatewayError HEADERS_TOO_LARGE."""
    accept = join_accept(request)
    require_short_accept(accept)
    return accept


def join_accept(request: Request) -> str:
    """Return the Accept headers of a request, joined (RFC 9110 section 5.3)."""
    return ", ".join(request.headers.getlist("accept"))


def require_short_accept(accept: str) -> None:
    """Raise GatewayError HEADERS_TOO_LARGE for an Accept header that would take long to read."""
    if len(accept) > _ACCEPT:
        raise GatewayError("HEADERS_TOO_LARGE", "Accept must have at most 1,024 characters")


@lru_cache(maxsize=256)
def response_type(accept: str | None) -> str:
    """Return the media type to answer with; raises NOT_ACCEPTABLE.

    ``application/json`` unless the other one is preferred by name: older clients send ``*/*``. A
    client that takes ``multipart/mixed`` alone is answered with the other one where there is a
    single payload: nothing tells beforehand.
    """
    if not accept or not accept.strip():
        return JSON
    qualities = dict(ranges(accept))
    quality = {
        kind: qualities.get(kind, qualities.get("application/*", qualities.get("*/*", 0.0)))
        for kind in (GRAPHQL_JSON, JSON)
    }
    if GRAPHQL_JSON in qualities and quality[GRAPHQL_JSON] >= quality[JSON] > -1:
        best = GRAPHQL_JSON
    else:
        best = max((JSON, GRAPHQL_JSON), key=quality.__getitem__)
    if quality[best] <= 0:
        if qualities.get(MULTIPART, 0.0) > 0:
            return GRAPHQL_JSON
        raise GatewayError("NOT_ACCEPTABLE")
    return best


def ranges(accept: str) -> list[tuple[str, float]]:
    """Read an Accept header (RFC 9110 section 12.5.1): media range -> quality."""
    return [(kind, quality) for kind, _, quality in ranges_with_parameters(accept)]


def ranges_with_parameters(accept: str) -> list[tuple[str, list[tuple[str, str]], float]]:
    """Read an Accept header: media range, its parameters without the weight, and quality.

    Names and values in lower case.
    """
    read = []
    for part in accept.split(","):
        kind, *pieces = (piece.strip().lower() for piece in part.split(";"))
        quality = 1.0
        parameters = []
        for piece in pieces:
            if piece.startswith("q="):
                # An invalid weight (RFC 9110 section 12.4.2) counts as 0; NaN would win.
                quality = float(piece[2:]) if _WEIGHT.fullmatch(piece[2:]) else 0.0
            elif piece:
                name, _, value = piece.partition("=")
                parameters.append((name.strip(), value.strip().strip('"')))
        read.append((kind, parameters, quality))
    return read


async def read_parameters(request: Request, body_bytes: int) -> ReceivedRequest:
    """Return the operation that ``request`` asks for, in its body or its URL.

    Raises GatewayError METHOD_NOT_ALLOWED, UNSUPPORTED_MEDIA_TYPE or BODY_TOO_LARGE, and parsing
    it BAD_JSON or BAD_REQUEST. Reads no more than ``body_bytes``.
    """
    if request.method in {"GET", "HEAD"}:
        return ReceivedRequest(lambda *_: _from_url(request, body_bytes), None)
    if request.method != "POST":
        raise GatewayError("METHOD_NOT_ALLOWED", headers={"Allow": "GET, POST"})
    return posted_parameters(await _receive_json(request, body_bytes))


async def read_operation(request: Request, body_bytes: int) -> ReceivedRequest:
    """Return the published operation that ``request`` calls by its path; the body is its variables.

    Raises what ``read_parameters`` raises. The URL contains no parameter but the name.
    """
    _require_post(request)
    return posted_variables(request.path_params["name"], await _receive_json(request, body_bytes))


async def read_object(request: Request, body_bytes: int) -> dict[str, object]:
    """Return the JSON object that is POSTed; raises what ``read_parameters`` raises."""
    _require_post(request)
    return _json_object(await _receive_json(request, body_bytes))


def posted_parameters(body: bytes) -> ReceivedRequest:
    """Return the request whose parameters are the members of ``body``."""
    return ReceivedRequest(_from_body, body)


def posted_variables(operation: str, body: bytes) -> ReceivedRequest:
    """Return the call of a published operation whose variables are the members of ``body``."""
    return ReceivedRequest(_from_variables, body, operation)


def _require_post(request: Request) -> None:
    if request.method != "POST":
        raise GatewayError("METHOD_NOT_ALLOWED", headers={"Allow": "POST"})
    if request.scope["query_string"]:
        raise malformed("variables must be in the body, not in the URL")


def _from_body(body: bytes, _operation: str | None) -> Parameters:
    return parse_parameters(_json_object(body), in_url=False)


def _from_variables(body: bytes, operation: str | None) -> Parameters:
    return Parameters("", None, _json_object(body), in_url=False, published=operation)


def _from_url(request: Request, largest: int) -> Parameters:
    if len(request.scope["query_string"]) > largest:
        raise GatewayError("BODY_TOO_LARGE", details={"limit": largest}, status=414)
    parameters: dict[str, object] = {}
    for name in _NAMES:
        values = request.query_params.getlist(name)
        if len(values) > 1:
            raise malformed(f"{name} must not be given more than once")
        if values:
            is_json = name in {"variables", "extensions"}
            parameters[name] = _json(values[0].encode("utf-8", "replace")) if is_json else values[0]
    return parse_parameters(parameters, in_url=True)


async def _receive_json(request: Request, body_bytes: int) -> bytes:
    headers = request.headers
    return await receive_json(
        request.receive, headers.get("content-type"), headers.get("content-length"), body_bytes
    )


async def receive_json(
    receive: Receive, content_type: str | None, content_length: str | None, body_bytes: int
) -> bytes:
    """Return the body of a request that says by its headers to be JSON.

    Raises GatewayError UNSUPPORTED_MEDIA_TYPE, and BODY_TOO_LARGE as soon as there are more bytes
    than ``body_bytes``, announced or sent. Raises ClientDisconnect if the client goes away.
    """
    if content_type != JSON:
        _check_content_type(content_type)
    if content_length is not None and (
        not _LENGTH.fullmatch(content_length) or int(content_length) > body_bytes
    ):
        raise GatewayError("BODY_TOO_LARGE", details={"limit": body_bytes})
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > body_bytes:
            raise GatewayError("BODY_TOO_LARGE", details={"limit": body_bytes})
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def _check_content_type(header: str | None) -> None:
    kind, *parameters = (piece.strip().lower() for piece in (header or "").split(";"))
    charsets = [
        parameter.split("=", 1)[1].strip('"')
        for parameter in parameters
        if parameter.startswith("charset=")
    ]
    if kind != JSON or any(parameter not in {"utf-8", "utf8"} for parameter in charsets):
        raise GatewayError("UNSUPPORTED_MEDIA_TYPE")


def _json_object(body: bytes) -> dict[str, object]:
    parsed = _json(body)
    if not isinstance(parsed, dict):
        raise malformed("the body must be a JSON object")
    return parsed


def _json(text: bytes) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise GatewayError("BAD_JSON") from None
