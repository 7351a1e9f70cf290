"""Tokens never grant more than their issuer may grant."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.access.claims import ClaimRules, TokenRefused, caller_of, limit_grants
from gateway.settings import Access, ClaimNames, TrustedIssuer

NOW = 1_800_000_000.0
CLAIMS: dict[str, Any] = {
    "iss": "https://login.example",
    "aud": "justice-gateway",
    "sub": "001090012345",
    "client_id": "desk",
    "jti": "1",
    "iat": NOW,
    "exp": NOW + 600,
    "scope": "me civil_status:read population:read",
    "purposes": ["1.000894", "2.000635"],
    "act_for": "001220000001",
}


def expected(
    scopes: set[str] | None, purposes: set[str] | None, clients: set[str] | None = None
) -> ClaimRules:
    return ClaimRules(
        "https://login.example",
        "justice-gateway",
        5,
        ClaimNames(),
        scopes=None if scopes is None else frozenset(scopes),
        purposes=None if purposes is None else frozenset(purposes),
        clients=None if clients is None else frozenset(clients),
    )


def test_without_limits_a_token_grants_what_it_says() -> None:
    caller, _ = caller_of(CLAIMS, expected(None, None), NOW)
    assert caller.scopes == {"me", "civil_status:read", "population:read"}
    assert caller.purposes == {"1.000894", "2.000635"}
    assert (caller.citizen, caller.representative) == ("001220000001", "001090012345")


def test_scopes_and_purposes_beyond_the_issuer_are_left_out() -> None:
    limits = expected({"civil_status:read", "notary:read", "me"}, {"1.000894"})
    caller, _ = caller_of(CLAIMS, limits, NOW)
    assert caller.scopes == {"me", "civil_status:read"}
    assert caller.purposes == {"1.000894"}
    assert caller.citizen == "001220000001"


@pytest.mark.parametrize("scopes", [set(), {"civil_status:read"}])
def test_an_issuer_that_cannot_grant_the_own_view_speaks_for_no_citizen(scopes: set[str]) -> None:
    caller, _ = caller_of(CLAIMS, expected(scopes, set()), NOW)
    assert caller.scopes == scopes
    assert caller.purposes == frozenset()
    assert (caller.citizen, caller.representative) == (None, None)


def test_an_issuer_speaks_for_its_clients_only() -> None:
    caller, _ = caller_of(CLAIMS, expected(None, None, {"desk", "kiosk"}), NOW)
    assert caller.client == "desk"
    with pytest.raises(TokenRefused, match="not one of the clients of its issuer"):
        caller_of(CLAIMS, expected(None, None, {"kiosk"}), NOW)
    with pytest.raises(TokenRefused, match="not one of the clients of its issuer"):
        limit_grants(caller, expected(None, None, {"kiosk"}))


def test_a_client_has_one_issuer() -> None:
    ministry = TrustedIssuer(
        issuer="https://id.example", audience="gateway", clients=frozenset({"desk", "kiosk"})
    )
    notaries = TrustedIssuer(
        issuer="https://login.example", audience="gateway", clients=frozenset({"desk", "office"})
    )
    with pytest.raises(ValueError, match="clients of two issuers: desk"):
        Access(issuers={"ministry": ministry, "notaries": notaries})


def test_an_issuer_without_a_list_speaks_for_no_client_that_another_lists() -> None:
    ministry = TrustedIssuer(
        issuer="https://id.example", audience="gateway", clients=frozenset({"desk"})
    )
    notaries = TrustedIssuer(issuer="https://login.example", audience="justice-gateway")
    access = Access(issuers={"ministry": ministry, "notaries": notaries})
    assert access.clients_of_others("ministry") == frozenset()
    rules = replace(expected(None, None), clients_of_others=access.clients_of_others("notaries"))
    with pytest.raises(TokenRefused, match="a client of another issuer"):
        caller_of(CLAIMS, rules, NOW)
    caller, _ = caller_of({**CLAIMS, "client_id": "office"}, rules, NOW)
    assert caller.client == "office"
