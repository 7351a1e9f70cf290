"""Court declarations, and changes or corrections of records.

Civil Code 2015 Art. 22-24 (capacity), 68-73 (missing, dead, and their revocation); Law on Civil
Status 60/2014 Art. 26-27 (changes and corrections). Rates are assumptions of this project.
"""

from __future__ import annotations

from datetime import date

from connectors.synthetic import names
from connectors.synthetic.bonds import guard_adult
from connectors.synthetic.draw import age_on, birthday, later, pick, workday
from connectors.synthetic.model import Citizen, Family, Note, RecordChange

_CAPACITY = (
    (0.004, "DECLARED_INCAPACITATED", "INCAPACITATED"),
    (0.0055, "DECLARED_RESTRICTED", None),
    (0.0065, None, "COGNITION_DIFFICULTY"),
)
_CHANGE_RATE = 0.02


def decide(family: Family) -> None:
    """Add court decisions, guardianships of adults, changes and corrections to a cluster."""
    for person in family.people:
        if person.declared_missing is not None:
            _missing(family, person)
        chance = family.rng.random()
        for below, note, reason in _CAPACITY:
            if chance < below:
                _capacity(family, person, note, reason)
                break
        if family.rng.random() < _CHANGE_RATE and person.adoption is None:
            _change(family, person)
    for union in family.unions:
        if union.reason == "ANNULMENT" and union.end is not None:
            annulled = _note(family, "UNLAWFUL_MARRIAGE_ANNULMENT", union.husband, union.end)
            annulled.spouse = union.wife
            union.annulment_id = annulled.event_id


def _note(family: Family, kind: str, person: Citizen, effective: date) -> Note:
    decided = workday(later(family.rng, effective, -35, -16))
    note = Note(family.event_id("TA"), kind, person, decided, effective)
    family.notes.append(note)
    return note


def _revoke(family: Family, note: Note, day: date) -> None:
    note.revoked_by = _note(family, f"{note.kind}_REVOKED", note.person, day).event_id
    note.status = "REVOKED"


def _missing(family: Family, person: Citizen) -> None:
    """Note that somebody was declared missing, dead, and perhaps came back."""
    assert person.declared_missing is not None
    note = _note(family, "DECLARED_MISSING", person, person.declared_missing)
    if person.declared_dead is not None:
        dead = _note(family, "DECLARED_DEAD", person, person.declared_dead)
        if person.returned is not None:
            _revoke(family, note, person.returned)
            _revoke(family, dead, person.returned)


def _capacity(family: Family, person: Citizen, kind: str | None, reason: str | None) -> None:
    """Declare an adult incapacitated or restricted, after the last of their marriages began."""
    rng, today = family.rng, family.options.today
    first = max([birthday(person.born, 18), *(union.start for union in person.unions)])
    day = workday(later(rng, first, 30, 12000))
    if day >= min(person.gone, today):
        return
    end = workday(later(rng, day, 400, 3000)) if rng.random() < 0.15 else None
    if end is not None and end >= min(person.gone, today):
        end = None
    if kind is not None:
        note = _note(family, kind, person, day)
        if end is not None:
            _revoke(family, note, end)
    if reason is not None:
        guard_adult(family, person, reason, day, end)
        if end is None and reason == "INCAPACITATED":
            person.incapacitated = day


def _change(family: Family, person: Citizen) -> None:
    """Change a name or correct or supplement what the birth record says."""
    rng, today = family.rng, family.options.today
    day = workday(later(rng, max(person.born, date(2016, 1, 4)), 400, 6000))
    if day >= min(person.gone, today) or person.former_name is not None:
        return
    kind = rng.random()
    mother = person.mother
    if mother is not None and mother.group != person.group and not person.unions:
        change = _redetermine(family, person, mother.group, day)
    elif kind < 0.4:
        change = _rename(family, person, day)
    elif kind < 0.8:
        change = _correct(family, person, day)
    else:
        change = RecordChange(
            family.event_id("TD"), person, "SUPPLEMENT", "quê quán", "",
            person.birth_home.three_levels, "bổ sung thông tin còn thiếu", day,
        )  # fmt: skip
    family.changes.append(change)


def _redetermine(family: Family, person: Citizen, group: str, day: date) -> RecordChange:
    """Take the mother's ethnic group instead of the father's (Civil Code 2015 Art. 29)."""
    old, person.group = person.group, group
    event = family.event_id("TD")
    kind, reason = "ETHNICITY_REDETERMINATION", "xác định lại theo dân tộc của mẹ"
    return RecordChange(event, person, kind, "dân tộc", old, group, reason, day)


def _rename(family: Family, person: Citizen, day: date) -> RecordChange:
    new = names.name(family.rng, person.name.family, person.sex, person.born.year)
    old = person.name
    if new.full == old.full:
        new = names.build(old.family, f"{old.middle} Gia".strip(), old.given_name)
    person.former_name, person.name, person.renamed = old, new, day
    return RecordChange(
        family.event_id("TD"), person, "CHANGE", "họ, chữ đệm và tên", old.full, new.full,
        "thay đổi theo yêu cầu của cá nhân", day,
    )  # fmt: skip


def _correct(family: Family, person: Citizen, day: date) -> RecordChange:
    wrong = person.born.replace(day=person.born.day % 28 + 1)
    grown = age_on(person.born, day) >= 14
    reason = pick(family.rng, ["sai sót của công chức khi đăng ký", "sai sót của người đi khai"])
    return RecordChange(
        family.event_id("TD"), person, "CORRECTION", "ngày sinh",
        f"{wrong:%d/%m/%Y}", f"{person.born:%d/%m/%Y}",
        f"{reason}{'' if grown else ', người dưới 14 tuổi'}", day,
    )  # fmt: skip
