"""P2: confirmation of marital status.

Decree 123/2015/NĐ-CP Art. 21-23 (amended by Decrees 07/2025 and 18/2026): where the applicant lived
since the age of marriage, each marriage and how it ended, what the confirmation is for and, if for
a marriage, with whom. The outcome is one of four statuses. That a spouse died is needed, not of
what.
"""

from __future__ import annotations

from connectors.description import Text
from gateway.procedures.allow_lists import DEATH, IDENTITY, LIFE, MARITAL
from gateway.procedures.procedure import Procedure

PROCEDURE = Procedure(
    codes=("1.004873",),
    title=Text("Cấp Giấy xác nhận tình trạng hôn nhân", "Marital status certificate"),
    legal_basis=(
        "Luật Hộ tịch 60/2014/QH13",
        "Nghị định 123/2015/NĐ-CP, Điều 21-23",
    ),
    fields={
        "population.identity": f"{IDENTITY} marital_status",
        "population.earlier_numbers": "*",
        "population.residences": "*",
        "civil_status.marriages": "*",
        "civil_status.divorces": "*",
        "civil_status.deaths": DEATH,
        "civil_status.marital_status_confirmations": "*",
        # Annulments, recognised marriages, declarations of death and their revocation.
        "civil_status.court_notes": "*",
    },
    derived=frozenset({"conflicts", "life_status", "marital_status", "residence"}),
    deciding=LIFE | MARITAL,
)
