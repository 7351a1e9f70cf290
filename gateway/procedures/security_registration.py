"""P8: registration, change and deletion of a security measure.

Decree 99/2022/NĐ-CP Art. 4, 8, 15, 18, 20 and 44-45: the parties are identified and alive, the
requester is entitled, nothing is registered twice, a deletion has a ground of Art. 20, and no
enforcement decision blocks the asset (Decree 152/2026/NĐ-CP Art. 111). The register is public by
design (Art. 8(6), 50). The codes are those for land, which the database does not cover; the same
facts are asked for movables, which have no code. 1.011445 carries a registration forward.
"""

from __future__ import annotations

from connectors.description import Text
from gateway.procedures.allow_lists import BLOCKING_CASE, BLOCKS, IDENTITY, LIFE, MEASURES
from gateway.procedures.procedure import Procedure

PROCEDURE = Procedure(
    codes=("security-registration", "1.011441", "1.011442", "1.011443", "1.011445"),
    title=Text(
        "Đăng ký, thay đổi, xóa đăng ký biện pháp bảo đảm",
        "Registration, change and deletion of a security measure",
    ),
    legal_basis=(
        "Nghị định 99/2022/NĐ-CP, Điều 4, 8, 15, 18, 20, 44-45",
        "Nghị định 152/2026/NĐ-CP, Điều 111",
    ),
    fields={
        "population.identity": IDENTITY,
        "population.earlier_numbers": "*",
        "security_measures.registrations": "*",
        "security_measures.security_parties": "*",
        "security_measures.collateral": "*",
        "security_measures.amendments": "*",
        "security_measures.enforcement_notices": "*",
        "civil_enforcement.cases": BLOCKING_CASE,
        "civil_enforcement.measures": "*",
    },
    derived=frozenset({"has_active_block", "legal_capacity", "life_status"}),
    deciding=LIFE | BLOCKS | MEASURES,
)
