"""Records about one person that contradict each other: planted, and recorded for tests.

At ``PopulationOptions.contradiction_rate`` (none by default) a person's rows are changed after all
databases were written: one kind of fault each, in people whose records agree otherwise. Recorded
are these, what ``conflicts`` planted, and what follows from gaps in the books, as far as it can be
seen in the records of the person alone. ``rule``: the code of the rule in the package ``rules``
that must find it, there and nowhere else.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta

from connectors.synthetic import (
    entry_contradictions,
    number_contradictions,
    place_contradictions,
)
from connectors.synthetic.book import Rows
from connectors.synthetic.contradiction_ledger import (
    Contradiction,
    FaultKind,
    Ledger,
    death_in_force,
    registered_unions,
)
from connectors.synthetic.draw import age_on, between, birthday, pick, stream
from connectors.synthetic.model import BookEntry, Citizen, Family, Union
from connectors.synthetic.names import decomposed, old_tone_marks, without_marks
from connectors.synthetic.places import Columns
from connectors.values import PartialDate

_TONES = "\u0301\u0300\u0309\u0303\u0323"
_VOWELS = "aăâeêioôơuưyAĂÂEÊIOÔƠUƯY"
_OTHER_NAMES = ("Khoa", "Sâm", "Nhâm", "Tuyết", "Vĩnh", "Kiệt")


def contradict(family: Family, rows: Rows) -> tuple[Contradiction, ...]:
    """Plant contradictions in ``rows`` at the rate of the options; return all that are there."""
    ledger = Ledger(family, rows, stream(family.options.seed, family.index, "contradictions"))
    for record, identity in (("identity", "citizen_id"), ("births", "event_id")):
        _index(ledger, "population" if record == "identity" else "civil_status", record, identity)
    for record in ("deaths", "marriages"):
        _index(ledger, "civil_status", record, "event_id")
    _shared_numbers(ledger)
    for person in family.people:
        _disagreements(ledger, person)
        _marital_status(ledger, person)
        _unended(ledger, person)
        number_contradictions.numbers_from_elsewhere(ledger, person)
    for person in family.people:
        draw = ledger.rng.random()
        clean = person.number not in ledger.faulty and not person.planted
        if clean and draw < family.options.contradiction_rate:
            kinds = [kind for kind in _KINDS if kind(ledger, person, False)]
            if kinds:
                pick(ledger.rng, kinds)(ledger, person, True)
    number_contradictions.plant_unknown_numbers(ledger)
    return tuple(ledger.contradictions)


def _index(ledger: Ledger, database: str, record: str, identity: str) -> None:
    for row in ledger.rows.get((database, record), ()):
        ledger.by_identity[record, str(row[identity])] = row


# What is there without planting.


def _disagreements(ledger: Ledger, person: Citizen) -> None:
    """Record what ``conflicts`` planted."""
    death, birth = death_in_force(person), person.birth_entry
    if "life" in person.planted and death is not None:
        ledger.record("LIFE_STATE", person, person.number, death.event_id)
    if "birth" in person.planted and birth is not None:
        ledger.record("BIRTH_DATE", person, person.number, birth.event_id)
        if death is not None and not death.digitised:  # else the year alone, which agrees
            ledger.record("BIRTH_DATE", person, person.number, death.event_id)
    if "name" in person.planted and birth is not None:
        ledger.record("NAME_FORM", person, person.number, birth.event_id)


def _shared_numbers(ledger: Ledger) -> None:
    holders: dict[str, list[Columns]] = defaultdict(list)
    for row in ledger.rows.get(("population", "earlier_numbers"), ()):
        holders[str(row["number"])].append(row)
    people = {person.number: person for person in ledger.family.people}
    for rows in holders.values():
        for row in rows:
            for other in rows:
                if other is not row:
                    person = people[str(row["citizen_id"])]
                    ids = str(row["entry_id"]), str(other["entry_id"])
                    ledger.record("SHARED_NUMBER", person, *ids)


def _is_open(union: Union) -> bool:
    """Whether the books note no end of a marriage under the spouses themselves."""
    return not union.end_noted and union.divorce_entry is None


def _ids(*entries: BookEntry | None) -> tuple[str, ...]:
    return tuple(entry.event_id for entry in entries if entry is not None)


def _marital_status(ledger: Ledger, person: Citizen) -> None:
    """Record where the population database's status does not fit the marriages in the books."""
    identity, unions = ledger.identity(person), registered_unions(person)
    if identity["life_status"] != "ALIVE" or death_in_force(person) or not unions:
        return
    status, last = identity["marital_status"], unions[-1]
    sides: list[tuple[str, ...]] = []
    if status == "SINGLE":
        sides = [_ids(union.entry) for union in unions]
    elif status == "DIVORCED" and _is_open(last):
        sides = [_ids(last.entry)]
    elif status == "MARRIED" and not any(map(_is_open, unions)):
        noted = None if last.end_noted else last.divorce_entry
        sides = [_ids(last.entry, noted)]
    elif status == "WIDOWED" and last.divorce_entry is not None:
        sides = [_ids(last.entry, last.divorce_entry)]
    for ids in sides:
        ledger.record("MARITAL_STATUS", person, person.number, *ids)


