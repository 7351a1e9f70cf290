"""``/``: what this is and where to go, for each kind of reader.

Links lead only to what is there on this installation, and open to everybody who sees them or to
whoever signs in. The page asks no database and needs no token.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.pages.phrases.home import HOME
from gateway.pages.rendering import render
from gateway.service import Service
from gateway.settings import Settings


class Reader(enum.Enum):
    """Who reads the page, in the order of its cards."""

    CITIZEN = enum.auto()
    OFFICER = enum.auto()
    ANALYST = enum.auto()
    OWNER = enum.auto()
    DEVELOPER = enum.auto()
    OPERATOR = enum.auto()


@dataclass(frozen=True, slots=True)
class HomeLink:
    """A link of the page. ``phrase``: its title, and with ``_says`` what is there.

    ``is_page`` False: a file for programs, without languages. ``is_open``: whether settings let it
    be read without more rights.
    """

    address: str
    phrase: str
    readers: tuple[Reader, ...]
    is_page: bool = True
    is_open: Callable[[Settings], bool] = lambda _: True


LINKS = (
    HomeLink("/me", "home_me", (Reader.CITIZEN,)),
    HomeLink("/procedures", "home_conditions", (Reader.CITIZEN,)),
    HomeLink("/procedures", "home_procedures", (Reader.OFFICER,)),
    HomeLink("/person", "home_person", (Reader.OFFICER,)),
    HomeLink("/statistics", "home_statistics", (Reader.ANALYST,)),
    HomeLink("/graphql", "home_explorer", (Reader.ANALYST, Reader.DEVELOPER)),
    HomeLink(
        "/catalogue",
        "home_catalogue",
        (Reader.CITIZEN, Reader.ANALYST, Reader.OWNER),
    ),
    HomeLink("/catalogue", "home_dictionary", (Reader.DEVELOPER,)),
    HomeLink("/operations", "home_operations", (Reader.DEVELOPER,)),
    HomeLink(
        "/openapi.json",
        "home_openapi",
        (Reader.DEVELOPER,),
        False,
        lambda settings: settings.operations.public_catalogue,
    ),
    HomeLink(
        "/schema.graphql",
        "home_schema",
        (Reader.DEVELOPER,),
        False,
        lambda settings: settings.public_schema,
    ),
    HomeLink("/keys", "home_keys", (Reader.DEVELOPER,), False),
    HomeLink(
        "/status", "home_status", (Reader.CITIZEN, Reader.OFFICER, Reader.OWNER, Reader.OPERATOR)
    ),
    HomeLink("/health/ready", "home_ready", (Reader.OPERATOR,), False),
    HomeLink(
        "/metrics",
        "home_metrics",
        (Reader.OPERATOR,),
        False,
        lambda settings: settings.public_metrics,
    ),
)


async def show_home(request: Request) -> Response:
    """Answer with a card for each reader, of the links that are there."""
    service: Service = request.app.state.service
    settings = service.resources.settings
    addresses = {route.path for route in request.app.routes if isinstance(route, Route)}
    links = [link for link in LINKS if link.address in addresses and link.is_open(settings)]
    cards = [(reader, [link for link in links if reader in link.readers]) for reader in Reader]
    return render(
        request,
        "home.html",
        HOME,
        headers={"vary": "Accept"},
        cards=[(reader.name, shown) for reader, shown in cards if shown],
    )
