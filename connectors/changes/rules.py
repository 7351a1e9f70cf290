"""Which change of a row is news, by the rules that its record declares (``ChangeRule``).

Pure: who else is concerned, and whether a birth is the only one of its child, has to be read by
whoever calls (``ChangeRule.read``, ``ChangeRule.sole``).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from connectors.changes.change import Change, ChangeOperation
from connectors.description import ChangeRule, ChangeTrigger, Record, Row, Sensitivity
from connectors.values import PartialDate, person_number

_VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
_C = ChangeTrigger


@dataclass(frozen=True, slots=True)
class RowNews:
    """What a rule makes of a change.

    ``row``: identity of the row that the event names (``ChangeRule.shown``). ``numbers``: of the
    people concerned, in the order of ``ChangeRule.people``; where ``read_key`` is given, theirs are
    in the rows that ``ChangeRule.read`` finds by it (``numbers_in``). ``date``: of what happened,
    as far as known, in Viet Nam. ``certain``: False where the source cannot tell whether it is
    news. ``sole_key``: where ``ChangeRule.sole`` is: the number under which there may be no other
    row; there is no event where there is one.
    """

    row: str
    numbers: tuple[str, ...]
    read_key: str | None
    date: str | None
    certain: bool
    sole_key: str | None


def row_news(rule: ChangeRule, change: Change, now: datetime) -> RowNews | None:
    """Return what ``rule``, of the record of ``change``, makes of it; None: it is no event.

    ``now``: UTC; stands for the moment of a change of which the source says none. Never raises.
    """
    record, before, after = change.record, change.before, change.after
    rows = [row for row in (before, after) if row is not None]
    if any(test.holds(record, row) for test in rule.unless for row in rows):
        return None
    outcome = _apply_triggers(rule, change)
    if outcome is None:
        return None
    row, numbers, certain = outcome
    if not (certain or rule.repeatable) or not _is_recent(rule, record, row, change, now):
        return None
    read_key = None if rule.read is None else _text(record, row, rule.read.key)
    shown = _text(record, row, rule.shown[1])
    sole_key = _sole_key(rule, record, row)
    concerns_somebody = numbers if rule.read is None else read_key is not None
    if not concerns_somebody or shown is None or (rule.sole is not None and sole_key is None):
        return None
    return RowNews(shown, numbers, read_key, _date(rule, record, row), certain, sole_key)


def needs_former_row(rule: ChangeRule, change: Change, now: datetime) -> bool:
    """Say whether an update may be an event that ``row_news`` cannot tell without the former row.

    ``now``: as for ``row_news``. Never raises.
    """
    record, after = change.record, change.after
    if change.operation is not ChangeOperation.UPDATE or change.before is not None or after is None:
        return False
    untold = {_C.CHANGED} if rule.repeatable else {_C.CHANGED, _C.ENTERED, _C.NUMBERED, _C.KEYED}
    return (
        not untold.isdisjoint(rule.triggers)
        and not any(test.holds(record, after) for test in rule.unless)
        and _counts(rule, record, after)
        and _is_recent(rule, record, after, change, now)
    )


def numbers_in(record: Record, row: Row, columns: Collection[str]) -> tuple[str, ...]:
    """Return the numbers of people in ``columns`` of a row, each once.

    The tax code of a household business is its owner's number; other codes are left out.
    """
    numbers = []
    for name in columns:
        value = row[record.positions[name]]
        try:
            numbers.append(person_number(value) if isinstance(value, str) else None)
        except ValueError:
            continue
    return tuple(dict.fromkeys(number for number in numbers if number is not None))


#: The row that tells, the people in it whom it concerns, and whether it is certainly news.
_Outcome = tuple[Row, tuple[str, ...], bool]


def _apply_triggers(rule: ChangeRule, change: Change) -> _Outcome | None:
    """Apply the triggers of a rule."""
    record, before, after = change.record, change.before, change.after
    if change.operation is ChangeOperation.DELETE:
        is_counted = before is not None and _counts(rule, record, before)
        if before is None or not is_counted or _C.DELETED not in rule.triggers:
            return None
        return before, _people(rule, record, before), True
    if after is None or not _counts(rule, record, after):
        return None
    is_creation = change.operation is ChangeOperation.CREATE
    if is_creation and (_C.CREATED in rule.triggers or not change.may_be_update):
        applies, certain = _C.CREATED in rule.triggers, True
    elif before is None:
        uncertain = {_C.ENTERED, _C.NUMBERED, _C.KEYED}
        if change.operation is ChangeOperation.WRITE:
            uncertain.add(_C.CREATED)
        applies, certain = not uncertain.isdisjoint(rule.triggers), False
    elif not _counts(rule, record, before):
        applies, certain = _C.ENTERED in rule.triggers, True
    else:
        return _apply_triggers_to_update(rule, record, before, after)
    return (after, _people(rule, record, after), certain) if applies else None


def _apply_triggers_to_update(
    rule: ChangeRule, record: Record, before: Row, after: Row
) -> _Outcome | None:
    """Apply the triggers to an update of a row that counted and counts."""
    named_before = _people(rule, record, before)
    if _C.CHANGED in rule.triggers and _says_otherwise(rule, record, before, after):
        return after, named_before, True
    people = _people(rule, record, after)
    if _C.KEYED in rule.triggers:
        is_keyed = _sole_key(rule, record, before) is None
        still_named = tuple(number for number in people if number in named_before)
        return (after, still_named, True) if is_keyed and still_named else None
    named = tuple(number for number in people if number not in named_before)
    return (after, named, True) if named and _C.NUMBERED in rule.triggers else None


def _counts(rule: ChangeRule, record: Record, row: Row) -> bool:
    return all(test.holds(record, row) for test in rule.when)


def _people(rule: ChangeRule, record: Record, row: Row) -> tuple[str, ...]:
    return () if rule.read is not None else numbers_in(record, row, rule.people)


def _says_otherwise(rule: ChangeRule, record: Record, before: Row, after: Row) -> bool:
    return any(
        old != new
        for column, old, new in zip(record.columns, before, after, strict=True)
        if column.sensitivity is not Sensitivity.RESTRICTED and column.name not in rule.ignored
    )


def _is_recent(rule: ChangeRule, record: Record, row: Row, change: Change, now: datetime) -> bool:
    if rule.recent is None:
        return True
    name, days = rule.recent
    value = row[record.positions[name]]
    if isinstance(value, datetime):
        value = value.astimezone(_VIETNAM).date()
    if isinstance(value, PartialDate):
        value = value.first if value.day is not None else None
    if not isinstance(value, date):
        return False
    today = (change.committed_at or now).astimezone(_VIETNAM).date()
    return (today - value).days <= days


def _sole_key(rule: ChangeRule, record: Record, row: Row) -> str | None:
    """Return the number under which a row may have no other beside it."""
    if rule.sole is None:
        return None
    lookup = next(lookup for lookup in record.lookups if lookup.name == rule.sole)
    return next(iter(numbers_in(record, row, lookup.by)), None)


def _text(record: Record, row: Row, name: str) -> str | None:
    value = row[record.positions[name]]
    return None if value is None else str(value)


def _date(rule: ChangeRule, record: Record, row: Row) -> str | None:
    if rule.date is None:
        return None
    value = row[record.positions[rule.date]]
    if isinstance(value, datetime):
        value = value.astimezone(_VIETNAM).date()
    return None if value is None else str(value)
