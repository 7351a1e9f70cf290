"""Keys: where they come from, that they are separate, and that nothing prints one."""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from joserfc.jwk import ECKey, OKPKey
from pydantic import ValidationError
from typer.testing import CliRunner, Result

from gateway.app import build_app
from gateway.cli.main import app
from gateway.keys.files import create_missing, drop_former, rotate, write_key
from gateway.keys.keyring import (
    KEY_NAMES,
    SECRET_NAMES,
    SIGNING_NAMES,
    KeyName,
    Secret,
    SecretName,
    SigningName,
    check_keys,
    is_revoked,
    key_ids,
    key_path,
    load_ring,
    load_signing,
    private_half,
)
from gateway.settings import ChangeSettings, Settings, WebhookSettings, load

FIRST, SECOND = "ab" * 32, "cd" * 32


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with all keys in their files."""
    settings_made = load(folder=tmp_path)
    create_missing(settings_made, demo=False)
    return settings_made


def _file(settings: Settings, name: KeyName) -> Path:
    path = key_path(settings, name)
    assert path is not None
    return path


def _jwk(private: bool = True, **changed: str) -> dict[str, object]:
    key = OKPKey.generate_key("Ed25519", parameters={"kid": "k1"})
    return {**key.as_dict(private=private), **changed}


def _error_text(call: Callable[[], object]) -> str:
    """Return all that a traceback shows of what ``call`` raises."""
    try:
        call()
    except (OSError, ValueError) as error:
        return "".join(traceback.format_exception(error))
    pytest.fail("nothing was raised")


def test_missing_keys_are_created_for_their_owner_only(tmp_path: Path) -> None:
    settings = load(folder=tmp_path)
    created = create_missing(settings, demo=False)
    assert created == [_file(settings, name) for name in KEY_NAMES]
    assert {path.stat().st_mode & 0o777 for path in created} == {0o600}
    check_keys(settings)


def test_a_key_is_never_created_over_another(settings: Settings) -> None:
    before = {name: _file(settings, name).read_bytes() for name in KEY_NAMES}
    assert create_missing(settings, demo=False) == []
    for name, content in before.items():
        with pytest.raises(FileExistsError):
            write_key(_file(settings, name), b"another")
        assert _file(settings, name).read_bytes() == content


def test_only_what_is_missing_is_created(settings: Settings) -> None:
    _file(settings, "cache").unlink()
    assert create_missing(settings, demo=False) == [_file(settings, "cache")]


def test_a_ring_begins_with_the_current_secret(settings: Settings) -> None:
    _file(settings, "cache").write_text(f"{FIRST}\n{SECOND}\n")
    ring = load_ring(settings, "cache")
    assert [database.key.hex() for database in ring.all] == [FIRST, SECOND]
    assert ring.by_id(ring.former[0].id) is ring.former[0]
    assert ring.by_id("00000000") is None


def test_the_first_private_key_signs_and_all_others_only_verify(settings: Settings) -> None:
    keys = [_jwk(False, kid="old"), _jwk(kid="new"), _jwk(kid="older")]
    _file(settings, "token").write_text(json.dumps({"keys": keys}))
    result = load_signing(settings, "token")
    assert [signing_key.kid for signing_key in result] == ["new", "old", "older"]
    signature = private_half(result[0]).sign(b"text")
    private_half(result[0]).public_key().verify(signature, b"text")
    with pytest.raises(ValueError, match="no private"):
        private_half(result[1])


def test_a_signing_key_without_an_id_gets_its_thumbprint(settings: Settings) -> None:
    jwk = _jwk()
    del jwk["kid"]
    _file(settings, "token").write_text(json.dumps(jwk))
    (key,) = load_signing(settings, "token")
    assert key.kid == key.thumbprint()


def test_a_value_wins_over_the_file(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUSTICE_GATEWAY_KEYS__CACHE_VALUE", f"{FIRST} {SECOND}")
    monkeypatch.setenv("JUSTICE_GATEWAY_KEYS__TOKEN_VALUE", json.dumps(_jwk(kid="given")))
    result = load(folder=settings.folder)
    assert [database.key.hex() for database in load_ring(result, "cache").all] == [FIRST, SECOND]
    assert [signing_key.kid for signing_key in load_signing(result, "token")] == ["given"]


def test_a_value_may_stand_in_the_settings_file_and_needs_no_key_file(tmp_path: Path) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text(f"[keys]\ncache_value = '{FIRST}'\n")
    settings = load(config)
    assert key_path(settings, "cache") is None
    assert len(create_missing(settings, demo=False)) == len(KEY_NAMES) - 1
    assert load_ring(settings, "cache").current.key.hex() == FIRST


@pytest.mark.parametrize("content", ["", "\n", "x" * 64, FIRST[:-2], f"{FIRST}\nnothing", "demo:"])
@pytest.mark.parametrize("name", SECRET_NAMES)
def test_what_is_no_secret_of_256_bits_is_refused(
    settings: Settings, name: SecretName, content: str
) -> None:
    _file(settings, name).write_text(content)
    with pytest.raises(ValueError, match=str(_file(settings, name))):
        load_ring(settings, name)


NO_SIGNING_KEYS = {
    "nothing": "",
    "a list": "[]",
    "a number": "1",
    "no keys": '{"keys": []}',
    "keys that are none": '{"keys": 1}',
    "a key that is none": '{"keys": ["x"]}',
    "a public key": json.dumps(_jwk(False)),
    "two keys of one id": json.dumps({"keys": [_jwk(), _jwk()]}),
    "another curve": json.dumps(OKPKey.generate_key("X25519").as_dict(private=True)),
    "another kind": json.dumps(ECKey.generate_key("P-256").as_dict(private=True)),
    "a short key": json.dumps(_jwk(d="AAAA")),
    "nested too deep": "[" * 100_000,
}


@pytest.mark.parametrize("content", NO_SIGNING_KEYS.values(), ids=NO_SIGNING_KEYS.keys())
@pytest.mark.parametrize("name", SIGNING_NAMES)
def test_what_is_no_signing_key_is_refused(
    settings: Settings, name: SigningName, content: str
) -> None:
    _file(settings, name).write_text(content)
    with pytest.raises(ValueError, match=str(_file(settings, name))):
        load_signing(settings, name)


@pytest.mark.parametrize("name", KEY_NAMES)
def test_a_file_that_is_no_text_is_refused(settings: Settings, name: KeyName) -> None:
    _file(settings, name).write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="is no text"):
        key_ids(settings, name)


@pytest.mark.parametrize("name", KEY_NAMES)
def test_a_gateway_does_not_start_without_one_of_its_keys(
    settings: Settings, name: KeyName
) -> None:
    path = _file(settings, name)
    path.unlink()
    changes = ChangeSettings(webhooks=WebhookSettings(enabled=True))
    with pytest.raises(FileNotFoundError, match=f"{path}: run `justice-gateway keys`"):
        build_app(settings.model_copy(update={"changes": changes}), ())


def test_a_gateway_without_webhooks_needs_no_key_for_them(settings: Settings) -> None:
    _file(settings, "webhook_sign").unlink()
    build_app(settings, ())


def test_a_revoked_key_of_webhooks_is_replaced_too(tmp_path: Path) -> None:
    _run(tmp_path)
    settings = load(folder=tmp_path)
    (first,) = key_ids(settings, "webhook_sign")
    output = _run(tmp_path, "revoke", first).stdout
    second, _ = key_ids(settings, "webhook_sign")
    assert output == f"webhook_sign: revoked {first}, current {second}, 1 former\n"


@pytest.mark.parametrize("former", [False, True])
def test_a_gateway_does_not_start_with_one_secret_for_two_uses(
    settings: Settings, former: bool
) -> None:
    shared = _file(settings, "cache").read_text()
    own_secret = _file(settings, "person_hash").read_text() if former else ""
    _file(settings, "person_hash").write_text(own_secret + shared)
    with pytest.raises(ValueError, match=r"keys.cache and keys.person_hash hold the same key"):
        build_app(settings, ())


def test_nor_with_one_signing_key_for_two_uses(settings: Settings) -> None:
    """Also where the other has only its public half, or another id."""
    (key,) = load_signing(settings, "token")
    public = {**key.as_dict(private=False), "kid": "another"}
    own_key = json.loads(_file(settings, "audit_sign").read_text())
    _file(settings, "audit_sign").write_text(json.dumps({"keys": [own_key, public]}))
    with pytest.raises(ValueError, match=r"keys.token and keys.audit_sign hold the same key"):
        build_app(settings, ())


def test_nor_with_a_secret_that_a_signing_key_is_made_of(settings: Settings) -> None:
    seed = private_half(load_signing(settings, "token")[0]).private_bytes_raw()
    _file(settings, "audit_chain").write_text(seed.hex())
    with pytest.raises(ValueError, match=r"keys.audit_chain and keys.token hold the same key"):
        build_app(settings, ())


@pytest.mark.parametrize("name", KEY_NAMES)
def test_a_rotated_key_comes_first_and_the_old_one_is_kept(
    settings: Settings, name: KeyName
) -> None:
    (first,) = key_ids(settings, name)
    rotate(settings, name)
    second, former = key_ids(settings, name)
    assert former == first
    rotate(settings, name)
    assert key_ids(settings, name)[1:] == [second, first]
    assert _file(settings, name).stat().st_mode & 0o777 == 0o600
    check_keys(settings)


@pytest.mark.parametrize("name", KEY_NAMES)
def test_dropping_leaves_the_current_key_alone(settings: Settings, name: KeyName) -> None:
    rotate(settings, name)
    current, _ = key_ids(settings, name)
    drop_former(settings, name)
    assert key_ids(settings, name) == [current]
    drop_former(settings, name)
    assert key_ids(settings, name) == [current]


def test_of_a_former_signing_key_only_the_public_half_is_kept(settings: Settings) -> None:
    """It signs nothing any more: whoever finds the file must not be able to."""
    old = json.loads(_file(settings, "token").read_text())
    rotate(settings, "token")
    assert old["d"] not in _file(settings, "token").read_text()
    current, former = load_signing(settings, "token")
    assert (current.is_private, former.is_private, former.kid) == (True, False, old["kid"])


@pytest.mark.parametrize("change", [rotate, drop_former])
def test_a_file_with_something_else_in_it_stays_as_it_is(
    settings: Settings, change: Callable[[Settings, KeyName], None]
) -> None:
    for name in KEY_NAMES:
        _file(settings, name).write_text("no key")
        with pytest.raises(ValueError, match=str(_file(settings, name))):
            change(settings, name)
        assert _file(settings, name).read_text() == "no key"
    assert len(list(_file(settings, "token").parent.iterdir())) == len(KEY_NAMES)


def test_a_rotation_that_breaks_off_leaves_the_old_file(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _file(settings, "token").read_bytes()

    def full(_: int) -> None:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match=os.strerror(28)):
            rotate(settings, "token")
    assert _file(settings, "token").read_bytes() == before
    rotate(settings, "token")


def test_of_two_rotations_at_once_one_is_refused(settings: Settings) -> None:
    before = _file(settings, "cache").read_bytes()
    other = _file(settings, "cache").with_name("cache.key.new")
    other.write_text("half")
    with pytest.raises(FileExistsError, match=str(other)):
        rotate(settings, "cache")
    assert (_file(settings, "cache").read_bytes(), other.read_text()) == (before, "half")


def test_a_key_given_as_a_value_is_not_rotated_here(tmp_path: Path) -> None:
    settings = load(folder=tmp_path, keys={"cache_value": FIRST})
    with pytest.raises(ValueError, match="given as a value"):
        rotate(settings, "cache")


def _run(folder: Path, *arguments: str) -> Result:
    config = folder / "gateway.toml"
    config.touch()
    return CliRunner().invoke(app, ["keys", *arguments, "--config", str(config)])


def test_the_command_creates_what_is_missing_and_says_so(tmp_path: Path) -> None:
    assert _run(tmp_path).stdout.count("created") == len(KEY_NAMES)
    second_run = _run(tmp_path)
    assert (second_run.exit_code, second_run.stdout.count("is there already")) == (
        0,
        len(KEY_NAMES),
    )


def test_the_commands_list_and_rotate(tmp_path: Path) -> None:
    _run(tmp_path)
    settings = load(folder=tmp_path)
    (first,) = key_ids(settings, "audit_chain")
    output = _run(tmp_path, "rotate", "audit_chain").stdout
    second, _ = key_ids(settings, "audit_chain")
    assert output == f"audit_chain: current {second}, former {first}\n"
    listed = _run(tmp_path, "list")
    assert f"{tmp_path / 'keys' / 'audit-chain.key'}: {second} {first}\n" in listed.stdout
    assert listed.exit_code == 0
    output = _run(tmp_path, "rotate", "audit_chain", "--drop").stdout
    assert output == f"audit_chain: current {second}, former none\n"


def test_the_list_says_what_is_wrong(tmp_path: Path) -> None:
    listed = _run(tmp_path, "list")
    assert listed.exit_code == 1
    assert listed.stdout.count("run `justice-gateway keys`") == len(KEY_NAMES)
    assert _run(tmp_path, "rotate", "token").exit_code == 2
    assert _run(tmp_path, "rotate", "nothing").exit_code == 2


def test_settings_given_before_the_word_rotate_are_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "gateway.toml").touch()
    arguments = ["keys", "--config", str(tmp_path / "gateway.toml"), "rotate", "token"]
    assert CliRunner().invoke(app, arguments).exit_code == 2


KEY_TEXT = "deadbeef" * 8


@pytest.mark.parametrize("name", KEY_NAMES)
def test_settings_do_not_show_a_key(name: KeyName, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"JUSTICE_GATEWAY_KEYS__{name.upper()}_VALUE", KEY_TEXT)
    settings = load()
    assert getattr(settings.keys, f"{name}_value").get_secret_value() == KEY_TEXT
    texts = f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    assert KEY_TEXT not in texts


@pytest.mark.parametrize("name", ["KEYS__CACH_VALUE", "KEYS__CACHE_VALUE__X", "KEYS", "KEYS__X__Y"])
def test_a_misspelt_name_does_not_show_the_key(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"JUSTICE_GATEWAY_{name}", KEY_TEXT)
    assert KEY_TEXT not in _error_text(load)


def test_a_misspelt_name_in_the_file_does_not_show_the_key_either(tmp_path: Path) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text(f"[keys]\ncach_value = '{KEY_TEXT}'\n")
    with pytest.raises(ValidationError, match="cach_value") as excinfo:
        load(config)
    assert KEY_TEXT not in str(excinfo.value)


@pytest.mark.parametrize(
    "content", [KEY_TEXT[:-1], KEY_TEXT[:-2], f"{KEY_TEXT}x", f"demo:{KEY_TEXT}"]
)
@pytest.mark.parametrize("source", ["file", "value"])
def test_what_is_raised_does_not_show_the_key(tmp_path: Path, content: str, source: str) -> None:
    values = {f"{name}_value": content for name in KEY_NAMES} if source == "value" else {}
    settings = load(folder=tmp_path, keys=values)
    for name in KEY_NAMES:
        (tmp_path / settings.keys.model_dump()[name]).parent.mkdir(exist_ok=True)
        (tmp_path / settings.keys.model_dump()[name]).write_text(content)
    for secret in SECRET_NAMES:
        assert KEY_TEXT[:-2] not in _error_text(partial(load_ring, settings, secret))
    for signing in SIGNING_NAMES:
        assert KEY_TEXT[:-2] not in _error_text(partial(load_signing, settings, signing))


def test_a_broken_signing_key_is_not_shown_when_it_is_refused(settings: Settings) -> None:
    private_part = "c2VjcmV0"
    jwk = _jwk(d=private_part)
    for content in (json.dumps(jwk), json.dumps(jwk)[:-1]):
        _file(settings, "token").write_text(content)
        assert private_part not in _error_text(partial(load_signing, settings, "token"))


def test_a_ring_and_a_secret_do_not_show_the_key(settings: Settings) -> None:
    _file(settings, "cache").write_text(f"{KEY_TEXT}\n{FIRST}\n")
    ring = load_ring(settings, "cache")
    raw = repr(bytes.fromhex(KEY_TEXT))[2:-1]
    for text in (repr(ring), str(ring), repr(ring.current)):
        assert KEY_TEXT not in text
        assert raw not in text


def test_the_commands_do_not_show_a_key(tmp_path: Path) -> None:
    output = _run(tmp_path).output + _run(tmp_path, "rotate", "token").output
    output += _run(tmp_path, "rotate", "cache").output + _run(tmp_path, "list").output
    settings = load(folder=tmp_path)
    for name in SECRET_NAMES:
        assert not [
            database for database in load_ring(settings, name).all if database.key.hex() in output
        ]
    for signing in SIGNING_NAMES:
        assert str(load_signing(settings, signing)[0].as_dict(private=True)["d"]) not in output


def test_a_code_is_that_of_rfc_4231_whatever_was_authenticated_before() -> None:
    """Test case 2 of RFC 4231, section 4.3. The key is set up once for all messages."""
    secret = Secret.of(b"Jefe")
    secret.mac(b"another message")
    assert secret.mac(b"what do ya want for nothing?") == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )
    assert secret == Secret.of(b"Jefe")
    assert hash(secret) == hash(Secret.of(b"Jefe"))


def test_a_revoked_key_stays_as_a_public_half_and_another_signs(tmp_path: Path) -> None:
    _run(tmp_path)
    settings = load(folder=tmp_path)
    (first,) = key_ids(settings, "receipt_sign")
    output = _run(tmp_path, "revoke", first).stdout
    second, _ = key_ids(settings, "receipt_sign")
    assert output == f"receipt_sign: revoked {first}, current {second}, 1 former\n"
    signer, former = load_signing(settings, "receipt_sign")
    assert (signer.kid, signer.is_private, is_revoked(signer)) == (second, True, False)
    assert (former.kid, former.is_private, is_revoked(former)) == (first, False, True)
    # A key that was replaced before is revoked without another one in its place.
    _run(tmp_path, "rotate", "receipt_sign")
    before = _file(settings, "receipt_sign").read_bytes()
    assert _run(tmp_path, "revoke", second).exit_code == 0
    keys = load_signing(settings, "receipt_sign")
    assert [is_revoked(key) for key in keys] == [False, True, True]
    assert len(keys) == len(json.loads(before)["keys"])
    # Rotating keeps what is said of the others.
    _run(tmp_path, "rotate", "receipt_sign")
    assert [is_revoked(key) for key in load_signing(settings, "receipt_sign")] == [
        False,
        False,
        True,
        True,
    ]


def test_a_key_that_is_not_there_is_not_revoked(tmp_path: Path) -> None:
    _run(tmp_path)
    settings = load(folder=tmp_path)
    before = _file(settings, "receipt_sign").read_bytes()
    result = _run(tmp_path, "revoke", "another")
    assert result.exit_code == 2
    assert "there is no key another" in result.output
    assert _file(settings, "receipt_sign").read_bytes() == before


def test_a_revoked_private_key_does_not_sign(tmp_path: Path) -> None:
    _run(tmp_path)
    settings = load(folder=tmp_path)
    file = _file(settings, "receipt_sign")
    jwk = json.loads(file.read_text())
    file.write_text(json.dumps({**jwk, "revoked": {"revoked_at": 1}}))
    with pytest.raises(ValueError, match="holds no private key"):
        load_signing(settings, "receipt_sign")
