"""Storage: the journal, the row cache, Redis, published operations, and receipts."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from urllib.parse import quote, urlsplit

from pydantic import Field, model_validator

from gateway.settings.part import SettingsPart


class Audit(SettingsPart):
    """The audit journal, in segments in ``folder``, and its copy for queries.

    ``checkpoint_entries``, ``checkpoint_seconds``: when entries are signed at the latest.
    ``checkpoint_folder``: another place that keeps checkpoints. ``timeout``: seconds that an answer
    waits for its entry. ``copy_url``: a SQLAlchemy URL of PostgreSQL or SQLite. ``commit``: an
    answer is sent when its entry is in the ``journal``, or in the ``copy`` too.
    """

    folder: Path = Path("journal")
    segment_bytes: int = Field(default=64 * 1024 * 1024, gt=0)
    checkpoint_entries: int = Field(default=10_000, gt=0)
    checkpoint_seconds: float = Field(default=30.0, gt=0, le=60)
    checkpoint_folder: Path | None = None
    timeout: float = Field(default=2.0, gt=0)
    copy_url: str | None = None
    commit: Literal["journal", "copy"] = "journal"

    @model_validator(mode="after")
    def _copy_to_commit_to(self) -> Audit:
        if self.commit == "copy" and self.copy_url is None:
            raise ValueError("audit.commit = copy needs audit.copy_url")
        return self


class CacheSettings(SettingsPart):
    """The cache of each process: ``bytes`` of rows and ``answer_bytes`` of ready answers, about.

    ``invalidations``: the file that tells the processes of one machine of invalidations, without
    Redis.
    """

    bytes: int = Field(default=24 * 2**20, ge=0)
    answer_bytes: int = Field(default=16 * 2**20, ge=0)
    invalidations: Path = Path("cache/invalidations.jsonl")


class Redis(SettingsPart):
    """The Redis that processes share. ``timeout``: of one command, in seconds.

    ``password_file``: the file with the password, if it is not in ``url``.
    """

    url: str | None = Field(default=None, repr=False)
    password_file: Path | None = None
    timeout: float = Field(default=0.05, gt=0)

    def with_password(self, password: str) -> Redis:
        """Return the same with ``password`` in the URL, in place of any password there."""
        parsed = urlsplit(self.url or "")
        user, host = parsed.username or "", parsed.netloc.rpartition("@")[2]
        netloc = f"{user}:{quote(password, safe='')}@{host}"
        return self.model_copy(update={"url": parsed._replace(netloc=netloc).geturl()})


class OperationSettings(SettingsPart):
    """Published operations: the folder of their files.

    ``reload_seconds``: between two reads of the folder; 0: never. ``public_catalogue``:
    ``/openapi.json`` shows all operations to everybody, not only its own to each client.
    ``personas``: a JSON file of people for its examples.
    """

    folder: Path | None = None
    reload_seconds: float = Field(default=2.0, ge=0)
    public_catalogue: bool = False
    personas: Path | None = None


class ReceiptSettings(SettingsPart):
    """Receipts of checks. ``issuer``: how they name this gateway; a URL in production.

    ``timestamp_url``: the authority that stamps them (RFC 3161); ``timestamp_roots``: a PEM file of
    the certificates to which its own must lead; ``timestamp_timeout``: in seconds.
    """

    issuer: str = Field(default="justice-gateway", min_length=1)
    timestamp_url: str | None = Field(default=None, pattern=r"^https?://")
    timestamp_roots: Path | None = None
    timestamp_timeout: float = Field(default=2.0, gt=0)

    @model_validator(mode="after")
    def _both(self) -> ReceiptSettings:
        if (self.timestamp_url is None) is not (self.timestamp_roots is None):
            raise ValueError("receipts.timestamp_url and timestamp_roots need each other")
        return self


class TicketSettings(SettingsPart):
    """Tickets of checks that are made again once databases answer.

    ``life_seconds``: after which they expire. ``most``, ``most_per_client``: how many are kept, in
    all and of one client; ``most`` 0: none are left. ``interval_seconds``: between two looks at
    databases that were silent. ``file``: of SQLite, for processes without Redis.
    """

    life_seconds: float = Field(default=24 * 3600, gt=0, le=31 * 24 * 3600)
    most: int = Field(default=10_000, ge=0)
    most_per_client: int = Field(default=200, ge=0)
    interval_seconds: float = Field(default=5.0, gt=0)
    file: Path = Path("tickets/tickets.sqlite")


class InterestSettings(SettingsPart):
    """Interests that clients register in people's events.

    ``most_per_client``: how many a client may have. ``file``: of SQLite, for processes without
    Redis.
    """

    most_per_client: int = Field(default=10_000, ge=0)
    file: Path = Path("interests/interests.sqlite")
