"""P6: recognition of a parent or a child.

Law on Civil Status 60/2014/QH13 Art. 24-25: who is recorded as whose parent, whether a marriage
makes somebody else the father (Law on Marriage and Family 52/2014/QH13 Art. 88), capacity, and
whether the other parent lives to consent. The evidence is brought along; that of earlier
recognitions is not needed.
"""

from __future__ import annotations

from connectors.description import Text
from gateway.procedures.allow_lists import DEATH, IDENTITY, LIFE, MARITAL
from gateway.procedures.procedure import Procedure

PROCEDURE = Procedure(
    codes=("1.001022",),
    title=Text("Đăng ký nhận cha, mẹ, con", "Recognition of a parent or a child"),
    legal_basis=(
        "Luật Hộ tịch 60/2014/QH13, Điều 24-25",
        "Luật Hôn nhân và gia đình 52/2014/QH13, Điều 88",
    ),
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
        "civil_status.court_notes": "*",
    },
    derived=frozenset({"family", "legal_capacity", "life_status"}),
    deciding=LIFE | MARITAL,
)
