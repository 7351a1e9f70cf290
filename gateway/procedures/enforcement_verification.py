"""P10: verification of a debtor's means, and coercive enforcement.

Law on Civil Judgment Enforcement 106/2025/QH15; Decree 152/2026/NĐ-CP Art. 21 (the debtor's number,
marital status, residences, assets, income and accounts), 42-45, 54-57 and 111. A spouse counts for
common property, transfers after the judgment for dispersal. The bank accounts, income and assets
are those that an earlier verification found; what a transfer fetched is not needed. What came
before the judgment and what after it, the timeline shows.
"""

from __future__ import annotations

from connectors.description import Text
from gateway.procedures.allow_lists import BLOCKS, DEATH, IDENTITY, MARITAL, MEASURES, TRANSACTION
from gateway.procedures.procedure import Procedure

PROCEDURE = Procedure(
    codes=("enforcement-verification",),
    title=Text(
        "Xác minh điều kiện thi hành án; cưỡng chế",
        "Verification for coercive enforcement",
    ),
    legal_basis=(
        "Luật Thi hành án dân sự 106/2025/QH15",
        "Nghị định 152/2026/NĐ-CP, Điều 21, 42-45, 54-57, 111",
    ),
    fields={
        "population.identity": f"{IDENTITY} marital_status",
        "population.earlier_numbers": "*",
        "population.residences": "*",
        "civil_status.marriages": "*",
        "civil_status.divorces": "*",
        "civil_status.deaths": DEATH,
        "civil_status.court_notes": "*",
        "security_measures.registrations": "*",
        "security_measures.security_parties": "*",
        "security_measures.collateral": "*",
        "security_measures.amendments": "*",
        "security_measures.enforcement_notices": "*",
        "civil_enforcement.cases": "*",
        "civil_enforcement.enforcement_parties": "*",
        "civil_enforcement.judgment": "*",
        "civil_enforcement.obligations": "*",
        "civil_enforcement.verifications": "* assets income accounts",
        "civil_enforcement.measures": "*",
        "civil_enforcement.confirmations": "*",
        "civil_enforcement.exit_postponements": "*",
        "civil_enforcement.public_notices": "*",
        "notary.transactions": TRANSACTION,
        "notary.transaction_parties": "*",
        "notary.assets": "*",
        "notary.asset_owners": "*",
        "notary.preventive_infos": "*",
        "notary.notarial_organisations": "*",
        "notary.notaries": "*",
    },
    derived=frozenset(
        {"has_active_block", "life_status", "marital_status", "residence", "timeline"}
    ),
    deciding=MARITAL | BLOCKS | MEASURES,
)
