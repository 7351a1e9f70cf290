"""Adoption records are for the registering agency under an adoption procedure, and nobody else.

Source: Law on Adoption 52/2010/QH12; design section 7 ("adoption likewise, save for the
registering agency under an adoption purpose"). Whether somebody was adopted is nobody's to learn,
not even from the citizen's own view, where a relative may look over the shoulder. The court and
foreign notes that mention an adoption are hidden among the others, and so is every birth record
that was replaced by a new one: the original names the parents by birth, and it is under the
protection of the record that replaced it. The record that is in force is always shown.
"""

from __future__ import annotations

from connectors.description import Record, Row
from gateway.access.caller import Caller

#: Domestic adoption (domain.md section 3, P6).
PURPOSE = "2.001263"
_EVENTS = frozenset({"ADOPTION", "ADOPTION_TERMINATION", "FOREIGN_ADOPTION"})


def withholds(record: Record, caller: Caller) -> bool:
    """Withhold the adoption records from every caller without the adoption purpose."""
    return (record.database, record.name) == ("civil_status", "adoptions") and not _may(caller)


def concerns(record: Record) -> bool:
    """Say whether rows of this type may tell of an adoption."""
    return record.database == "civil_status" and record.name != "adoptions"


def hides(record: Record, row: Row, caller: Caller) -> bool:
    """Hide notes about adoptions, and births that a new birth record has replaced."""
    if _may(caller):
        return False
    if record.name == "births" and row[record.positions["status"]] == "SUPERSEDED":
        return True
    return row[record.positions["event_type"]] in _EVENTS


def _may(caller: Caller) -> bool:
    return caller.purpose == PURPOSE and caller.citizen is None
