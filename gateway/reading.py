"""Records of one person, read in the one order that counts: permission, fetch, protection.

Nothing else in the gateway takes rows from a source and hands them on: both executors decide here
whether to fetch, and take here what was fetched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from connectors.description import Lookup, Record, Row, Sensitivity
from gateway.access.caller import Caller
from gateway.answer import Answer, State, worst
from gateway.errors import GatewayError
from gateway.fetch.loaders import Loads
from gateway.fetch.source import Source
from gateway.protection import is_withheld, visible

_PROBLEMS = {
    State.UNAVAILABLE: "SOURCE_UNAVAILABLE",
    State.TIMED_OUT: "SOURCE_TIMED_OUT",
    State.MAINTENANCE: "SOURCE_MAINTENANCE",
    State.DENIED: "FORBIDDEN",
    State.PARTIAL: "BAD_RECORD",
}


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads for one request."""

    caller: Caller
    sources: Mapping[str, Source]
    loaders: Loads

    def missing_scope(
        self, record: Record, sensitivity: Sensitivity, own: Sensitivity | None
    ) -> str | None:
        """Return the scope that the caller lacks for such fields, or None.

        ``own``: up to what sensitivity citizens see these records without any scope because they
        are their own (design section 7); None where they are somebody else's.
        """
        if own is not None and sensitivity <= own:
            return None
        return self.caller.lacks(record, sensitivity)

    async def read(
        self,
        record: Record,
        lookup: Lookup,
        keys: Sequence[str],
        own: Sensitivity | None,
        earlier_asked: bool | None,
    ) -> Answer:
        """Return the records found under any of ``keys``, as the caller may see them.

        ``earlier_asked`` goes into the report: whether ``keys`` are all there are.
        """
        decided = self.decide(record, own)
        if decided is not None:
            return decided
        answers = await asyncio.gather(*(self.loaders.load(record, lookup, key) for key in keys))
        return self.take(record, answers, earlier_asked)

    def decide(self, record: Record, own: Sensitivity | None) -> Answer | None:
        """Return the answer where permission or protection decides: nothing may be fetched then."""
        if self.missing_scope(record, Sensitivity.BASIC, own) is not None:
            return Answer(self.sources[record.database].report(record, State.DENIED))
        if is_withheld(record, self.caller):
            return Answer(self.sources[record.database].report(record, State.WITHHELD))
        return None

    def take(self, record: Record, answers: Sequence[Answer], earlier_asked: bool | None) -> Answer:
        """Make one answer of those for several keys, without the rows that protection hides.

        If any key could not be asked, the whole list is unknown: rows under one number say nothing
        of those under another.
        """
        answer = _merged(record, answers)
        if answer.rows is None:
            return answer
        report = answer.report.about(earlier_asked)
        rows = visible(record, answer.rows, self.caller)
        return Answer(report, rows, answer.unreadable, answer.truncated)

    def problem(self, record: Record, answer: Answer) -> GatewayError | None:
        """Return what to say in ``errors`` of a list with this answer (design section 6.1)."""
        state = answer.report.state
        if state is State.ANSWERED:
            return None
        code = "BAD_RECORD" if answer.unreadable else _PROBLEMS.get(state)
        if code is None:
            return None
        details: dict[str, object] = {"database": record.database, "record": record.name}
        if answer.unreadable:
            details["count"] = answer.unreadable
        if state is State.DENIED:
            details["missing"] = [self.caller.lacks(record, Sensitivity.BASIC)]
        return GatewayError(code, details=details)


def _merged(record: Record, answers: Sequence[Answer]) -> Answer:
    """Put the answers for several keys together; the worst state speaks for all."""
    if len(answers) == 1:
        return answers[0]
    state = worst(answer.report.state for answer in answers)
    speaker = next(answer for answer in answers if answer.report.state is state)
    if speaker.rows is None:
        return speaker
    # Found under two numbers it is one row; two rows that say different things are two.
    rows = dict.fromkeys(row for answer in answers for row in answer.rows or ())
    return Answer(
        speaker.report,
        newest_first(record, rows),
        sum(answer.unreadable for answer in answers),
        any(answer.truncated for answer in answers),
    )


def newest_first(record: Record, rows: Iterable[Row]) -> tuple[Row, ...]:
    """Order rows as sources do: by ``record.date`` as written, unknown last, then identity."""
    by_identity = sorted(rows, key=lambda row: str(row[record.positions[record.identity]]))
    if record.date is None:
        return tuple(by_identity)
    place = record.positions[record.date]
    dated = [row for row in by_identity if row[place] is not None]
    undated = [row for row in by_identity if row[place] is None]
    return (*sorted(dated, key=lambda row: str(row[place]), reverse=True), *undated)
