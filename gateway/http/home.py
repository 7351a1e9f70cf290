"""``/``: a page for browsers; programs are told where the endpoint is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from gateway.http.graphiql import wants_page


class HomeEndpoint:
    """The address ``/``. ``page``: answers browsers."""

    def __init__(self, page: Callable[[Request], Awaitable[Response]]) -> None:
        self._page = page

    async def respond(self, request: Request) -> Response:
        """Answer a browser with the page, a program with a line of text."""
        if wants_page(request):
            return await self._page(request)
        return PlainTextResponse("justice-gateway: POST /graphql\n", headers={"vary": "Accept"})
