"""How a database stands, from what this process knows of it already: nothing is asked for it.

A database "answers" only by a recent sign of it. Without one it is not checked, never well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.description import Coded, Group
from gateway.answer import State
from gateway.fetch.breaker import BreakerState
from gateway.fetch.contacts import Contact
from gateway.fetch.maintenance import Window
from gateway.fetch.source import Source

#: How long a contact says how the database stands: longer than between two examinations
#: (``gateway.databases.startup_checks``).
RECENT = timedelta(minutes=15)


class SourceCondition(Coded):
    """How a database stands, as far as this process knows."""

    ANSWERING = "đang trả lời", "answering"
    UNSTEADY = "có lúc không trả lời", "not answering every time"
    ON_TRIAL = "đang thử hỏi lại", "asked on trial, after it kept failing"
    SUSPENDED = "tạm ngừng hỏi vì liên tục không trả lời", "not asked, because it kept failing"
    FAILING = "không trả lời", "not answering"
    MAINTENANCE = "đang bảo trì", "under maintenance"
    NOT_CHECKED = "chưa kiểm tra gần đây", "not checked recently"
    NOT_OPERATING = "chưa vận hành hoặc chưa kết nối", "not operating or not connected"


@dataclass(frozen=True, slots=True)
class SourceStanding:
    """How a database stands.

    ``checked_at``: the latest contact with it (UTC), whatever came of it; None: there was none.
    ``until``: when maintenance ends, None: not said. ``planned``: maintenance that is to come.
    """

    condition: SourceCondition
    checked_at: datetime | None
    until: datetime | None = None
    planned: Sequence[Window] = ()


def describe_standing(source: Source, now: datetime) -> SourceStanding:
    """Return how ``source`` stands ``now`` (UTC). Asks no database; costs some 10 us."""
    latest = source.contacts.latest
    checked_at = None if latest is None else latest.at
    windows = source.maintenance_windows()
    planned = tuple(window for window in windows if not window.is_open(now))
    if source.database.group is not Group.OPERATING or source.backend is None:
        return SourceStanding(SourceCondition.NOT_OPERATING, None, planned=planned)
    if source.has_lapsed():
        return SourceStanding(SourceCondition.NOT_OPERATING, checked_at, planned=planned)
    if source.in_maintenance():
        window = None if source.settings.maintenance else source.current_window()
        until = None if window is None else window.ends
        return SourceStanding(SourceCondition.MAINTENANCE, checked_at, until, planned)
    condition = _BREAKER.get(source.breaker.state) or _judge(source.contacts.recent, now)
    return SourceStanding(condition, checked_at, planned=planned)


_BREAKER = {
    BreakerState.OPEN: SourceCondition.SUSPENDED,
    BreakerState.HALF_OPEN: SourceCondition.ON_TRIAL,
}


def _judge(contacts: Sequence[Contact], now: datetime) -> SourceCondition:
    """Return what ``contacts`` say, the latest last; only recent ones count.

    Two failures in a row are a failing database, also if it answered before: a read that fails is
    tried once more.
    """
    recent = [contact.state for contact in contacts if now - contact.at <= RECENT]
    states = {*recent}
    if not states:
        return SourceCondition.NOT_CHECKED
    if states == {State.ANSWERED}:
        return SourceCondition.ANSWERING
    if states == {State.MAINTENANCE}:
        return SourceCondition.MAINTENANCE
    is_failing = State.ANSWERED not in recent[-2:]
    return SourceCondition.FAILING if is_failing else SourceCondition.UNSTEADY
