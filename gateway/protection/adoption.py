"""Adoption records are for the registering agency under an adoption procedure, and nobody else.

Source: Law on Adoption 52/2010/QH12; design section 7 ("adoption likewise, save for the
registering agency under an adoption purpose"). Whether somebody was adopted is nobody's to learn,
not even from the citizen's own view, where a relative may look over the shoulder. The court and
foreign notes that mention an adoption are hidden among the others; the birth record that the
adoption replaced is under ``gateway.protection.original``.
"""

from __future__ import annotations

from connectors.description import Record
from connectors.row_template import RowCondition
from gateway.access.caller import Caller
from gateway.procedures.procedure import is_for

#: Domestic adoption (domain.md section 3, P6).
PURPOSE = "2.001263"
_EVENTS = frozenset({"ADOPTION", "ADOPTION_TERMINATION", "FOREIGN_ADOPTION"})


def applies_to(record: Record) -> bool:
    """Say whether records of this type are adoptions."""
    return (record.database, record.name) == ("civil_status", "adoptions")


def withholds(caller: Caller, is_own_view: bool) -> bool:
    """Withhold them from every caller without the adoption purpose."""
    return is_own_view or not is_registering_agency(caller)


def may_hide_rows_of(record: Record) -> bool:
    """Say whether rows of this type may tell of an adoption."""
    return record.database == "civil_status" and record.name != "adoptions"


def hidden_rows(_record: Record) -> RowCondition:
    """Return which rows are notes about adoptions."""
    return RowCondition("event_type", _EVENTS)


def hides_from(caller: Caller) -> bool:
    """Hide them from everybody but the agency that registers adoptions."""
    return not is_registering_agency(caller)


def is_registering_agency(caller: Caller) -> bool:
    """Say whether ``caller`` is the registering agency under an adoption procedure."""
    return caller.citizen is None and is_for(caller.purpose, {PURPOSE})
