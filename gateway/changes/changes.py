"""What feeds, subscriptions and webhooks need of changes: the log of events, and who follows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.changes.log import EventLog
from gateway.settings import ChangeSettings, FollowSettings


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes of the databases that settings follow.

    ``followed``: how each database is followed, by name. The events of all others are not known:
    whoever asks for them is told so, and never that there are none.
    """

    options: ChangeSettings
    log: EventLog
    followed: Mapping[str, FollowSettings]
