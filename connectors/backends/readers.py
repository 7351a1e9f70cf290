"""Converts values of existing tables before ``connectors.codec`` reads them.

Each function here makes a small reader: from a row of the source to one raw value. A reader never
raises; what it cannot read becomes ``UNREAD``, which the codec refuses, so that the row is counted
as unreadable and nothing is guessed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from connectors.backends.number_spellings import normalise_number
from connectors.description import Kind
from connectors.values import PartialDate

_Raw = Sequence[object]
_Read = Callable[[_Raw], object]

#: The kinds whose values ``read_date`` reads.
READ_AS_DATES = frozenset({Kind.DATE, Kind.PARTIAL_DATE, Kind.DATETIME})

_TEXTS = frozenset(
    {Kind.STRING, Kind.PERSON_NUMBER, Kind.ENTERPRISE_CODE, Kind.ENUM, Kind.PARTIAL_DATE}
)


class _Unread:
    """A value that could not be read: no kind accepts it."""

    def __repr__(self) -> str:
        return "unread"


UNREAD = _Unread()


def read_constant(value: object) -> _Read:
    """Read the same value from every row."""
    return lambda _raw: value


def read_joined(places: tuple[int, ...]) -> _Read:
    """Join the values at ``places`` by ", ": ward, district, province of an old address.

    Empty ones are left out; where all are, there is no value.
    """

    def read(raw: _Raw) -> object:
        parts = [raw[place] for place in places]
        if not all(part is None or isinstance(part, str | int) for part in parts):
            return UNREAD
        return ", ".join(str(p) for p in parts if p is not None and str(p).strip()) or None

    return read


def read_translated(take: _Read, values: Mapping[str, str], many: bool) -> _Read:
    """Translate a value of the source by ``values``; lists, also as JSON text, item by item."""

    def translate(raw: object) -> object:
        if isinstance(raw, bool):
            raw = str(raw).lower()
        return None if raw is None else values.get(str(raw), UNREAD)

    def translate_list(raw: object) -> object:
        if isinstance(raw, str):
            try:
                raw = json.loads(raw)
            except (ValueError, RecursionError):
                return UNREAD
        if raw is None:
            return None
        return [translate(value) for value in raw] if isinstance(raw, list | tuple) else UNREAD

    return (lambda raw: translate_list(take(raw))) if many else (lambda raw: translate(take(raw)))


def read_plain(take: _Read, kind: Kind, zone: ZoneInfo | None) -> _Read:
    """Read a value as ``convert_plain`` converts it."""
    return lambda raw: convert_plain(kind, zone, take(raw))


def convert_plain(kind: Kind, zone: ZoneInfo | None, value: object) -> object:
    """Return a value unchanged, but for types that other tables use.

    Whole numbers and UUIDs become text where text is declared; of a date with a time the day
    counts; a moment without a zone is one of ``zone``.
    """
    if isinstance(value, datetime):
        return _moment(value, kind, zone)
    if kind in _TEXTS and isinstance(value, int | UUID) and not isinstance(value, bool):
        return str(value)
    return value


def convert_number(kind: Kind, zone: ZoneInfo | None, value: object) -> object:
    """Return a person's number, or a list of them, in its usual spelling."""
    value = convert_plain(kind, zone, value)
    if isinstance(value, list | tuple):
        return [_spelt(number) for number in value]
    return _spelt(value)


def _spelt(value: object) -> object:
    return normalise_number(value) if isinstance(value, str) else value


def _moment(value: datetime, kind: Kind, zone: ZoneInfo | None) -> object:
    if kind is Kind.DATETIME:
        return value.replace(tzinfo=zone) if value.tzinfo is None else value
    if kind not in READ_AS_DATES:
        return value
    if value.tzinfo is None:
        return value.date()
    try:
        return UNREAD if zone is None else value.astimezone(zone).date()
    except OverflowError:  # the last moment of the year 9999 has no day in Hanoi
        return UNREAD


#: What a date may be written with, and how each is found in text.
_DIRECTIVES = {
    "%Y": "(?P<year>[0-9]{4})",
    "%m": "(?P<month>[0-9]{1,2})",
    "%d": "(?P<day>[0-9]{1,2})",
    "%H": "(?P<hour>[0-9]{1,2})",
    "%M": "(?P<minute>[0-9]{1,2})",
    "%S": "(?P<second>[0-9]{1,2})",
    "%z": "(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})",
    "%%": "%",
}
_DIRECTIVE = re.compile("(%.?)", re.DOTALL)


def date_pattern(kind: Kind, written: str) -> re.Pattern[str]:
    """Return a pattern for dates written like ``written`` (``%d/%m/%Y``).

    Raises ValueError where that is no complete format of a value of ``kind``.
    """
    pieces = _DIRECTIVE.split(written)
    for piece in pieces[1::2]:
        if piece not in _DIRECTIVES:
            raise ValueError(f"{piece} is none of {' '.join(_DIRECTIVES)}")
        if piece != "%%" and pieces.count(piece) > 1:
            raise ValueError(f"{piece} is there twice")
    directives = set(pieces)
    needed = {
        Kind.PARTIAL_DATE: {"%Y"} | ({"%m"} if "%d" in directives else set()),
        Kind.DATE: {"%Y", "%m", "%d"},
        Kind.DATETIME: {"%Y", "%m", "%d", "%H", "%M"},
    }[kind]
    if needed - directives:
        raise ValueError(f"{' '.join(sorted(needed - directives))} is not there")
    return re.compile("".join(_DIRECTIVES.get(piece) or re.escape(piece) for piece in pieces))


def read_date(take: _Read, kind: Kind, ways: tuple[str, ...], zone: ZoneInfo | None) -> _Read:
    """Read a date that is written in one of the formats ``ways``, tried in this order.

    A date of the source's own type is taken as it is; empty text is no date.
    """
    patterns = [date_pattern(kind, written) for written in ways]
    otherwise = read_plain(take, kind, zone)

    def read(raw: _Raw) -> object:
        text = take(raw)
        if not isinstance(text, str):
            return otherwise(raw) if text is None or isinstance(text, date) else UNREAD
        text = text.strip()
        if not text:
            return None
        for pattern in patterns:
            match = pattern.fullmatch(text)
            value = None if match is None else _date(match.groupdict(), kind, zone)
            if value is not None:
                return value
        return UNREAD

    return read


def _date(parts: Mapping[str, str | None], kind: Kind, zone: ZoneInfo | None) -> object:
    """Return the date of ``parts``; None where the calendar has no such day."""
    number = {name: int(text) for name, text in parts.items() if text and name != "zone"}
    try:
        day = PartialDate.parse(
            str(PartialDate(number["year"], number.get("month"), number.get("day")))
        )
        if kind is not Kind.DATETIME:
            return str(day)
        clock = f"{number['hour']:02d}:{number['minute']:02d}:{number.get('second', 0):02d}"
        moment = datetime.fromisoformat(f"{day}T{clock}{parts.get('zone') or ''}")
    except ValueError:
        return None
    return _moment(moment, kind, zone)
