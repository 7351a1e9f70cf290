"""P3: birth registration, also together with a recognition, with a foreign element, or again.

Law on Civil Status 60/2014/QH13 Art. 13-16: the parents' identity, what the record says (Art. 14:
ethnicity, of the child and of both parents), within 60 days, not registered already: neither the
child nor the notification of the birth. Law on Marriage and Family 52/2014/QH13 Art. 88: whose
marriage the child was born in.
"""

from __future__ import annotations

from connectors.description import Text
from gateway.procedures.allow_lists import DEATH, IDENTITY, LIFE, MARITAL
from gateway.procedures.procedure import Procedure

PROCEDURE = Procedure(
    codes=("1.001193", "1.000689", "2.000528", "1.004884"),
    title=Text("Đăng ký khai sinh", "Birth registration"),
    legal_basis=(
        "Luật Hộ tịch 60/2014/QH13, Điều 13-16",
        "Luật Hôn nhân và gia đình 52/2014/QH13, Điều 88",
        "Nghị định 87/2020/NĐ-CP",
        "Nghị định 70/2024/NĐ-CP, Điều 11",
    ),
    fields={
        "population.identity": f"{IDENTITY} marital_status ethnicity",
        "population.earlier_numbers": "*",
        "population.residences": "*",
        "civil_status.births": (
            "* ethnicity mother.ethnicity father.ethnicity birth_notification_no"
        ),
        "civil_status.recognitions": "*",
        "civil_status.marriages": "*",
        "civil_status.divorces": "*",
        # Art. 88: a child born within 300 days of the end of the marriage is the husband's.
        "civil_status.deaths": DEATH,
        "civil_status.court_notes": "*",
    },
    derived=frozenset({"life_status", "marital_status"}),
    deciding=LIFE | MARITAL,
)
