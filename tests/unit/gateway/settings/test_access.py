"""Settings of trusted issuers: by file and environment, and with safe addresses only."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from gateway.settings import Access, ClaimNames, TrustedIssuer, load


def test_issuers_are_named_in_the_file_and_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(
        '[access.issuers.ministry]\nissuer = "https://id.example"\naudience = "gateway"\n'
        '[access.issuers.ministry.claims]\nagency = ["org", "agency"]\n'
    )
    other = "JUSTICE_GATEWAY_ACCESS__ISSUERS__NOTARIES"
    monkeypatch.setenv(f"{other}__ISSUER", "http://127.0.0.1:9000")
    monkeypatch.setenv(f"{other}__AUDIENCE", "gateway")
    issuers = load(file).access.issuers
    assert issuers["ministry"].claims.agency == ("org", "agency")
    assert issuers["ministry"].claims.client == ClaimNames().client
    assert issuers["notaries"].issuer == "http://127.0.0.1:9000"


@pytest.mark.parametrize(
    "url",
    [
        "https://id.example/realms/justice",
        "http://127.0.0.1:8080",
        "http://localhost",
        "http://[::1]:8080",
    ],
)
def test_https_and_this_machine_are_safe(url: str) -> None:
    assert TrustedIssuer(issuer=url, audience="gateway", jwks_url=url).issuer == url


@pytest.mark.parametrize(
    "url",
    [
        "http://id.example",
        "http://127.0.0.1.id.example",
        "http://localhost@id.example",
        "https://name:word@id.example",
        "https://",
        "https://id.example#keys",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "id.example",
        "",
    ],
)
def test_any_other_address_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="https"):
        TrustedIssuer(issuer=url, audience="gateway")
    with pytest.raises(ValidationError, match="https"):
        TrustedIssuer(issuer="https://id.example", audience="gateway", jwks_url=url)


def test_an_issuer_is_trusted_once() -> None:
    issuer = TrustedIssuer(issuer="https://id.example", audience="gateway")
    with pytest.raises(ValidationError, match="twice"):
        Access(issuers={"a": issuer, "b": issuer})
    with pytest.raises(ValidationError, match="twice"):
        Access(issuer="https://id.example", issuers={"a": issuer})


def test_an_issuer_without_audience_is_refused() -> None:
    with pytest.raises(ValidationError, match="audience"):
        TrustedIssuer.model_validate({"issuer": "https://id.example"})
    with pytest.raises(ValidationError, match="audience"):
        TrustedIssuer(issuer="https://id.example", audience="")
