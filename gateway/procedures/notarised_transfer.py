"""P9: notarised transfer of real property.

Land Law 31/2024/QH15 Art. 27 and 45, Law on Notarization 46/2024/QH15, Law on Marriage and Family
52/2014/QH13 Art. 33-35 (own knowledge): the seller's identity and capacity, whether a spouse must
sign because the property is common, nothing that blocks the asset, no earlier transfer of it, and,
where the owner died, who inherits. What was paid before is not needed.
"""

from __future__ import annotations

from connectors.description import Text
from gateway.procedures.allow_lists import (
    BLOCKING_CASE,
    BLOCKS,
    DEATH,
    IDENTITY,
    KINSHIP,
    LIFE,
    MARITAL,
    MEASURES,
    TRANSACTION,
)
from gateway.procedures.procedure import Procedure

PROCEDURE = Procedure(
    codes=("notarised-transfer",),
    title=Text("Công chứng chuyển nhượng nhà, đất", "Notarised transfer of real property"),
    legal_basis=(
        "Luật Công chứng 46/2024/QH15",
        "Luật Đất đai 31/2024/QH15, Điều 27, 45",
        "Luật Hôn nhân và gia đình 52/2014/QH13, Điều 33-35",
    ),
    fields={
        "population.identity": f"{IDENTITY} marital_status",
        "population.earlier_numbers": "*",
        "civil_status.births": KINSHIP,
        "civil_status.marriages": "*",
        "civil_status.divorces": "*",
        "civil_status.deaths": DEATH,
        "civil_status.marital_status_confirmations": "*",
        "civil_status.court_notes": "*",
        "security_measures.registrations": "*",
        "security_measures.security_parties": "*",
        "security_measures.collateral": "*",
        "civil_enforcement.cases": BLOCKING_CASE,
        "civil_enforcement.measures": "*",
        "notary.transactions": TRANSACTION,
        "notary.transaction_parties": "*",
        "notary.assets": "*",
        "notary.asset_owners": "*",
        "notary.preventive_infos": "*",
        "notary.notarial_organisations": "*",
        "notary.notaries": "*",
    },
    derived=frozenset(
        {
            "guardianship",
            "has_active_block",
            "legal_capacity",
            "life_status",
            "marital_status",
            "residence",
        }
    ),
    deciding=LIFE | MARITAL | BLOCKS | MEASURES,
)
