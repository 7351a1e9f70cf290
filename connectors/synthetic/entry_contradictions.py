"""Faults of entries in the books: another nationality, a marriage that is registered twice.

Planted as ``contradictions`` says.
"""

from __future__ import annotations

from datetime import timedelta

from connectors.synthetic.contradiction_ledger import FaultKind, Ledger, registered_unions
from connectors.synthetic.draw import between, pick
from connectors.synthetic.model import Citizen, Union


def _other_nationality(ledger: Ledger, person: Citizen, do: bool) -> bool:
    birth = ledger.birth(person)
    if do and birth is not None:
        birth["nationality"] = pick(ledger.rng, ["US", "FRA", "Hoa Kỳ", "Trung Quốc"])
        ledger.record("NATIONALITY", person, person.number, str(birth["event_id"]))
    return birth is not None and birth["status"] == "VALID"


def _nationality_in_words(ledger: Ledger, person: Citizen, do: bool) -> bool:
    """No fault: the same nationality, or none that is known."""
    birth = ledger.birth(person)
    if do and birth is not None:
        words = ["Việt Nam", "VIỆT NAM", "VNM", "Không rõ", "Việt Nam, Hoa Kỳ"]
        birth["nationality"] = pick(ledger.rng, words)
    return birth is not None


def _couple(ledger: Ledger, person: Citizen) -> Union | None:
    """Return the last marriage if neither spouse has a fault, and the book says how it stands."""
    unions = registered_unions(person)
    if not unions or (unions[-1].end is not None and not unions[-1].end_noted):
        return None
    spouse = unions[-1].spouse(person)
    return None if spouse.number in ledger.faulty or spouse.planted else unions[-1]


def _marriage_twice(ledger: Ledger, person: Citizen, do: bool) -> bool:
    union = _couple(ledger, person)
    if do and union is not None and union.entry is not None:
        first = ledger.by_identity["marriages", union.entry.event_id]
        second = ledger.copy("civil_status", "marriages", "event_id", first)
        ids = sorted((str(first["event_id"]), str(second["event_id"])))
        for spouse in (union.husband, union.wife):
            ledger.record("DUPLICATE_MARRIAGE", spouse, *ids)
    return union is not None


def _marriage_in_marriage(ledger: Ledger, person: Citizen, do: bool) -> bool:
    """The same couple again, before the recorded end of their marriage."""
    union = _couple(ledger, person)
    if do and union is not None and union.entry is not None:
        first = ledger.by_identity["marriages", union.entry.event_id]
        second = ledger.copy("civil_status", "marriages", "event_id", first)
        second["effective_from"] = union.start + timedelta(days=between(ledger.rng, 400, 800))
        ids = str(first["event_id"]), str(second["event_id"])
        for spouse in (union.husband, union.wife):
            for rule in ("DUPLICATE_MARRIAGE", "OVERLAPPING_MARRIAGES"):
                ledger.record(rule, spouse, *ids)
    if union is None or union.end is None:
        return False
    return (union.end - union.start).days > 900


KINDS: tuple[FaultKind, ...] = (
    _other_nationality,
    _nationality_in_words,
    _marriage_twice,
    _marriage_in_marriage,
)
