"""Notices: what a reader of a person must not miss (design section 6.6).

Derived from the population database's answer about the person, for callers who may read it. For all
others, and where it did not answer, the notice is UNKNOWN with the reason: silence would read as
"nothing to notice".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import orjson

from connectors.description import Coded, Record, Row, Text
from connectors.values import PartialDate
from gateway.answer import Identification, State
from gateway.people.numbers import PersonNumbers, Population, is_present_number


class NoticeCode(Coded):
    """What is to be noticed."""

    DECEASED = "người này đã chết", "the person is dead"
    MISSING = "người này mất tích", "the person is missing"
    UNDER_CORRECTION = "dữ liệu đang được cải chính", "the data are under correction"
    EARLIER_NUMBER = (
        "số được hỏi là số đã dùng trước đây",
        "the number asked is an earlier number of the person",
    )
    NUMBER_SHARED = (
        "một số trước đây của người này cũng thuộc về người khác; không tra theo số đó",
        "an earlier number of this person is somebody else's too; nothing is looked up under it",
    )
    NUMBERS_INCOMPLETE = (
        "chưa xác định đủ các số của người này; có thể còn bản ghi theo số khác",
        "not all numbers of this person are known; there may be records under others",
    )
    NOT_IN_POPULATION = (
        "cơ sở dữ liệu dân cư không có số này",
        "the population database does not know this number",
    )
    PREFIX_UNKNOWN = (
        "ba chữ số đầu không phải mã tỉnh đã biết",
        "the first three digits are no known province code",
    )
    NUMBER_DISAGREES = (
        "số định danh không khớp giới tính hoặc năm sinh",
        "the number disagrees with the sex or the year of birth",
    )
    UNKNOWN = (
        "chưa xác định được tình trạng của người này",
        "it could not be found out whether there is something to notice",
    )


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice. ``detail``: a date. ``reason``: the state behind an UNKNOWN."""

    code: NoticeCode
    detail: str | None = None
    reason: State | None = None

    @property
    def message(self) -> Text:
        """The notice as a sentence."""
        return self.code.title

    @property
    def mirrored(self) -> Mapping[str, object]:
        """The notice as the answer's extensions show it where the field was not selected."""
        return _mirrored(self)


@lru_cache(maxsize=10_000)
def _mirrored(notice: Notice) -> Mapping[str, object]:
    """Return the notice as extensions show it; few differ, but for dates of death."""
    return {
        "code": notice.code.name,
        "message": {"vi": notice.message.vi, "en": notice.message.en},
        "detail": notice.detail,
        "reason": notice.reason.name if notice.reason else None,
    }


@lru_cache(maxsize=10_000)
def mirrored_notices(person_notices: tuple[Notice, ...]) -> orjson.Fragment:
    """Return notices as extensions show them, as JSON: many people have the same."""
    return orjson.Fragment(orjson.dumps([notice.mirrored for notice in person_notices]))


def notices(
    numbers: PersonNumbers,
    population: Population | None,
    may_know: Callable[[Record, int | None], bool],
    may_list: Callable[[], bool],
) -> tuple[Notice, ...]:
    """Return the notices about the person with ``numbers``. Pure: the reads have been made.

    ``may_know`` says whether the caller may see a column of a record (None: the record itself);
    ``may_list``, whether they may see some list of the person, and so learn that nobody holds the
    number. What the digits tell by themselves is told to everybody.
    """
    of_digits = _digit_notices(numbers)
    is_nobodys = numbers.identification is Identification.NOT_IDENTIFIED
    person_notices: list[Notice] = []
    if is_nobodys and may_list():
        person_notices.append(Notice(NoticeCode.NOT_IN_POPULATION))
    if population is not None and not may_know(population.identity.record, None):
        return (*person_notices, Notice(NoticeCode.UNKNOWN, reason=State.DENIED), *of_digits)
    answer = numbers.identity
    if answer is None or population is None:
        return (*person_notices, Notice(NoticeCode.UNKNOWN, reason=State.NOT_OPERATING), *of_digits)
    if numbers.present is not None and numbers.present != numbers.requested:
        person_notices.append(Notice(NoticeCode.EARLIER_NUMBER))
    if numbers.shared:
        may_tell_sharing = may_know(population.earlier.record, None)
        person_notices.append(
            Notice(NoticeCode.NUMBER_SHARED if may_tell_sharing else NoticeCode.NUMBERS_INCOMPLETE)
        )
    if numbers.doubt is not None:
        person_notices.append(Notice(NoticeCode.UNKNOWN, reason=numbers.doubt))
    if answer.rows:
        facts = _visible_facts(population.identity.record, may_know)
        person_notices += _identity_notices(numbers.present, facts, facts.of(answer.rows[0]))
    person_notices += of_digits
    return tuple(dict.fromkeys(person_notices))


