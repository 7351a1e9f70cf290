"""Salted digests in place of claims, and their disclosures (RFC 9901, SD-JWT).

A digest says nothing of its claim: the salt has 128 bits, so that nobody can try out the numbers of
people. A disclosure is the claim with its salt; whoever has it shows that the digest stands for it.
A receipt holds digests of claims (``[salt, name, value]``) in ``_sd``, in their order as text, and
of elements of arrays (``[salt, value]``) in place of the elements.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from gateway.receipts.canonical import (
    decode_base64url,
    decode_json,
    encode_base64url,
    encode_json,
)

#: The bytes of a salt: 128 bits (RFC 9901 section 9.3).
SALT_BYTES = 16
#: The name of the digests' algorithm in the claim ``_sd_alg``.
DIGEST_ALGORITHM = "sha-256"


@dataclass(frozen=True, slots=True)
class Disclosure:
    """A claim that is disclosed. ``name``: None for an element of an array."""

    text: str
    digest: str
    name: str | None
    value: object


@dataclass(slots=True)
class SaltedClaims:
    """Makes digests with their disclosures while a receipt is written."""

    claims: list[Disclosure] = field(default_factory=list)
    elements: list[Disclosure] = field(default_factory=list)

    def add_claim(self, name: str, value: object) -> None:
        """Add a claim, which stands in the receipt by its digest."""
        content = [_salt(), name, value]
        self.claims.append(parse_disclosure(encode_base64url(encode_json(content))))

    def add_element(self, value: object) -> str:
        """Add an element of an array; returns the digest that stands in its place."""
        disclosure = parse_disclosure(encode_base64url(encode_json([_salt(), value])))
        self.elements.append(disclosure)
        return disclosure.digest

    def in_order(self) -> list[str]:
        """Return the disclosures in the order in which they follow a receipt: by digest."""
        return [claim.text for claim in sorted((*self.claims, *self.elements), key=_digest_of)]


def parse_disclosure(text: str) -> Disclosure:
    """Return a disclosure; raises ValueError for what is none, or not in its one form."""
    content = decode_json(decode_base64url(text))
    if not isinstance(content, list) or len(content) not in {2, 3}:
        raise ValueError("it is no disclosure")
    salt, *name, value = content
    if not isinstance(salt, str) or len(decode_base64url(salt)) < SALT_BYTES:
        raise ValueError("its salt is too short")
    if name and not isinstance(name[0], str):
        raise ValueError("its claim has no name")
    return Disclosure(text, digest_of(text), name[0] if name else None, value)


def match_disclosures(
    texts: Sequence[str], claims: Collection[str], elements: Collection[str]
) -> list[Disclosure]:
    """Return the disclosures of a receipt with these digests of claims and of elements.

    Raises ValueError for a disclosure that belongs to none of them, that is there twice, or that
    does not follow in order: each choice of disclosures has one text.
    """
    disclosures = [parse_disclosure(text) for text in texts]
    digests = [disclosure.digest for disclosure in disclosures]
    if digests != sorted(set(digests)):
        raise ValueError("the disclosures are not in order, or one is there twice")
    for disclosure in disclosures:
        if disclosure.digest not in (elements if disclosure.name is None else claims):
            raise ValueError("a disclosure belongs to no digest")
    names = [disclosure.name for disclosure in disclosures if disclosure.name is not None]
    if len(set(names)) < len(names):
        raise ValueError("a claim is disclosed twice")
    return disclosures


def digest_of(text: str) -> str:
    """Return the digest of a disclosure (RFC 9901 section 4.2.3)."""
    return encode_base64url(hashlib.sha256(text.encode("ascii")).digest())


def _digest_of(disclosure: Disclosure) -> str:
    return disclosure.digest


def _salt() -> str:
    return encode_base64url(secrets.token_bytes(SALT_BYTES))
