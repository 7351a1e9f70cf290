"""Planned maintenance of databases, in a file that every process of the gateway reads.

One JSON line for each window, and another with the same id when it is changed or called off; the
file is only appended to. A database is not asked within its window (design section 8).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from connectors.description import Text
from gateway.answer import STATE_MESSAGES, State
from gateway.runtime.append_only_file import AppendOnlyFile, append_lines
from gateway.runtime.clock import LEGAL_ZONE, Clock

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Window:
    """A time in which a database is in maintenance.

    ``begins`` and ``ends`` have a time zone; ``ends`` None: until further notice. ``id`` None: it
    stands in the settings. ``planned_by``: the client, or the user of the machine, that planned it.
    """

    database: str
    begins: datetime
    ends: datetime | None = None
    id: str | None = None
    planned_by: str | None = None

    def is_open(self, now: datetime) -> bool:
        """Whether the window is open at ``now``."""
        return self.begins <= now and not self.is_over(now)

    def is_over(self, now: datetime) -> bool:
        """Whether the window lies in the past at ``now``."""
        return self.ends is not None and self.ends <= now

    @property
    def message(self) -> Text:
        """The message of source reports while it is open; in the time of Viet Nam."""
        if self.ends is None:
            return STATE_MESSAGES[State.MAINTENANCE]
        ends = self.ends.astimezone(LEGAL_ZONE)
        return Text(
            f"Cơ sở dữ liệu đang bảo trì đến {ends:%H:%M} ngày {ends:%d/%m/%Y}.",
            f"The database is under maintenance until {ends.isoformat(timespec='minutes')}.",
        )


class Maintenance:
    """The windows of a file, read at most half a second ago, and the ``fixed`` ones of settings."""

    def __init__(
        self, path: Path, clock: Clock, fixed: Mapping[str, Sequence[Window]] | None = None
    ) -> None:
        self._path = path
        self._lines = AppendOnlyFile(path, clock, "maintenance")
        self._clock = clock
        self._fixed = dict(fixed or {})
        self._planned: dict[str, Window] = {}
        self._has_unclear_lines = False

    def now(self) -> datetime:
        """Return the time of the clock that opens and closes windows."""
        return self._clock.now()

    def current(self, database: str) -> Window | None:
        """Return the window that is open for ``database`` now, the last to end of several; or None.

        Costs 1 us, some 10 us when the file is read.
        """
        self._read_file()
        if not self._planned and not self._fixed.get(database):
            return None
        now = self._clock.now()
        open_now = [window for window in self._of(database) if window.is_open(now)]
        return max(open_now, key=_end) if open_now else None

    @property
    def is_readable(self) -> bool:
        """Whether all windows of the file are there; False: others may be planned."""
        self._read_file()
        return self._lines.is_readable and not self._has_unclear_lines

    @property
    def is_clear(self) -> bool:
        """Whether no maintenance is planned at all. Costs 0.3 us, more when the file is read."""
        self._read_file()
        return not self._planned and not any(self._fixed.values())

    def windows(self, database: str) -> list[Window]:
        """Return the windows of ``database`` that are open or to come, in order of begin."""
        self._read_file()
        now = self._clock.now()
        return sorted(
            (window for window in self._of(database) if not window.is_over(now)),
            key=lambda window: window.begins,
        )

    def find(self, window_id: str) -> Window | None:
        """Return the window with ``window_id``; None: there is none, or it is over."""
        self._read_file()
        window = self._planned.get(window_id)
        return None if window is None or window.is_over(self._clock.now()) else window

    def plan(self, window: Window) -> Window:
        """Store a window under a new id; it is on disk when this returns.

        Blocks for the disk. Raises OSError, and ValueError for a window that ends before it begins
        or is over.
        """
        if window.is_over(self._clock.now()) or (window.ends and window.ends <= window.begins):
            raise ValueError("maintenance must end after it begins, and not in the past")
        planned = replace(window, id=secrets.token_hex(6))
        append_lines(self._path, _line(planned))
        return planned

    def end(self, window: Window) -> Window:
        """Call a planned window off, or end it now; on disk when this returns. Raises OSError."""
        now = self._clock.now()
        ended = replace(window, begins=min(window.begins, now), ends=now)
        append_lines(self._path, _line(ended))
        return ended

    def _of(self, database: str) -> list[Window]:
        planned = (window for window in self._planned.values() if window.database == database)
        return [*self._fixed.get(database, ()), *planned]

    def _read_file(self) -> None:
        for line in self._lines.read_new():
            try:
                window = _window(json.loads(line))
            except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
                self._has_unclear_lines = True
                log.error("a line of planned maintenance makes no sense")
                continue
            assert window.id is not None
            self._planned[window.id] = window
            now = self._clock.now()
            self._planned = {
                name: planned_window
                for name, planned_window in self._planned.items()
                if planned_window.ends is None or now - planned_window.ends < _MEMORY
            }


#: How long a window that is over is remembered: a line that calls it off may come late.
_MEMORY = timedelta(days=1)
_FOREVER = datetime.max.replace(tzinfo=LEGAL_ZONE) - timedelta(days=1)


def _end(window: Window) -> datetime:
    return window.ends or _FOREVER


def _line(window: Window) -> str:
    return json.dumps(
        {
            "id": window.id,
            "database": window.database,
            "begins": window.begins.isoformat(),
            "ends": None if window.ends is None else window.ends.isoformat(),
            "plannedBy": window.planned_by,
        }
    )


def _window(fields: dict[str, object]) -> Window:
    ends = fields["ends"]
    window = Window(
        str(fields["database"]),
        datetime.fromisoformat(str(fields["begins"])),
        None if ends is None else datetime.fromisoformat(str(ends)),
        str(fields["id"]),
        None if fields.get("plannedBy") is None else str(fields["plannedBy"]),
    )
    if window.begins.tzinfo is None or (window.ends is not None and window.ends.tzinfo is None):
        raise ValueError("a moment without a zone")
    return window
