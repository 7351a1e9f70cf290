"""Who acts on a page: the officer that a proxy vouches for, or, in the demo, a demo officer.

Both come to the header ``Authorization`` of a request, so that a page has no rights of its own.
Signing in (OpenID Connect) is to add its session here, and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from gateway.access.caller import Caller
from gateway.access.local_client import is_local, read_demo_tokens
from gateway.errors import GatewayError
from gateway.procedures.procedure import Procedure
from gateway.service import Service

#: The parameter of an address that names a demo officer.
_PARAMETER = "as"


@dataclass(frozen=True, slots=True)
class DemoOfficer:
    """A demo officer who may check the procedure at hand."""

    name: str
    agency: str


@dataclass(frozen=True, slots=True)
class PageCaller:
    """Who acts. ``authorization``: the values of the header, none where nobody does.

    ``officers``: the demo officers to choose from. ``demo_name``: the one that was chosen.
    """

    authorization: tuple[bytes, ...]
    officers: tuple[DemoOfficer, ...] = ()
    demo_name: str | None = None


async def find_page_caller(request: Request, procedure: Procedure) -> PageCaller:
    """Return who acts in ``request``, on the page of ``procedure``."""
    sent = tuple(value for name, value in request.headers.raw if name == b"authorization")
    service: Service = request.app.state.service
    if sent or not service.resources.settings.demo or not is_local(request):
        return PageCaller(sent)
    tokens = read_demo_tokens(service.resources.settings.folder)
    callers = {name: await _find_caller(service, token) for name, token in tokens.items()}
    officers = tuple(
        DemoOfficer(name, caller.agency or name)
        for name, caller in callers.items()
        if caller is not None and caller.may_check and caller.purposes & {*procedure.codes}
    )
    chosen = request.query_params.get(_PARAMETER)
    if chosen not in {officer.name for officer in officers}:
        return PageCaller((), officers)
    assert chosen is not None
    return PageCaller((b"Bearer " + tokens[chosen].encode("ascii"),), officers, chosen)


async def _find_caller(service: Service, token: str) -> Caller | None:
    try:
        return await service.tokens.caller(token)
    except GatewayError:  # of an earlier start
        return None


def form_binding(caller: Caller) -> str:
    """Return what the token of a form is bound to: the client, and who acts in it."""
    return f"{caller.client}\n{caller.subject}"
