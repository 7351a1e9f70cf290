"""Handling of administrative violations: a state body manages them or determines recidivism.

Decree 20/2016/NĐ-CP lets state bodies read the national database for that; Law 15/2012/QH13 Art. 7
(amended by Laws 67/2020 and 88/2025) says how long a violation counts. Data on violations are
sensitive as a whole (Decree 356/2025/NĐ-CP Art. 4), so each field is named. Not in the national
list of procedures.
"""

from __future__ import annotations

from connectors.description import Text
from gateway.procedures.allow_lists import IDENTITY, PARTY, PLACE, inside
from gateway.procedures.procedure import Procedure

_VIOLATOR = inside("violator", PARTY)

PROCEDURE = Procedure(
    codes=("violation-handling",),
    title=Text(
        "Xử lý vi phạm hành chính, xác định tái phạm",
        "Handling of administrative violations, determining recidivism",
    ),
    legal_basis=(
        "Luật Xử lý vi phạm hành chính 15/2012/QH13, Điều 7, 17",
        "Nghị định 20/2016/NĐ-CP",
    ),
    fields={
        "population.identity": IDENTITY,
        "population.earlier_numbers": "*",
        "administrative_violations.records": (
            f"record_no made_on {inside('place', PLACE)} maker_agency maker {_VIOLATOR} act_code "
            "sector description evidence seized_items explanation_right status"
        ),
        "administrative_violations.sanctions": (
            f"decision_no decision_date issuer_agency issuer_title {_VIOLATOR} violator_sex "
            "violator_licence_no record_no sector main_sanction fine_amount additional_sanctions "
            "remedial_measures aggravating mitigating execution_deadline procedure status"
        ),
        "administrative_violations.acts": "entry_id decision_no legal_ref description",
        "administrative_violations.executions": (
            "execution_id decision_no kind amount_paid receipt_no executed_on completed_on "
            "expired_on"
        ),
        "administrative_violations.handling_decisions": (
            "decision_no citizen_id measure authority valid_from valid_until status completed_on "
            "expired_on"
        ),
    },
    derived=frozenset({"is_considered_unsanctioned"}),
)