def _unended(ledger: Ledger, person: Citizen) -> None:
    unions = registered_unions(person)
    for place, union in enumerate(unions):
        for later in unions[place + 1 :]:
            if _is_open(union):
                ledger.record("UNENDED_MARRIAGE", person, *_ids(union.entry, later.entry))


# Kinds of faults. Each says whether it fits a person; ``do``: it is planted.


def _sex(ledger: Ledger, person: Citizen, do: bool) -> bool:
    birth = ledger.birth(person)
    if do and birth is not None:
        birth["sex"] = "MALE" if person.sex == "FEMALE" else "FEMALE"
        ledger.record("SEX", person, person.number, str(birth["event_id"]))
    return birth is not None


def _other_name(ledger: Ledger, person: Citizen) -> str:
    words = person.name.full.split()
    return " ".join([*words[:-1], pick(ledger.rng, [n for n in _OTHER_NAMES if n not in words])])


def _other_tone(name: str) -> str:
    """Return a name of which the last syllable has another tone: Hòa, Hóa; Anh, Ánh."""
    *words, last = name.split()
    letters = unicodedata.normalize("NFD", last)
    for tone in _TONES:
        if tone in letters:
            other = _TONES[_TONES.index(tone) - 1]
            return unicodedata.normalize("NFC", " ".join([*words, letters.replace(tone, other)]))
    place = next((place for place, sign in enumerate(last) if sign in _VOWELS), 0)
    accented = last[: place + 1] + _TONES[0] + last[place + 1 :]
    return unicodedata.normalize("NFC", " ".join([*words, accented]))


def _other_middle_name(ledger: Ledger, person: Citizen) -> str:
    family, *_, last = person.name.full.split()
    return " ".join([family, pick(ledger.rng, ["Thục", "Bích", "Sỹ"]), last])


def _different_name(ledger: Ledger, person: Citizen, do: bool) -> bool:
    birth = ledger.birth(person)
    if do and birth is not None:
        names = [_other_name(ledger, person), _other_tone(person.name.full)]
        if person.name.middle:
            names.append(_other_middle_name(ledger, person))
        birth["full_name"] = pick(ledger.rng, names)
        # Kim Dúng: of a name without any marks it may be the whole one.
        is_short = without_marks(str(birth["full_name"])) == person.name.full
        rule = "INCOMPLETE_NAME" if is_short else "DIFFERENT_NAME"
        ledger.record(rule, person, person.number, str(birth["event_id"]))
    return birth is not None


