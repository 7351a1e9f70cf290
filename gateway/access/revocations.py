"""Revoked tokens: an append-only file that every process of the gateway follows.

One JSON line each, ``{"jti": ..., "expires": ...}``. A revocation is dropped from memory a little
after every token that it could be about has expired.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import structlog

from gateway.access.claims import LONGEST_LIFE
from gateway.runtime.append_only_file import AppendOnlyFile, append_lines
from gateway.runtime.clock import Clock

log = structlog.get_logger(__name__)

#: Seconds by which a revocation outlives the tokens that it could be about.
_SLACK = 3600.0


class RevocationList(Protocol):
    """Knows which tokens are revoked."""

    def is_revoked(self, token_id: str | None) -> bool:
        """Return whether the token with this id is revoked."""
        ...


class NoRevocations:
    """No token is revoked."""

    def is_revoked(self, token_id: str | None) -> bool:
        """Return False."""
        return False


class Revocations:
    """The revocations in a file, as they were at most half a second ago."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._lines = AppendOnlyFile(path, clock, "revocations")
        self._clock = clock
        self._until: dict[str, float] = {}

    def is_revoked(self, token_id: str | None) -> bool:
        """Return whether the token with this id is revoked.

        Costs 0.2 us between two reads of the file. If it cannot be read, that is logged and what is
        known stays in force.
        """
        lines = self._lines.read_new()
        if lines:
            self._take(lines)
        return token_id in self._until

    def _take(self, lines: Sequence[bytes]) -> None:
        now = self._clock.now().timestamp()
        for line in lines:
            try:
                entry = json.loads(line)
                self._until[str(entry["jti"])] = float(entry["expires"])
            except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
                log.error("a line of the revocations makes no sense")
        self._until = {
            token_id: until for token_id, until in self._until.items() if until + _SLACK > now
        }


def revoke(path: Path, token_id: str, clock: Clock) -> None:
    """Revoke the token with this id; the revocation is on disk when this returns. Raises OSError.

    No token is valid for longer than 24 hours, so the revocation lasts as long.
    """
    expires = clock.now() + LONGEST_LIFE
    append_lines(path, json.dumps({"jti": token_id, "expires": math.ceil(expires.timestamp())}))
