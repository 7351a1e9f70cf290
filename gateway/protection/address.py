"""Where protected people truly live is for the bodies that protect them, and nobody else.

Criminal Procedure Code 101/2015/QH13 Art. 484-486; Law 13/2022/QH15 on domestic violence; Law
53/2024/QH15 on trafficking. Design section 7 assumes an order that is recorded in the population
database: everything else shows the substitute address recorded for the person, in the same form as
anyone's, and the true one stands in the order alone. The list of orders is withheld from everybody
for everybody, the citizen's own view too, where whoever they fear may look over the shoulder.
"""

from __future__ import annotations

from connectors.description import Record
from gateway.access.caller import Caller
from gateway.procedures.procedure import is_for

#: Carrying out a protection order.
PURPOSE = "address-protection"


def applies_to(record: Record) -> bool:
    """Say whether records of this type are protection orders."""
    return (record.database, record.name) == ("population", "protection_orders")


def withholds(caller: Caller, is_own_view: bool) -> bool:
    """Withhold them from everybody but those who carry them out."""
    return is_own_view or not is_for(caller.purpose, {PURPOSE})
