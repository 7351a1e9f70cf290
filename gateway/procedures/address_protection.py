"""Protection of an address: the body that executes a protection order.

Criminal Procedure Code 101/2015/QH13 Art. 484-486; Law 13/2022/QH15 on domestic violence; Law
53/2024/QH15 on trafficking. That such orders are recorded in the population database is an
assumption (design section 7). The one purpose that sees the order and the true address; residences
show the substitute. Not in the national list of procedures.
"""

from __future__ import annotations

from connectors.description import Text
from gateway.procedures.allow_lists import IDENTITY, PLACE, inside
from gateway.procedures.procedure import Procedure

PROCEDURE = Procedure(
    codes=("address-protection",),
    title=Text(
        "Thi hành quyết định bảo vệ nơi ở",
        "Execution of an order that protects an address",
    ),
    legal_basis=(
        "Bộ luật Tố tụng hình sự 101/2015/QH13, Điều 484-486",
        "Luật Phòng, chống bạo lực gia đình 13/2022/QH15",
        "Luật Phòng, chống mua bán người 53/2024/QH15",
    ),
    fields={
        "population.identity": IDENTITY,
        "population.earlier_numbers": "*",
        "population.residences": "*",
        "population.protection_orders": (
            "order_no citizen_id issued_on issuer ground "
            f"{inside('true_address', PLACE)} valid_from valid_until"
        ),
    },
)
