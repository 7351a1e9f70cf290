"""The commands ``justice-gateway token``: issue, inspect and revoke."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner, Result

from gateway.cli.main import app
from tests.support.issuers import new_key, signed

ISSUED_TO = ("--subject", "a", "--client", "desk", "--scope", "population:read")


class Site:
    """A folder with settings and keys, and the commands run over it."""

    def __init__(self, folder: Path, settings: str = "") -> None:
        self.folder = folder
        self.config = folder / "gateway.toml"
        self.config.write_text(settings)

    def run(self, *arguments: str, text: str | None = None) -> Result:
        return CliRunner().invoke(app, [*arguments, "--config", str(self.config)], input=text)

    def issue(self) -> str:
        return self.run("token", "issue", *ISSUED_TO).stdout.strip()

    def inspect(self, token: str) -> tuple[int, dict[str, Any]]:
        result = self.run("token", "inspect", token)
        report: dict[str, Any] = json.loads(result.stdout)
        return result.exit_code, report


@pytest.fixture(autouse=True)
def the_log_as_it_was() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    result = Site(tmp_path)
    result.run("keys")
    return result


def test_a_token_just_issued_is_accepted(site: Site) -> None:
    status, report = site.inspect(site.issue())
    assert (status, report["accepted"]) == (0, True)
    assert report["claims"]["client_id"] == "desk"
    assert report["header"]["alg"] == "Ed25519"
    assert "reason" not in report


def test_the_purposes_that_a_token_grants_are_those_that_were_given(site: Site) -> None:
    options = ("--purpose", "1.000894", "--purpose", "1.004873")
    token = site.run("token", "issue", *ISSUED_TO, *options).stdout.strip()
    assert site.inspect(token)[1]["claims"]["purposes"] == ["1.000894", "1.004873"]
    assert site.inspect(site.issue())[1]["claims"]["purposes"] == [], "none unless said"


@pytest.mark.parametrize("by", ["token", "id", "standard input"])
def test_a_revoked_token_is_not_accepted(site: Site, by: str) -> None:
    token, other = site.issue(), site.issue()
    token_id = site.inspect(token)[1]["claims"]["jti"]
    argument = {"token": token, "id": token_id, "standard input": "-"}[by]
    result = site.run("token", "revoke", argument, text=f"{token}\n")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"revoked {token_id}: ")
    status, report = site.inspect(token)
    assert (status, report["accepted"], report["code"]) == (1, False, "TOKEN_INVALID")
    assert report["reason"] == "it was revoked"
    assert report["claims"]["jti"] == token_id
    assert site.inspect(other)[0] == 0


@pytest.mark.parametrize("token", ["x", "a.b.c", "..", "x" * 10_000])
def test_what_is_no_token_is_not_accepted(site: Site, token: str) -> None:
    status, report = site.inspect(token)
    assert (status, report["accepted"], report["claims"]) == (1, False, {})


def test_the_reason_is_told_here(site: Site, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    elsewhere = Site(tmp_path / "elsewhere")
    elsewhere.run("keys")
    reason = site.inspect(elsewhere.issue())[1]["reason"]
    assert reason == "no key of the gateway's own has its id (kid)"
    token = site.issue()
    site.config.write_text('[access]\naudience = "another"')
    assert site.inspect(token)[1]["reason"] == "aud does not name this gateway"
    site.config.write_text('[access]\nissuer = "another"')
    assert site.inspect(token)[1]["reason"] == "iss is another issuer"


def test_own_tokens_need_no_network_also_beside_an_issuer_that_is_down(site: Site) -> None:
    token = site.issue()
    site.config.write_text(
        '[access.issuers.down]\nissuer = "http://127.0.0.1:9"\naudience = "gateway"'
    )
    assert site.inspect(token)[0] == 0


def test_a_token_of_an_issuer_that_is_down_could_not_be_checked(site: Site) -> None:
    site.config.write_text(
        '[access.issuers.down]\nissuer = "http://127.0.0.1:9"\naudience = "gateway"'
    )
    token = signed("ES256", new_key("ES256"), {"iss": "http://127.0.0.1:9", "jti": "t1"})
    status, report = site.inspect(token)
    assert (status, report["code"]) == (1, "ISSUER_UNAVAILABLE")
    assert site.run("token", "revoke", token).stdout.startswith("revoked t1: ")


def test_a_token_is_revoked_by_the_claim_in_which_its_issuer_has_the_id(site: Site) -> None:
    site.config.write_text(
        '[access.issuers.other]\nissuer = "http://127.0.0.1:9"\naudience = "gateway"\n'
        'claims.token_id = ["uti"]'
    )
    claims = {"iss": "http://127.0.0.1:9", "jti": "t1", "uti": "u1"}
    token = signed("ES256", new_key("ES256"), claims)
    assert site.run("token", "revoke", token).stdout.startswith("revoked u1: ")


@pytest.mark.parametrize("argument", ["", "e30.e30.x", "a.b.c"])
def test_nothing_and_a_token_without_id_cannot_be_revoked(site: Site, argument: str) -> None:
    assert site.run("token", "revoke", argument).exit_code == 2
    assert not (site.folder / "revoked").exists()


def test_without_a_key_it_is_said_how_to_make_one(tmp_path: Path) -> None:
    result = Site(tmp_path).run("token", "inspect", "x")
    assert result.exit_code == 2
    assert "justice-gateway keys" in " ".join(result.output.split())
