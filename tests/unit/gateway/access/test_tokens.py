"""Tokens: which are accepted, and that a token cannot choose how it is verified.

Covers ``gateway.access.authenticate``, ``gateway.access.claims``, ``gateway.access.inspection``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from gateway.access.tokens import Tokens, issue
from gateway.errors import GatewayError
from gateway.settings import Access
from tests.support.calls import calls_of
from tests.support.generated import PATIENT
from tests.support.people import HOA, OLD_NUMBER
from tests.support.running import TestClock

ACCESS = Access()
DAY = timedelta(hours=24)


def _b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _new_key() -> OKPKey:
    return OKPKey.generate_key("Ed25519", parameters={"kid": "k1"})


@dataclass
class Desk:
    """An issuer of tokens, a gateway that checks them, and the clock of both."""

    key: OKPKey = field(default_factory=_new_key)
    clock: TestClock = field(default_factory=TestClock)
    most: int = 10_000

    def __post_init__(self) -> None:
        self.tokens = Tokens([self.key], ACCESS, self.clock, self.most)

    def issue(self, life: timedelta = timedelta(hours=1), subject: str = "officer-1") -> str:
        """Return a token as the command line would print it."""
        return issue(
            self.key,
            ACCESS,
            self.clock.now(),
            subject=subject,
            client="desk",
            scopes=("population:read",),
            agency="Sở Tư pháp",
            purposes=("1.000894",),
            life=life,
        )

    def claims(self, **changed: object) -> dict[str, object]:
        """Return claims that would be accepted but for what is ``changed``."""
        now = int(self.clock.now().timestamp())
        good: dict[str, object] = {
            "iss": ACCESS.issuer,
            "aud": ACCESS.audience,
            "sub": "officer-1",
            "client_id": "desk",
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "jti": "t1",
            "scope": "population:read",
            "purposes": [],
        }
        return {**good, **changed}

    def sign(self, payload: bytes, header: Mapping[str, object] | bytes | None = None) -> str:
        """Sign anything at all with the right key, by hand."""
        head = {"alg": "Ed25519", "typ": "JWT"} if header is None else header
        encoded_head = head if isinstance(head, bytes) else json.dumps(head).encode()
        signed = f"{_b64(encoded_head)}.{_b64(payload)}"
        # joserfc says that a key may be of X25519 too, which cannot sign; this one is of Ed25519.
        signature = self.key.private_key.sign(signed.encode())  # type: ignore[union-attr]
        return f"{signed}.{_b64(signature)}"

    def sign_claims(self, **changed: object) -> str:
        """Return a token with ``changed`` claims, signed with the right key."""
        return self.sign(json.dumps(self.claims(**changed)).encode())

    def refusal(self, token: str) -> str:
        """Return the code with which ``token`` is refused."""
        with pytest.raises(GatewayError) as excinfo:
            self.tokens.verify(token)
        assert excinfo.value.message == excinfo.value.code.en, "the reason is not told"
        return excinfo.value.code.name


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_good_token_says_who_asks(desk: Desk) -> None:
    caller = desk.tokens.verify(desk.issue())
    assert (caller.client, caller.agency, caller.subject) == ("desk", "Sở Tư pháp", "officer-1")
    assert caller.scopes == {"population:read"}
    assert caller.purposes == {"1.000894"}
    assert caller.citizen is None
    assert caller.purpose is None, "which purpose a request has, it says itself"
    assert caller.token_id
    assert caller.expires == desk.clock.now() + timedelta(hours=1)
    assert not caller.is_anonymous


def test_a_token_made_by_hand_with_the_right_claims_is_good(desk: Desk) -> None:
    """So that the refusals below are refusals of what they change, and of nothing else."""
    assert desk.tokens.verify(desk.sign_claims()).client == "desk"


def test_the_older_name_of_the_algorithm_is_not_accepted(desk: Desk) -> None:
    """RFC 9864 deprecates EdDSA; one algorithm has one name here."""
    token = desk.sign(json.dumps(desk.claims()).encode(), {"alg": "EdDSA"})
    assert desk.refusal(token) == "TOKEN_INVALID"


def test_a_key_without_an_id_signs_too() -> None:
    desk = Desk(key=OKPKey.generate_key("Ed25519"))
    assert desk.tokens.verify(desk.issue()).client == "desk"


@pytest.mark.parametrize("number", [HOA, OLD_NUMBER])
def test_the_scope_me_makes_the_subject_the_citizen(desk: Desk, number: str) -> None:
    assert desk.tokens.verify(desk.sign_claims(sub=number, scope="me")).citizen == number


def test_without_the_scope_me_a_number_as_subject_is_no_citizen(desk: Desk) -> None:
    assert desk.tokens.verify(desk.sign_claims(sub=HOA)).citizen is None


@pytest.mark.parametrize("subject", ["officer-1", "", "00109001234", "0010900123456", "٠" * 12])
def test_a_citizen_whose_subject_is_no_number_is_refused(desk: Desk, subject: str) -> None:
    assert desk.refusal(desk.sign_claims(sub=subject, scope="me")) == "TOKEN_INVALID"


def test_a_token_expires_after_its_life_and_the_leeway(desk: Desk) -> None:
    token = desk.issue(life=timedelta(minutes=5))
    desk.clock.advance(300 + ACCESS.leeway - 1)
    assert desk.tokens.verify(token).client == "desk"
    desk.clock.advance(1)
    assert desk.refusal(token) == "TOKEN_EXPIRED"


def test_a_token_first_seen_after_its_end_is_told_that_it_expired(desk: Desk) -> None:
    token = desk.issue(life=timedelta(minutes=5))
    desk.clock.advance(3600)
    assert desk.refusal(token) == "TOKEN_EXPIRED"


@pytest.mark.parametrize("claim", ["nbf", "iat"])
def test_a_token_of_the_future_waits_for_its_time(desk: Desk, claim: str) -> None:
    now = int(desk.clock.now().timestamp())
    assert desk.tokens.verify(desk.sign_claims(**{claim: now + ACCESS.leeway})).client == "desk"
    early = desk.sign_claims(**{claim: now + ACCESS.leeway + 1})
    assert desk.refusal(early) == "TOKEN_INVALID"
    desk.clock.advance(1)
    assert desk.tokens.verify(early).client == "desk", "a refusal is not kept"


@pytest.mark.parametrize("life", [timedelta(0), timedelta(seconds=-1), DAY + timedelta(seconds=1)])
def test_no_token_is_issued_for_more_than_a_day_or_for_no_time(desk: Desk, life: timedelta) -> None:
    with pytest.raises(ValueError, match="24 hours"):
        desk.issue(life=life)


def test_a_day_is_the_longest_life(desk: Desk) -> None:
    assert desk.tokens.verify(desk.issue(life=DAY)).client == "desk"


def test_a_longer_life_is_refused_even_under_the_right_signature(desk: Desk) -> None:
    now = int(desk.clock.now().timestamp())
    assert desk.refusal(desk.sign_claims(exp=now + 24 * 3600 + 1)) == "TOKEN_INVALID"
    assert desk.refusal(desk.sign_claims(exp=now + 10, iat=now - 24 * 3600)) == "TOKEN_INVALID"


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "somebody-else"},
        {"aud": "somebody-else"},
        {"aud": ["justice-gateway"]},
        {"iss": None},
        {"scope": ["population:read"]},
        {"scope": None},
        {"scope": {"population": "read"}},
        {"purposes": "1.000894"},
        {"purposes": {"1.000894": True}},
        {"purposes": [1]},
        {"purposes": None},
        {"sub": 1090012345},
        {"sub": None},
        {"client_id": ["desk"]},
        {"agency": 7},
        {"jti": 7},
        {"exp": "2099-01-01"},
        {"exp": True},
        {"exp": None},
        {"exp": [1]},
        {"exp": 10**400},
        {"exp": -(10**300)},
        {"exp": float("inf")},
        {"exp": float("nan")},
        {"iat": float("nan"), "exp": 9_999_999_999},
        {"iat": float("-inf")},
        {"nbf": float("nan")},
        {"nbf": False},
        {"sub": "\ud800"},
        {"agency": "\udfff"},
    ],
    ids=lambda changed: ",".join(f"{name}={value!r:.20}" for name, value in changed.items()),
)
def test_claims_of_the_wrong_kind_are_refused_under_the_right_signature(
    desk: Desk, changed: dict[str, object]
) -> None:
    assert desk.refusal(desk.sign_claims(**changed)) == "TOKEN_INVALID"


@pytest.mark.parametrize("missing", ["iss", "aud", "sub", "client_id", "iat", "nbf", "exp", "jti"])
def test_every_claim_that_says_who_and_when_is_needed(desk: Desk, missing: str) -> None:
    claims = desk.claims()
    del claims[missing]
    assert desk.refusal(desk.sign(json.dumps(claims).encode())) == "TOKEN_INVALID"


def test_a_token_without_scopes_and_purposes_may_do_nothing(desk: Desk) -> None:
    claims = desk.claims()
    del claims["scope"], claims["purposes"]
    caller = desk.tokens.verify(desk.sign(json.dumps(claims).encode()))
    assert caller.scopes == caller.purposes == frozenset()


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"sub"',
        b"7",
        b"\xff\xfe",
        b"[" * 4_000,
        b'{"exp":' + b"9" * 4_400,
    ],
    ids=lambda payload: repr(payload[:12]),
)
def test_a_payload_that_is_no_object_is_refused_under_the_right_signature(
    desk: Desk, payload: bytes
) -> None:
    assert desk.refusal(desk.sign(payload)) == "TOKEN_INVALID"


def test_an_unsigned_token_is_refused(desk: Desk) -> None:
    """RFC 8725 section 2.1: ``alg: none``, in any spelling, with or without a signature."""
    payload = _b64(json.dumps(desk.claims()).encode())
    signature = desk.issue().rpartition(".")[2]
    for name in ("none", "None", "NONE", "nOnE", ""):
        head = _b64(json.dumps({"alg": name}).encode())
        assert desk.refusal(f"{head}.{payload}.") == "TOKEN_INVALID"
        assert desk.refusal(f"{head}.{payload}.{signature}") == "TOKEN_INVALID"


def test_the_public_key_is_no_shared_secret(desk: Desk) -> None:
    """RFC 8725 section 2.1: HS256, with any form of the public key as the secret."""
    head = _b64(b'{"alg":"HS256","typ":"JWT"}')
    signed = f"{head}.{_b64(json.dumps(desk.claims()).encode())}"
    public = desk.key.as_dict(private=False)
    secrets = [
        desk.key.as_pem(private=False),
        base64.urlsafe_b64decode(str(public["x"]) + "=="),
        str(public["x"]).encode(),
        json.dumps(public).encode(),
    ]
    for secret in secrets:
        signature = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
        assert desk.refusal(f"{signed}.{_b64(signature)}") == "TOKEN_INVALID"


def test_another_key_of_the_same_kind_is_refused(desk: Desk) -> None:
    forger = Desk(clock=desk.clock)
    assert desk.refusal(forger.issue()) == "TOKEN_INVALID"
    named_alike = {"alg": "Ed25519", "kid": desk.key.kid}
    token = forger.sign(json.dumps(forger.claims()).encode(), named_alike)
    assert desk.refusal(token) == "TOKEN_INVALID"


@pytest.mark.parametrize(
    ("algorithm", "make"),
    [
        ("RS256", lambda: RSAKey.generate_key(2048)),
        ("PS256", lambda: RSAKey.generate_key(2048)),
        ("ES256", lambda: ECKey.generate_key("P-256")),
    ],
)
def test_a_key_of_another_kind_is_refused(
    desk: Desk, algorithm: str, make: Callable[[], RSAKey | ECKey]
) -> None:
    """Also when the token brings the key along, in its header."""
    key = make()
    public = key.as_dict(private=False)
    for header in ({"alg": algorithm}, {"alg": algorithm, "jwk": public}):
        token = jwt.encode(header, desk.claims(), key, algorithms=[algorithm])
        assert desk.refusal(token) == "TOKEN_INVALID"


def test_a_key_in_the_header_is_not_believed(desk: Desk) -> None:
    forger = Desk(clock=desk.clock)
    header = {"alg": "Ed25519", "jwk": forger.key.as_dict(private=False)}
    token = forger.sign(json.dumps(forger.claims()).encode(), header)
    assert desk.refusal(token) == "TOKEN_INVALID"


@pytest.mark.parametrize(
    "header",
    [
        b"{",
        b"null",
        b"1",
        b"[]",
        b'"Ed25519"',
        b"{}",
        b'{"alg":["Ed25519"]}',
        b'{"alg":{"x":1}}',
        b'{"alg":null}',
        b'{"alg":"Ed25519","crit":["exp"]}',
        b'{"alg":"Ed25519","crit":["b64"],"b64":false}',
        b'{"alg":"dir","enc":"A128GCM"}',
        b"\xff",
        b"[" * 4_000,
    ],
    ids=lambda header: repr(header[:40]),
)
def test_a_header_that_makes_no_sense_is_refused(desk: Desk, header: bytes) -> None:
    token = desk.sign(json.dumps(desk.claims()).encode(), header)
    assert desk.refusal(token) == "TOKEN_INVALID"


def test_a_token_cut_off_anywhere_is_refused(desk: Desk) -> None:
    token = desk.sign_claims()
    for end in range(len(token)):
        assert desk.refusal(token[:end]) == "TOKEN_INVALID"


def test_a_token_with_any_part_changed_is_refused(desk: Desk) -> None:
    head, payload, signature = desk.sign_claims().split(".")
    richer = _b64(json.dumps(desk.claims(scope="population:read introspect")).encode())
    other = _b64(json.dumps({"alg": "EdDSA", "typ": "JWT"}).encode())
    assert desk.refusal(f"{head}.{richer}.{signature}") == "TOKEN_INVALID"
    assert desk.refusal(f"{other}.{payload}.{signature}") == "TOKEN_INVALID"
    flipped = ("A" if signature[0] != "A" else "B") + signature[1:]
    assert desk.refusal(f"{head}.{payload}.{flipped}") == "TOKEN_INVALID"
    assert desk.refusal(f"{head}.{payload}.{signature}.{signature}") == "TOKEN_INVALID"
    assert desk.refusal(f"{head}.{payload}..{signature}.") == "TOKEN_INVALID"


def test_a_huge_token_is_refused_without_being_read(desk: Desk, checks: list[str]) -> None:
    token = desk.sign_claims(agency="x" * 8_000)
    assert desk.refusal(token) == "TOKEN_INVALID"
    assert desk.refusal("x" * 1_000_000) == "TOKEN_INVALID"
    assert not checks


@PATIENT
@given(st.text(max_size=200))
def test_any_text_at_all_is_refused_with_a_code(text: str) -> None:
    """Also with letters beyond ASCII, and with halves of surrogate pairs."""
    desk = _SHARED
    assert desk.refusal(text) == "TOKEN_INVALID"
    assert desk.refusal(f"{_HEAD}.{text}.{text}") == "TOKEN_INVALID"


_SHARED = Desk()
_HEAD = _b64(b'{"alg":"Ed25519"}')


def test_letters_beyond_ascii_in_claims_are_kept_as_they_are(desk: Desk) -> None:
    assert (
        desk.tokens.verify(desk.sign_claims(agency="Sở Tư pháp Hà Nội")).agency
        == "Sở Tư pháp Hà Nội"
    )


@pytest.fixture
def checks() -> Iterator[list[str]]:
    """Note each time that the signature of a token is checked."""
    with calls_of(jwt.decode) as calls:
        yield calls.names


def test_a_signature_is_checked_once_for_all_uses_of_a_token(desk: Desk, checks: list[str]) -> None:
    token = desk.issue()
    first = desk.tokens.verify(token)
    assert all(desk.tokens.verify(token) == first for _ in range(5))
    assert checks == ["decode"]


def test_a_known_token_still_expires(desk: Desk, checks: list[str]) -> None:
    token = desk.issue(life=timedelta(minutes=5))
    desk.tokens.verify(token)
    desk.clock.advance(3600)
    assert desk.refusal(token) == "TOKEN_EXPIRED"
    assert checks == ["decode"]


def test_known_tokens_are_bounded_and_the_oldest_go_first(checks: list[str]) -> None:
    desk = Desk(most=3)
    issued = [desk.issue(subject=f"officer-{number}") for number in range(5)]
    for token in issued:
        desk.tokens.verify(token)
    checks.clear()
    for token in issued[2:]:
        desk.tokens.verify(token)
    assert checks == [], "the last three are known"
    desk.tokens.verify(issued[0])
    assert checks == ["decode"], "the first is not any more"


def test_refused_tokens_take_no_room_among_the_known(checks: list[str]) -> None:
    desk = Desk(most=2)
    token = desk.issue()
    desk.tokens.verify(token)
    for number in range(10):
        desk.refusal(desk.sign_claims(iss=f"nobody-{number}"))
    checks.clear()
    desk.tokens.verify(token)
    assert checks == []
