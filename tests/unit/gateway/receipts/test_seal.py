"""The part of a receipt that is for the gateway alone."""

from __future__ import annotations

import secrets

import pytest

from gateway.keys.keyring import Keyring, Secret
from gateway.receipts.seal import SealedCheck, seal, unseal

CHECK = SealedCheck(
    "1.000894", {"groom": "001090012345"}, "2026-12-01", "notary", None, "1.000894", "HS-1"
)


def _ring(*former: Secret) -> Keyring:
    return Keyring(Secret.of(secrets.token_bytes(40)), former)


def test_what_is_sealed_comes_back_and_is_not_to_be_read() -> None:
    ring = _ring()
    sealed = seal(ring, CHECK)
    assert unseal(ring, sealed) == CHECK
    assert "001090012345" not in sealed
    assert seal(ring, CHECK) != sealed


def test_a_former_key_opens_and_another_gateways_does_not() -> None:
    before = _ring()
    sealed = seal(before, CHECK)
    assert unseal(_ring(before.current), sealed) == CHECK
    with pytest.raises(ValueError, match="no key of this gateway"):
        unseal(_ring(), sealed)


@pytest.mark.parametrize("number", range(5))
def test_an_altered_part_is_refused(number: int) -> None:
    ring = _ring()
    parts = seal(ring, CHECK).split(".")
    parts[number] = "A" + parts[number][1:] if parts[number][:1] != "A" else "B" + parts[number][1:]
    with pytest.raises(ValueError, match="no key of this gateway"):
        unseal(ring, ".".join(parts))


def test_the_length_says_little_of_the_content() -> None:
    ring, short = _ring(), SealedCheck("1", {}, None, None, None, None, None)
    longer = SealedCheck("1.000894.H38", {"applicant": "0" * 12}, None, "c", "a", "p", "HS-1")
    assert len(seal(ring, short)) == len(seal(ring, longer))
