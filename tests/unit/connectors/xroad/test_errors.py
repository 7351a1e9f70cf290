"""The meaning of X-Road errors, in both spellings."""

from __future__ import annotations

import pytest

from connectors.backends.base import SourceMaintenance, SourceRefused, SourceUnavailable
from connectors.xroad.errors import normalise_error_type, xroad_failure

_MEANINGS: list[tuple[str, str, type[SourceUnavailable], str]] = [
    (
        "server.serverproxy.access_denied",
        "Server.ServerProxy.AccessDenied",
        SourceRefused,
        "denied",
    ),
    (
        "client.clientproxy.invalid_headers",
        "Client.ClientProxy.InvalidHeaders",
        SourceRefused,
        "conf",
    ),
    (
        "server.clientproxy.unknown_member",
        "Server.ClientProxy.UnknownMember",
        SourceRefused,
        "conf",
    ),
    (
        "server.serverproxy.unknown_service",
        "Server.ServerProxy.UnknownService",
        SourceRefused,
        "conf",
    ),
    (
        "server.serverproxy.service_disabled",
        "Server.ServerProxy.ServiceDisabled",
        SourceRefused,
        "",
    ),
    (
        "server.serverproxy.service_failed",
        "Server.ServerProxy.ServiceFailed",
        SourceUnavailable,
        "",
    ),
    (
        "server.serverproxy.service_failed.http_error",
        "Server.ServerProxy.ServiceFailed.HttpError",
        SourceUnavailable,
        "",
    ),
    ("server.clientproxy.network_error", "Server.ClientProxy.NetworkError", SourceUnavailable, ""),
    ("server.clientproxy.io_error", "Server.ClientProxy.IoError", SourceUnavailable, ""),
    (
        "server.serverproxy.logging_failed",
        "Server.ServerProxy.LoggingFailed",
        SourceUnavailable,
        "degraded",
    ),
    (
        "server.clientproxy.outdated_global_conf",
        "Server.ClientProxy.OutdatedGlobalConf",
        SourceUnavailable,
        "degraded",
    ),
    (
        "server.clientproxy.maintenance_mode",
        "Server.ClientProxy.MaintenanceMode",
        SourceMaintenance,
        "",
    ),
    ("something.else", "Something.Else", SourceUnavailable, ""),
]


@pytest.mark.parametrize(("new", "old", "kind", "expected"), _MEANINGS)
def test_an_error_means_the_same_in_both_spellings(
    new: str, old: str, kind: type[SourceUnavailable], expected: str
) -> None:
    assert normalise_error_type(new) == normalise_error_type(old)
    for spelt in (new, old):
        error = xroad_failure(spelt)
        assert type(error) is kind
        assert expected in str(error)


def test_what_is_no_type_is_not_repeated_in_logs() -> None:
    assert "001090000001" not in str(xroad_failure("server.<001090000001>"))
    assert len(str(xroad_failure("server." + "a" * 10_000))) < 200
