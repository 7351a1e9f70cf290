"""Verifying receipts: altered ones, other forms, keys, and what the holder discloses.

Covers ``gateway.receipts.issue`` and ``gateway.receipts.statement``.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jws

from gateway.keys.keyring import private_half
from gateway.procedures.checks.rule import Outcome, RuleState
from gateway.receipts.canonical import decode_base64url, encode_base64url, encode_json
from gateway.receipts.keys import KeyStatus, ReceiptKeys
from gateway.receipts.statement import payload_of, statement_of
from gateway.receipts.verify import (
    LONGEST,
    REGISTRY,
    Confirmation,
    ReceiptRefused,
    RefusalReason,
    VerifiedReceipt,
    header_of,
    select_disclosures,
    verify_receipt,
)
from tests.support.people import HOA, LAN
from tests.support.receipts import RECIPIENT, Ring, shown_check, signing_key
from tests.support.running import CASE_NUMBER

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_ALTERATIONS = 500


@pytest.fixture
def ring() -> Ring:
    return Ring()


@pytest.fixture
def receipt(ring: Ring) -> str:
    return ring.issuer.issue(shown_check(), RECIPIENT)


def _verify(ring: Ring, text: str) -> VerifiedReceipt:
    return verify_receipt(text, ring.issuer.keys)


def _refusal(ring: Ring, text: str) -> RefusalReason:
    with pytest.raises(ReceiptRefused) as refused:
        _verify(ring, text)
    return refused.value.reason


def test_a_receipt_states_the_check_as_it_was_shown(ring: Ring, receipt: str) -> None:
    verified = _verify(ring, receipt)
    statement, shown = verified.statement, shown_check()
    assert statement.issuer == "justice-gateway"
    assert statement.request_id == RECIPIENT.request_id
    assert (statement.client, statement.agency) == (RECIPIENT.client, RECIPIENT.agency)
    assert statement.check.outcome is Outcome.UNKNOWN
    assert (statement.check.at, statement.check.law) == (shown.at, shown.law)
    assert [(rule.code, rule.state, rule.reason) for rule in statement.check.rules] == [
        (rule.code, rule.state, rule.reason) for rule in shown.rules
    ]
    (source,) = statement.check.sources
    assert (source.database, source.list) == ("civil_status", "marriages")
    assert source.state.name == "UNAVAILABLE"
    assert source.fetched_at == shown.facts_as_of
    assert statement.check.silent == ("civil_status",)
    assert statement_of(payload_of(statement)) == statement


def test_its_holder_has_all_disclosures(ring: Ring, receipt: str) -> None:
    verified = _verify(ring, receipt)
    assert verified.people == {"groom": HOA, "bride": LAN}
    assert verified.case_number == CASE_NUMBER
    assert verified.input == {"place": "Phường Bến Thành"}
    (evidence,) = verified.evidence.values()
    assert evidence["id"] == "id-of-a-record"
    assert verified.undisclosed == 0


def _text_positions(receipt: str) -> dict[str, list[int]]:
    """Return the positions of each kind: every separator, and the texts between."""
    signed, *_ = receipt.split("~")
    header, payload, signature = signed.split(".")
    end = len(header) + len(payload) + 1
    kinds: dict[str, list[int]] = {"header": list(range(len(header)))}
    kinds["payload"] = list(range(len(header) + 1, end))
    kinds["signature"] = list(range(end + 1, end + 1 + len(signature)))
    kinds["separators"] = [place for place, letter in enumerate(receipt) if letter in ".~"]
    kinds["disclosures"] = [
        place for place in range(len(signed), len(receipt)) if receipt[place] != "~"
    ]
    return kinds


@pytest.mark.parametrize("kind", ["header", "payload", "signature", "separators", "disclosures"])
def test_no_receipt_verifies_with_one_byte_altered(ring: Ring, receipt: str, kind: str) -> None:
    rng = random.Random(kind)
    positions = _text_positions(receipt)[kind]
    altered: set[str] = set()
    while len(altered) < _ALTERATIONS:
        place = rng.choice(positions)
        letter = rng.choice(_ALPHABET) if rng.random() < 0.7 else chr(rng.randrange(128))
        if letter != receipt[place]:
            altered.add(receipt[:place] + letter + receipt[place + 1 :])
    for text in altered:
        _refusal(ring, text)


def test_no_receipt_verifies_with_a_byte_more_or_less(ring: Ring, receipt: str) -> None:
    rng = random.Random(0)
    for _ in range(_ALTERATIONS):
        place = rng.randrange(len(receipt))
        _refusal(ring, receipt[:place] + receipt[place + 1 :])
        letter = rng.choice([*_ALPHABET, *".~= \n\0\x7f"])
        longer = receipt[:place] + letter + receipt[place:]
        _refusal(ring, longer)


def test_every_last_character_of_a_part_has_one_form(ring: Ring, receipt: str) -> None:
    """Bits beyond the last byte, which a lenient decoder drops."""
    ends = [place for place, letter in enumerate(receipt) if letter in ".~"]
    for end in ends:
        for letter in _ALPHABET:
            if letter != receipt[end - 1]:
                _refusal(ring, receipt[: end - 1] + letter + receipt[end:])


def _signed_by(ring: Ring, header: dict[str, object] | bytes, payload: bytes) -> str:
    """Return a JWS over whatever a test writes, signed with the gateway's own key."""
    head = header if isinstance(header, bytes) else encode_json(header)
    signing_input = f"{encode_base64url(head)}.{encode_base64url(payload)}"
    signature = private_half(ring.keys[0]).sign(signing_input.encode())
    return f"{signing_input}.{encode_base64url(signature)}~"


