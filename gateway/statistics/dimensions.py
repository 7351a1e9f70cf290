"""The dimensions of a record: by what it may be counted.

They follow from its declaration: the year of its date, the province and the age that it names
(``record(province=..., birth_date=...)``), and enumerations marked ``dimension=True``. Each has a
closed list of values, so that a value nobody has shows like one that few have. What is SENSITIVE or
kept closer is no dimension (Decree 356/2025 Art. 4), nor is free text.

Provinces are those of birth registration where a person's number says so (its first three digits,
domain.md 1.1): before the mergers of 2025, and after them as a coarser form. Elsewhere the code of
the province as it is now.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources import files

from connectors.backends.row_counts import CountColumn
from connectors.description import Coded, Column, Kind, Record, Sensitivity, Text
from disclosure.lattice import Axis

#: Dimensions that are counted by themselves, at most: every choice of three is one table.
MOST_COUNTED = 6
#: Years that stand by themselves; earlier ones are together.
_YEARS = 15
UNKNOWN, EARLIER = "UNKNOWN", "EARLIER"
_UNKNOWN_TITLE = Text("không rõ", "not recorded")
_AGES = ((18, "UNDER_18"), (30, "FROM_18"), (45, "FROM_30"), (60, "FROM_45"))
_OLDEST = "FROM_60"
_AGE_TITLES = {
    "UNDER_18": Text("dưới 18 tuổi", "below 18"),
    "FROM_18": Text("18-29 tuổi", "18 to 29"),
    "FROM_30": Text("30-44 tuổi", "30 to 44"),
    "FROM_45": Text("45-59 tuổi", "45 to 59"),
    "FROM_60": Text("từ 60 tuổi", "60 and older"),
}
_PREFIX_DIGITS = 3

#: Turns the values of a group of the source into the value of a dimension.
Fold = Callable[[Mapping[CountColumn, object]], str]


@dataclass(frozen=True, slots=True)
class Dimension:
    """One dimension. ``values``: its codes with their titles, in the order of display.

    ``columns``: what is counted at the source for it. ``fold``: makes its value of them; None for
    the coarser form of ``finer``, with its value for each of that one's.
    """

    name: str
    title: Text
    values: Mapping[str, Text]
    columns: tuple[CountColumn, ...] = ()
    fold: Fold | None = None
    finer: tuple[str, Mapping[str, str]] | None = None

    @property
    def axis(self) -> Axis:
        """The axis of the lattice."""
        return Axis(self.name, tuple(self.values), self.finer)


def dimensions_of(record: Record, before: date) -> tuple[Dimension, ...]:
    """Return the dimensions of ``record`` in a snapshot of rows dated before ``before``."""
    counted = 0
    chosen: list[Dimension] = []
    for dimension in _all_dimensions(record, before):
        counted += dimension.finer is None
        if counted > MOST_COUNTED:
            break
        chosen.append(dimension)
    return tuple(chosen)


def _all_dimensions(record: Record, before: date) -> Iterator[Dimension]:
    dated = None if record.date is None else CountColumn(record.date, by_year=True)
    if dated is not None and _is_open(record, dated.name):
        yield _year(dated, before)
    if record.province is not None and _is_open(record, record.province):
        yield from _provinces(record.column(record.province))
    if record.birth_date is not None and _is_open(record, record.birth_date):
        yield _age(CountColumn(record.birth_date, by_year=True), dated, before)
    for column in record.columns:
        if column.field.dimension and _is_open(record, column.name):
            if column.field.enumeration is not None and not column.field.many:
                yield _enumeration(column, column.field.enumeration)
            elif column.field.kind is Kind.BOOLEAN:
                yield _boolean(column)


def _is_open(record: Record, name: str) -> bool:
    return record.column(name).sensitivity <= Sensitivity.BASIC


def _year(column: CountColumn, before: date) -> Dimension:
    # The last whole month may be December of the year before.
    last = before.year if before.month > 1 else before.year - 1
    years = [str(year) for year in range(last - _YEARS + 1, last + 1)]
    titles = {year: Text(year, year) for year in years}
    values = {EARLIER: Text(f"trước {years[0]}", f"before {years[0]}"), **titles}

    def fold(group: Mapping[CountColumn, object]) -> str:
        year = group[column]
        if not isinstance(year, int) or year > last:
            return UNKNOWN
        return str(year) if str(year) in titles else EARLIER

    title = Text("năm", "year")
    return Dimension("YEAR", title, {**values, UNKNOWN: _UNKNOWN_TITLE}, (column,), fold)


def _provinces(column: Column) -> Iterator[Dimension]:
    provinces = json.loads((files("connectors") / "provinces.json").read_text("utf-8"))
    present = {entry["code"]: Text(entry["name"], entry["name"]) for entry in provinces["new34"]}
    present = {**present, UNKNOWN: _UNKNOWN_TITLE}
    title = Text("tỉnh, thành phố (sau sáp nhập 2025)", "province, after the mergers of 2025")
    if column.field.kind is not Kind.PERSON_NUMBER:
        yield _folded("PROVINCE", title, present, CountColumn(column.name))
        return
    former = {
        entry["pin_prefix"]: Text(entry["name"], entry["name"]) for entry in provinces["old63"]
    }
    former_title = Text("tỉnh đăng ký khai sinh (trước sáp nhập)", "province before the mergers")
    by_prefix = CountColumn(column.name, digits=_PREFIX_DIGITS)
    values = {**former, UNKNOWN: _UNKNOWN_TITLE}
    yield _folded("PROVINCE_BEFORE", former_title, values, by_prefix)
    coarse = {entry["pin_prefix"]: entry["new_code"] for entry in provinces["old63"]}
    finer = ("PROVINCE_BEFORE", {**coarse, UNKNOWN: UNKNOWN})
    yield Dimension("PROVINCE", title, present, finer=finer)


def _age(column: CountColumn, dated: CountColumn | None, before: date) -> Dimension:
    def fold(group: Mapping[CountColumn, object]) -> str:
        born, year = group[column], before.year if dated is None else group[dated]
        if not isinstance(born, int) or not isinstance(year, int) or year < born:
            return UNKNOWN
        age = year - born
        return next((code for limit, code in _AGES if age < limit), _OLDEST)

    columns = (column,) if dated is None else (column, dated)
    values = {**_AGE_TITLES, UNKNOWN: _UNKNOWN_TITLE}
    title = Text("nhóm tuổi (theo năm)", "age band, by the years alone")
    return Dimension("AGE_BAND", title, values, columns, fold)


def _enumeration(column: Column, kind: type[Coded]) -> Dimension:
    values = {member.name: member.title for member in kind}
    values = {**values, UNKNOWN: _UNKNOWN_TITLE}
    return _folded(column.name.upper(), column.field.title, values, CountColumn(column.name))


def _boolean(column: Column) -> Dimension:
    count_column = CountColumn(column.name)
    values = {"TRUE": Text("có", "yes"), "FALSE": Text("không", "no"), UNKNOWN: _UNKNOWN_TITLE}

    def fold(group: Mapping[CountColumn, object]) -> str:
        return {True: "TRUE", False: "FALSE"}.get(group[count_column], UNKNOWN)  # type: ignore[call-overload, no-any-return]

    return Dimension(column.name.upper(), column.field.title, values, (count_column,), fold)


def _folded(name: str, title: Text, values: Mapping[str, Text], column: CountColumn) -> Dimension:
    def fold(group: Mapping[CountColumn, object]) -> str:
        value = group[column]
        return value if isinstance(value, str) and value in values else UNKNOWN

    return Dimension(name, title, values, (column,), fold)
