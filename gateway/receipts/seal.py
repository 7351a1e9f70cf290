"""The part of a receipt that is for the gateway alone: what it needs to make the check again.

A JWE (RFC 7516; ``dir``, A256GCM) in the signed payload. Its length is rounded up, so that it tells
little of what is in it.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from gateway.keys.keyring import Keyring, Secret

_ALGORITHMS = ["dir", "A256GCM"]
_REGISTRY = jwe.JWERegistry(algorithms=_ALGORITHMS)
#: To a multiple of how many bytes a sealed part is filled up.
_BLOCK = 256


@dataclass(frozen=True, slots=True)
class SealedCheck:
    """What was checked, and for whom. ``input``: as JSON. ``at``: a day, None: today's."""

    code: str
    input: Mapping[str, Any]
    at: str | None
    client: str | None
    agency: str | None
    purpose: str | None
    case_number: str | None


def seal(ring: Keyring, check: SealedCheck) -> str:
    """Return ``check`` encrypted with the current key of ``ring``. Costs some 40 us."""
    secret = ring.current
    content = orjson.dumps(asdict(check))
    filled = content.ljust(-(-len(content) // _BLOCK) * _BLOCK)
    header = {"alg": "dir", "enc": "A256GCM", "kid": secret.id}
    return jwe.encrypt_compact(header, filled, _key(secret), registry=_REGISTRY)


def unseal(ring: Keyring, sealed: str) -> SealedCheck:
    """Return what was sealed; raises ValueError for what no key of ``ring`` sealed."""
    for secret in ring.all:
        try:
            opened = jwe.decrypt_compact(sealed, _key(secret), registry=_REGISTRY)
            if opened.plaintext is not None:
                return SealedCheck(**orjson.loads(opened.plaintext))
        except (JoseError, ValueError, TypeError):
            continue
    raise ValueError("no key of this gateway sealed it")


def _key(secret: Secret) -> OctKey:
    """Return a key of 256 bits, whatever the length of the secret."""
    return OctKey.import_key(hmac.digest(secret.key, b"justice-gateway receipt seal", "sha256"))
