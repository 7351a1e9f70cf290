"""Limits: what one request, one connection and one client may use up."""

from __future__ import annotations

from ipaddress import ip_network

from pydantic import Field, field_validator

from gateway.settings.part import SettingsPart


class Limits(SettingsPart):
    """What one request may ask for. Times in seconds.

    ``anonymous_body_bytes``: of a request without a token, in place of ``body_bytes``.
    """

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
    documents: int = Field(default=1_000, gt=0)
    new_documents: int = Field(default=120, gt=0)
    cost: int = Field(default=200_000, gt=0)
    cost_enforced: bool = True

    def body_bytes_of(self, client: str | None) -> int:
        """Return how large a body ``client`` may send; None: whoever shows no token."""
        if client is not None:
            return self.body_bytes
        return min(self.body_bytes, self.anonymous_body_bytes)


class ConnectionLimits(SettingsPart):
    """How many connections there may be, and how long they wait for their clients.

    Times in seconds. ``header_bytes`` and ``headers``: of one request, its target aside, which has
    ``url_bytes``. ``unfinished_bodies``: requests whose body is on its way. ``grace``: how long a
    process that is told to stop goes on with what it has begun. ``proxies``: addresses or networks
    that speak for others: their ``X-Forwarded-For`` is believed, and ``per_address`` is not held
    against them.
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
        return tuple(str(ip_network(one)) for one in proxies)


class RateLimits(SettingsPart):
    """How much each client may ask for, and how much at once; None: without end.

    ``mismatches_...``: attempts to match a person without success: of one client about one person,
    of one caller, of one client; and after how many about one person, whoever makes them, there is
    an alarm.
    ``cost`` is the bound known before anything is read. A day is a legal day. ``enforced`` False:
    what is beyond a rate is answered and only counted.
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
    """What is different for one client, by its name in tokens; None: as ``rates`` has it.

    ``matching``: the client must give the date of birth with each number; ``matching_name``: the
    name too. ``published_only``: it calls published operations and nothing else, whatever its
    tokens permit.
    """

    requests_per_minute: int | None = Field(default=None, gt=0)
    cost_per_minute: int | None = Field(default=None, gt=0)
    requests_per_day: int | None = Field(default=None, gt=0)
    cost_per_day: int | None = Field(default=None, gt=0)
    matching: bool = False
    matching_name: bool = False
    published_only: bool = False
