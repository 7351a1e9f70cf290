"""Limits of requests, connections and clients."""

from __future__ import annotations

from ipaddress import ip_network
from typing import ClassVar

from pydantic import Field, field_validator

from gateway.settings.part import SettingsPart


class Limits(SettingsPart):
    """Limits of one request. Times in seconds.

    ``anonymous_body_bytes``: for a request without a token, in place of ``body_bytes``.
    ``cached_documents``: documents kept in memory, and as many analyses and plans.
    ``new_documents_per_minute``: documents that a client may have compiled;
    ``trial_documents_per_minute``: beside them, for dry runs (``myAccess { trial }``).
    """

    RENAMED: ClassVar[dict[str, str]] = {
        "documents": "cached_documents",
        "new_documents": "new_documents_per_minute",
    }

    body_bytes: int = Field(default=256 * 1024, gt=0)
    anonymous_body_bytes: int = Field(default=16 * 1024, gt=0)
    document_characters: int = Field(default=16 * 1024, gt=0)
    tokens: int = Field(default=600, gt=0)
    operations: int = Field(default=10, gt=0)
    fragments: int = Field(default=30, ge=0)
    variables: int = Field(default=30, ge=0)
    depth: int = Field(default=12, gt=0)
    introspection_depth: int = Field(default=16, gt=0)
    aliases: int = Field(default=30, ge=0)
    directives: int = Field(default=30, ge=0)
    fields: int = Field(default=300, gt=0)
    repeated_fields: int = Field(default=8, gt=0)
    persons: int = Field(default=100, gt=0)
    persons_reached: int = Field(default=1_000, gt=0)
    deadline: float = Field(default=3.0, gt=0)
    cached_documents: int = Field(default=1_000, gt=0)
    new_documents_per_minute: int = Field(default=120, gt=0)
    trial_documents_per_minute: int = Field(default=180, gt=0)
    cost: int = Field(default=200_000, gt=0)
    cost_enforced: bool = True

    def body_bytes_of(self, client: str | None) -> int:
        """Return the largest body that ``client`` may send; None: a request without a token."""
        if client is not None:
            return self.body_bytes
        return min(self.body_bytes, self.anonymous_body_bytes)


class ConnectionLimits(SettingsPart):
    """Limits of connections, and timeouts in seconds.

    ``header_bytes`` and ``headers``: of one request, without its target, which has ``url_bytes``.
    ``unfinished_bodies``: requests whose body has not arrived yet. ``grace``: how long a process
    that is stopped goes on with the requests in flight. ``proxies``: addresses or networks of
    reverse proxies: their ``X-Forwarded-For`` is trusted, and ``per_address`` does not apply to
    them.
    """

    header_bytes: int = Field(default=32 * 1024, ge=1024)
    headers: int = Field(default=100, gt=0)
    url_bytes: int = Field(default=16 * 1024, ge=256)
    header_timeout: float = Field(default=10.0, gt=0)
    body_timeout: float = Field(default=20.0, gt=0)
    idle_timeout: int = Field(default=20, gt=0)
    answer_timeout: float = Field(default=30.0, gt=0)
    per_address: int = Field(default=256, gt=0)
    total: int = Field(default=2_000, gt=0)
    unfinished_bodies: int = Field(default=128, gt=0)
    grace: int = Field(default=8, gt=0)
    proxies: tuple[str, ...] = ()

    @field_validator("proxies")
    @classmethod
    def _networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(ip_network(proxy)) for proxy in proxies)


class RateLimits(SettingsPart):
    """Rate limits of each client. None: unlimited. A day is a legal day.

    ``mismatches_...``: attempts to match a person that failed: of one client about one person, of
    one caller, of one client. ``mismatches_per_person_alarm``: attempts about one person, by any
    clients, that raise an alarm. ``unidentified_...``: answers about numbers that nobody holds.
    ``cost``: the bound that is known before anything is read. ``enforced`` False: requests beyond a
    limit are answered and only counted.
    """

    requests_per_minute: int = Field(default=6_000, gt=0)
    cost_per_minute: int = Field(default=50_000_000, gt=0)
    requests_per_day: int | None = Field(default=None, gt=0)
    cost_per_day: int | None = Field(default=None, gt=0)
    anonymous_per_minute: int = Field(default=600, gt=0)
    mismatches_per_person_per_day: int = Field(default=5, gt=0)
    mismatches_per_caller_per_day: int = Field(default=100, gt=0)
    mismatches_per_day: int = Field(default=500, gt=0)
    unidentified_per_caller_per_day: int = Field(default=500, gt=0)
    unidentified_per_day: int = Field(default=5_000, gt=0)
    mismatches_per_person_alarm: int = Field(default=20, gt=0)
    enforced: bool = True
    in_flight: int = Field(default=512, gt=0)


class Client(SettingsPart):
    """Settings of one client, by its name in tokens. None: as in ``rates``.

    ``matching``: the client must state the date of birth with each number; ``matching_name``: the
    name too. ``published_only``: it may call published operations only, whatever its tokens permit.
    """

    requests_per_minute: int | None = Field(default=None, gt=0)
    cost_per_minute: int | None = Field(default=None, gt=0)
    requests_per_day: int | None = Field(default=None, gt=0)
    cost_per_day: int | None = Field(default=None, gt=0)
    matching: bool = False
    matching_name: bool = False
    published_only: bool = False
