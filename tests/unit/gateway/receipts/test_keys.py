"""The published keys of receipts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.receipts.keys import KeyStatus, ReceiptKeys
from tests.support.receipts import Ring, signing_key


def _statuses(keys: ReceiptKeys) -> dict[str, KeyStatus]:
    return {kid: key.status for kid, key in keys.by_id.items()}


def test_the_set_says_which_key_signs_and_which_are_retired_or_revoked() -> None:
    ring = Ring()
    ring.rotate("key-2")
    ring.rotate("key-3")
    ring.revoke("key-2")
    keys = ring.issuer.keys
    assert _statuses(keys) == {
        "key-3": KeyStatus.CURRENT,
        "key-2": KeyStatus.REVOKED,
        "key-1": KeyStatus.RETIRED,
    }
    assert keys.by_id["key-2"].revoked_at == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    read = ReceiptKeys.of_jwks(keys.jwks())
    assert _statuses(read) == _statuses(keys)
    assert read.jwks() == keys.jwks()


def test_no_private_half_is_published() -> None:
    jwks = Ring().issuer.keys.jwks()
    assert isinstance(jwks["keys"], list)
    (jwk,) = jwks["keys"]
    assert set(jwk) == {"kty", "crv", "x", "kid", "use", "alg", "status"}
    private = signing_key("key-1").as_dict(private=True)
    read = ReceiptKeys.of_jwks({"keys": [private]})
    assert not read.by_id["key-1"].key.is_private


def test_keys_for_other_uses_are_skipped() -> None:
    jwk = dict(signing_key("a").as_dict(private=False))
    others = [
        {**jwk, "use": "enc"},
        {**jwk, "alg": "ES256"},
        {**jwk, "kty": "RSA"},
        {**jwk, "crv": "X25519"},
        {name: value for name, value in jwk.items() if name != "kid"},
        "text",
    ]
    assert ReceiptKeys.of_jwks({"keys": others}).by_id == {}


@pytest.mark.parametrize("document", [None, [], {}, {"keys": {}}, "keys"])
def test_what_is_no_set_of_keys_is_refused(document: object) -> None:
    with pytest.raises(ValueError, match="no JWK set"):
        ReceiptKeys.of_jwks(document)


def test_two_keys_of_one_id_and_broken_keys_are_refused() -> None:
    first, second = (dict(signing_key("a").as_dict(private=False)) for _ in range(2))
    with pytest.raises(ValueError, match="same id"):
        ReceiptKeys.of_jwks({"keys": [first, second]})
    with pytest.raises(ValueError, match="is none"):
        ReceiptKeys.of_jwks({"keys": [{**first, "x": "AA"}]})