def _payload(receipt: str) -> bytes:
    return decode_base64url(receipt.split(".")[1])


def test_what_is_signed_by_hand_verifies_only_in_its_one_form(ring: Ring, receipt: str) -> None:
    payload = _payload(receipt)
    header: dict[str, object] = {**header_of("key-1")}
    _verify(ring, _signed_by(ring, header, payload))
    others: list[dict[str, object] | bytes] = [
        {**header, "alg": "Ed25519"},
        {**header, "alg": "none"},
        {**header, "alg": "HS256"},
        {**header, "crit": ["b64"], "b64": False},
        {**header, "b64": True},
        {**header, "jku": "https://example.org/keys"},
        {**header, "jwk": ring.keys[0].as_dict(private=False)},
        {**header, "x5u": "https://example.org"},
        {**header, "typ": "JWT"},
        {name: value for name, value in header.items() if name != "typ"},
        json.dumps(header).encode(),
        b'{"typ":"procedure-receipt+sd-jwt","kid":"key-1","alg":"EdDSA"}',
        b'{"alg":"none",' + encode_json(header)[1:],
    ]
    for other in others:
        assert _refusal(ring, _signed_by(ring, other, payload)) is RefusalReason.FORM
    kids: list[object] = [[], None, 1, {}]
    for kid in kids:
        text = _signed_by(ring, {**header, "kid": kid}, payload)
        assert _refusal(ring, text) is RefusalReason.FORM


def _altered(change: Callable[[dict[str, Any]], object]) -> Callable[[bytes], bytes]:
    def alter(payload: bytes) -> bytes:
        claims = json.loads(payload)
        change(claims)
        return encode_json(claims)

    return alter


