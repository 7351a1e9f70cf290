"""Tokens of citizens who ask for another person: which are issued, and which are accepted."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import OKPKey
from typer.testing import CliRunner, Result

from gateway.access.tokens import Tokens, issue
from gateway.cli.main import app
from gateway.errors import GatewayError
from gateway.settings import Access
from tests.support.issuers import signed
from tests.support.people import HOA, LAN
from tests.support.running import TestClock

KEY = OKPKey.generate_key("Ed25519", parameters={"kid": "k1"})
SETTINGS = Access()


def issue_token(**changes: Any) -> str:
    now = datetime(2026, 11, 23, 3, tzinfo=UTC)
    usual: dict[str, Any] = {"subject": LAN, "client": "c", "scopes": ("me",)}
    return issue(KEY, SETTINGS, now, **{**usual, **changes})


def tokens() -> Tokens:
    return Tokens([KEY], SETTINGS, TestClock())


def test_it_says_who_asks_for_whom_and_on_what_ground() -> None:
    result = tokens().verify(issue_token(act_for=HOA, authorisation="1/2026"))
    assert (result.citizen, result.representative, result.authorisation) == (HOA, LAN, "1/2026")
    result = tokens().verify(issue_token(act_for=HOA))
    assert (result.citizen, result.representative, result.authorisation) == (HOA, LAN, None)
    result = tokens().verify(issue_token())
    assert (result.citizen, result.representative, result.authorisation) == (LAN, None, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"act_for": LAN},
        {"act_for": "somebody"},
        {"act_for": ""},
        {"act_for": HOA, "scopes": ("population:read",), "subject": "officer-1"},
        {"act_for": HOA, "subject": "officer-1"},
        {"act_for": HOA, "authorisation": ""},
        {"authorisation": "1/2026"},
    ],
)
def test_nonsense_is_not_issued(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"act|number|scope"):
        issue_token(**changes)


@pytest.mark.parametrize(
    "claims",
    [
        {"act_for": LAN},
        {"act_for": "somebody"},
        {"act_for": ""},
        {"act_for": [HOA]},
        {"act_for": int(HOA)},
        {"act_for": HOA, "authorisation": 1},
        {"act_for": HOA, "authorisation": ["1/2026"]},
        {"act_for": HOA, "sub": "officer-1"},
    ],
)
def test_nonsense_that_somebody_signed_is_not_accepted(claims: dict[str, Any]) -> None:
    now = int(TestClock().now().timestamp())
    usual = {
        "iss": SETTINGS.issuer, "aud": SETTINGS.audience, "sub": LAN, "client_id": "c",
        "iat": now, "nbf": now, "exp": now + 60, "jti": "t", "scope": "me", "purposes": [],
    }  # fmt: skip
    assert tokens().verify(signed("Ed25519", KEY, usual, typ="JWT")).citizen == LAN
    with pytest.raises(GatewayError) as excinfo:
        tokens().verify(signed("Ed25519", KEY, {**usual, **claims}, typ="JWT"))
    assert excinfo.value.code.name == "TOKEN_INVALID"


def run(folder: Path, *arguments: str) -> Result:
    config = folder / "gateway.toml"
    config.touch()
    return CliRunner().invoke(app, [*arguments, "--config", str(config)])


def test_the_command_issues_them_and_says_what_is_wrong(tmp_path: Path) -> None:
    run(tmp_path, "keys")
    usual = ("token", "issue", "--subject", LAN, "--client", "c", "--scope", "me")
    result = run(tmp_path, *usual, "--act-for", HOA, "--authorisation", "1/2026")
    inspection = run(tmp_path, "token", "inspect", result.stdout.strip())
    assert inspection.exit_code == 0
    assert HOA in inspection.stdout
    assert "1/2026" in inspection.stdout
    wrong = run(tmp_path, *usual, "--act-for", LAN)
    assert wrong.exit_code == 2
    assert "nobody acts for themselves" in wrong.output
