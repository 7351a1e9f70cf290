"""Storage: the journal, the row cache, Redis, and the folder of published operations."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from urllib.parse import quote, urlsplit

from pydantic import Field, model_validator

from gateway.settings.part import SettingsPart


class Audit(SettingsPart):
    """The journal of answers, in segments in ``folder``, and the copy of it that is asked.

    ``checkpoint_entries``, ``checkpoint_seconds``: when entries are signed at the latest.
    ``checkpoint_folder``: where checkpoints are kept besides. ``timeout``: seconds that an answer
    waits for its entry. ``copy_url``: a SQLAlchemy URL, of PostgreSQL or SQLite. ``commit``: an
    answer leaves when its entry is in the ``journal``, or in the ``copy`` as well.
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
    """Rows kept in each process: ``bytes`` at most, about; and ``answer_bytes`` of ready answers.

    ``invalidations``: the file by which processes of one machine hear of invalidations where there
    is no Redis.
    """

    bytes: int = Field(default=40 * 2**20, ge=0)
    answer_bytes: int = Field(default=16 * 2**20, ge=0)
    invalidations: Path = Path("cache/invalidations.jsonl")


class Redis(SettingsPart):
    """What processes share. ``timeout``: how long a question to it may take, in seconds.

    ``password_file``: holds the password, which need not stand in ``url`` then.
    """

    url: str | None = Field(default=None, repr=False)
    password_file: Path | None = None
    timeout: float = Field(default=0.05, gt=0)

    def with_password(self, password: str) -> Redis:
        """Return the same with ``password`` in the URL, in place of any that stands there."""
        parsed = urlsplit(self.url or "")
        user, host = parsed.username or "", parsed.netloc.rpartition("@")[2]
        netloc = f"{user}:{quote(password, safe='')}@{host}"
        return self.model_copy(update={"url": parsed._replace(netloc=netloc).geturl()})


class OperationSettings(SettingsPart):
    """Published operations: the folder of their files.

    ``reload_seconds``: between looks at the folder, 0 for never. ``public_catalogue``:
    ``/openapi.json`` shows all of them to everybody, not to each client its own. ``personas``: a
    JSON file of people for the examples in it.
    """

    folder: Path | None = None
    reload_seconds: float = Field(default=2.0, ge=0)
    public_catalogue: bool = False
    personas: Path | None = None