@pytest.mark.parametrize(
    "alter",
    [
        lambda payload: payload + b" ",
        lambda payload: payload.replace(b'"iss"', b' "iss"'),
        lambda payload: payload.replace(b'"version":1', b'"version":1,"version":1'),
        lambda payload: b"[]",
        lambda payload: b"null",
        _altered(lambda claims: claims.update(more=1)),
        _altered(lambda claims: claims.pop("silent")),
        _altered(lambda claims: claims.update(outcome="PERHAPS")),
        _altered(lambda claims: claims.update(version=2)),
        _altered(lambda claims: claims.update(iat=1.5)),
        _altered(lambda claims: claims.update(iat=True)),
        _altered(lambda claims: claims.update(at="20261201")),
        _altered(lambda claims: claims.update(factsAsOf="2026-11-23T03:00:00Z")),
        _altered(lambda claims: claims["rules"][0].update(more=1)),
        _altered(lambda claims: claims["_sd"].reverse()),
        _altered(lambda claims: claims["_sd"].append(claims["_sd"][-1])),
        _altered(lambda claims: claims.update(_sd_alg="sha-512")),
        _altered(lambda claims: claims.update(law="text")),
    ],
)
def test_a_signed_payload_of_another_form_is_refused(
    ring: Ring, receipt: str, alter: Callable[[bytes], bytes]
) -> None:
    signed = _signed_by(ring, {**header_of("key-1")}, alter(_payload(receipt)))
    assert _refusal(ring, signed) is RefusalReason.CONTENT


@pytest.mark.parametrize(
    "alter",
    [
        lambda text: "",
        lambda text: "~",
        lambda text: text.rstrip("~"),
        lambda text: text + "~",
        lambda text: text + "x",
        lambda text: " " + text,
        lambda text: text + "\n",
        lambda text: text.replace(".", "..", 1),
        lambda text: text.replace("~", "=~", 1),
        lambda text: "{" + text + "}",
        lambda text: text.replace("e", "е", 1),  # a Cyrillic letter
        lambda text: text + "A" * LONGEST,
    ],
)
def test_another_form_of_the_text_is_refused(
    ring: Ring, receipt: str, alter: Callable[[str], str]
) -> None:
    _refusal(ring, alter(receipt))


def test_disclosures_are_refused_out_of_order_twice_or_of_another_receipt(
    ring: Ring, receipt: str
) -> None:
    signed, *texts, _ = receipt.split("~")
    other = ring.issuer.issue(shown_check(), RECIPIENT).split("~")[1:-1]
    for wrong in (texts[::-1], [*texts, texts[-1]], [texts[0], *texts], [*texts, other[0]], other):
        text = "~".join((signed, *wrong, ""))
        assert _refusal(ring, text) is RefusalReason.DISCLOSURE


def test_no_other_library_is_needed(ring: Ring, receipt: str) -> None:
    """Whoever has any library for JWS verifies the signature with the published key."""
    key = ring.issuer.keys.by_id["key-1"].key
    read = jws.deserialize_compact(receipt.split("~", maxsplit=1)[0], key, registry=REGISTRY)
    assert json.loads(read.payload)["outcome"] == "UNKNOWN"


# --- keys


def test_a_retired_key_verifies_and_a_revoked_one_does_not(ring: Ring, receipt: str) -> None:
    ring.rotate("key-2")
    verified = _verify(ring, receipt)
    assert (verified.key.id, verified.key.status) == ("key-1", KeyStatus.RETIRED)
    later = ring.issuer.issue(shown_check(), RECIPIENT)
    assert _verify(ring, later).key.status is KeyStatus.CURRENT
    ring.revoke("key-1")
    assert _refusal(ring, receipt) is RefusalReason.KEY_REVOKED
    assert _verify(ring, later).key.id == "key-2"
    published = ReceiptKeys.of_jwks(ring.issuer.keys.jwks())
    with pytest.raises(ReceiptRefused):
        verify_receipt(receipt, published)
    verify_receipt(later, published)


def test_a_receipt_of_another_gateway_is_refused(ring: Ring, receipt: str) -> None:
    other = Ring(keys=[signing_key("key-of-another")])
    assert _refusal(other, receipt) is RefusalReason.KEY_UNKNOWN
    # Even with a key that goes by the same name.
    assert _refusal(Ring(), receipt) is RefusalReason.SIGNATURE


