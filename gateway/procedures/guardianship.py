"""P6: registration of guardianship, its supervision and its end.

Law on Civil Status 60/2014/QH13 Art. 19-23; Civil Code 91/2015/QH13 Art. 46-63 (both from own
knowledge): the ward's age and capacity, whether parents or a spouse are there to represent them,
the guardian's capacity, and the guardianships that either has already. The reason of a guardianship
is the ward's capacity, so it is needed; the reason of its end may be an adoption, so it is not.
"""

from __future__ import annotations

from connectors.description import Text
from gateway.procedures.allow_lists import DEATH, IDENTITY, KINSHIP, LIFE, MARITAL
from gateway.procedures.procedure import Procedure

PROCEDURE = Procedure(
    codes=("1.004837",),
    title=Text("Đăng ký giám hộ", "Registration of guardianship"),
    legal_basis=(
        "Luật Hộ tịch 60/2014/QH13, Điều 19-23",
        "Bộ luật Dân sự 91/2015/QH13, Điều 46-63",
    ),
    fields={
        "population.identity": f"{IDENTITY} marital_status",
        "population.earlier_numbers": "*",
        "population.residences": "*",
        "population.family": "*",
        "civil_status.births": KINSHIP,
        # The spouse is the natural guardian of who has lost capacity (Civil Code Art. 53).
        "civil_status.marriages": "*",
        "civil_status.divorces": "*",
        "civil_status.deaths": DEATH,
        "civil_status.guardianships": "* reason",
        "civil_status.court_notes": "*",
    },
    derived=frozenset({"family", "guardianship", "legal_capacity", "life_status", "residence"}),
    deciding=LIFE | MARITAL,
)
