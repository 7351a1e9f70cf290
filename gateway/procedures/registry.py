"""Procedures: for each purpose the fields that it needs, one file each.

The numbers P1 to P12 are those of the project's list of procedures.
"""

from __future__ import annotations

from gateway.procedures import (
    access_log_review,
    address_protection,
    bench_unified,
    birth_registration,
    civil_status_change,
    civil_status_extract,
    death_registration,
    domestic_adoption,
    enforcement_result,
    enforcement_verification,
    guardianship,
    inheritance,
    legal_aid_request,
    marital_status_certificate,
    marriage_registration,
    no_sanction_check,
    notarised_transfer,
    parent_child_recognition,
    security_registration,
    violation_handling,
)
from gateway.procedures.procedure import Procedure, national

#: All procedures, in the order of the list; what is not on it comes last.
ALL: tuple[Procedure, ...] = (
    marriage_registration.PROCEDURE,
    marital_status_certificate.PROCEDURE,
    birth_registration.PROCEDURE,
    death_registration.PROCEDURE,
    civil_status_extract.PROCEDURE,
    parent_child_recognition.PROCEDURE,
    guardianship.PROCEDURE,
    civil_status_change.PROCEDURE,
    domestic_adoption.PROCEDURE,
    legal_aid_request.PROCEDURE,
    security_registration.PROCEDURE,
    notarised_transfer.PROCEDURE,
    enforcement_verification.PROCEDURE,
    enforcement_result.PROCEDURE,
    no_sanction_check.PROCEDURE,
    inheritance.PROCEDURE,
    violation_handling.PROCEDURE,
    address_protection.PROCEDURE,
    access_log_review.PROCEDURE,
    bench_unified.PROCEDURE,
)

_BY_CODE = {code: procedure for procedure in ALL for code in procedure.codes}


def purpose_codes() -> frozenset[str]:
    """Return every code that may be a purpose, without a province's suffix."""
    return frozenset(_BY_CODE)


def procedure_of(purpose: str) -> Procedure | None:
    """Return the procedure with this code, with a province's suffix or not; None: there is none."""
    return _BY_CODE.get(national(purpose))
