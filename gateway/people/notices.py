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
        person_notices += _identity_notices(
            numbers, population.identity.record, answer.rows[0], may_know
        )
    person_notices += of_digits
    return tuple(dict.fromkeys(person_notices))


#: Without these columns nothing can be said about notices.
_ESSENTIAL = ("life_status", "status")


def _identity_notices(
    numbers: PersonNumbers, record: Record, row: Row, may_know: Callable[[Record, int | None], bool]
) -> Iterator[Notice]:
    """Yield the notices that a row of identity leads to, from columns that the caller may see."""

    def value(column: str) -> object:
        position = record.positions[column]
        return row[position] if may_know(record, position) else None

    if not all(may_know(record, record.positions[column]) for column in _ESSENTIAL):
        yield Notice(NoticeCode.UNKNOWN, reason=State.DENIED)
    elif value("life_status") is None or value("status") is None:
        yield Notice(NoticeCode.UNKNOWN)
    date = value("death_or_missing_date")
    detail = str(date) if date is not None else None
    match value("life_status"):
        case "DEAD":
            yield Notice(NoticeCode.DECEASED, detail)
        case "MISSING":
            yield Notice(NoticeCode.MISSING, detail)
        case _:
            pass
    if value("status") == "UNDER_CORRECTION":
        yield Notice(NoticeCode.UNDER_CORRECTION)
    if numbers.present is not None:
        yield from _disagreements(numbers.present, value("sex"), value("birth_date"))


def _digit_notices(numbers: PersonNumbers) -> tuple[Notice, ...]:
    """Return the notice about the digits of a present number; an old one has none."""
    number = numbers.present or numbers.requested
    is_plausible = not is_present_number(number) or number[:3] in _prefixes()
    return () if is_plausible else (Notice(NoticeCode.PREFIX_UNKNOWN),)


def _disagreements(number: str, sex: object, birth_date: object) -> Iterator[Notice]:
    """Compare a number with the sex and birth year that it encodes (Circular 59/2021/TT-BCA)."""
    digit = int(number[3])
    wrong_sex = sex in {"MALE", "FEMALE"} and (digit % 2 == 0) is not (sex == "MALE")
    year = 1900 + 100 * (digit // 2) + int(number[4:6])
    if wrong_sex or (isinstance(birth_date, PartialDate) and birth_date.year != year):
        yield Notice(NoticeCode.NUMBER_DISAGREES)


@cache
def _prefixes() -> frozenset[str]:
    """The 63 province codes of before July 2025 and the 34 of today, as number prefixes."""
    data = json.loads(files("connectors").joinpath("provinces.json").read_text("utf-8"))
    old = {province["pin_prefix"] for province in data["old63"]}
    return frozenset(old | {f"0{province['code']}" for province in data["new34"]})
