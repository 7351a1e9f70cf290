"""P4: death registration, also again.

Law on Civil Status 60/2014/QH13 Art. 32-34: within 15 days, by a relative or who stands in for one,
of a person who exists, lives according to the books and whose death is not registered already. The
cause of death comes with the notice of death; nobody looks it up.
"""

from __future__ import annotations

from connectors.description import Text
from gateway.procedures.allow_lists import IDENTITY, KINSHIP, LIFE
from gateway.procedures.procedure import Procedure

PROCEDURE = Procedure(
    codes=("1.000656", "1.005461"),
    title=Text("Đăng ký khai tử", "Death registration"),
    legal_basis=("Luật Hộ tịch 60/2014/QH13, Điều 32-34",),
    fields={
        "population.identity": f"{IDENTITY} card",
        "population.earlier_numbers": "*",
        "population.residences": "*",
        # The requester's relation to the dead person; the spouse, to whom the death is told.
        "population.family": "*",
        "civil_status.births": KINSHIP,
        "civil_status.marriages": "*",
        "civil_status.deaths": "*",
        # A court may have declared the person dead, or revoked that.
        "civil_status.court_notes": "*",
    },
    derived=frozenset({"family", "life_status", "residence"}),
    deciding=LIFE,
)
