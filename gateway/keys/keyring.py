"""Secret keys: read from files or values, never printed.

Rotated keys overlap: the first key of a ring makes everything new, the others still recognise what
they made (NIST SP 800-57 Part 1, section 5.3).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from gateway.settings import Settings

#: The uses of keys, by their names in the settings.
SecretName = Literal["cache", "person_hash", "audit_chain", "record_id", "receipt_seal"]
SigningName = Literal["token", "audit_sign", "receipt_sign", "webhook_sign"]
KeyName = Literal[SigningName, SecretName]
SECRET_NAMES: tuple[SecretName, ...] = get_args(SecretName)
SIGNING_NAMES: tuple[SigningName, ...] = get_args(SigningName)
KEY_NAMES: tuple[KeyName, ...] = (*SIGNING_NAMES, *SECRET_NAMES)

FEWEST_BYTES = 32
#: Mark the keys of the demo: prefixes of a secret's line, and of a key's id.
SECRET_MARK, KID_MARK = "demo:", "demo-"


@dataclass(frozen=True, slots=True)
class Secret:
    """A symmetric key. ``id``: 8 hex digits that identify it and reveal nothing of it."""

    key: bytes = field(repr=False)
    id: str
    _keyed: hmac.HMAC = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_keyed", hmac.new(self.key, digestmod="sha256"))

    @classmethod
    def of(cls, key: bytes) -> Secret:
        """Return ``key`` with its id, which is derived from it."""
        return cls(key, hashlib.sha256(b"justice-gateway key id" + key).hexdigest()[:8])

    def mac(self, message: bytes) -> str:
        """Return the HMAC-SHA256 of ``message``, hex. Costs about 1.2 us.

        ``hmac.digest`` sets the key up each time, and lets another thread take the interpreter.
        """
        keyed = self._keyed.copy()
        keyed.update(message)
        return keyed.hexdigest()


@dataclass(frozen=True, slots=True)
class Keyring:
    """Keys of one use: the ``current`` one, and former ones that are still recognised."""

    current: Secret
    former: tuple[Secret, ...] = ()

    @property
    def all(self) -> tuple[Secret, ...]:
        """Every key, the current one first."""
        return (self.current, *self.former)

    @property
    def oldest(self) -> Secret:
        """The first key that was made: for values that a rotation must not change."""
        return self.all[-1]

    def by_id(self, key_id: str) -> Secret | None:
        """Return the key with this id, None if it is not in the ring."""
        return next((secret for secret in self.all if secret.id == key_id), None)


def load_ring(settings: Settings, name: SecretName) -> Keyring:
    """Return the secrets of one use: one in hex a line, the current one first.

    Raises FileNotFoundError, and ValueError for anything but secrets of 256 bits and, in
    production, for those of the demo. The error says where the secret is, never what it is.
    """
    text, where = key_text(settings, name)
    lines = text.split()
    if not lines:
        raise ValueError(f"{where} holds no key")
    _permit(settings, where, any(line.startswith(SECRET_MARK) for line in lines))
    current, *former = (_secret(line, where) for line in lines)
    return Keyring(current, tuple(former))


def load_signing(settings: Settings, name: SigningName) -> tuple[OKPKey, ...]:
    """Return the Ed25519 keys of one use: the one that signs, then those that only verify.

    They are a JWK or a JWK set (RFC 7517, RFC 8037); the first private one that is not revoked
    signs. A key without ``kid`` gets its thumbprint (RFC 7638). Raises as ``load_ring`` does.
    """
    text, where = key_text(settings, name)
    try:
        read = json.loads(text)
        keys = [_signing(jwk) for jwk in read.get("keys", [read])]
    except (JoseError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        raise ValueError(f"{where} is neither an Ed25519 key (JWK) nor a set of them") from None
    _permit(settings, where, any(str(key.kid).startswith(KID_MARK) for key in keys))
    if len({key.kid for key in keys}) < len(keys):
        raise ValueError(f"{where} holds two keys of the same id (kid)")
    signer = next((key for key in keys if key.is_private and not is_revoked(key)), None)
    if signer is None:
        raise ValueError(f"{where} holds no private key")
    return (signer, *(key for key in keys if key is not signer))


def is_revoked(key: OKPKey) -> bool:
    """Say whether a key is marked as revoked: what it signed counts no more."""
    return "revoked" in key.as_dict(private=False)


def private_half(key: OKPKey) -> Ed25519PrivateKey:
    """Return the private key; raises ValueError for a key that only verifies."""
    if not isinstance(key.private_key, Ed25519PrivateKey):
        raise ValueError("it is no private Ed25519 key")
    return key.private_key


def check_keys(settings: Settings) -> None:
    """Raise what loading any of the keys raises, and ValueError for a key with two uses.

    A key that hashes the numbers of persons must not also open the cache (NIST SP 800-57 Part 1,
    section 5.2). Costs under 1 ms.
    """
    uses: dict[bytes, KeyName] = {}
    for name in SECRET_NAMES:
        for secret in load_ring(settings, name).all:
            _claim(uses, secret.key, name)
    for signing in SIGNING_NAMES:
        if signing == "webhook_sign" and not settings.changes.webhooks.enabled:
            continue  # a site without webhooks needs no key for them
        for key in load_signing(settings, signing):
            _claim(uses, key.public_key.public_bytes_raw(), signing)
            if key.is_private:
                _claim(uses, private_half(key).private_bytes_raw(), signing)


def key_ids(settings: Settings, name: KeyName) -> list[str]:
    """Return the ids of the keys of one use, the current one first; raises as loading does."""
    match name:
        case "token" | "audit_sign" | "receipt_sign" | "webhook_sign":
            return [str(key.kid) for key in load_signing(settings, name)]
        case _:
            return [secret.id for secret in load_ring(settings, name).all]


def key_path(settings: Settings, name: KeyName) -> Path | None:
    """Return the file of a key; None if the key is given as a value."""
    if getattr(settings.keys, f"{name}_value") is not None:
        return None
    path: Path = getattr(settings.keys, name)
    return settings.path(path)


def key_text(settings: Settings, name: KeyName) -> tuple[str, str]:
    """Return the text of a key, and its place for messages."""
    value = getattr(settings.keys, f"{name}_value")
    if value is not None:
        return value.get_secret_value(), f"keys.{name}_value"
    path = settings.path(getattr(settings.keys, name))
    try:
        return path.read_text("utf-8"), str(path)
    except FileNotFoundError:
        missing = f"there is no key at {path}: run `justice-gateway keys`"
        raise FileNotFoundError(missing) from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is no text") from None


def _permit(settings: Settings, where: str, marked: bool) -> None:
    """Refuse keys of the demo in production: anybody may have them."""
    if marked and not settings.demo:
        raise ValueError(
            f"{where} holds a key of the demo, and these settings are not the demo's: "
            "remove it, and `justice-gateway keys` makes real ones"
        )


def _secret(line: str, where: str) -> Secret:
    try:
        key = bytes.fromhex(line.removeprefix(SECRET_MARK))
    except ValueError:
        raise ValueError(f"{where} holds something else than hex, one secret a line") from None
    if len(key) < FEWEST_BYTES:
        raise ValueError(f"{where} holds less than 256 bits")
    return Secret.of(key)


def _signing(jwk: dict[str, Any]) -> OKPKey:
    key = OKPKey.import_key(jwk)
    if key.curve_name != "Ed25519":
        raise ValueError("it is for another curve")
    key.ensure_kid()
    return key


def _claim(uses: dict[bytes, KeyName], key: bytes, name: KeyName) -> None:
    if uses.setdefault(key, name) != name:
        raise ValueError(f"keys.{uses[key]} and keys.{name} hold the same key: each needs its own")
