"""The answers to the keys of a call, made of the rows that a backend returned."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from connectors.backends.base import Batch, MessageEvidence, Rows
from connectors.description import Record
from gateway.answer import Answer, SourceReport, State

log = structlog.get_logger(__name__)


def make_answers(
    record: Record, report: Callable[..., SourceReport], keys: Sequence[str], batch: Batch
) -> list[Answer]:
    """Return the answers to ``keys``, in their order. ``report`` makes one of a state.

    Answers that say the same share their report; keys without rows share their answer. What could
    not be read is logged.
    """
    whole = report(State.ANSWERED, as_of=batch.as_of)
    nothing = Answer(whole, ())
    special: _SpecialAnswers | None = None
    by_key, has_evidence = batch.by_key, bool(batch.evidence)
    answers = []
    for key in keys:
        rows = by_key.get(key)
        if rows is None or rows.unreadable or has_evidence:
            if special is None:
                special = _SpecialAnswers(report, batch)
            answers.append(special.make(key, rows))
        elif rows.rows or rows.truncated:
            answers.append(Answer(whole, rows.rows, 0, rows.truncated))
        else:
            answers.append(nothing)
    if special is not None:
        _log_faults(record, batch)
    return answers


def _log_faults(record: Record, batch: Batch) -> None:
    if batch.failed:
        log.warning(
            "keys failed",
            database=record.database,
            record=record.name,
            count=len(batch.failed),
            reasons=sorted(set(batch.failed.values())),
        )
    faults = {fault for rows in batch.by_key.values() for fault in rows.faults}
    if faults:
        log.warning(
            "unreadable rows",
            database=record.database,
            record=record.name,
            count=sum(rows.unreadable for rows in batch.by_key.values()),
            faults=sorted(faults),
        )


class _SpecialAnswers:
    """The answers of one call to keys that were not read, or not whole, or by their own message."""

    def __init__(self, report: Callable[..., SourceReport], batch: Batch) -> None:
        self._report = report
        self._batch = batch
        self._reports: dict[tuple[State, MessageEvidence | None], SourceReport] = {}

    def make(self, key: str, rows: Rows | None) -> Answer:
        """Return the answer to ``key``; ``rows``: None where it could not be read."""
        if rows is None:
            return Answer(self._report_of(State.UNAVAILABLE, None))
        state = State.PARTIAL if rows.unreadable else State.ANSWERED
        report = self._report_of(state, self._batch.evidence.get(key))
        return Answer(report, rows.rows, rows.unreadable, rows.truncated)

    def _report_of(self, state: State, evidence: MessageEvidence | None) -> SourceReport:
        report = self._reports.get((state, evidence))
        if report is None:
            as_of = None if state is State.UNAVAILABLE else self._batch.as_of
            report = self._report(state, as_of=as_of, evidence=evidence)
            self._reports[state, evidence] = report
        return report