def _short_forms(person: Citizen) -> list[str]:
    family, *middle, last = person.name.full.split()
    if not middle:
        return []
    forms = [
        f"{family} {last}",
        " ".join([family, *middle[1:], last]),
        " ".join([family, *(f"{word[0]}." for word in middle), last]),
        " ".join([family, *(word[0] for word in middle), last]),
        "".join([f"{family[0]}.", *(f"{word[0]}." for word in middle), last]),
    ]
    plain = without_marks(person.name.full)
    return [*forms, plain] if plain != person.name.full else forms


def _incomplete_name(ledger: Ledger, person: Citizen, do: bool) -> bool:
    birth, forms = ledger.birth(person), _short_forms(person)
    if do and birth is not None:
        birth["full_name"] = pick(ledger.rng, forms)
        ledger.record("INCOMPLETE_NAME", person, person.number, str(birth["event_id"]))
    return birth is not None and bool(forms)


def _name_form(ledger: Ledger, person: Citizen, do: bool) -> bool:
    birth, name = ledger.birth(person), person.name.full
    forms = [name.upper(), name.replace(" ", "  "), f"{name}\u00a0", name.replace("Đ", "\u00d0")]
    forms = [form for form in (*forms, decomposed(name), old_tone_marks(name)) if form != name]
    if do and birth is not None:
        birth["full_name"] = pick(ledger.rng, forms)
        ledger.record("NAME_FORM", person, person.number, str(birth["event_id"]))
    return birth is not None


def _unreadable_name(ledger: Ledger, person: Citizen, do: bool) -> bool:
    birth = ledger.birth(person)
    marked = [sign for sign in person.name.full if ord(sign) > 0x7F]
    if do and birth is not None:
        birth["full_name"] = person.name.full.replace(marked[-1], "\u00b8")
        ledger.record("UNREADABLE_NAME", person, person.number, str(birth["event_id"]))
    return birth is not None and bool(marked)


def _birth_year(ledger: Ledger, person: Citizen, do: bool) -> bool:
    birth = ledger.birth(person)
    if do and birth is not None:
        birth["birth_date"] = PartialDate(person.born.year - between(ledger.rng, 1, 4))
        ledger.record("BIRTH_DATE", person, person.number, str(birth["event_id"]))
    return birth is not None and person.death_entry is None and person.born.year > 1905


def _birth_vague(ledger: Ledger, person: Citizen, do: bool) -> bool:
    """No fault: the year agrees with the full date."""
    birth = ledger.birth(person)
    if do and birth is not None:
        birth["birth_date"] = PartialDate(person.born.year)
    return birth is not None


def _second_birth(ledger: Ledger, person: Citizen, do: bool) -> bool:
    birth = ledger.birth(person)
    if do and birth is not None:
        other = ledger.copy("civil_status", "births", "event_id", birth)
        ids = sorted((str(birth["event_id"]), str(other["event_id"])))
        ledger.record("DUPLICATE_BIRTH", person, *ids)
    return birth is not None


def _birth_of_another(ledger: Ledger, person: Citizen, do: bool) -> bool:
    """Somebody else's birth is filed under the number."""
    birth = ledger.birth(person)
    if do and birth is not None:
        other = ledger.copy("civil_status", "births", "event_id", birth)
        other["full_name"] = _other_name(ledger, person)
        other["birth_date"] = person.born + timedelta(days=between(ledger.rng, 40, 90))
        ids = sorted((str(birth["event_id"]), str(other["event_id"])))
        for rule in ("DUPLICATE_BIRTH", "SHARED_NUMBER"):
            ledger.record(rule, person, *ids)
        for rule in ("DIFFERENT_NAME", "BIRTH_DATE"):
            ledger.record(rule, person, person.number, str(other["event_id"]))
    old_enough = age_on(person.born, ledger.family.options.today) >= 1
    is_exact = birth is not None and isinstance(birth["birth_date"], date)
    return is_exact and old_enough and person.death_entry is None


