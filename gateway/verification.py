"""Verification: whether a number and what is known of a person belong together, without disclosure.

Domain.md section 4: predicate answers before raw attributes; no search but by number and what must
agree with it. Whoever may read name, birth date and sex of a person may verify them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from connectors.description import Coded, Column, Database, Record
from connectors.values import PartialDate
from gateway.answer import SourceReport

DATABASE = "population"
#: The scope that permits to verify and nothing more.
SCOPE = f"{DATABASE}:verify"
#: The root field.
FIELD = "verifyPerson"


class Verdict(Coded):
    """What a verification comes to."""

    MATCH = "khớp", "all of it belongs together"
    MISMATCH = "không khớp", "something does not agree"
    UNKNOWN = "chưa xác định được", "it cannot be said"


class IdentityDetail(Coded):
    """What can disagree."""

    NAME = "họ, chữ đệm và tên", "full name"
    BIRTH_DATE = "ngày sinh", "date of birth"
    SEX = "giới tính", "sex"


@dataclass(frozen=True, slots=True)
class Claimed:
    """What the caller says of a person. ``sex``: a code of the population database."""

    name: str
    birth_date: PartialDate
    sex: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What came of it. ``mismatched``: what disagrees; None where that is not told."""

    result: Verdict
    mismatched: tuple[IdentityDetail, ...] | None
    source: SourceReport


@dataclass(frozen=True)
class Verification:
    """What a caller must be permitted in order to verify. ``record``: in which identities stand."""

    record: Record

    @property
    def database(self) -> str:
        """The database that is asked."""
        return self.record.database

    @property
    def name(self) -> str:
        """What it is called among what callers may be permitted, apart from any record."""
        return f"{self.record.name}:verify"

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes of which one is needed."""
        return frozenset({SCOPE, f"{DATABASE}:read", f"{DATABASE}.{self.record.name}:read"})

    @property
    def columns(self) -> tuple[Column, ...]:
        """What is compared, and has to be covered by the purpose."""
        return tuple(self.record.column(one) for one in ("full_name", "birth_date", "sex"))


def verification_of(databases: Iterable[Database]) -> Verification | None:
    """Return the verification that ``databases`` make possible; None: identities are not there."""
    for one in databases:
        if one.name == DATABASE and "identity" in one.by_name:
            return Verification(one.by_name["identity"])
    return None
