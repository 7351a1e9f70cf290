"""P11: confirmation of the result of an enforcement.

Decree 152/2026/NĐ-CP Art. 32(3): on request, within three working days: the obligations, what was
paid, what remains, and where the case stands. Who asks is a party, so the parties are named, but
not where they live.
"""

from __future__ import annotations

from connectors.description import Text
from gateway.procedures.allow_lists import IDENTITY
from gateway.procedures.procedure import Procedure

PROCEDURE = Procedure(
    codes=("enforcement-result",),
    title=Text("Xác nhận kết quả thi hành án", "Confirmation of an enforcement result"),
    legal_basis=("Nghị định 152/2026/NĐ-CP, Điều 32",),
    fields={
        "population.identity": IDENTITY,
        "population.earlier_numbers": "*",
        "civil_enforcement.cases": (
            "decision_no decision_date issuer_name issuer_title judgment_no agency_id initiation "
            "status status_since entrusted_to"
        ),
        "civil_enforcement.enforcement_parties": (
            "entry_id decision_no role party.kind party.name party.citizen_id "
            "party.organisation_id party.enterprise_code"
        ),
        "civil_enforcement.judgment": (
            "judgment_no issuer issuer_name issue_date effective_date kind"
        ),
        "civil_enforcement.obligations": "*",
        "civil_enforcement.confirmations": "*",
    },
)
