"""Classifies the errors of X-Road (message protocol for REST, 4.6).

An answer is an error of X-Road if, and only if, it has the header X-Road-Error, whatever its
status. Types were spelt ``Server.ServerProxy.AccessDenied`` before version 7.8 and are
``server.serverproxy.access_denied`` since: both are read.
"""

from __future__ import annotations

from connectors.backends.base import SourceMaintenance, SourceRefused, SourceUnavailable

#: Something is wrong with how the gateway, the service or the agreement is set up.
_CONFIGURATION = frozenset(
    {"unknownservice", "unknownmember", "servicedisabled", "unknownsubsystem", "invalidservicetype"}
)
#: Exchange stops when it cannot be logged, time-stamped or trusted: the transport is degraded.
_DEGRADED = frozenset(
    {"loggingfailed", "timestampingfailed", "timestampingrequired", "outdatedglobalconf"}
)


def normalise_error_type(kind: str) -> tuple[str, ...]:
    """Return the parts of an error's type, the same for both spellings."""
    return tuple(kind.lower().replace("_", "").split("."))


def xroad_failure(kind: str) -> SourceUnavailable:
    """Return what an error of this type means for the source.

    The type is the reason in logs; the message and detail of the error are dropped, since they may
    repeat the request.
    """
    parts = normalise_error_type(kind)
    name = ".".join(part for part in parts if part.isalnum())[:100]
    if any("maintenance" in part for part in parts):
        return SourceMaintenance(f"X-Road: {name}")
    if "accessdenied" in parts:
        return SourceRefused(f"X-Road: access denied at the source ({name})")
    if parts[0] == "client" or not _CONFIGURATION.isdisjoint(parts):
        return SourceRefused(f"X-Road: configuration ({name})")
    if not _DEGRADED.isdisjoint(parts):
        return SourceUnavailable(f"X-Road: transport degraded ({name})")
    return SourceUnavailable(f"X-Road: {name}")
