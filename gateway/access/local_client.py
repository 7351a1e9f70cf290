"""The demo's callers, for this machine only: their tokens are handed to whoever asks."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import orjson
from starlette.datastructures import URL
from starlette.requests import Request


def is_local(request: Request) -> bool:
    """Return whether both ends are this machine.

    The name in the address counts too: a page elsewhere can make its own host name lead here.
    """
    client = request.client.host if request.client else ""
    if "x-forwarded-for" in request.headers or "forwarded" in request.headers:
        return (
            False  # a proxy on this machine that is not trusted forwards requests of other machines
        )
    host = URL(scope=request.scope).hostname or ""
    return _is_loopback(client) and (host == "localhost" or _is_loopback(host))


def read_demo_tokens(folder: Path) -> dict[str, str]:
    """Return the tokens of the demo's callers by name; none without a demo.

    Citizens are ``citizen`` and, for the personas after the first, ``citizen_2`` and so on: names
    stand in addresses, and a number must not.
    """
    try:
        tokens = orjson.loads((folder / "tokens.json").read_bytes())
    except FileNotFoundError:
        return {}
    named = {name: token for name, token in tokens.items() if isinstance(token, str)}
    other_citizens = [*tokens["citizens"].values()][1:]  # the first is there by the name "citizen"
    return {**named, **{f"citizen_{place}": token for place, token in enumerate(other_citizens, 2)}}


def _is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
