"""One answer made of those for several keys: the list of a person with several numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from connectors.description import Record, Row
from gateway.answer import Answer, worst


def merge_answers(record: Record, answers: Sequence[Answer]) -> Answer:
    """Put the answers for several keys together; the worst state speaks for all.

    ``answers``: at least one. If any key could not be asked, the whole list is unknown: rows under
    one number say nothing of those under another.
    """
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
    identity = record.positions[record.identity]
    by_identity = sorted(rows, key=lambda row: str(row[identity]))
    if record.date is None:
        return tuple(by_identity)
    date = record.positions[record.date]
    dated = [row for row in by_identity if row[date] is not None]
    undated = [row for row in by_identity if row[date] is None]
    return (*sorted(dated, key=lambda row: str(row[date]), reverse=True), *undated)
