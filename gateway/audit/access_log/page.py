"""The access log of a person, as they see it: who read their records, when, and for what.

Resolution 66.22/2026/NQ-CP Art. 4 and Law 91/2025/QH15 Art. 4 (citizens know of the processing of
their data); design section 7. It comes from the copy of the audit journals (``gateway.audit``). If
the copy cannot be queried, the log is unknown, which is not "nobody read your records".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.description import Text
from gateway.answer import State
from gateway.errors import GatewayError


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One read of a person's records.

    ``role``: a name of ``gateway.audit.touched.Role``. ``case_number``: None where the person was
    read only as kin in somebody else's case. ``sections``: theirs that were read
    (``database.record``).
    """

    at: datetime
    agency: str | None
    purpose: str | None
    purpose_title: Text | None
    case_number: str | None
    role: object
    sections: Sequence[str]
    request_id: str


@dataclass(frozen=True, slots=True)
class LogPage:
    """A page of the log, newest first. ``items`` None: the log is unknown; ``state`` says why.

    ``next``: cursor of the next page, None on the last one. ``complete_until``: no entry before
    this time is missing.
    """

    state: State
    items: Sequence[LogEntry] | None = None
    next: str | None = None
    complete_until: datetime | None = None


def log_problem(page: LogPage) -> GatewayError | None:
    """Return the error for a log that could not be read, None for any other."""
    if page.state is State.UNAVAILABLE:
        return GatewayError("ACCESS_LOG_UNAVAILABLE")
    return None
