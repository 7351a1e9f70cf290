"""Reads the parameters of a request (GraphQL over HTTP specification, sections 4 and 5)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

import orjson
from starlette.requests import Request

from gateway.errors import GatewayError, malformed
from gateway.request import Parameters

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
_WEIGHT = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")
_LENGTH = re.compile(r"[0-9]{1,18}")
#: Characters of an Accept header that are read; browsers send some 150.
_ACCEPT = 1_024
_NAMES = ("query", "documentId", "operationName", "variables", "onError", "extensions")


def accepted(request: Request) -> str:
    """Return the Accept headers of a request, joined; raises GatewayError HEADERS_TOO_LARGE."""
    accept = ", ".join(request.headers.getlist("accept"))
    if len(accept) > _ACCEPT:
        raise GatewayError("HEADERS_TOO_LARGE", "Accept must have at most 1,024 characters")
    return accept


@lru_cache(maxsize=256)
def response_type(accept: str | None) -> str:
    """Return the media type to answer with; raises NOT_ACCEPTABLE.

    ``application/json`` unless the other one is preferred by name: older clients send ``*/*``.
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
        raise GatewayError("NOT_ACCEPTABLE")
    return best


def ranges(accept: str) -> list[tuple[str, float]]:
    """Read an Accept header (RFC 9110 section 12.5.1): media range -> quality."""
    qualities = []
    for part in accept.split(","):
        kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                # An invalid weight (RFC 9110 section 12.4.2) counts as 0; NaN would win.
                quality = float(parameter[2:]) if _WEIGHT.fullmatch(parameter[2:]) else 0.0
        qualities.append((kind, quality))
    return qualities


async def read_parameters(request: Request, body_bytes: int) -> Parameters:
    """Return the parameters of ``request``.

    Raises GatewayError METHOD_NOT_ALLOWED, UNSUPPORTED_MEDIA_TYPE, BODY_TOO_LARGE, BAD_JSON or
    BAD_REQUEST. Reads no more than ``body_bytes``.
    """
    if request.method in {"GET", "HEAD"}:
        return _from_url(request, body_bytes)
    if request.method != "POST":
        raise GatewayError("METHOD_NOT_ALLOWED", headers={"Allow": "GET, POST"})
    _check_content_type(request.headers.get("content-type"))
    parameters = _json(await _body(request, body_bytes))
    if not isinstance(parameters, dict):
        raise malformed("the body must be a JSON object")
    return _parameters(parameters, in_url=False)


async def read_operation(request: Request, body_bytes: int) -> Parameters:
    """Return the published operation that ``request`` calls by its path; the body is its variables.

    Raises what ``read_parameters`` raises. The URL contains no parameter but the name.
    """
    variables = await read_object(request, body_bytes)
    return Parameters("", None, variables, in_url=False, published=request.path_params["name"])


async def read_object(request: Request, body_bytes: int) -> dict[str, object]:
    """Return the JSON object that is POSTed; raises what ``read_parameters`` raises."""
    if request.method != "POST":
        raise GatewayError("METHOD_NOT_ALLOWED", headers={"Allow": "POST"})
    if request.scope["query_string"]:
        raise malformed("variables must be in the body, not in the URL")
    _check_content_type(request.headers.get("content-type"))
    body = _json(await _body(request, body_bytes))
    if not isinstance(body, dict):
        raise malformed("the body must be a JSON object")
    return body


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
    return _parameters(parameters, in_url=True)


def _check_content_type(header: str | None) -> None:
    kind, *parameters = (piece.strip().lower() for piece in (header or "").split(";"))
    charsets = [
        parameter.split("=", 1)[1].strip('"')
        for parameter in parameters
        if parameter.startswith("charset=")
    ]
    if kind != JSON or any(parameter not in {"utf-8", "utf8"} for parameter in charsets):
        raise GatewayError("UNSUPPORTED_MEDIA_TYPE")


async def _body(request: Request, largest: int) -> bytes:
    announced = request.headers.get("content-length", "0")
    if not _LENGTH.fullmatch(announced) or int(announced) > largest:
        raise GatewayError("BODY_TOO_LARGE", details={"limit": largest})
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > largest:
            raise GatewayError("BODY_TOO_LARGE", details={"limit": largest})
        chunks.append(chunk)
    return b"".join(chunks)


def _json(text: bytes) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise GatewayError("BAD_JSON") from None


def _parameters(parameters: Mapping[str, object], in_url: bool) -> Parameters:
    query, published = parameters.get("query"), parameters.get("documentId")
    name = parameters.get("operationName")
    variables, extensions = parameters.get("variables"), parameters.get("extensions")
    if published is not None and (query is not None or not isinstance(published, str)):
        raise malformed("documentId must be a string, in place of query")
    if published is None and (not isinstance(query, str) or not query.strip()):
        raise malformed("query must be a string")
    if name is not None and not isinstance(name, str):
        raise malformed("operationName must be a string")
    if variables is not None and not isinstance(variables, dict):
        raise malformed("variables must be an object")
    if extensions is not None and not isinstance(extensions, dict):
        raise malformed("extensions must be an object")
    if parameters.get("onError") not in (None, "NULL"):
        raise malformed("onError must be NULL: a field that fails is null, and the rest stands")
    plan = (extensions or {}).get("plan", False)
    if not isinstance(plan, bool):
        raise malformed("extensions.plan must be true or false")
    return Parameters(str(query or ""), name or None, variables, in_url, plan, published)
