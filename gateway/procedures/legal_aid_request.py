"""P7: request for legal aid.

Law on Legal Aid 11/2017/QH14 Art. 7 (who is entitled), 9(4) (no two providers in one case), 26
(residence or place of the case), 27 and 29-30; Decree 144/2017/NĐ-CP Art. 2 (hardship). Age,
ethnicity and residence come from the population database; what the cases are about and how they
ended is between the provider and the beneficiary. The code is unverified.
"""

from __future__ import annotations

from connectors.description import Text
from gateway.procedures.allow_lists import IDENTITY
from gateway.procedures.procedure import Procedure

PROCEDURE = Procedure(
    codes=("2.000829",),
    title=Text("Yêu cầu trợ giúp pháp lý", "Legal aid request"),
    legal_basis=(
        "Luật Trợ giúp pháp lý 11/2017/QH14, Điều 7, 9, 26, 27, 29-30",
        "Nghị định 144/2017/NĐ-CP, Điều 2",
    ),
    fields={
        "population.identity": f"{IDENTITY} ethnicity",
        "population.earlier_numbers": "*",
        "population.residences": "*",
        "legal_aid.cases": (
            "case_no province_code centre_id beneficiary_id request_date accepted_date "
            "acceptance_status field_of_law form proceeding_stage court_case_no status "
            "completed_date beneficiary_category hardship_proof proof_docs"
        ),
        "legal_aid.beneficiary": "* ethnicity",
        "legal_aid.entitlements": (
            "entry_id citizen_id category valid_from valid_until proof_doc_no issuer"
        ),
        "legal_aid.providers": "*",
    },
    derived=frozenset({"guardianship", "residence"}),
)
