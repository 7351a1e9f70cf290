"""What a rule is: when records about one person contradict each other, and which of them prevails.

A rule has cases; a case names the rows that it compares, in the order in which they are sides of a
finding, and the condition under which they contradict each other. Rules never change data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from connectors.description import Coded, Text
from rules.expression import (
    Condition,
    Conjunction,
    ListRead,
    RowVariable,
    all_of,
    columns_of,
    inner_rows,
    is_among,
)


class ConflictSeverity(Coded):
    """How much hangs on a conflict."""

    HIGH = "nghiêm trọng", "high"
    MEDIUM = "trung bình", "medium"
    LOW = "thấp", "low"


class ConflictCode(Coded):
    """What a rule is about; its name is what a finding bears."""

    SHARED_NUMBER = "một số của hai người", "one number for two people"
    CANCELLED_NUMBER = "dùng số định danh đã hủy", "a cancelled number was used"
    UNKNOWN_NUMBER = "số định danh không ai mang", "a citizen ID that nobody holds"
    NUMBER_STRUCTURE = (
        "số định danh không khớp giới tính, ngày sinh hoặc nơi đăng ký khai sinh",
        "citizen ID does not fit sex, birth date or place of birth registration",
    )
    LIFE_STATE = "tình trạng sống, chết", "alive or dead"
    DEATH_DATE = "ngày chết", "date of death"
    EVENT_AFTER_DEATH = "sự kiện sau khi chết", "event after death"
    BIRTH_DATE = "ngày sinh", "date of birth"
    SEX = "giới tính", "sex"
    NATIONALITY = "quốc tịch", "nationality"
    PLACE = "nơi sinh ở tỉnh khác", "place of birth in another province"
    PLACE_FORM = (
        "nơi sinh ghi theo tên tỉnh trước và sau sắp xếp năm 2025",
        "place of birth by the names of before and after the mergers of 2025",
    )
    RESIDENCE = "nơi cư trú", "residence"
    DIFFERENT_NAME = "tên khác nhau", "different names"
    INCOMPLETE_NAME = (
        "tên viết tắt, thiếu chữ đệm hoặc thiếu dấu",
        "name shortened or without marks",
    )
    NAME_FORM = "cách viết tên", "writing of the name"
    UNREADABLE_NAME = "tên bị lỗi mã", "name damaged by an old encoding"
    PARENTS = "cha, mẹ", "parents"
    SELF_AS_RELATIVE = (
        "là cha, mẹ, con hoặc vợ/chồng của chính mình",
        "recorded as their own relative",
    )
    MARITAL_STATUS = "tình trạng hôn nhân", "marital status"
    OVERLAPPING_MARRIAGES = "hai hôn nhân chồng lấn", "overlapping marriages"
    UNENDED_MARRIAGE = "hôn nhân trước chưa ghi nhận chấm dứt", "an earlier marriage without an end"
    SELF_MARRIAGE = "kết hôn với chính mình", "married to themselves"
    DUPLICATE_BIRTH = "đăng ký khai sinh hai lần", "birth registered twice"
    DUPLICATE_MARRIAGE = "đăng ký kết hôn hai lần", "marriage registered twice"
    DUPLICATE_DEATH = "đăng ký khai tử hai lần", "death registered twice"
    IMPLAUSIBLE_DATE = (
        "ngày trong tương lai hoặc trước năm 1900",
        "a date in the future or before 1900",
    )


@dataclass(frozen=True, eq=False, slots=True)
class Side:
    """A row of a case, and the columns by which it takes part in the contradiction."""

    row: RowVariable
    columns: tuple[str, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Case:
    """One way in which records contradict each other.

    ``prevails``: the place of the side that the law puts above the others, None where none is:
    somebody must look into the papers.
    """

    sides: tuple[Side, ...]
    where: Conjunction
    prevails: int | None = None

    @property
    def reads(self) -> frozenset[ListRead]:
        """The lists that the case reads, those of which it says that they have no row too."""
        return frozenset(row.read for row in self.rows) | self.complete_reads

    @property
    def complete_reads(self) -> frozenset[ListRead]:
        """The lists of which the case says that they have no such row."""
        return frozenset(row.read for row in inner_rows(self.where))

    @property
    def rows(self) -> tuple[RowVariable, ...]:
        """The rows of the sides, in their order."""
        return tuple(side.row for side in self.sides)

    def columns_read(self) -> Iterator[tuple[ListRead, str]]:
        """Yield every column that the condition reads or a side shows, with its list."""
        for column in columns_of(self.where):
            yield column.row.read, column.name
        for side in self.sides:
            for name in (side.row.record.identity, *side.columns):
                yield side.row.read, name


@dataclass(frozen=True, eq=False, slots=True)
class ConflictRule:
    """A rule. ``legal_basis``: of which side prevails. ``advice``: to the officer who reads it.

    ``is_of_numbers``: about numbers that nobody holds. There is no person of whom it could be
    checked, so it is one of whole databases.
    """

    code: ConflictCode
    severity: ConflictSeverity
    cases: tuple[Case, ...]
    legal_basis: str
    advice: Text
    is_of_numbers: bool = False

    @property
    def name(self) -> str:
        """The code, as text."""
        return self.code.name


#: Which record prevails: the civil status book is the source of data on civil status.
BOOK_PREVAILS = "Luật Hộ tịch 60/2014/QH13, Điều 60 khoản 2"
#: The statuses of entries of the civil status books that count.
IN_FORCE = ("VALID", "AMENDED")


def in_force(row: RowVariable) -> Condition:
    """The entry of a civil status book counts: it was neither revoked nor replaced."""
    return is_among(row["status"], *IN_FORCE)


def case(
    *sides: tuple[RowVariable, tuple[str, ...]],
    where: Condition,
    prevails: RowVariable | None = None,
) -> Case:
    """Return a case of these rows; raises KeyError for a column that a side cannot show."""
    for row, columns in sides:
        for name in columns:
            row[name]
    place = next((place for place, (row, _) in enumerate(sides) if row is prevails), None)
    return Case(tuple(Side(*side) for side in sides), all_of(where), place)
