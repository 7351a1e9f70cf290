"""From templates to responses: HTML with the headers that every page has.

A page loads nothing but the stylesheet and the icon beside this module, runs no script, and stands
in no frame. Nothing that it shows is kept by a browser or a proxy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from connectors.description import Text
from gateway.errors import CODES
from gateway.pages.languages import PARAMETER, Language, language_of
from gateway.pages.navigation import SECTIONS
from gateway.pages.page_session import session_of, sign_in_address
from gateway.pages.phrases.frame import FRAME
from gateway.request import state_of
from gateway.service import Service

_FOLDER = Path(__file__).parent
_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'none'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action {targets}",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
}
#: The files that pages load, with their media types: fixed here, not taken from the machine.
_FILES = {"style.css": "text/css", "icon.svg": "image/svg+xml"}
#: The address of a file contains a hash of the content, so caches keep it for good.
_FILE_HEADERS = {
    "cache-control": "public, max-age=31536000, immutable",
    "content-security-policy": "default-src 'none'",
}


def render(
    request: Request,
    template: str,
    phrases: Mapping[str, Text],
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    posts_to: str | None = None,
    **values: Any,
) -> Response:
    """Return the page that ``template`` makes of ``values``, in the language of the address.

    ``phrases``: what the page itself says, beside the phrases of every page. ``posts_to``: the
    address elsewhere to which its form is sent.
    """
    service: Service = request.app.state.service
    language = language_of(request)
    session = session_of(request)
    is_vouched_for = "authorization" in request.headers  # by a proxy: the cookie does not count
    address = _address(request, language.code)
    page: str = (
        _environment()
        .get_template(template)
        .render(
            language=language,
            say={name: language.choose(text) for name, text in {**FRAME, **phrases}.items()},
            sections=[(section, section.contains(request.url.path)) for section in SECTIONS],
            is_demo=service.resources.settings.demo,
            file=file_address,
            address=address,
            session_has_ended=session.has_ended and not is_vouched_for,
            signed_in=None if is_vouched_for else session.active,
            sign_in=(
                sign_in_address(request.url.path + address)
                if session.can_sign_in and session.active is None and not is_vouched_for
                else None
            ),
            other_address=_address(request, language.other.code),
            request_id=state_of(request.scope).request_id,
            **values,
        )
    )
    targets = "'self'" if posts_to is None else f"'self' {_origin(posts_to)}"
    policy = {"content-security-policy": _POLICY.format(targets=targets)}
    return HTMLResponse(page, status, {**(headers or {}), **_HEADERS, **policy})


def _origin(address: str) -> str:
    parsed = urlsplit(address)
    return f"{parsed.scheme}://{parsed.netloc}"


def render_part(
    template: str, phrases: Mapping[str, Text], language: Language, **values: Any
) -> Any:
    """Return a part of a page, which other templates show as it is.

    For what is the same in many responses and takes long: a part may be kept, a page may not.
    """
    from markupsafe import Markup

    say = {name: language.choose(text) for name, text in {**FRAME, **phrases}.items()}
    part = _environment().get_template(template).render(language=language, say=say, **values)
    return Markup(part)  # noqa: S704 - the template has escaped what it shows


def _address(request: Request, code: str) -> str:
    """Return the rest of an address that keeps who acts, in a language: ``?lang=en&as=officer``."""
    parts = [f"{PARAMETER}={code}"] if code != "vi" else []
    parts += [
        f"as={name}" for name in request.query_params.getlist("as")[:1] if name.isidentifier()
    ]
    return f"?{'&'.join(parts)}" if parts else ""


def file_address(name: str) -> str:
    """Return the address of a file that pages load."""
    return f"/pages/{_digest(name)}/{name}"


async def show_file(request: Request) -> Response:
    """Answer with a file that pages load."""
    name = request.path_params["name"]
    if name not in _FILES:
        return Response(status_code=404)
    return Response(_content(name), media_type=_FILES[name], headers=_FILE_HEADERS)


@cache
def _content(name: str) -> bytes:
    return (_FOLDER / "static" / name).read_bytes()


@cache
def _digest(name: str) -> str:
    return hashlib.sha256(_content(name)).hexdigest()[:16]


@cache
def _environment() -> Any:
    """Return the templates. The library is loaded with the first page, not at each start."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["CODES"] = CODES
    return environment
