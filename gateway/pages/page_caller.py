"""Who acts on a page: whom a proxy vouches for, who is signed in, or, in the demo, a demo caller.

All come to the header ``Authorization`` of a request, so that a page has no rights of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request

from gateway.access.caller import Caller
from gateway.access.local_client import is_local, read_demo_tokens
from gateway.errors import GatewayError
from gateway.pages.page_session import session_of
from gateway.service import Service

#: The parameter of an address that names a demo caller.
_PARAMETER = "as"


@dataclass(frozen=True, slots=True)
class DemoCaller:
    """A demo caller who may use the page at hand. ``agency``: where they work, if anywhere."""

    name: str
    agency: str


@dataclass(frozen=True, slots=True)
class PageCaller:
    """Who acts. ``authorization``: the values of the header, none where nobody does.

    ``choices``: the demo callers to choose from. ``demo_name``: the name that was chosen.
    """

    authorization: tuple[bytes, ...]
    choices: tuple[DemoCaller, ...] = ()
    demo_name: str | None = None


async def find_page_caller(request: Request, may_use: Callable[[Caller], bool]) -> PageCaller:
    """Return who acts in ``request``. ``may_use``: whether a demo caller is offered on the page.

    A header that is sent counts before a session, and a session before a demo caller.
    """
    sent = tuple(value for name, value in request.headers.raw if name == b"authorization")
    service: Service = request.app.state.service
    active = session_of(request).active
    if active is not None and not sent:
        return PageCaller((active.authorization,))
    if sent or not service.resources.settings.demo or not is_local(request):
        return PageCaller(sent)
    tokens = read_demo_tokens(service.resources.settings.folder)
    callers = {name: await _find_caller(service, token) for name, token in tokens.items()}
    choices = tuple(
        DemoCaller(name, caller.agency or name)
        for name, caller in callers.items()
        if caller is not None and may_use(caller)
    )
    name = request.query_params.get(_PARAMETER)
    if name not in {choice.name for choice in choices}:
        return PageCaller((), choices)
    assert name is not None
    return PageCaller((b"Bearer " + tokens[name].encode("ascii"),), choices, name)


async def _find_caller(service: Service, token: str) -> Caller | None:
    try:
        return await service.tokens.caller(token)
    except GatewayError:  # of an earlier start
        return None


def form_binding(caller: Caller) -> str:
    """Return what the token of a form is bound to: the client, and who acts in it."""
    return f"{caller.client}\n{caller.subject}"
