"""The truth behind facts about a person that change over time: capacity, guardians, home, blocks.

Beside ``PersonTruth``, which says how things stand today. Tests read it; the gateway never does.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from connectors.synthetic.conflicts import marital_status
from connectors.synthetic.model import Citizen, Family
from connectors.synthetic.places import Home
from connectors.synthetic.property_model import Estate

#: Enforcement measures that keep an asset from being disposed of.
BLOCKING_MEASURES = frozenset(
    {"FREEZE_ACCOUNT", "TEMP_HOLD", "SUSPEND_REGISTRATION", "SEIZE_ASSET"}
)


@dataclass(frozen=True, slots=True)
class TruthSpell:
    """What held from ``start`` to the day before ``end`` (None: it holds). ``value``: of whom."""

    kind: str
    start: date
    end: date | None
    value: str | None = None

    def covers(self, day: date) -> bool:
        """Say whether it held on ``day``."""
        return self.start <= day and (self.end is None or day < self.end)


@dataclass(frozen=True, slots=True)
class FactTruth:
    """What was true of one person, and when.

    ``spells``: MISSING, DEAD, INCAPACITATED, RESTRICTED, COGNITION_DIFFICULTY; GUARDIAN with the
    guardian's number; HOME with the codes of commune and province; BLOCK; JOINT_MEASURE, a measure
    in a case with several debtors, of which the records do not say whom it concerns.
    ``marital``: the status from each day on, newest first.
    """

    id: str
    spells: tuple[TruthSpell, ...]
    marital: tuple[tuple[date, str], ...]

    def kinds_on(self, day: date) -> set[str]:
        """Return the kinds of what held on ``day``."""
        return {spell.kind for spell in self.spells if spell.covers(day)}

    def values_on(self, kind: str, day: date) -> list[str]:
        """Return the values of the spells of ``kind`` that held on ``day``."""
        return [
            spell.value
            for spell in self.spells
            if spell.kind == kind and spell.covers(day) and spell.value is not None
        ]

    def marital_on(self, day: date) -> str:
        """Return the marital status on ``day``."""
        return next((status for since, status in self.marital if since <= day), "SINGLE")


def fact_truths(family: Family, estate: Estate | None = None) -> tuple[FactTruth, ...]:
    """Return the truth about everybody in a cluster."""
    spells: dict[int, list[TruthSpell]] = defaultdict(list)
    for person in family.people:
        spells[person.index] += _life(person)
        spells[person.index] += _homes(person)
    for note in family.notes:
        kind = note.kind.removeprefix("DECLARED_")
        if note.kind in {"DECLARED_INCAPACITATED", "DECLARED_RESTRICTED"}:
            revoking = [other for other in family.notes if other.event_id == note.revoked_by]
            end = revoking[0].effective if revoking else None
            spells[note.person.index].append(TruthSpell(kind, note.effective, end))
    for guardianship in family.guardianships:
        ward, start, end = guardianship.ward.index, guardianship.start, guardianship.end
        spells[ward].append(TruthSpell("GUARDIAN", start, end, guardianship.guardian.number))
        if guardianship.reason == "COGNITION_DIFFICULTY":
            spells[ward].append(TruthSpell("COGNITION_DIFFICULTY", start, end))
    for index, blocks in _blocks(estate).items():
        spells[index] += blocks
    return tuple(
        FactTruth(person.number, tuple(spells[person.index]), _marital(person))
        for person in family.people
    )


def _life(person: Citizen) -> list[TruthSpell]:
    spells = []
    if person.declared_missing is not None:
        end = person.declared_dead or person.returned
        spells.append(TruthSpell("MISSING", person.declared_missing, end))
    if person.declared_dead is not None:
        spells.append(TruthSpell("DEAD", person.declared_dead, person.returned))
    elif person.died is not None:
        spells.append(TruthSpell("DEAD", person.died, None))
    return spells


def _homes(person: Citizen) -> list[TruthSpell]:
    def spell(at: Home, start: date, end: date | None) -> TruthSpell:
        return TruthSpell("HOME", start, end, f"{at.code} {at.province.new_code}")

    if person.moved is None:
        return [spell(person.home, person.born, person.died)]
    before = spell(person.birth_home, person.born, person.moved)
    return [before, spell(person.home, person.moved, person.died)]


def _marital(person: Citizen) -> tuple[tuple[date, str], ...]:
    days = {union.start for union in person.unions}
    days |= {union.end for union in person.unions if union.end is not None}
    return tuple((day, marital_status(person, day)) for day in sorted(days, reverse=True))


def _blocks(estate: Estate | None) -> dict[int, list[TruthSpell]]:
    """Return what blocks each person today, or on a day when they owned what is blocked."""
    blocks: dict[int, list[TruthSpell]] = defaultdict(list)
    if estate is None:
        return blocks
    for asset in estate.assets:
        owners = [owner for owner in asset.owners() if isinstance(owner, Citizen)]
        for block in asset.blocks:
            if block.level != "BLOCK":
                continue
            people = {owner.index for owner in owners}
            people |= {block.person.index} if block.person is not None else set()
            for index in people:
                blocks[index].append(TruthSpell("BLOCK", block.start, block.end))
    for case in estate.cases:
        debtors = [debtor for debtor in case.debtors if isinstance(debtor, Citizen)]
        for measure in case.measures:
            if measure.kind not in BLOCKING_MEASURES:
                continue
            if case.last is not None:
                spell = TruthSpell("BLOCK", measure.day, measure.lifted)
                blocks[case.last.index].append(spell)
            if len(case.debtors) > 1:
                for debtor in debtors:
                    spell = TruthSpell("JOINT_MEASURE", measure.day, measure.lifted)
                    blocks[debtor.index].append(spell)
    return blocks
