"""Rows of births and deaths (Law 60/2014 Art. 14 and 32-34; ``domain.md`` 2.1)."""

from __future__ import annotations

from datetime import date

from connectors.synthetic.book import Book
from connectors.synthetic.draw import between, later, pick, words
from connectors.synthetic.model import BookEntry, Citizen
from connectors.synthetic.names import Name
from connectors.synthetic.places import Columns, facility, place, year_only
from connectors.values import PartialDate

_CAUSES = (
    "tuổi già", "bệnh tim mạch", "đột quỵ", "ung thư phổi", "ung thư gan", "đái tháo đường",
    "bệnh phổi tắc nghẽn mạn tính", "suy thận", "tai nạn giao thông", "đuối nước",
)  # fmt: skip
_DIGITS = words("không một hai ba bốn năm sáu bảy tám chín")


def births(book: Book) -> None:
    """Write the births that are in the books, and the originals that newer records replaced."""
    for person in book.family.people:
        entry, original = person.birth_entry, person.original_entry
        if entry is not None:
            book.add("births", _birth(book, person, entry, person.mother, person.father))
        if original is not None:
            row = _birth(book, person, original, person.birth_mother, person.birth_father)
            book.add("births", row)
        if person.earlier and person.earlier[-1].kind == "CANCELLED" and entry is not None:
            _duplicate(book, person, entry)


def _duplicate(book: Book, person: Citizen, entry: BookEntry) -> None:
    """Some cancelled numbers come from a second registration of the birth, revoked later."""
    cancelled = person.earlier[-1]
    day = later(book.rng, person.born, 30, 300)
    if entry.digitised or day >= cancelled.until or book.rng.random() < 0.4:
        return
    second = BookEntry(book.family.event_id("KS"), day, "LATE", person.birth_home, status="REVOKED")
    if day.year < 2016 or person.former_name is not None:
        return
    row = _birth(book, person, second, person.mother, person.father)
    row["citizen_id"] = cancelled.number
    person.filed.append(("births", second.event_id, cancelled.number))
    book.add("births", row)


def _birth(
    book: Book, person: Citizen, entry: BookEntry, mother: Citizen | None, father: Citizen | None
) -> Columns:
    original = entry is person.original_entry
    name = person.name
    if original and person.adoption is not None:
        name = person.adoption.old_name
    by = mother or father
    row = book.header(entry, "BIRTH", by, ("mẹ" if mother else "cha") if by else None)
    row["citizen_id"] = book.number(person, "births", entry)
    row |= _named(person, name, entry)
    row["sex"] = person.sex
    row["birth_date"] = _birth_date(book, person, entry)
    row["nationality"] = "VN"
    row |= book.place("birth_place", person.birth_home, person.born, entry)
    for role, parent in (("mother", mother), ("father", father)):
        if parent is not None:
            row |= book.party(role, parent, "births", entry)
            row |= _residence(person, role, parent, entry)
    if person.founder:
        row |= _unnumbered(book, person, entry)
    row["ethnicity"] = person.group
    if entry.digitised and book.rng.random() < 0.5:
        return row
    row |= book.place("native_place", (father or mother or person).birth_home, person.born, entry)
    row["birth_certificate_no"] = f"{row['register_no']}"
    row["birth_date_words"] = in_words(person.born)
    if not entry.digitised:
        row |= _circumstance(book, person, mother, father, original=original)
    return row


def _residence(person: Citizen, role: str, parent: Citizen, entry: BookEntry) -> Columns:
    """Return where a parent lives: in the commune in which the birth was registered.

    Only adoptive parents would live elsewhere: the entry tells no more of them than of others.
    """
    if entry.digitised or parent.protection is not None:
        return {}
    if parent.home_on(entry.on).code == person.birth_home.code:
        return {}
    return place(f"{role}_residence", person.birth_home, entry.on, street=True)


def _named(person: Citizen, name: Name, entry: BookEntry) -> Columns:
    full, write = name.full, person.planted.get("name")
    if entry is person.birth_entry and callable(write):
        full = write(full)
    row: Columns = {"family_name": name.family, "given_name": name.given_name, "full_name": full}
    if name.middle:
        row["middle_name"] = name.middle
    return row


