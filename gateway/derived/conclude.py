"""A derived view answered: what it was asked, and what follows from what was read.

Both executors take both from here. The records themselves may be withheld from the caller: they are
read for the view alone, under its own permission, and nothing but its value is shown.
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
    """What a derived view answers. ``value`` None: it is not known, or not for this caller."""

    value: bool | None
    as_of: date
    source: SourceReport


@dataclass(frozen=True, slots=True)
class DerivedArguments:
    """What a derived view is asked."""

    as_of: date
    sector: str | None


def parse_derived_arguments(
    given: Mapping[str, object], today: date, past: bool
) -> DerivedArguments:
    """Return what the arguments ask.

    ``past``: the caller may ask of earlier days. For others that would find what the law has them
    not see: whoever counted as sanctioned ten years ago was. Raises GatewayError INVALID_VALUE.
    """
    as_of, sector = given.get("asOf"), given.get("sector")
    asked = DerivedArguments(
        as_of if isinstance(as_of, date) else today, sector if isinstance(sector, str) else None
    )
    if asked.as_of > today:
        raise GatewayError("INVALID_VALUE", "asOf must not be later than today")
    if asked.as_of < today and not past:
        raise GatewayError("INVALID_VALUE", "asOf must be today, for this purpose")
    return asked


def hanging_keys(derived: DerivedView, found: Mapping[str, tuple[Record, Answer]]) -> Sequence[str]:
    """Return the keys of the hanging list that the rows of the other lists lead to.

    Where there are none, one that leads to nothing: who has no rows is not answered any sooner.
    """
    _, parent, column = derived.hanging
    record, answer = found[parent]
    place = record.positions[column]
    found_keys = dict.fromkeys(str(row[place]) for row in answer.rows or () if row[place])
    return tuple(found_keys) or ("-",)


def conclude(
    derived: DerivedView,
    found: Mapping[str, tuple[Record, Answer]],
    identification: Identification,
    asked: DerivedArguments,
) -> tuple[bool | None, Record, Answer]:
    """Return the value, and the record and answer that were worst, for the errors.

    Of somebody who is not identified nothing is known. Where the numbers under which records may be
    filed are not all known, rows may still decide, but their absence does not.
    """
    facts = {
        # What hangs on a row is not filed under a number of the person's.
        name: _facts(one, answer, identification.is_complete or name == derived.hanging[0])
        for name, (one, answer) in found.items()
    }
    value = None
    if identification is not Identification.NOT_IDENTIFIED:
        value = derived.compute(facts, asked.as_of, asked.sector)
    state = worst(answer.report.state for _, answer in found.values())
    record, answer = next(one for one in found.values() if one[1].report.state is state)
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
