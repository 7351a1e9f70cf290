"""The access log of a person, as they see it: who read them, when, for what.

Resolution 66.22/2026/NQ-CP Art. 4 and Law 91/2025/QH15 Art. 4 (citizens know of the processing of
their data); design section 7. It comes from the copy of the audit journals (``gateway.audit``);
where that cannot be asked the log is unknown, which is not "nobody read you".
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
    """One look-up.

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
    """A page of the log, newest first. ``items`` None: it is not known, ``state`` says why.

    ``next``: where the following page begins, None on the last one. ``complete_until``: up to when
    every look-up is in it.
    """

    state: State
    items: Sequence[LogEntry] | None = None
    next: str | None = None
    complete_until: datetime | None = None


def log_problem(page: LogPage) -> GatewayError | None:
    """Return what to say in ``errors`` of a log that could not be read."""
    if page.state is State.UNAVAILABLE:
        return GatewayError("ACCESS_LOG_UNAVAILABLE")
    return None
