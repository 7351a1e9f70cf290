"""The X-Road backend over the stand-in, in this process."""

from __future__ import annotations

from typing import Any

import httpx2

from connectors.xroad.backend import XroadBackend
from connectors.xroad.exchange import XroadOptions
from connectors.xroad.identifiers import Identifier
from connectors.xroad.stand_in import StandIn

CLIENT = Identifier(("VN", "GOV", "MOJ", "cổng tư pháp"))
SERVICE = Identifier(("VN", "GOV", "MPS", "dân cư", "records"))
#: What a stand-in offers, and to whom.
NAMES = (SERVICE, frozenset({CLIENT}))


def options(**changed: Any) -> XroadOptions:
    """Return how the stand-in is reached; ``changed`` is otherwise."""
    usual: dict[str, Any] = {
        "server": "http://127.0.0.1",
        "client": CLIENT,
        "service": SERVICE,
        "timeout": 20,
    }
    return XroadOptions(**{**usual, **changed})


def over_xroad(stand_in: StandIn, **changed: Any) -> XroadBackend:
    """Return a backend whose security server is ``stand_in``."""
    transport = httpx2.ASGITransport(stand_in.app())
    return XroadBackend(stand_in.database, options(**changed), transport)