def test_the_gateway_opens_what_it_sealed_without_disclosures(ring: Ring, receipt: str) -> None:
    verified, sealed = ring.issuer.open(select_disclosures(receipt, ()))
    assert verified.disclosed == {}
    assert sealed.input["groom"] == HOA
    assert (sealed.client, sealed.case_number) == (RECIPIENT.client, CASE_NUMBER)
    assert sealed.at == "2026-12-01"
    stranger = Ring(keys=ring.keys)  # it has the key that signs, not the one that seals
    with pytest.raises(ReceiptRefused):
        stranger.issuer.open(receipt)


# --- who it is about


def test_a_holder_discloses_one_role_alone(ring: Ring, receipt: str) -> None:
    shown = select_disclosures(receipt, ["person.groom"])
    verified = _verify(ring, shown)
    assert verified.people == {"groom": HOA}
    assert verified.case_number is None
    assert verified.undisclosed == 4
    assert verified.confirm_person("groom", HOA) is Confirmation.CONFIRMED
    assert verified.confirm_person("groom", LAN) is Confirmation.DIFFERS
    assert verified.confirm_person("bride", LAN) is Confirmation.NOT_DISCLOSED
    assert verified.confirm_case(CASE_NUMBER) is Confirmation.NOT_DISCLOSED


def test_nobody_confirms_a_guess_without_its_disclosure(ring: Ring, receipt: str) -> None:
    bare = select_disclosures(receipt, ())
    verified = _verify(ring, bare)
    for number in (HOA, LAN):
        assert verified.confirm_person("groom", number) is Confirmation.NOT_DISCLOSED
    # Nothing that is computable without the salt stands in it: no number, no role, no case, and
    # another receipt of the same check has not one digest in common.
    payload = _payload(bare).decode()
    for secret in (HOA, LAN, CASE_NUMBER, "groom", "Bến Thành", "id-of-a-record"):
        assert secret not in payload
        assert base64.urlsafe_b64encode(secret.encode()).decode().rstrip("=") not in payload
    again = _verify(ring, ring.issuer.issue(shown_check(), RECIPIENT)).statement
    assert not set(again.digests) & set(verified.statement.digests)
    assert not set(again.evidence) & set(verified.statement.evidence)
    assert again.sealed != verified.statement.sealed


def test_a_guess_with_a_made_up_disclosure_is_refused(ring: Ring, receipt: str) -> None:
    guess = encode_base64url(encode_json([encode_base64url(b"x" * 16), "person.groom", HOA]))
    bare = select_disclosures(receipt, ())
    assert _refusal(ring, f"{bare}{guess}~") is RefusalReason.DISCLOSURE


def test_any_of_several_people_in_a_role_is_confirmed(ring: Ring) -> None:
    check = shown_check()
    object.__setattr__(check, "people", {"children": (HOA, LAN)})
    verified = _verify(ring, ring.issuer.issue(check, RECIPIENT))
    assert verified.people == {"children.1": HOA, "children.2": LAN}
    assert verified.confirm_person("children", LAN) is Confirmation.CONFIRMED
    assert verified.confirm_person("children.1", LAN) is Confirmation.DIFFERS
    assert verified.confirm_person("child", LAN) is Confirmation.NOT_DISCLOSED


def test_a_claim_that_is_not_there_cannot_be_selected(receipt: str) -> None:
    with pytest.raises(KeyError, match=r"person\.witness"):
        select_disclosures(receipt, ["case", "person.witness"])
    with pytest.raises(ReceiptRefused):
        select_disclosures("no receipt", [])


def test_records_are_disclosed_only_on_request(ring: Ring, receipt: str) -> None:
    assert _verify(ring, select_disclosures(receipt, ["case"])).evidence == {}
    assert len(_verify(ring, select_disclosures(receipt, ["case"], evidence=True)).evidence) == 1


def test_states_are_those_of_the_rules(ring: Ring, receipt: str) -> None:
    rules = _verify(ring, receipt).statement.check.rules
    assert [rule.state for rule in rules] == [RuleState.PASS, RuleState.UNKNOWN]
    assert [len(rule.evidence) for rule in rules] == [1, 0]