def _second_death(ledger: Ledger, person: Citizen, do: bool) -> bool:
    death = ledger.death(person)
    if do and death is not None:
        other = ledger.copy("civil_status", "deaths", "event_id", death)
        ids = sorted((str(death["event_id"]), str(other["event_id"])))
        ledger.record("DUPLICATE_DEATH", person, *ids)
    return death is not None


def _death_revoked(ledger: Ledger, person: Citizen, do: bool) -> bool:
    death = ledger.death(person)
    if do and death is not None:
        death["status"] = "REVOKED"
        ledger.record("LIFE_STATE", person, person.number, str(death["event_id"]))
    return death is not None


def _death_day(ledger: Ledger, person: Citizen, do: bool) -> bool:
    death = ledger.death(person)
    if do and death is not None and person.died is not None:
        wrong = person.died - timedelta(days=between(ledger.rng, 1, 400))
        ledger.identity(person)["death_or_missing_date"] = wrong
        ledger.record("DEATH_DATE", person, person.number, str(death["event_id"]))
    return death is not None and person.died is not None


def _confirmed_after_death(ledger: Ledger, person: Citizen, do: bool) -> bool:
    return _after_death(
        ledger, person, do, ("civil_status", "marital_status_confirmations", "event_id"),
        lambda day: {"citizen_id": person.number, "issued_on": day},
    )  # fmt: skip


def _aided_after_death(ledger: Ledger, person: Citizen, do: bool) -> bool:
    return _after_death(
        ledger, person, do, ("legal_aid", "cases", "case_no"),
        lambda day: {"beneficiary_id": person.number, "request_date": day},
    )  # fmt: skip


def _sold_after_death(ledger: Ledger, person: Citizen, do: bool) -> bool:
    parties = ledger.rows.get(("notary", "transaction_parties"), [])
    fits = bool(parties) and _after_death(
        ledger, person, do, ("notary", "transactions", "notarial_no"),
        lambda day: {"kind": "SALE", "status": "VALID", "notarised_on": day},
    )  # fmt: skip
    if do:
        party = ledger.copy("notary", "transaction_parties", "entry_id", parties[0])
        party["notarial_no"] = ledger.rows["notary", "transactions"][-1]["notarial_no"]
        party["party_citizen_id"] = person.number
    return fits


def _after_death(
    ledger: Ledger,
    person: Citizen,
    do: bool,
    where: tuple[str, str, str],
    values: Callable[[date], dict[str, object]],
) -> bool:
    """Copy somebody's record to a dead person, with a day after the death."""
    database, record, identity = where
    death, rows = ledger.death(person), ledger.rows.get((database, record), [])
    today = ledger.family.options.today
    if death is None or person.died is None or not rows:
        return False
    if do:
        day = person.died + timedelta(days=between(ledger.rng, 1, (today - person.died).days - 1))
        copied = ledger.copy(database, record, identity, rows[0])
        copied |= values(day)
        ledger.record("EVENT_AFTER_DEATH", person, str(death["event_id"]), str(copied[identity]))
    return (today - person.died).days > 2


def _overlap(ledger: Ledger, person: Citizen, do: bool) -> bool:
    """A second marriage, to somebody without a number, in the midst of the first."""
    unions = [u for u in registered_unions(person) if u.end_noted and u.end is not None]
    unions = [u for u in unions if u.end is not None and (u.end - u.start).days > 900]
    if do:
        union = unions[-1]
        assert union.entry is not None
        first = ledger.by_identity["marriages", union.entry.event_id]
        second = ledger.copy("civil_status", "marriages", "event_id", first)
        second["effective_from"] = union.start + timedelta(days=between(ledger.rng, 400, 800))
        spouse = "wife" if person is union.husband else "husband"
        del second[f"{spouse}_citizen_id"]
        second[f"{spouse}_name"] = "Trần Lệ Thu" if spouse == "wife" else "Trần Công Trứ"
        ids = str(first["event_id"]), str(second["event_id"])
        ledger.record("OVERLAPPING_MARRIAGES", person, *ids)
    return bool(unions)


