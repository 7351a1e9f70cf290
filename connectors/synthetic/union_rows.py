"""Rows of marriages, divorces and confirmations of marital status (``domain.md`` 2.1)."""

from __future__ import annotations

from datetime import date

from connectors.synthetic.book import Book
from connectors.synthetic.conflicts import marital_status
from connectors.synthetic.draw import add_years, age_on, between, birthday, later, workday
from connectors.synthetic.model import Citizen, Union
from connectors.synthetic.places import Columns, place
from connectors.values import PartialDate

_CONFIRMATION_RATE = 0.12
_CONFIRMED = {
    "SINGLE": "NEVER_MARRIED",
    "MARRIED": "CURRENTLY_MARRIED",
    "DIVORCED": "DIVORCED_NOT_REMARRIED",
    "WIDOWED": "WIDOWED_NOT_REMARRIED",
}


def marriages(book: Book) -> None:
    """Write the marriages that are in the books, with their end if the office noted it."""
    for union in book.family.unions:
        entry = union.entry
        if entry is None:
            continue
        row = book.header(entry, "MARRIAGE", union.husband, "chồng")
        row["certificate_no"] = row["register_no"]
        row |= book.party("husband", union.husband, "marriages", entry)
        row |= book.party("wife", union.wife, "marriages", entry)
        row["effective_from"] = _start(book, union)
        if not entry.digitised:
            row["husband_ordinal"] = union.husband.unions.index(union) + 1
            row["wife_ordinal"] = union.wife.unions.index(union) + 1
            row["foreign_element"] = False
            row["re_registered"] = entry.kind == "RE_REGISTERED"
        row |= _end(book, union)
        book.add("marriages", row)


def _start(book: Book, union: Union) -> date | PartialDate:
    """Old books know of some marriages only the year."""
    entry, start = union.entry, union.start
    if entry is not None and entry.digitised and start.year < 1985 and book.rng.random() < 0.1:
        return PartialDate(start.year)
    return start


def _end(book: Book, union: Union) -> Columns:
    """Return how a marriage ended, if the register of marriages says so.

    Most offices note the end when the divorce or death is entered, not all.
    """
    if union.end is None or union.reason is None:
        return {}
    if union.reason == "DIVORCE":
        event = union.divorce_entry.event_id if union.divorce_entry else None
    elif union.reason == "ANNULMENT":
        event = union.annulment_id
    else:
        dead = next(p for p in (union.husband, union.wife) if p.died == union.end)
        event = dead.death_entry.event_id if dead.death_entry else None
    if event is None or book.rng.random() >= book.family.options.marriage_end_noted_rate:
        return {}
    union.end_noted = True
    return {"ended_on": union.end, "end_reason": union.reason, "end_event_id": event}


def divorces(book: Book) -> None:
    """Write the notes of divorces that courts sent (Law on Marriage and Family Art. 57)."""
    for union in book.family.unions:
        entry = union.divorce_entry
        if entry is None or union.end is None:
            continue
        judged = workday(later(book.rng, union.end, -40, -16))
        row = book.header(entry, "DIVORCE")
        row["husband_id"] = book.number(union.husband, "divorces", entry)
        row["wife_id"] = book.number(union.wife, "divorces", entry)
        if union.entry is not None:
            row["marriage_event_id"] = union.entry.event_id
        row["court_name"] = court(union.home.province.name, judged, book)
        letters = "QĐST-HNGĐ" if union.consensual else "HNGĐ-ST"
        row["judgment_no"] = f"{between(book.rng, 1, 400)}/{judged.year}/{letters}"
        row["judgment_date"] = judged
        row["legal_effect_date"] = union.end
        row["divorce_kind"] = "CONSENSUAL" if union.consensual else "CONTESTED"
        book.add("divorces", row)


def court(province: str, day: date, book: Book) -> str:
    """Return the name of a court of first instance; regional courts replaced district ones."""
    if day >= date(2025, 7, 1):
        return f"Tòa án nhân dân khu vực {between(book.rng, 1, 9)} - {province}"
    return f"Tòa án nhân dân cấp huyện, {province}"


def confirmations(book: Book) -> None:
    """Write confirmations of marital status (Decree 123/2015 Art. 21-23): valid six months."""
    for person in book.family.people:
        if book.rng.random() >= _CONFIRMATION_RATE:
            continue
        on = workday(add_years(book.yesterday, -book.rng.random() * 8))
        if person.alive_on(on) and age_on(person.born, on) >= 18 and on <= book.yesterday:
            book.add("marital_status_confirmations", _confirmation(book, person, on))


def _confirmation(book: Book, person: Citizen, on: date) -> Columns:
    home, rng = person.home_on(on), book.rng
    entry = book.entry(book.family.event_id("XN"), on, home)
    entry.on = on
    status = marital_status(person, on)
    row = book.header(entry, "MARITAL_STATUS_CONFIRMATION", person, "bản thân")
    row["confirmation_no"] = f"{between(rng, 1, 900)}/UBND-XNTTHN"
    row["citizen_id"] = person.number
    row |= place("residence", home, on, street=True)
    row["marital_status"] = _CONFIRMED[status]
    arrived = person.moved if person.moved is not None and person.moved < on else person.born
    row["resided_from"] = min(on, max(birthday(person.born, 18), arrived))
    row["resided_until"] = on
    row["issued_on"] = on
    row["valid_until"] = later(rng, on, 181, 184)
    row["issuer"] = home.office
    wedding = next((u for u in person.unions if 0 < (u.start - on).days < 180), None)
    if wedding is not None and status != "MARRIED":
        spouse = wedding.spouse(person)
        row["purpose"] = "MARRIAGE"
        row["intended_spouse_name"] = spouse.name_on(on).full
        row["intended_spouse_id"] = spouse.number
    else:
        row["purpose"] = "PROPERTY_TRANSACTION" if rng.random() < 0.6 else "OTHER"
    basis = tuple(
        e.event_id
        for union in person.unions
        for e in (union.entry, union.divorce_entry)
        if e is not None and e.on <= on
    )
    if basis:
        row["basis_event_ids"] = basis
    return row
