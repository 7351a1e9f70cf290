"""Decides which events were entered in the civil status books, when and how.

``domain.md`` section 5: 84.9% of registered births within 60 days, 69.3% of deaths within 15; 3.4%
of births never. Books on paper before 2016 were digitised later (``domain.md`` 2.0); that some of
the old ones are lost, and that courts send divorces unevenly, are rates of this project.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from random import Random

from connectors.synthetic.draw import birthday, later, stream, workday
from connectors.synthetic.model import BookEntry, Citizen, Family, FormerNumber, Union

#: From this year on offices wrote into the electronic books at once (Law 60/2014 in force).
ELECTRONIC_SINCE = date(2016, 1, 1)
#: All 9-digit identity cards lapsed on this day.
CARDS_UNTIL = date(2024, 12, 31)
_LOST_BEFORE, _LOST_RATE = 1975, 0.25
_DE_FACTO_UNTIL, _DE_FACTO_RATE = date(1987, 1, 3), 0.06
_REVIVED_RATE = 0.08
_PAPERS_LOST_RATE = 0.02
_CARD_RATE, _CANCELLED_RATE, _SHARED_RATE = 0.85, 0.006, 0.03


def register(family: Family) -> None:
    """Enter the events of a cluster into the books, as the options say, and number old cards."""
    rng = stream(family.options.seed, family.index, "registers")
    for person in family.people:
        _birth(family, rng, person)
        _death(family, rng, person)
    for union in family.unions:
        _marriage(family, rng, union)
    _amend(family)
    for person in family.people:
        _earlier_numbers(family, rng, person)
    if rng.random() < _SHARED_RATE:
        _share_a_number(family)


def _birth(family: Family, rng: Random, person: Citizen) -> None:
    options = family.options
    lost = person.born.year < _LOST_BEFORE and rng.random() < _LOST_RATE
    if lost or rng.random() < options.unregistered_birth_rate:
        return
    if rng.random() < options.late_birth_rate:
        day = later(rng, person.born, 61, 400 if rng.random() < 0.7 else 4000)
        kind = "LATE"
    else:
        day, kind = later(rng, person.born, 1, 58), "ON_TIME"
    day = workday(day)
    digitised = day < ELECTRONIC_SINCE
    if digitised:
        kind = "DIGITISED"
        again = later(rng, ELECTRONIC_SINCE, 30, 3900)
        if rng.random() < _REVIVED_RATE and again < min(person.gone, options.today):
            kind, day, digitised = "RE_REGISTERED", workday(again), False
    if day >= options.today:
        return
    entry = BookEntry(family.event_id("KS"), day, kind, person.birth_home, digitised)
    _lose_papers(family, person, entry)
    person.birth_entry = entry
    if person.adoption is not None and (
        person.mother is not person.birth_mother or person.father is not person.birth_father
    ):
        _register_anew(family, person, entry)


def _lose_papers(family: Family, person: Citizen, entry: BookEntry) -> None:
    """Register some births of young children again: papers and books get lost at any age.

    Without them, whoever was registered again as a child was adopted.
    """
    rng = stream(family.options.seed, family.index, f"papers {person.index}")
    if entry.digitised or entry.kind == "RE_REGISTERED" or rng.random() >= _PAPERS_LOST_RATE:
        return
    again = workday(later(rng, entry.on, 60, 1700))
    if again < min(person.gone, family.options.today):
        entry.on, entry.kind = again, "RE_REGISTERED"


def _register_anew(family: Family, person: Citizen, entry: BookEntry) -> None:
    """After an adoption the birth is registered anew with the adoptive parents.

    The new entry stands in the place of the first, with its office, date and kind: everybody may
    see these, and they must not tell of the adoption.
    """
    new = replace(entry, event_id=family.event_id("KS"))
    entry.status, entry.amendments = "SUPERSEDED", (new.event_id,)
    person.original_entry, person.birth_entry = entry, new


def _death(family: Family, rng: Random, person: Citizen) -> None:
    died, options = person.declared_dead or person.died, family.options
    if died is None:
        return
    lost = died.year < 2000 and rng.random() < _LOST_RATE
    if person.declared_dead is None and (lost or rng.random() < options.unregistered_death_rate):
        return
    late = rng.random() < options.late_death_rate
    day = workday(later(rng, died, 16, 700) if late else later(rng, died, 0, 13))
    if day >= options.today:
        return
    digitised = day < ELECTRONIC_SINCE
    kind = "DIGITISED" if digitised else "LATE" if late else "ON_TIME"
    person.death_entry = BookEntry(family.event_id("KT"), day, kind, person.home, digitised)


def _marriage(family: Family, rng: Random, union: Union) -> None:
    """A marriage starts with its registration (Law on Marriage and Family Art. 3(13))."""
    options = family.options
    if union.start < _DE_FACTO_UNTIL and rng.random() < _DE_FACTO_RATE:
        return
    day, digitised = union.start, union.start < ELECTRONIC_SINCE
    kind = "DIGITISED" if digitised else "ON_TIME"
    again = later(rng, ELECTRONIC_SINCE, 30, 3900)
    last = min(options.today, union.husband.gone, union.wife.gone, union.end or options.today)
    if digitised and rng.random() < 0.02 and again < last:
        day, kind, digitised = workday(again), "RE_REGISTERED", False
    union.entry = BookEntry(family.event_id("KH"), day, kind, union.home, digitised)
    if union.reason == "ANNULMENT" and union.annulment_id:
        union.entry.status, union.entry.amendments = "REVOKED", (union.annulment_id,)
    if union.reason != "DIVORCE" or rng.random() < options.missing_divorce_note_rate:
        return
    assert union.end is not None
    noted = workday(later(rng, union.end, 3, 200))
    if noted < options.today:
        digitised = noted < ELECTRONIC_SINCE
        kind = "DIGITISED" if digitised else "ON_TIME"
        union.divorce_entry = BookEntry(family.event_id("LH"), noted, kind, union.home, digitised)


def _amend(family: Family) -> None:
    """Let the records say by which later events they were amended."""
    for change in family.changes:
        _amended(change.person.birth_entry, change.event_id, change.on)
    for recognition in family.recognitions:
        _amended(recognition.child.birth_entry, recognition.event_id, recognition.on)
    for note in family.notes:
        if note.kind == "PARENTAGE_DETERMINATION" and note.child is not None:
            _amended(note.child.birth_entry, note.event_id, note.effective)
        if note.kind == "DECLARED_DEAD_REVOKED" and note.person.death_entry is not None:
            note.person.death_entry.status = "REVOKED"
            note.person.death_entry.amendments = (note.event_id,)


def _amended(entry: BookEntry | None, by: str, on: date) -> None:
    if entry is not None and entry.on < on and entry.status in ("VALID", "AMENDED"):
        entry.status, entry.amendments = "AMENDED", (*entry.amendments, by)


def _earlier_numbers(family: Family, rng: Random, person: Citizen) -> None:
    """Give an old identity card to most of those born before 2000; cancel a few numbers."""
    end = min(person.gone, family.options.today)
    prefix = person.home.province.prefix
    if person.born.year < 2000 and rng.random() < _CARD_RATE and birthday(person.born, 15) < end:
        until = min(end, later(rng, ELECTRONIC_SINCE, 60, 3200), CARDS_UNTIL)
        person.earlier.append(
            FormerNumber(
                family.numbers.identity_card(prefix),
                "IDENTITY_CARD_9",
                until,
                "cấp thẻ căn cước công dân, thẻ căn cước",
            )
        )
    until = later(rng, max(ELECTRONIC_SINCE, person.born), 400, 3300)
    if rng.random() < _CANCELLED_RATE and until < end:
        number = family.numbers.citizen_id(
            person.birth_home.province.number_prefix(person.born), person.sex, person.born
        )
        person.earlier.append(
            FormerNumber(number, "CANCELLED", until, "xác lập lại do thông tin ban đầu sai")
        )


def _share_a_number(family: Family) -> None:
    """Give two people the same old number by mistake; no record is filed under it."""
    holders = [p for p in _living(family) if any(e.kind == "IDENTITY_CARD_9" for e in p.earlier)]
    if len(holders) < 2:
        return
    first, second = holders[0], holders[-1]
    former = second.earlier[0]
    second.earlier[0] = FormerNumber(
        first.earlier[0].number, former.kind, former.until, former.reason
    )
    for person, other in ((first, second), (second, first)):
        person.conflicts.append(("SHARED_NUMBER", f"{first.earlier[0].number} {other.number}"))


def _living(family: Family) -> Iterable[Citizen]:
    return (p for p in family.people if p.died is None and p.missing is None)
