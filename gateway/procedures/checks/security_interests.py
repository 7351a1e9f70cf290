"""Things of a person that secure debts, as the Database on Security Measures has them.

Decree 99/2022/NĐ-CP Art. 44: movables, rights, unlisted securities, annual crops and temporary
constructions; not land, aircraft and ships. A registration stands until it is deleted or cancelled;
collateral counts until it is withdrawn.
"""

from __future__ import annotations

from dataclasses import dataclass

from connectors.description import Row
from gateway.derived.active_block import values_of
from gateway.derived.view import Evidence, Facts, LaterReads, UnknownReason

REGISTRATIONS = "security_measures.registrations"
PARTIES, COLLATERAL = "security_measures.parties", "security_measures.collateral"
#: The lists that the functions of this file read of somebody, in the first wave and later.
SECURITY_LISTS = (REGISTRATIONS,)
SECURITY_LATER = (LaterReads(PARTIES, REGISTRATIONS), LaterReads(COLLATERAL, REGISTRATIONS))
#: Statuses of registrations that have ended.
ENDED = frozenset({"DELETED", "CANCELLED"})
SECURING = frozenset({"SECURING", "NEW_SECURING"})
SECURED = frozenset({"SECURED", "NEW_SECURED"})
#: Kinds of collateral that may have to do with a home or with land.
_ABOUT_REAL_PROPERTY = frozenset({"PROPERTY_RIGHT", "INSTALLED_MOVABLE", "TEMP_CONSTRUCTION"})


@dataclass(frozen=True, slots=True)
class SecuredThings:
    """What somebody has given as security. ``count``: how many things; ``reason``: may be more.

    ``concerns_real_property``: one of them may have to do with a home or with land.
    """

    count: int
    concerns_real_property: bool
    reason: UnknownReason | None


def secured_things(evidence: Evidence) -> SecuredThings:
    """Return what the person has given as security that stands today."""
    registrations = evidence.list(REGISTRATIONS)
    if not registrations.is_read:  # it is asked again once they have been read
        return SecuredThings(0, False, UnknownReason.SOURCE_FAILED)
    numbers = values_of(registrations, "registration_no") or ("-",)
    parties = evidence.under(PARTIES, numbers)
    collateral = evidence.under(COLLATERAL, numbers)
    reason = registrations.reason or parties.reason or collateral.reason
    things: list[Row] = []
    for row in registrations.rows:
        status = registrations.code(row, "status")
        if status in ENDED:
            continue
        number = registrations.value(row, "registration_no")
        roles = _roles(parties, number, evidence.numbers)
        if None in roles or status is None:
            reason = reason or UnknownReason.NOT_RECORDED
        if not SECURING.isdisjoint(roles):
            things += [item for item in collateral.rows
                       if collateral.value(item, "registration_no") == number
                       and collateral.value(item, "withdrawn_at") is None]  # fmt: skip
    kinds = {collateral.code(thing, "collateral_type") for thing in things}
    if None in kinds:
        reason = reason or UnknownReason.NOT_RECORDED
    count = len({collateral.value(thing, "collateral_id") for thing in things})
    return SecuredThings(count, not _ABOUT_REAL_PROPERTY.isdisjoint(kinds), reason)


def _roles(parties: Facts, registration: object, numbers: tuple[str, ...]) -> set[str | None]:
    """Return the roles of somebody in a registration."""
    columns = ("party_citizen_id", "party_enterprise_code")
    return {
        parties.code(row, "role")
        for row in parties.rows
        if parties.value(row, "registration_no") == registration
        and any(parties.value(row, column) in numbers for column in columns)
    }
