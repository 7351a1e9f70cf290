"""Production: public keys and tokens of the demo open nothing.

Covers ``gateway.app``, ``gateway.databases.startup_checks``, ``gateway.service``.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from joserfc.jwk import OKPKey
from typer.testing import CliRunner, Result

from gateway.app import build_app
from gateway.cli.main import app
from gateway.keys.files import create_missing, drop_former, rotate
from gateway.keys.keyring import (
    KEY_NAMES,
    SECRET_NAMES,
    SIGNING_NAMES,
    KeyName,
    SecretName,
    SigningName,
    check_keys,
    key_ids,
    key_path,
)
from gateway.procedures.procedure import UNIFIED
from gateway.settings import ChangeSettings, Settings, WebhookSettings, load
from tests.support.issuers import new_key, provider, signed, trusting
from tests.support.people import HOA
from tests.support.running import codes, running

QUERY = """query ($id: PersonNumber!) {
  person(id: $id) { population { identity { item { fullName } source { state } } } }
}"""
DATABASES = "{ databases { name } }"


def _settings(folder: Path, demo: bool) -> Settings:
    changes = ChangeSettings(
        webhooks=WebhookSettings(enabled=True)
    )  # their key counts as the others
    settings: Settings = load(folder=folder, demo=demo, changes=changes)
    return settings


def _file(settings: Settings, name: KeyName) -> Path:
    path = key_path(settings, name)
    assert path is not None
    return path


def _only_demo_key(folder: Path, name: KeyName) -> Settings:
    """Return production settings of a folder in which one key is the demo's."""
    settings = _settings(folder, demo=False)
    create_missing(settings, demo=False)
    _file(settings, name).unlink()
    create_missing(settings, demo=True)
    return settings


def test_the_demos_keys_are_good_in_the_demo(tmp_path: Path) -> None:
    settings = _settings(tmp_path, demo=True)
    create_missing(settings, demo=True)
    check_keys(settings)
    build_app(settings, ())


@pytest.mark.parametrize("name", KEY_NAMES)
def test_a_gateway_does_not_start_with_a_key_of_the_demo(tmp_path: Path, name: KeyName) -> None:
    settings = _only_demo_key(tmp_path, name)
    with pytest.raises(ValueError, match="justice-gateway keys") as excinfo:
        build_app(settings, ())
    assert str(_file(settings, name)) in str(excinfo.value)


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_nor_with_a_former_secret_of_the_demo(tmp_path: Path, name: SecretName) -> None:
    settings = _only_demo_key(tmp_path, name)
    _file(settings, name).write_text(f"{'ab' * 32}\n{_file(settings, name).read_text()}")
    with pytest.raises(ValueError, match="key of the demo"):
        build_app(settings, ())


@pytest.mark.parametrize("name", SIGNING_NAMES)
def test_nor_with_a_former_signing_key_of_the_demo(tmp_path: Path, name: SigningName) -> None:
    settings = _only_demo_key(tmp_path, name)
    path = _file(settings, name)
    real = OKPKey.generate_key("Ed25519", parameters={"kid": "real"}).as_dict(private=True)
    path.write_text(json.dumps({"keys": [real, json.loads(path.read_text())]}))
    with pytest.raises(ValueError, match="key of the demo"):
        build_app(settings, ())


@pytest.mark.parametrize("name", KEY_NAMES)
def test_a_key_of_the_demo_is_not_rotated_into_production(tmp_path: Path, name: KeyName) -> None:
    settings = _only_demo_key(tmp_path, name)
    with pytest.raises(ValueError, match="key of the demo"):
        rotate(settings, name)
    demo = _settings(tmp_path, demo=True)
    rotate(demo, name)
    drop_former(demo, name)
    with pytest.raises(ValueError, match="key of the demo"):
        key_ids(settings, name)


