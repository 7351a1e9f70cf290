"""What an answer means (design section 6): states, identification and source reports.

Absent is not unknown: a list is empty only if its state is ANSWERED and nothing can be missing from
it (``gateway.people.identification.says_none``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from connectors.backends.base import MessageEvidence
from connectors.description import Coded, Coverage, Database, Row, Text

#: The states of lists for which a database was read.
_READ = frozenset({"ANSWERED", "STALE", "PARTIAL", "INCOMPLETE", "NOT_IDENTIFIED"})


class State(Coded):
    """The state of a list of records, from least to most serious (decision 4)."""

    ANSWERED = "đã trả lời", "answered"
    STALE = "dữ liệu lưu tạm, nguồn không trả lời", "older rows, because the source failed"
    PARTIAL = "một số bản ghi không đọc được", "some rows could not be read"
    INCOMPLETE = "chưa đầy đủ", "there may be records that were not looked for"
    NOT_IDENTIFIED = "chưa xác định được người", "nobody is known by this number"
    NOT_OPERATING = "chưa vận hành", "the database or record is not live here"
    WITHHELD = "không được cung cấp theo luật", "withheld by law"
    DENIED = "không đủ quyền", "scope or purpose lacking"
    MAINTENANCE = "đang bảo trì", "under maintenance"
    TIMED_OUT = "không trả lời kịp thời", "did not answer in time"
    UNAVAILABLE = "không trả lời được", "did not answer"

    def __init__(self, *_: str) -> None:
        """Number the states in order of declaration: ``seriousness`` rises."""
        self.seriousness = len(type(self).__members__)
        #: Whether the list may have rows; in all other states ``items`` is null.
        self.has_rows = self.name in _READ


#: The sentence that explains a state in a source report; ANSWERED needs none.
STATE_MESSAGES: Mapping[State, Text] = {
    State.STALE: Text(
        "Nguồn không trả lời; đây là dữ liệu đã lưu trước đó.",
        "The database did not answer; these are rows read earlier.",
    ),
    State.PARTIAL: Text("Một số bản ghi không đọc được.", "Some records could not be read."),
    State.INCOMPLETE: Text(
        "Có thể còn bản ghi chưa tra được.", "There may be records that were not looked for."
    ),
    State.NOT_IDENTIFIED: Text(
        "Chưa xác định được người mang số này.", "Nobody is known by this number."
    ),
    State.UNAVAILABLE: Text("Cơ sở dữ liệu không trả lời.", "The database did not answer."),
    State.TIMED_OUT: Text(
        "Cơ sở dữ liệu không trả lời kịp thời.", "The database did not answer in time."
    ),
    State.MAINTENANCE: Text("Cơ sở dữ liệu đang bảo trì.", "The database is under maintenance."),
    State.NOT_OPERATING: Text(
        "Chưa vận hành hoặc chưa kết nối.", "Not operating or not connected."
    ),
    State.WITHHELD: Text("Không được cung cấp theo quy định của pháp luật.", "Withheld by law."),
    State.DENIED: Text("Mã truy cập không đủ quyền.", "The token does not permit this."),
}


class Identification(Coded):
    """Whether the population database knows the person behind a number."""

    IDENTIFIED = "đã xác định được người", "the population database knows the person"
    NOT_IDENTIFIED = (
        "chưa xác định được người",
        "the population database knows nobody by this number",
    )
    UNDETERMINED = (
        "chưa kiểm tra được",
        "the population database could not say whose number it is, or under which others to look",
    )
    NOT_CHECKED = (
        "không đối chiếu theo cấu hình",
        "numbers are not checked here: the operator's settings say that they are final",
    )

    def __init__(self, *_: str) -> None:
        """Set ``is_complete``: all numbers under which records may be filed are known."""
        self.is_complete = self.name in {"IDENTIFIED", "NOT_CHECKED"}


@dataclass(frozen=True, slots=True, eq=False)
class SourceReport:
    """The origin of a list of records. A report is equal to itself only.

    ``as_of``: how fresh the source is by its own statement, or None; never invented.
    ``fetched_at``: when the statement to the source started (UTC); None if it was not asked.
    ``earlier_numbers_asked``: False if the person's earlier numbers could not be found out, so that
    records filed under them may be missing; None if the source was not asked. ``evidence``: of the
    X-Road message that brought the rows, or None.
    """

    state: State
    database: Database
    coverage: Coverage
    as_of: datetime | None = None
    fetched_at: datetime | None = None
    from_cache: bool = False
    message: Text | None = None
    earlier_numbers_asked: bool | None = None
    evidence: MessageEvidence | None = None

    def with_state(
        self, state: State, message: Text | None, earlier_numbers_asked: bool | None
    ) -> SourceReport:
        """Return this report with another state, message and ``earlier_numbers_asked``.

        Every list needs it, and ``dataclasses.replace`` would take ten times as long.
        """
        if earlier_numbers_asked is self.earlier_numbers_asked and state is self.state:
            return self
        return SourceReport(
            state,
            self.database,
            self.coverage,
            self.as_of,
            self.fetched_at,
            self.from_cache,
            message,
            earlier_numbers_asked,
            self.evidence,
        )


@dataclass(slots=True, unsafe_hash=True)
class Answer:
    """The rows of one list and their origin; never changed.

    ``rows`` is None unless the state may have rows. ``unreadable``: the number of rows that could
    not be read. ``truncated``: the source has more rows than were read. (Not frozen: that takes
    four times as long to make.)
    """

    report: SourceReport
    rows: tuple[Row, ...] | None = None
    unreadable: int = 0
    truncated: bool = False

    def __post_init__(self) -> None:
        """Require rows exactly in the states that may have them; raises AssertionError."""
        if (self.rows is not None) is not self.report.state.has_rows:
            raise AssertionError(f"{self.report.state.name} with rows={self.rows is not None}")


def worst(states: Iterable[State]) -> State:
    """Return the most serious of ``states``, of which there must be one at least."""
    return max(states, key=_seriousness)


_seriousness = attrgetter("seriousness")
