"""Signatures of requests, verified by hand as an endpoint may; and the library by RFC 9421."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from http_message_signatures import HTTPMessageSigner, HTTPSignatureKeyResolver, algorithms
from joserfc.jwk import OKPKey

from gateway.changes.webhooks.signature import MessageSigner

URL, TYPE = "https://notary.example/hook?office=7", "application/cloudevents+json"
BODY = '{"data":"Nguyễn"}'.encode()
NOW = datetime(2026, 11, 30, 3, 0, tzinfo=UTC)
#: RFC 9421, appendix B.1.4.
RFC_KEY = b"""-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF
-----END PRIVATE KEY-----
"""


def signed(key: OKPKey) -> dict[str, str]:
    headers = MessageSigner((key,)).headers(URL, TYPE, BODY, NOW)
    return {name.lower(): value for name, value in headers.items()}


def base_of(headers: dict[str, str]) -> bytes:
    """Return what is signed, line by line as section 2.5 has it."""
    parameters = headers["signature-input"].removeprefix("gateway=")
    lines = [
        '"@method": POST',
        f'"@target-uri": {URL}',
        f'"content-type": {headers["content-type"]}',
        f'"content-digest": {headers["content-digest"]}',
        f'"@signature-params": {parameters}',
    ]
    return "\n".join(lines).encode()


def test_a_receiver_verifies_a_request_with_the_public_key_alone() -> None:
    key = OKPKey.generate_key("Ed25519", {"kid": "2026-11"})
    headers = signed(key)
    digest = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
    assert headers["content-digest"] == f"sha-256=:{digest}:"
    assert headers["signature-input"] == (
        'gateway=("@method" "@target-uri" "content-type" "content-digest")'
        f';created={int(NOW.timestamp())};keyid="2026-11";alg="ed25519"'
        ';tag="justice-gateway-webhook"'
    )
    signature = base64.b64decode(headers["signature"].removeprefix("gateway=:").rstrip(":"))
    x = str(key.as_dict(private=False)["x"])
    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(x + "="))
    public.verify(signature, base_of(headers))
    with pytest.raises(InvalidSignature):
        public.verify(signature, base_of(headers).replace(b"POST", b"PUT"))


def test_the_first_key_of_the_ring_signs() -> None:
    first, second = (OKPKey.generate_key("Ed25519", {"kid": name}) for name in ("b", "a"))
    headers = MessageSigner((first, second)).headers(URL, TYPE, BODY, NOW)
    assert 'keyid="b"' in headers["Signature-Input"]


@dataclass(frozen=True)
class _Vector:
    """The request of appendix B.2."""

    method: str
    url: str
    headers: dict[str, str]


class _RfcKey(HTTPSignatureKeyResolver):
    """The key of the appendix."""

    def resolve_private_key(self, key_id: str) -> Ed25519PrivateKey:
        key = load_pem_private_key(RFC_KEY, None)
        assert isinstance(key, Ed25519PrivateKey)
        return key

    def resolve_public_key(self, key_id: str) -> object:
        raise NotImplementedError


def test_the_library_signs_as_rfc_9421_does() -> None:
    """Appendix B.2.6, "Signing a Request Using ed25519"."""
    message = _Vector(
        "POST",
        "https://example.com/foo?param=Value&Pet=dog",
        {
            "Date": "Tue, 20 Apr 2021 02:07:55 GMT",
            "Content-Type": "application/json",
            "Content-Length": "18",
        },
    )
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=_RfcKey())
    covered = ("date", "@method", "@path", "@authority", "content-type", "content-length")
    signer.sign(
        message,
        key_id="test-key-ed25519",
        created=datetime.fromtimestamp(1618884473, UTC),
        label="sig-b26",
        include_alg=False,
        covered_component_ids=covered,
    )
    assert message.headers["Signature"] == (
        "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u"
        "02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:"
    )
