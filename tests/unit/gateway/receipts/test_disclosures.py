"""Salted digests and their disclosures."""

from __future__ import annotations

import pytest

from gateway.receipts.canonical import decode_base64url, decode_json, encode_base64url, encode_json
from gateway.receipts.disclosures import (
    SaltedClaims,
    digest_of,
    match_disclosures,
    parse_disclosure,
)


def _text(*content: object) -> str:
    return encode_base64url(encode_json(list(content)))


def test_the_digest_is_that_of_the_specification() -> None:
    # RFC 9901 section 4.2.3, its example of a digest.
    text = "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0"
    assert digest_of(text) == "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0"


def test_salts_have_128_bits_and_never_come_again() -> None:
    salted = SaltedClaims()
    for _ in range(1000):
        salted.add_claim("person.groom", "001090012345")
    salts = set()
    for claim in salted.claims:
        content = decode_json(decode_base64url(claim.text))
        assert isinstance(content, list)
        assert len(decode_base64url(content[0])) == 16
        salts.add(content[0])
    assert len(salts) == 1000
    assert len({claim.digest for claim in salted.claims}) == 1000


def test_disclosures_are_matched_with_claims_and_elements() -> None:
    salted = SaltedClaims()
    salted.add_claim("case", "1")
    element = salted.add_element({"id": "x"})
    claims = [claim.digest for claim in salted.claims]
    matched = match_disclosures(salted.in_order(), claims, [element])
    assert {(each.name, str(each.value)) for each in matched} == {
        ("case", "1"),
        (None, "{'id': 'x'}"),
    }
    assert match_disclosures([], claims, [element]) == []


def test_each_choice_of_disclosures_has_one_text() -> None:
    salted = SaltedClaims()
    for name in ("case", "person.groom", "person.bride"):
        salted.add_claim(name, "x")
    claims, texts = [claim.digest for claim in salted.claims], salted.in_order()
    with pytest.raises(ValueError, match="order"):
        match_disclosures(texts[::-1], claims, [])
    with pytest.raises(ValueError, match="order"):
        match_disclosures([texts[0], texts[0]], claims, [])


def test_what_belongs_to_no_digest_is_refused() -> None:
    salted, other = SaltedClaims(), SaltedClaims()
    salted.add_claim("case", "1")
    other.add_claim("case", "2")
    other.add_element("1")
    claims = [claim.digest for claim in salted.claims]
    for text in other.in_order():
        with pytest.raises(ValueError, match="belongs to no digest"):
            match_disclosures([text], claims, claims)
    # A claim is no element, and an element no claim.
    with pytest.raises(ValueError, match="belongs to no digest"):
        match_disclosures(salted.in_order(), [], claims)


SALT = encode_base64url(b"s" * 16)


@pytest.mark.parametrize(
    "text",
    [
        _text(encode_base64url(b"s" * 15), "case", "1"),
        _text(1, "case", "1"),
        _text(SALT, 1, "1"),
        _text(SALT),
        _text(SALT, "case", "1", "more"),
        encode_base64url(b'["' + SALT.encode() + b'", "case", "1"]'),
        _text(SALT, "case", "1") + "=",
        encode_base64url(b'{"a":1}'),
        "",
    ],
)
def test_what_is_no_disclosure_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_disclosure(text)
