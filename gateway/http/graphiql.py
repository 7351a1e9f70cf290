"""GraphiQL for browsers: the page at ``GET /graphql``, its files, and the demo's callers.

``make graphiql`` builds the files in ``graphiql/`` beside this module, compressed. Nothing is
loaded from another host. Each response has its own nonce for the style elements of the editor.
"""

from __future__ import annotations

import gzip
import secrets
from functools import cache
from html import escape
from pathlib import Path

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from gateway.access.local_client import is_local
from gateway.errors import GatewayError
from gateway.http.parameters import GRAPHQL_JSON, JSON, accepted, ranges
from gateway.http.probes import error_response
from gateway.service import Service
from gateway.sessions.cookies import read_cookies
from gateway.settings import Settings

_BUILT = Path(__file__).with_name("graphiql")
_HTML = "text/html"

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'nonce-{nonce}'",
        "connect-src 'self'",
        "worker-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
    )
)
#: The policy of a worker is sent with its file, not with the page.
_FILE_HEADERS = {
    "cache-control": "public, max-age=31536000, immutable",
    "content-security-policy": "default-src 'none'; script-src 'self'",
    "vary": "Accept-Encoding",
}

#: Fixed here, not taken from the machine: with nosniff, a wrong type breaks the page.
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
}


def routes(settings: Settings) -> list[BaseRoute]:
    """Return the page's files and, in the demo only, its callers."""
    routes: list[BaseRoute] = [
        Mount("/graphiql/assets", _Files(directory=_BUILT / "assets"), name="graphiql")
    ]
    if settings.demo:
        routes.append(Route("/demo/callers", demo_callers, name="demo"))
    return routes


def wants_page(request: Request) -> bool:
    """Return whether a browser asks for the page: by GET, for HTML by name, with no operation.

    ``*/*`` and anything that wants JSON as much is GraphQL over HTTP, not a browser.
    """
    if request.method not in {"GET", "HEAD"} or "query" in request.query_params:
        return False
    try:
        qualities = dict(ranges(accepted(request)))
    except GatewayError:  # refused where it is answered
        return False
    json_qualities = (qualities.get(kind, 0.0) for kind in (JSON, GRAPHQL_JSON, "application/*"))
    return qualities.get(_HTML, 0.0) > max(json_qualities)


async def graphiql_page(request: Request) -> Response:
    """Return the page.

    For who is signed in it has two ``meta`` elements: ``csrf-token``, which its requests have to
    show, and ``signed-in``, who that is.
    """
    service: Service = request.app.state.service
    settings: Settings = service.resources.settings
    nonce = secrets.token_urlsafe(16)
    html = (
        _template()
        .replace("__NONCE__", nonce)
        .replace("__DEMO__", str(settings.demo).lower())
        .replace("__PUBLIC_SCHEMA__", str(settings.public_schema).lower())
        .replace("</head>", f"{await _session_elements(service, request)}</head>", 1)
    )
    headers = {
        "content-security-policy": _POLICY.format(nonce=nonce),
        "cache-control": "no-store",
        "vary": "Accept",
    }
    return HTMLResponse(html, headers=headers)


async def _session_elements(service: Service, request: Request) -> str:
    """Return the elements of the session; none where it cannot be told."""
    try:
        sessions = service.sessions
        cookies = read_cookies(request.scope["headers"])
        active = None if sessions is None else (await sessions.look_up(cookies)).active
    except GatewayError:
        active = None
    if active is None:
        return ""
    values = {"csrf-token": active.csrf_token, "signed-in": active.title}
    return "".join(
        f'<meta name="{name}" content="{escape(value)}">' for name, value in values.items()
    )


def demo_callers(request: Request) -> Response:
    """Return the demo's tokens and personas, to this machine only."""
    service: Service = request.app.state.service
    folder = service.resources.settings.folder
    if not is_local(request):
        return error_response(request, GatewayError("NOT_FOUND"))
    try:
        tokens = orjson.loads((folder / "tokens.json").read_bytes())
        personas = orjson.loads((folder / "personas.json").read_bytes())
    except FileNotFoundError:
        return error_response(request, GatewayError("NOT_FOUND"))
    answer = {
        "callers": [
            {"name": name, "token": token}
            for name, token in tokens.items()
            if isinstance(token, str)
        ],
        "citizens": tokens["citizens"],
        "personas": personas,
    }
    headers = {"cache-control": "no-store"}
    return Response(orjson.dumps(answer), headers=headers, media_type=JSON)


class _Files(StaticFiles):
    """The built files, each compressed, with ``.gz`` behind its name.

    Their names contain a hash of the content, so caches keep them for good.
    """

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(f"{path}.gz", scope)
        response.headers.update(_FILE_HEADERS)
        if response.status_code != 200:
            return response
        response.headers["content-type"] = _TYPES[Path(path).suffix]
        if _accepts_gzip(Headers(scope=scope)):
            response.headers["content-encoding"] = "gzip"
            return response
        content = await run_in_threadpool(_uncompressed, f"{self.directory}/{path}.gz")
        del response.headers["content-length"]
        return Response(content, headers=dict(response.headers))


def _accepts_gzip(headers: Headers) -> bool:
    """Return whether gzip is accepted (RFC 9110 section 12.5.3); every browser says so."""
    qualities = dict(ranges(", ".join(headers.getlist("accept-encoding"))))
    return qualities.get("gzip", qualities.get("*", 0.0)) > 0


def _uncompressed(file: str) -> bytes:
    return gzip.decompress(Path(file).read_bytes())


@cache
def _template() -> str:
    return (_BUILT / "index.html").read_text("utf-8")