def _birth_date(book: Book, person: Citizen, entry: BookEntry) -> date | PartialDate:
    """Old books know of some births only the year, or the year and month."""
    chance = book.rng.random() if entry.digitised and person.born.year < 1990 else 1.0
    if "birth" in person.planted or chance >= 0.2:
        return person.born
    return PartialDate(person.born.year, person.born.month if chance < 0.08 else None)


def _unnumbered(book: Book, person: Citizen, entry: BookEntry) -> Columns:
    """Parents of whom nothing but the name is known, for those who have none in the cluster."""
    if book.rng.random() < 0.2:
        return {}
    year = person.born.year - between(book.rng, 20, 38)
    row: Columns = {}
    for role, given_name, family in (
        ("father", "Văn Hai", person.name.family),
        ("mother", "Thị Ba", "Nguyễn"),
    ):
        row[f"{role}_kind"] = "INDIVIDUAL"
        row[f"{role}_name"] = f"{family} {given_name}"
        row[f"{role}_birth_date"] = PartialDate(year)
        if not entry.digitised:
            row[f"{role}_nationality"] = "VN"
    return row


def _circumstance(
    book: Book, person: Citizen, mother: Citizen | None, father: Citizen | None, *, original: bool
) -> Columns:
    row: Columns = {}
    if person.abandoned and original:
        return {"birth_circumstance": "ABANDONED"}
    wed = mother is not None and any(person in union.children for union in mother.unions)
    if person.founder:
        row["birth_circumstance"] = "NORMAL"
    elif mother is None:
        row["birth_circumstance"] = "PARENT_UNDETERMINED"
    else:
        adopted = person.adoption is not None and not original
        normal = wed or (adopted and father is not None)
        row["birth_circumstance"] = "NORMAL" if normal else "OUT_OF_WEDLOCK"
        row["birth_order"] = 1 + sum(other.born < person.born for other in mother.children)
    if person.born.year >= 2016:
        row["birth_place_facility"] = facility(book.rng, person.birth_home)
        row["birth_notification_no"] = f"{between(book.rng, 1, 9999)}/GCS-{person.born.year}"
    return row


def deaths(book: Book) -> None:
    """Write the deaths that are in the books; those that a court declared too."""
    for person in book.family.people:
        entry = person.death_entry
        if entry is not None:
            book.add("deaths", _death(book, person, entry))


def _death(book: Book, person: Citizen, entry: BookEntry) -> Columns:
    rng, court = book.rng, person.declared_dead is not None
    died = person.declared_dead or person.died
    assert died is not None
    row = book.header(entry, "DEATH", *_mourner(person, entry.on))
    row["citizen_id"] = book.number(person, "deaths", entry)
    row |= _named(person, person.name, entry)
    row["sex"] = person.sex
    row["birth_date"] = year_only(person.born.year) if entry.digitised else person.born
    row["nationality"] = "VN"
    row["death_date"] = died
    row["death_kind"] = "DECLARED_DEAD_BY_COURT" if court else "NATURAL_DEATH"
    row |= book.place("last_residence", person.home, died, entry)
    if entry.digitised:
        return row
    row["ethnicity"] = person.group
    row["id_document_kind"] = "CITIZEN_CARD"
    row["id_document_number"] = person.number
    row["extract_no"] = f"{row['register_no']}"
    if not court:
        row |= book.place("death_place", person.home, died, entry)
        row["death_time"] = f"{between(rng, 0, 23):02d}:{between(rng, 0, 59):02d}"
        row["death_cause"] = _CAUSES[0] if rng.random() < 0.4 else pick(rng, _CAUSES)
        row["death_notice_no"] = f"{between(rng, 1, 400)}/GBT"
        row["death_notice_issuer"] = facility(rng, person.home)
    return row


def _mourner(person: Citizen, day: date) -> tuple[Citizen | None, str | None]:
    if person.unions and person.unions[-1].reason != "DIVORCE":
        spouse = person.unions[-1].spouse(person)
        if spouse.alive_on(day):
            return spouse, "vợ/chồng"
    for child in person.children:
        if child.alive_on(day) and (day - child.born).days > 6600:
            return child, "con"
    return person.mother or person.father, "cha/mẹ" if person.mother or person.father else None


def in_words(day: date) -> str:
    """Return a date as birth certificates spell it out, digit by digit."""
    parts = (("ngày", day.day), ("tháng", day.month), ("năm", day.year))
    return " ".join(
        f"{unit} {' '.join(_DIGITS[int(digit)] for digit in str(value))}" for unit, value in parts
    )
