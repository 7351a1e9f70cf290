"""Tokens withdrawn before their time: a file that every process of the gateway looks at.

One JSON line each, ``{"jti": ..., "expires": ...}``, only ever appended to. A revocation is
forgotten a little after every token it could be about has expired.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import structlog

from gateway.access.claims import LONGEST_LIFE
from gateway.runtime.append_only_file import AppendOnlyFile, append
from gateway.runtime.clock import Clock

log = structlog.get_logger(__name__)

_SLACK = 3600.0


class RevocationList(Protocol):
    """Where it is asked whether a token was withdrawn."""

    def holds(self, token_id: str | None) -> bool:
        """Whether the token with this id was withdrawn."""
        ...


class NoRevocations:
    """No token is withdrawn."""

    def holds(self, token_id: str | None) -> bool:
        """Say no."""
        return False


class Revocations:
    """The revocations in a file, as they were at most half a second ago."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._lines = AppendOnlyFile(path, clock, "revocations")
        self._clock = clock
        self._until: dict[str, float] = {}

    def holds(self, token_id: str | None) -> bool:
        """Whether the token with this id was withdrawn.

        Costs 0.2 us between two looks at the file. What cannot be read leaves what is known as it
        is, and is logged.
        """
        fresh = self._lines.fresh()
        if fresh:
            self._take(fresh)
        return token_id in self._until

    def _take(self, lines: Sequence[bytes]) -> None:
        now = self._clock.now().timestamp()
        for line in lines:
            try:
                entry = json.loads(line)
                self._until[str(entry["jti"])] = float(entry["expires"])
            except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
                log.error("a line of the revocations makes no sense")
        self._until = {one: end for one, end in self._until.items() if end + _SLACK > now}


def revoke(path: Path, token_id: str, clock: Clock) -> None:
    """Withdraw the token with this id: it is on disk when this returns. Raises OSError.

    No token lives longer than 24 hours, so that the entry is needed no longer than that.
    """
    expires = clock.now() + LONGEST_LIFE
    append(path, json.dumps({"jti": token_id, "expires": math.ceil(expires.timestamp())}))