#: Without these columns nothing can be said about notices.
_ESSENTIAL = ("life_status", "status")
_Facts = tuple[object, object, object, object, int | None]


@dataclass(frozen=True, slots=True, eq=False)
class VisibleFacts:
    """Where in a row of identity the facts stand on which notices depend; None: not to be seen.

    ``has_essentials``: the caller may see those without which nothing can be said.
    """

    life_status: int | None
    status: int | None
    date: int | None
    sex: int | None
    birth_date: int | None
    has_essentials: bool

    def of(self, row: Row) -> _Facts:
        """Return the facts of ``row``: life status, status, date, sex, and year of birth."""
        birth_date = None if self.birth_date is None else row[self.birth_date]
        return (
            None if self.life_status is None else row[self.life_status],
            None if self.status is None else row[self.status],
            None if self.date is None else row[self.date],
            None if self.sex is None else row[self.sex],
            birth_date.year if isinstance(birth_date, PartialDate) else None,
        )


def plain_facts(
    population: Population | None, may_know: Callable[[Record, int | None], bool]
) -> VisibleFacts | None:
    """Return what a caller may see of plain people (``plain_notices``); None: no identity."""
    if population is None or not may_know(population.identity.record, None):
        return None
    return _visible_facts(population.identity.record, may_know)


def plain_notices(number: str, row: Row, facts: VisibleFacts) -> tuple[Notice, ...]:
    """Return the notices about a person whom the population database knows by one number alone.

    Equal to ``notices``. They follow from few facts, which many people share.
    """
    return _plain_notices(number[:6], facts, facts.of(row))


@lru_cache(maxsize=15_000)  # 63 provinces, 100 years and both sexes are 12,600
def _plain_notices(digits: str, facts: VisibleFacts, values: _Facts) -> tuple[Notice, ...]:
    of_digits = () if digits[:3] in _prefixes() else (Notice(NoticeCode.PREFIX_UNKNOWN),)
    return tuple(dict.fromkeys((*_identity_notices(digits, facts, values), *of_digits)))


def _visible_facts(record: Record, may_know: Callable[[Record, int | None], bool]) -> VisibleFacts:
    def place(column: str) -> int | None:
        position = record.positions[column]
        return position if may_know(record, position) else None

    places = {name: place(name) for name in _ESSENTIAL}
    return _facts_at(
        places["life_status"],
        places["status"],
        place("death_or_missing_date"),
        place("sex"),
        place("birth_date"),
        None not in places.values(),
    )


@lru_cache(maxsize=1_000)
def _facts_at(*places: Any) -> VisibleFacts:
    """Return the same object for the same places: it is part of the key of ``_plain_notices``."""
    return VisibleFacts(*places)


def _identity_notices(number: str | None, facts: VisibleFacts, values: _Facts) -> Iterator[Notice]:
    """Yield the notices that an identity leads to, from what the caller may see of it."""
    life_status, status, date, sex, birth_year = values
    if not facts.has_essentials:
        yield Notice(NoticeCode.UNKNOWN, reason=State.DENIED)
    elif life_status is None or status is None:
        yield Notice(NoticeCode.UNKNOWN)
    detail = str(date) if date is not None else None
    match life_status:
        case "DEAD":
            yield Notice(NoticeCode.DECEASED, detail)
        case "MISSING":
            yield Notice(NoticeCode.MISSING, detail)
        case _:
            pass
    if status == "UNDER_CORRECTION":
        yield Notice(NoticeCode.UNDER_CORRECTION)
    if number is not None:
        yield from _disagreements(number, sex, birth_year)


def _digit_notices(numbers: PersonNumbers) -> tuple[Notice, ...]:
    """Return the notice about the digits of a present number; an old one has none."""
    number = numbers.present or numbers.requested
    is_plausible = not is_present_number(number) or number[:3] in _prefixes()
    return () if is_plausible else (Notice(NoticeCode.PREFIX_UNKNOWN),)


def _disagreements(number: str, sex: object, birth_year: int | None) -> Iterator[Notice]:
    """Compare a number with the sex and birth year that it encodes (Circular 59/2021/TT-BCA).

    Its first six digits are enough.
    """
    digit = int(number[3])
    wrong_sex = sex in {"MALE", "FEMALE"} and (digit % 2 == 0) is not (sex == "MALE")
    year = 1900 + 100 * (digit // 2) + int(number[4:6])
    if wrong_sex or (birth_year is not None and birth_year != year):
        yield Notice(NoticeCode.NUMBER_DISAGREES)


@cache
def _prefixes() -> frozenset[str]:
    """The 63 province codes of before July 2025 and the 34 of today, as number prefixes."""
    data = json.loads(files("connectors").joinpath("provinces.json").read_text("utf-8"))
    old = {province["pin_prefix"] for province in data["old63"]}
    return frozenset(old | {f"0{province['code']}" for province in data["new34"]})
