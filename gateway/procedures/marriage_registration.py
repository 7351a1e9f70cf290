"""P1: marriage registration.

Law on Marriage and Family 52/2014/QH13 Art. 3(18), 5(2), 8 and 9: age, sex, capacity, that neither
is married, and that they are no close relatives, in-laws, step- or adoptive family. Law on Civil
Status 60/2014/QH13 Art. 17-18. The intended spouses' relatives are read for the comparison alone.
Whoever registers outside their commune shows a confirmation of marital status (Decree 123/2015).
"""

from __future__ import annotations

from connectors.description import Text
from gateway.procedures.allow_lists import IDENTITY, LIFE, MARITAL
from gateway.procedures.procedure import Procedure

PROCEDURE = Procedure(
    codes=("1.000894", "2.000806", "1.000593", "1.004746"),
    title=Text("Đăng ký kết hôn", "Marriage registration"),
    legal_basis=(
        "Luật Hôn nhân và gia đình 52/2014/QH13, Điều 3, 5, 8, 9",
        "Luật Hộ tịch 60/2014/QH13, Điều 17-18",
        "Nghị định 123/2015/NĐ-CP",
    ),
    fields={
        # Art. 17(2) of the civil status law: the marriage record names each spouse's ethnicity and
        # identity document.
        "population.identity": f"{IDENTITY} marital_status card ethnicity",
        "population.earlier_numbers": "*",
        "population.residences": "*",
        "population.family": "*",
        "civil_status.births": "*",
        "civil_status.marriages": "*",
        "civil_status.divorces": "*",
        "civil_status.deaths": "*",
        "civil_status.marital_status_confirmations": "*",
        # A recognised parent is a parent, whether or not the birth record was amended yet.
        "civil_status.recognitions": "*",
        "civil_status.court_notes": "*",
    },
    derived=frozenset({"conflicts", "legal_capacity", "life_status", "marital_status"}),
    deciding=LIFE | MARITAL,
)