@pytest.mark.parametrize("name", KEY_NAMES)
def test_a_key_of_the_demo_given_as_a_value_is_refused_too(
    tmp_path: Path, name: KeyName, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = _file(_only_demo_key(tmp_path, name), name).read_text()
    monkeypatch.setenv(f"JUSTICE_GATEWAY_KEYS__{name.upper()}_VALUE", content)
    with pytest.raises(ValueError, match=f"keys.{name}_value") as excinfo:
        build_app(_settings(tmp_path, demo=False), ())
    assert content.strip() not in str(excinfo.value)


def test_the_way_out_that_is_told_is_one(tmp_path: Path) -> None:
    settings = _only_demo_key(tmp_path, "token")
    _file(settings, "token").unlink()
    assert create_missing(settings, demo=settings.demo) == [_file(settings, "token")]
    build_app(settings, ())


def test_a_production_key_that_is_rotated_stays_one(tmp_path: Path) -> None:
    settings = _settings(tmp_path, demo=False)
    create_missing(settings, demo=False)
    for name in KEY_NAMES:
        rotate(settings, name)
    build_app(settings, ())


async def test_the_purpose_of_measurements_is_granted_in_the_demo_alone(tmp_path: Path) -> None:
    for demo in (True, False):
        async with running(tmp_path / str(demo), demo=demo) as gateway:
            token = gateway.token("population:read", purposes=(UNIFIED,))
            answer = (await gateway.post(QUERY, {"id": HOA}, token)).json()
            assert codes(answer) == ([] if demo else ["PURPOSE_NOT_GRANTED"])
            assert (answer.get("data") is not None) is demo


@pytest.mark.parametrize("purpose", [UNIFIED, f"{UNIFIED}.H38"])
@pytest.mark.parametrize("token_purpose", [UNIFIED, f"{UNIFIED}.H38"])
async def test_nor_is_it_granted_in_the_spelling_of_a_province(
    tmp_path: Path, purpose: str, token_purpose: str
) -> None:
    async with running(tmp_path, demo=False) as gateway:
        token = gateway.token("population:read", purposes=(token_purpose, "1.000894"))
        for _ in ("new", "known"):
            answer = await gateway.post(DATABASES, token=token, x_purpose=purpose)
            assert codes(answer.json()) == ["PURPOSE_NOT_GRANTED"]
        answer = await gateway.post(DATABASES, token=token, x_purpose="1.000894")
        assert codes(answer.json()) == [], "what else the token grants, it grants"


async def test_nor_to_a_token_of_another_issuer() -> None:
    key = new_key("ES256")
    async with provider() as issuer:
        issuer.publish(key)
        claims = {"purposes": [UNIFIED, "1.000894"]}
        async with trusting(issuer) as tokens:
            caller = await tokens.caller(signed("ES256", key, issuer.claims(**claims)))
    assert caller.purposes == {"1.000894"}


def _issue(folder: Path, purpose: str, demo: bool) -> Result:
    config = folder / "gateway.toml"
    config.write_text(f"demo = {str(demo).lower()}\n")
    CliRunner().invoke(app, ["keys", "--config", str(config)])
    options = ["--subject", "a", "--client", "b", "--scope", "introspect", "--purpose", purpose]
    return CliRunner().invoke(app, ["token", "issue", *options, "--config", str(config)])


@pytest.mark.parametrize("purpose", [UNIFIED, f"{UNIFIED}.H38"])
def test_no_token_is_issued_for_the_purpose_of_measurements(tmp_path: Path, purpose: str) -> None:
    issue_result = _issue(tmp_path, purpose, demo=False)
    assert (issue_result.exit_code, issue_result.stdout) == (2, "")
    assert _issue(tmp_path, "1.000894", demo=False).exit_code == 0


def test_in_the_demo_one_is(tmp_path: Path) -> None:
    assert _issue(tmp_path, UNIFIED, demo=True).exit_code == 0


def test_no_token_is_issued_with_the_demos_key(tmp_path: Path) -> None:
    assert _issue(tmp_path, "1.000894", demo=True).exit_code == 0
    issue_result = _issue(tmp_path, "1.000894", demo=False)
    assert (issue_result.exit_code, issue_result.stdout) == (2, "")
    # The box around the message breaks its lines, wherever the folder's name ends.
    assert "key of the demo" in " ".join(issue_result.output.replace("│", " ").split())
