"""Old civil status records without any number, as paper books were digitised, and who is behind.

At ``PopulationOptions.unnumbered_rate`` (none by default) the digitised copy of a birth, marriage
or death has lost every number, and is written as copies of paper are (``domain.md`` section 5):
names without marks, with tone marks the other way, abbreviated or misread; day and month swapped,
or the year alone; provinces and districts by former or short names; parents in each other's place.
The shares of these faults are assumptions of this project. Lives, truths and planted contradictions
stay what they are without it: rows that contradict others keep their numbers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import cache
from importlib.resources import files
from random import Random

from connectors.synthetic.book import Rows
from connectors.synthetic.draw import Weighted, between, pick, stream
from connectors.synthetic.model import Family
from connectors.synthetic.names import old_tone_marks, without_marks
from connectors.synthetic.places import Columns, provinces
from connectors.values import PartialDate

#: Columns of numbers by record, and the role of whom each is of.
_NUMBERS = {
    "births": {"citizen_id": "person", "mother_citizen_id": "", "father_citizen_id": ""},
    "marriages": {"husband_citizen_id": "husband", "wife_citizen_id": "wife"},
    "deaths": {"citizen_id": "person"},
}
_NAMES = {
    "births": ("full_name", "mother_name", "father_name"),
    "marriages": ("husband_name", "wife_name"),
    "deaths": ("full_name",),
}
_DATES = {"births": "birth_date", "marriages": "effective_from", "deaths": "death_date"}
_NAME_FAULT, _SWAPPED, _YEAR_ALONE, _PLACE_FAULT, _PARENTS_SWAPPED = 0.5, 0.05, 0.12, 0.35, 0.03
#: What optical character recognition and tired typists take for each other.
_MISREAD = {
    "n": "u", "u": "n", "h": "b", "i": "l", "l": "i", "c": "e", "o": "a", "a": "o", "g": "q",
    "m": "n", "t": "l", "y": "v", "r": "n", "d": "đ",
}  # fmt: skip
_KINDS = {"xã": "X.", "phường": "P.", "huyện": "H.", "quận": "Q.", "thị xã": "TX.", "tỉnh": "T."}


@dataclass(frozen=True, slots=True)
class UnnumberedRecord:
    """The truth of one person in a record without numbers.

    ``role``: ``person`` of a birth or death, ``husband`` or ``wife``. ``faults``: names of what is
    wrong in the copy.
    """

    record: str
    record_id: str
    role: str
    person_id: str
    faults: tuple[str, ...]

    def as_json(self) -> str:
        """Return the truth as one line of JSON."""
        return json.dumps({"database": "civil_status", **asdict(self)}, ensure_ascii=False)


@dataclass(slots=True)
class _Copy:
    """A row that is copied with faults."""

    rng: Random
    record: str
    row: Columns
    faults: list[str] = field(default_factory=list)


def remove_numbers(
    family: Family, rows: Rows, retained: Collection[str]
) -> tuple[UnnumberedRecord, ...]:
    """Take the numbers out of digitised rows at the rate of the options; return who is behind.

    A row under a number that nobody of the family holds keeps it: nobody is behind. ``retained``:
    identities of rows that keep their numbers.
    """
    options = family.options
    if not options.unnumbered_rate:
        return ()
    rng = stream(options.seed, family.index, "unnumbered")
    present = {former.number: p.number for p in family.people for former in p.earlier}
    holders = {person.number for person in family.people} | present.keys()
    truths: list[UnnumberedRecord] = []
    for record, columns in _NUMBERS.items():
        for row in rows.get(("civil_status", record), ()):
            chosen = rng.random() < options.unnumbered_rate
            identity = str(row["event_id"])
            numbers_of_roles = {str(row.get(c, "")) for c, role in columns.items() if role}
            is_free = identity not in retained and numbers_of_roles <= holders
            if chosen and row["registration_kind"] == "DIGITISED" and is_free:
                numbers = {role: str(row.pop(c, "")) for c, role in columns.items()}
                faults = _copy_with_faults(_Copy(rng, record, row))
                truths += [
                    UnnumberedRecord(record, identity, role, present.get(number, number), faults)
                    for role, number in numbers.items()
                    if role
                ]
    return tuple(truths)


def _copy_with_faults(copy: _Copy) -> tuple[str, ...]:
    for column in ("family_name", "middle_name", "given_name"):
        copy.row.pop(column, None)
    copy.row["data_quality"] = "UNVERIFIED"
    _spoil_names(copy)
    _spoil_date(copy)
    _spoil_places(copy)
    return tuple(copy.faults)


def _spoil_names(copy: _Copy) -> None:
    rng, row, columns = copy.rng, copy.row, _NAMES[copy.record]
    if copy.record == "births" and rng.random() < _PARENTS_SWAPPED:
        mother, father = row.get("mother_name"), row.get("father_name")
        if mother is not None and father is not None:
            row["mother_name"], row["father_name"] = father, mother
            copy.faults.append("parents swapped")
    if rng.random() >= _NAME_FAULT:
        return
    fault, write = _NAME_FAULTS.draw(rng)
    before = [row.get(column) for column in columns]
    for column in columns:
        name = row.get(column)
        # A machine without marks spoils every name of the entry, a slip one or another.
        if isinstance(name, str) and (fault == "no marks" or rng.random() < 0.6):
            row[column] = write(name, rng)
    if before != [row.get(column) for column in columns]:
        copy.faults.append(fault)


def _abbreviated(name: str, rng: Random) -> str:
    """Shorten the family name or middle names: ``Ng. Văn Hùng``, ``Nguyễn V. Hùng``."""
    first, *middle, last = name.split()
    if rng.random() < 0.5 or not middle:
        return " ".join((first[:2] + "." if first.startswith("Ng") else first[0] + ".",
                         *middle, last))  # fmt: skip
    if rng.random() < 0.3:
        return f"{first} {last}"
    return " ".join((first, *(f"{word[0]}." for word in middle), last))


def _misread(name: str, rng: Random) -> str:
    """Misread one letter, or lose it."""
    places = [place for place, sign in enumerate(name) if sign in _MISREAD]
    if not places:
        return name
    place = pick(rng, places)
    other = _MISREAD[name[place]] if rng.random() < 0.8 else ""
    return name[:place] + other + name[place + 1 :]


_NameFault = Callable[[str, Random], str]
_NAME_FAULTS: Weighted[tuple[str, _NameFault]] = Weighted(
    [
        (("no marks", lambda name, _: without_marks(name)), 4.0),
        (("old tone marks", lambda name, _: old_tone_marks(name)), 2.0),
        (("abbreviated", _abbreviated), 2.0),
        (("misread", _misread), 2.0),
    ]
)


def _spoil_date(copy: _Copy) -> None:
    day, column = copy.row.get(_DATES[copy.record]), _DATES[copy.record]
    draw = copy.rng.random()
    if type(day) is not date:
        return
    if draw < _SWAPPED and day.day <= 12 and day.day != day.month:
        copy.row[column] = day.replace(month=day.day, day=day.month)
        copy.faults.append("day and month swapped")
    elif draw > 1 - _YEAR_ALONE:
        copy.row[column] = PartialDate(day.year)
        copy.faults.append("year alone")
    if copy.row[column] != day:
        copy.row.pop("birth_date_words", None)


@cache
def _former_names() -> dict[str, tuple[str, ...]]:
    """Return the former names by each of the 63 provinces."""
    former = json.loads((files("connectors") / "former_provinces.json").read_text("utf-8"))
    names = (province.name for province in provinces())
    return {name: tuple(old for old, now in former.items() if name in now) for name in names}


def _spoil_places(copy: _Copy) -> None:
    row, rng = copy.row, copy.rng
    for column in [name for name in row if name.endswith("_as_recorded")]:
        text, prefix = str(row[column]), column.removesuffix("as_recorded")
        row.pop(f"{prefix}commune_code", None)  # present codes are of who has a number
        row.pop(f"{prefix}province_code", None)
        draw = rng.random()
        if draw < _PLACE_FAULT / 2:
            row[column] = _with_former_province(text, rng)
        elif draw < _PLACE_FAULT:
            row[column] = _with_short_kinds(text)
        if row[column] != text:
            copy.faults.append("place")


def _with_former_province(text: str, rng: Random) -> str:
    *parts, last = text.split(", ")
    name = last.removeprefix("thành phố ").removeprefix("tỉnh ")
    former = _former_names().get(name) or _former_names().get(f"TP. {name}")
    if not former:
        return text
    return ", ".join((*parts, f"tỉnh {former[between(rng, 0, len(former) - 1)]}"))


def _with_short_kinds(text: str) -> str:
    parts = []
    for part in text.split(", "):
        kind = next((kind for kind in _KINDS if part.startswith(f"{kind} ")), None)
        parts.append(part if kind is None else f"{_KINDS[kind]} {part.removeprefix(kind).strip()}")
    return ", ".join(parts)
