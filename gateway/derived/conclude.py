"""Concluding a derived view: its arguments, and what follows from the records that it reads.

Both executors conclude here. The records themselves may be withheld from the caller: they are read
for the view alone, under its own permission, and only its value is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from connectors.description import Record
from gateway.answer import Answer, Identification, SourceReport, worst
from gateway.derived.view import DerivedView, Facts
from gateway.errors import GatewayError


@dataclass(frozen=True, slots=True)
class DerivedValue:
    """The answer of a derived view. ``value`` None: it is not known, or not for this caller."""

    value: bool | None
    as_of: date
    source: SourceReport


@dataclass(frozen=True, slots=True)
class DerivedArguments:
    """The arguments of a derived view: on which day, and in which sector (None: in any)."""

    as_of: date
    sector: str | None


def parse_derived_arguments(
    values: Mapping[str, object], today: date, may_ask_past: bool
) -> DerivedArguments:
    """Parse the arguments of a derived view; raises GatewayError INVALID_VALUE.

    ``may_ask_past``: the caller may ask of earlier days. To others the law hides the past: whoever
    counted as sanctioned ten years ago was sanctioned.
    """
    as_of, sector = values.get("asOf"), values.get("sector")
    arguments = DerivedArguments(
        as_of if isinstance(as_of, date) else today, sector if isinstance(sector, str) else None
    )
    if arguments.as_of > today:
        raise GatewayError("INVALID_VALUE", "asOf must not be later than today")
    if arguments.as_of < today and not may_ask_past:
        raise GatewayError("INVALID_VALUE", "asOf must be today, for this purpose")
    return arguments


def hanging_keys(derived: DerivedView, lists: Mapping[str, tuple[Record, Answer]]) -> Sequence[str]:
    """Return the keys of the hanging list, from the rows of the list that it hangs on.

    Where there are none, one key that finds nothing: the time of an answer tells nothing.
    """
    _, parent, column = derived.hanging
    record, answer = lists[parent]
    position = record.positions[column]
    keys = dict.fromkeys(str(row[position]) for row in answer.rows or () if row[position])
    return tuple(keys) or ("-",)


def conclude(
    derived: DerivedView,
    lists: Mapping[str, tuple[Record, Answer]],
    identification: Identification,
    arguments: DerivedArguments,
) -> tuple[bool | None, Record, Answer]:
    """Return the value, and the record and answer in the worst state, for the errors.

    The value of a person who is not identified is not known. Where not all numbers are known under
    which records may be filed, rows may still decide, but their absence does not.
    """
    facts = {
        # What hangs on a row is not filed under a number of the person's.
        name: _facts(list_record, answer, identification.is_complete or name == derived.hanging[0])
        for name, (list_record, answer) in lists.items()
    }
    value = None
    if identification is not Identification.NOT_IDENTIFIED:
        value = derived.compute(facts, arguments.as_of, arguments.sector)
    state = worst(answer.report.state for _, answer in lists.values())
    record, answer = next(
        (record, answer) for record, answer in lists.values() if answer.report.state is state
    )
    return value, record, answer


def _facts(record: Record, answer: Answer, numbers_known: bool) -> Facts:
    complete = (
        answer.rows is not None
        and numbers_known
        and not answer.unreadable
        and not answer.truncated
        # Older rows may lack what was decided since.
        and not answer.report.from_cache
    )
    return Facts(record, answer.rows or (), complete)
