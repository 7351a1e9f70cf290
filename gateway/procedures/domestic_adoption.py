"""P6: domestic adoption.

Law on Adoption 52/2010/QH12 Art. 8 and 14: the child's age, the adopter's age (20 years more than
the child's, save for step-parents, aunts and uncles), capacity and marriage, and that the child is
nobody's adopted child yet. It is the one purpose for which protection shows adoptions at all
(``gateway.protection.adoption``), so it covers the whole of that record.
"""

from __future__ import annotations

from connectors.description import Text
from gateway.procedures.allow_lists import DEATH, EVENT, IDENTITY, LIFE, MARITAL, PARTY, inside
from gateway.procedures.procedure import Procedure

_ADOPTION = (
    f"{EVENT} certificate_no decision_date handover_date "
    "child_id adopter_father_id adopter_mother_id "
    f"{inside('biological_mother', PARTY)} {inside('biological_father', PARTY)} "
    "adoption_scope relation_before child_new_name termination_date termination_decision_no"
)

PROCEDURE = Procedure(
    codes=("2.001263",),
    title=Text("Đăng ký nuôi con nuôi trong nước", "Domestic adoption"),
    legal_basis=("Luật Nuôi con nuôi 52/2010/QH12, Điều 8, 14",),
    fields={
        "population.identity": f"{IDENTITY} marital_status",
        "population.earlier_numbers": "*",
        "population.residences": "*",
        "population.family": "*",
        "civil_status.births": "*",
        "civil_status.recognitions": "*",
        "civil_status.marriages": "*",
        "civil_status.divorces": "*",
        "civil_status.deaths": DEATH,
        "civil_status.adoptions": _ADOPTION,
        "civil_status.guardianships": "*",
        "civil_status.court_notes": "*",
    },
    derived=frozenset(
        {"guardianship", "legal_capacity", "life_status", "marital_status", "residence"}
    ),
    deciding=LIFE | MARITAL,
)