def _marries_themselves(ledger: Ledger, person: Citizen, do: bool) -> bool:
    marriages, identity = (
        ledger.rows.get(("civil_status", "marriages"), []),
        ledger.identity(person),
    )
    today = ledger.family.options.today
    single = identity["life_status"] == "ALIVE" and identity["marital_status"] == "SINGLE"
    if do:
        row = ledger.copy("civil_status", "marriages", "event_id", marriages[0])
        for name in ("ended_on", "end_reason", "end_event_id"):
            row.pop(name, None)
        row["status"], row["effective_from"] = "VALID", birthday(person.born, 21)
        row["husband_citizen_id"] = row["wife_citizen_id"] = person.number
        ledger.record("SELF_MARRIAGE", person, str(row["event_id"]))
        ledger.record("MARITAL_STATUS", person, person.number, str(row["event_id"]))
    in_books = bool(person.unions) or death_in_force(person) is not None
    return bool(marriages) and single and not in_books and age_on(person.born, today) >= 22


def _other_mother(ledger: Ledger, person: Citizen, do: bool) -> bool:
    birth, row, mother = ledger.birth(person), ledger.relative(person, "MOTHER"), person.mother
    if birth is None or row is None or mother is None or "mother_citizen_id" not in birth:
        return False
    name = mother.name
    mothers = [
        other
        for other in ledger.family.people
        if other not in (person, mother)
        and without_marks(other.name.full.split()[-1]) != without_marks(name.full.split()[-1])
    ]
    if do:
        other = pick(ledger.rng, mothers)
        row["member_id"], row["name"] = other.number, other.name.full
        row.pop("old_number", None)
        ledger.record("PARENTS", person, str(row["entry_id"]), str(birth["event_id"]))
    return bool(mothers) and mother.former_name is None


def _mother_of_themselves(ledger: Ledger, person: Citizen, do: bool) -> bool:
    birth, mother = ledger.birth(person), person.mother
    if do and birth is not None:
        birth["mother_citizen_id"] = person.number
        ledger.record("SELF_AS_RELATIVE", person, str(birth["event_id"]))
    return birth is not None and mother is not None and mother.former_name is None


def _relative_of_themselves(ledger: Ledger, person: Citizen, do: bool) -> bool:
    row = ledger.relative(person, "CHILD", "SPOUSE")
    if do and row is not None:
        row["member_id"] = person.number
        ledger.record("SELF_AS_RELATIVE", person, str(row["entry_id"]))
    return row is not None


def _wrong_century(ledger: Ledger, person: Citizen, do: bool) -> bool:
    """Both registers have the same impossible date of birth."""
    birth = ledger.birth(person)
    if do and birth is not None:
        year = pick(ledger.rng, [1893, ledger.family.options.today.year + 4])
        birth["birth_date"] = ledger.identity(person)["birth_date"] = PartialDate(year, 5)
        for record_id in (person.number, str(birth["event_id"])):
            ledger.record("IMPLAUSIBLE_DATE", person, record_id)
        ledger.record(number_contradictions.RULE, person, person.number)
    return birth is not None and person.death_entry is None


_KINDS: tuple[FaultKind, ...] = (
    _sex,
    _different_name,
    _incomplete_name,
    _name_form,
    _unreadable_name,
    _birth_year,
    _birth_vague,
    _second_birth,
    _birth_of_another,
    _second_death,
    _death_revoked,
    _death_day,
    _confirmed_after_death,
    _aided_after_death,
    _sold_after_death,
    _overlap,
    _marries_themselves,
    _other_mother,
    _mother_of_themselves,
    _relative_of_themselves,
    _wrong_century,
    *number_contradictions.KINDS,
    *entry_contradictions.KINDS,
    *place_contradictions.KINDS,
)
