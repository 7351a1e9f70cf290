"""The session of a page's request: who is signed in, which the frame of every page shows."""

from __future__ import annotations

import re
from urllib.parse import quote

from starlette.requests import Request

from gateway.sessions.session import NO_SESSION, SessionLookup

_STATE = "session"
#: A path on this site, as browsers read it: two slashes, or a backslash for one, begin a host, and
#: blanks are taken out before either is looked for (URL, WHATWG, section 4.4).
_PATH = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]{0,1000}")
#: Pages to which nobody comes back from a sign-in.
_DOORS = ("/sign-in", "/sign-out")
SIGNED_IN = "/sign-in/done"


def keep_session(request: Request, session: SessionLookup) -> None:
    """Keep what was found for this request, for ``session_of``."""
    request.scope.setdefault("state", {})[_STATE] = session


def session_of(request: Request) -> SessionLookup:
    """Return what was found for this request; nothing on pages that nobody signs in for."""
    session: SessionLookup = request.scope.get("state", {}).get(_STATE, NO_SESSION)
    return session


def sign_in_address(return_path: str) -> str:
    """Return the address that signs in and comes back to ``return_path``."""
    return f"/sign-in?return={quote(return_path, safe='/')}"


def safe_return_path(text: str) -> str:
    """Return ``text`` if it is a path on this site that may be come back to, else the first page.

    An address elsewhere is never followed (OWASP, Unvalidated Redirects and Forwards).
    """
    is_door = text.partition("?")[0].startswith(_DOORS) and text.partition("?")[0] != SIGNED_IN
    return text if _PATH.fullmatch(text) and not is_door else "/"
