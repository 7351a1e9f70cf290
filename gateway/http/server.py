"""The server in front of the application: uvicorn, with limits on connections."""

from __future__ import annotations

import resource
from functools import partial
from typing import Any

import structlog
import uvicorn
from starlette.types import ASGIApp

from gateway.http.connections import Connections
from gateway.http.protocol import Connection
from gateway.http.websocket import SocketConnection
from gateway.settings import Settings

log = structlog.get_logger(__name__)

#: Open files beside connections: databases, Redis, journals, the program itself.
_OTHER_FILES = 256


def serve_app(app: ASGIApp, settings: Settings, host: str, port: int) -> None:
    """Serve ``app`` until the process is told to stop; half-sent requests do not keep it."""
    raise_open_files(settings.connections.total)
    uvicorn.run(app, host=host, port=port, **options(settings))


def options(settings: Settings) -> dict[str, Any]:
    """Return what uvicorn is told, but for where to listen."""
    limits = settings.connections
    connections = Connections(limits, settings.limits.body_bytes)
    return {
        "access_log": False,
        "forwarded_allow_ips": list(limits.proxies),
        "http": partial(Connection, connections),
        "log_config": None,
        "proxy_headers": bool(limits.proxies),  # nobody else's are believed
        "server_header": False,
        "timeout_graceful_shutdown": limits.grace,
        "timeout_keep_alive": limits.idle_timeout,
        "ws": partial(SocketConnection, connections),
        "ws_max_size": settings.limits.body_bytes,
        "ws_per_message_deflate": False,  # it takes memory for each connection
    }


def raise_open_files(connections: int) -> None:
    """Let the process open as many files as it may; warn where its connections need more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections + _OTHER_FILES
    if soft < needed and soft != resource.RLIM_INFINITY:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft < needed and soft != resource.RLIM_INFINITY:
        log.warning("too few open files for so many connections", files=soft, needed=needed)
