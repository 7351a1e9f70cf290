"""Value types that several databases share: numbers, and dates that may be incomplete."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date
from typing import NewType

#: A person's number as a record writes it: 12 digits, or 9 digits of an old identity card.
PersonNumber = NewType("PersonNumber", str)

#: An enterprise's code, which is its tax code: 10 digits with a check digit, or 13 for a branch
#: (``domain.md`` 1.2). Kept as written.
EnterpriseCode = NewType("EnterpriseCode", str)

#: The key of a thing (a registration, an asset, a certificate) as somebody asks by it: an input.
ThingKey = NewType("ThingKey", str)

#: The code of an organisation as somebody asks by it; its check digit is right where it has one.
OrganizationCode = NewType("OrganizationCode", str)

_NUMBER = re.compile(r"[0-9]{12}|[0-9]{9}")
_PARTIAL = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")


def person_number(text: str) -> PersonNumber:
    """Return ``text`` as a person number.

    Only the digits are checked (ASCII, 9 or 12 of them): prefixes and the sex and birth-year digits
    are known to be wrong in old records (``domain.md`` 1.1). Raises ValueError; the message never
    repeats the value.
    """
    if _NUMBER.fullmatch(text) is None:
        raise ValueError("a person number must have 12 digits, or 9 digits of an old identity card")
    return PersonNumber(text)


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A calendar date of which old records may give only the year, or the year and month."""

    year: int
    month: int | None = None
    day: int | None = None

    @classmethod
    def parse(cls, text: str) -> PartialDate:
        """Read ``1957``, ``1957-03`` or ``1957-03-02``; raises ValueError for anything else."""
        match = _PARTIAL.fullmatch(text)
        if match is None:
            raise ValueError("a date must be written YYYY, YYYY-MM or YYYY-MM-DD")
        year, month, day = (int(part) if part else None for part in match.groups())
        assert year is not None  # the first group is not optional
        # Raises ValueError for a day that does not exist; 00 is none, and is not taken for unknown.
        date(year, 1 if month is None else month, 1 if day is None else day)
        return cls(year, month, day)

    @property
    def first(self) -> date:
        """The first day that the date can mean."""
        return date(self.year, self.month or 1, self.day or 1)

    @property
    def last(self) -> date:
        """The last day that the date can mean."""
        month = self.month or 12
        return date(self.year, month, self.day or calendar.monthrange(self.year, month)[1])

    def __str__(self) -> str:
        """Return the date as far as it is known: ``1957``, ``1957-03`` or ``1957-03-02``."""
        if self.day is not None:
            return f"{self.year:04d}-{self.month:02d}-{self.day:02d}"
        return f"{self.year:04d}" if self.month is None else f"{self.year:04d}-{self.month:02d}"
