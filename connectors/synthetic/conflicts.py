"""Disagreements between the two registers, planted and recorded.

Planted at ``PopulationOptions.disagreement_rate``. The civil status book is right each time: it
prevails by Law 60/2014 Art. 60(2). The population database holds the deviation, except for how a
name is written, where the birth record holds it. Events that are missing from the books are listed
as well (``NOT_NOTED``, ``NOT_REGISTERED``): the registers disagree then too.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from random import Random

from connectors.synthetic.draw import age_on, pick, stream
from connectors.synthetic.model import Citizen, Family, Union
from connectors.synthetic.names import decomposed, old_tone_marks
from connectors.values import PartialDate


def plant(family: Family) -> None:
    """Plant disagreements of the two registers, and record the gaps in the books."""
    rng = stream(family.options.seed, family.index, "conflicts")
    for person in family.people:
        if rng.random() < family.options.disagreement_rate:
            kinds = [kind for kind in _KINDS if kind(family, rng, person, False)]
            if kinds:
                pick(rng, kinds)(family, rng, person, True)
        _gaps(person)
    for union in family.unions:
        _union_gaps(union)


def marital_status(person: Citizen, day: date) -> str:
    """Return the legal marital status on ``day``; an annulled marriage has no effect on it."""
    if person.union_on(day) is not None:
        return "MARRIED"
    for union in reversed(person.unions):
        if union.end is not None and union.end <= day and union.reason != "ANNULMENT":
            return "DIVORCED" if union.reason == "DIVORCE" else "WIDOWED"
    return "SINGLE"


def last_marital_status(person: Citizen, today: date) -> str:
    """Return the marital status in law today; for the dead, that of the day before they died."""
    day = today if person.died is None else person.died - timedelta(days=1)
    return marital_status(person, day)


def _life(family: Family, rng: Random, person: Citizen, do: bool) -> bool:
    """The population database was not told of a death."""
    entry = person.death_entry
    fits = person.died is not None and entry is not None and entry.status == "VALID"
    if do:
        person.planted["life"] = True
        person.conflicts.append(("LIFE_STATUS", f"population ALIVE, died {person.died}"))
    return fits


def _marital(family: Family, rng: Random, person: Citizen, do: bool) -> bool:
    """The population database holds an old marital status."""
    today = family.options.today
    if person.died is not None or not person.unions:
        return False
    union, now = person.unions[-1], marital_status(person, today)
    if union.entry is None or union.reason == "ANNULMENT":
        return False
    is_noted = union.end is None or bool(
        union.divorce_entry if union.reason == "DIVORCE" else union.spouse(person).death_entry
    )
    if do:
        before = marital_status(person, union.start - timedelta(days=1))
        stale = before if now == "MARRIED" else "MARRIED"
        person.planted["marital"] = (stale, union if stale == "MARRIED" else None)
        person.conflicts.append(("MARITAL_STATUS", f"population {stale}, civil status {now}"))
    return is_noted


def _birth_date(family: Family, rng: Random, person: Citizen, do: bool) -> bool:
    """The population database holds another day of birth in the same year."""
    if person.birth_entry is None or age_on(person.born, family.options.today) < 1:
        return False
    if do:
        born = person.born
        wrong = PartialDate(born.year, born.month % 12 + 1, min(born.day % 28 + 1, 28))
        person.planted["birth"] = wrong
        person.conflicts.append(("BIRTH_DATE", f"population {wrong}, civil status {born}"))
    return True


def _name_form(family: Family, rng: Random, person: Citizen, do: bool) -> bool:
    """The birth record writes the name with other tone marks or other code points."""
    if person.birth_entry is None or decomposed(person.name.full) == person.name.full:
        return False
    if do:
        other = old_tone_marks(person.name.full)
        form = "tone mark placement" if other != person.name.full else "NFD"
        person.planted["name"] = old_tone_marks if form != "NFD" else decomposed
        person.conflicts.append(("NAME_FORM", f"civil status writes the name with {form}"))
    return True


_KINDS: tuple[Callable[[Family, Random, Citizen, bool], bool], ...] = (
    _life,
    _marital,
    _birth_date,
    _name_form,
)


def _gaps(person: Citizen) -> None:
    if person.died is not None and person.death_entry is None:
        person.conflicts.append(("DEATH_NOT_REGISTERED", f"died {person.died}"))
    if person.birth_entry is None:
        person.conflicts.append(("BIRTH_NOT_REGISTERED", f"born {person.born}"))


def _union_gaps(union: Union) -> None:
    """Note for both spouses what the books miss about their marriage."""
    gap: tuple[str, str] | None = None
    if union.entry is None:
        gap = ("MARRIAGE_NOT_REGISTERED", f"married {union.start}")
    elif union.reason == "DIVORCE" and union.divorce_entry is None:
        gap = ("DIVORCE_NOT_NOTED", f"{union.entry.event_id} ended {union.end}")
    elif union.reason in ("DEATH_OF_SPOUSE", "DECLARED_DEAD"):
        dead = next(p for p in (union.husband, union.wife) if p.died == union.end)
        if dead.death_entry is None:
            gap = ("SPOUSE_DEATH_NOT_REGISTERED", f"{union.entry.event_id} ended {union.end}")
    if gap:
        for spouse in (union.husband, union.wife):
            spouse.conflicts.append(gap)
