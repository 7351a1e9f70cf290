"""Where sessions are kept: in Redis where processes share one, else in a file of SQLite.

A store knows hashes of ids, and times: what a session holds is sealed. Times are seconds since 1970
of the gateway's clock. No process keeps a session by itself: one that is removed has ended
everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SealedSession:
    """A session as a store has it. ``expires``: then it is gone."""

    value: bytes
    expires: float


class SessionStore(Protocol):
    """Keeps sessions until they expire. Every method raises ``StoreUnavailable``."""

    async def close(self) -> None:
        """Close what is open."""

    async def put(self, session_id: str, session: SealedSession, now: float) -> None:
        """Keep a new session."""

    async def get(self, session_id: str, now: float) -> SealedSession | None:
        """Return a session; None: there is none, or it has expired."""

    async def replace(self, session_id: str, session: SealedSession, now: float) -> bool:
        """Replace a session; False where it is gone: who signed out stays signed out."""

    async def prolong(self, session_id: str, expires: float, now: float) -> None:
        """Let a session expire later; nothing where it is gone."""

    async def claim(self, session_id: str, now: float, until: float) -> bool:
        """Let nobody else claim a session ``until``; False where somebody has, or it is gone."""

    async def remove(self, session_id: str) -> None:
        """Remove a session."""
