"""Access: tokens and their issuers, keys, purposes, and origins of web pages."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, StringConstraints, field_validator, model_validator

from gateway.settings.part import SettingsPart
from gateway.settings.urls import is_safe_url


class ClaimNames(SettingsPart):
    """The names of an issuer's claims. Of several names, the first claim that exists counts."""

    client: tuple[str, ...] = ("client_id", "azp")
    scope: tuple[str, ...] = ("scope", "scp")
    agency: tuple[str, ...] = ("agency",)
    purposes: tuple[str, ...] = ("purposes",)
    token_id: tuple[str, ...] = ("jti",)
    act_for: tuple[str, ...] = ("act_for",)
    authorisation: tuple[str, ...] = ("authorisation",)


class TrustedIssuer(SettingsPart):
    """An OpenID Connect issuer whose access tokens are accepted.

    ``jwks_url`` None: the issuer's own description names it. ``scopes`` and ``purposes``: the most
    that its tokens can grant, whatever they state; None: anything. ``clients``: the client systems
    that its tokens may name; None: any that no other issuer lists. A client is known by its name
    alone, whoever vouches for it: what it owns, and what is lent to it, belongs to every token that
    names it.
    """

    issuer: str
    audience: str = Field(min_length=1)
    jwks_url: str | None = None
    scopes: frozenset[str] | None = None
    purposes: frozenset[str] | None = None
    clients: frozenset[str] | None = None
    claims: ClaimNames = ClaimNames()

    @field_validator("issuer", "jwks_url")
    @classmethod
    def _safe(cls, url: str | None) -> str | None:
        if url is not None and not is_safe_url(url):
            raise ValueError("it must be an https URL (http only from this machine itself)")
        return url


class Access(SettingsPart):
    """Tokens of the gateway's own key and of trusted issuers. Times in seconds.

    ``refresh``: between two fetches of an issuer's keys. ``cool_down``: between two fetches for
    tokens that no known key signed. ``keep_keys``: how long the last keys of an issuer that
    publishes none stay in use.
    """

    issuer: str = "justice-gateway"
    audience: str = "justice-gateway"
    leeway: int = Field(default=5, ge=0, le=60)
    issuers: dict[str, TrustedIssuer] = Field(default={})
    refresh: float = Field(default=300.0, gt=0)
    cool_down: float = Field(default=30.0, ge=0)
    keep_keys: float = Field(default=900.0, ge=0)
    timeout: float = Field(default=2.0, gt=0)
    revocations: Path = Path("revoked/tokens.jsonl")

    @model_validator(mode="after")
    def _each_once(self) -> Access:
        names = [self.issuer, *(trusted.issuer for trusted in self.issuers.values())]
        if len(names) != len(set(names)):
            raise ValueError("an issuer must not be named twice")
        counts = Counter(
            client for trusted in self.issuers.values() for client in trusted.clients or ()
        )
        shared = sorted(name for name, count in counts.items() if count > 1)
        if shared:
            raise ValueError(f"clients of two issuers: {', '.join(shared)}")
        return self

    def clients_of_others(self, name: str) -> frozenset[str]:
        """Return the clients that issuers other than the one called ``name`` list."""
        others = [trusted.clients or () for key, trusted in self.issuers.items() if key != name]
        return frozenset().union(*others)


class Keys(SettingsPart):
    """The keys: in files, or as ``*_value``, which wins and is never shown."""

    token: Path = Path("keys/token.jwk")
    cache: Path = Path("keys/cache.key")
    person_hash: Path = Path("keys/person-hash.key")
    audit_chain: Path = Path("keys/audit-chain.key")
    audit_sign: Path = Path("keys/audit-sign.jwk")
    record_id: Path = Path("keys/record-id.key")
    receipt_sign: Path = Path("keys/receipt-sign.jwk")
    receipt_seal: Path = Path("keys/receipt-seal.key")
    webhook_sign: Path = Path("keys/webhook-sign.jwk")
    token_value: SecretStr | None = None
    cache_value: SecretStr | None = None
    person_hash_value: SecretStr | None = None
    audit_chain_value: SecretStr | None = None
    audit_sign_value: SecretStr | None = None
    record_id_value: SecretStr | None = None
    receipt_sign_value: SecretStr | None = None
    receipt_seal_value: SecretStr | None = None
    webhook_sign_value: SecretStr | None = None


#: Kinds of events of people (``gateway.changes.event``).
EventKindName = Literal[
    "BIRTH",
    "DEATH",
    "MARRIAGE",
    "DIVORCE",
    "BLOCK_PLACED",
    "BLOCK_LIFTED",
    "CASE_OPENED",
    "CASE_CLOSED",
    "CORRECTION",
]


class InterestTerms(SettingsPart):
    """Which interests in people's events may be registered under one purpose.

    ``kinds``: of which events; none: no interest may be. ``days``: for how long at most.
    """

    kinds: frozenset[EventKindName] = frozenset()
    days: float = Field(default=90, gt=0)


class Purpose(SettingsPart):
    """How the reads of one procedure are handled.

    ``deferred_days``: a lawful delay (an investigation), in days, before people see a read of their
    records in the access log, and an interest in their events. ``interests``: which may be
    registered.
    """

    deferred_days: int = Field(default=0, ge=0)
    interests: InterestTerms = InterestTerms()


#: An origin (RFC 6454) as browsers send it. There is no wildcard: a token is not for every page.
_ORIGIN = r"^https?://[a-z0-9.-]+(:[0-9]{1,5})?$"


class Cors(SettingsPart):
    """The web pages of other origins that may call the gateway from a browser.

    ``origins``: as browsers send them, without a path; none by default.
    """

    origins: tuple[Annotated[str, StringConstraints(pattern=_ORIGIN)], ...] = ()
