"""Events in the lives of people, as the event log has them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from connectors.description import Coded


class LifeEventKind(Coded):
    """What happened. The last three are about a source of events, and concern everybody."""

    BIRTH = "khai sinh", "birth"
    DEATH = "khai tử", "death"
    MARRIAGE = "kết hôn", "marriage"
    DIVORCE = "ly hôn", "divorce"
    BLOCK_PLACED = "đặt ngăn chặn", "block placed"
    BLOCK_LIFTED = "gỡ bỏ ngăn chặn", "block lifted"
    CASE_OPENED = "mở hồ sơ vụ việc", "case opened"
    CASE_CLOSED = "kết thúc vụ việc", "case closed"
    CORRECTION = "thay đổi, cải chính", "correction"
    SOURCE_INTERRUPTED = "nguồn gián đoạn", "source interrupted"
    SOURCE_RESUMED = "nguồn hoạt động lại", "source resumed"
    EVENTS_MISSED = "có thể thiếu sự kiện", "events may have been missed"


#: Kinds of events about a source, not about a person.
SOURCE_KINDS = frozenset(
    {
        LifeEventKind.SOURCE_INTERRUPTED,
        LifeEventKind.SOURCE_RESUMED,
        LifeEventKind.EVENTS_MISSED,
    }
)


@dataclass(frozen=True, slots=True)
class LifeEvent:
    """One event, of one person: a marriage is two, of two people.

    ``id``: the same each time that the same change is read, so that whoever reads it twice can
    tell (a keyed hash; it tells nothing). ``person``: the number under which the row is filed;
    None for events about a source. ``record``, ``row``: name of the record and identity of the
    row; None for events about a source. ``date``: of what happened, as far as it is known
    (``1957``, ``1957-03``, ``1957-03-02``), in Viet Nam. ``committed_at``: when the database had
    it, ``detected_at``: when the gateway did; UTC. ``since``: of EVENTS_MISSED and
    SOURCE_INTERRUPTED: the moment from which events may be missing.
    """

    id: str
    kind: LifeEventKind
    database: str
    person: str | None
    record: str | None
    row: str | None
    date: str | None
    committed_at: datetime | None
    detected_at: datetime
    since: datetime | None = None
