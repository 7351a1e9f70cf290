"""Webhooks: where the gateway may send events, how often it tries, and how many it keeps."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

from pydantic import Field, field_validator

from gateway.settings.part import SettingsPart

_DAY = 86_400.0


class WebhookSettings(SettingsPart):
    """Webhooks: events that are sent to the endpoints of clients. Times in seconds.

    ``enabled``: clients may register webhooks. ``allowed_networks``: networks that are not public
    and may be called all the same, on any port; public addresses are called on ``ports`` alone.
    ``plain_http``: endpoints on this machine need no TLS (the demo and tests). ``roots``: a PEM
    file of the authorities that certificates must lead to, in place of the system's. ``timeout``:
    of one attempt, with its reply. ``most``, ``most_per_client``: webhooks that are kept.
    ``renewal_days``: after which a webhook pauses that was not renewed. ``batch``: events in one
    request. ``pending``: events that wait for one endpoint; later ones stay in the event log.
    ``attempts``, ``life_seconds``: after which an event is a dead letter; ``dead_letter_seconds``:
    how long it can be sent again. ``first_delay``, ``longest_delay``: between two attempts.
    ``interval_seconds``: between two looks at what is due. ``lease_seconds``: after which another
    process serves the webhooks of one that is gone.
    ``concurrent``: webhooks that a process serves at once. ``file``: of SQLite, for processes
    without Redis.
    """

    enabled: bool = False
    allowed_networks: tuple[str, ...] = ()
    ports: tuple[int, ...] = (443,)
    plain_http: bool = False
    roots: Path | None = None
    timeout: float = Field(default=10.0, gt=0, le=60)
    most: int = Field(default=1_000, ge=0)
    most_per_client: int = Field(default=20, ge=0)
    renewal_days: float = Field(default=30.0, gt=0, le=366)
    batch: int = Field(default=50, gt=0, le=500)
    pending: int = Field(default=1_000, gt=0, le=100_000)
    attempts: int = Field(default=25, gt=0)
    life_seconds: float = Field(default=3 * _DAY, gt=0)
    dead_letter_seconds: float = Field(default=30 * _DAY, gt=0)
    first_delay: float = Field(default=5.0, gt=0)
    longest_delay: float = Field(default=14_400.0, gt=0)
    interval_seconds: float = Field(default=1.0, gt=0)
    lease_seconds: float = Field(default=10.0, ge=1, le=300)
    concurrent: int = Field(default=32, gt=0)
    file: Path = Path("webhooks/webhooks.sqlite")

    @field_validator("allowed_networks")
    @classmethod
    def _networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(ip_network(network)) for network in networks)
