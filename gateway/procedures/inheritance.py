"""Notarised inheritance: a notary deals with the estate of somebody who died.

Civil Code 91/2015/QH13 Art. 611, 643 and 651 (own knowledge): when the succession opens, whether a
will takes effect, and who inherits where there is none; Law on Notarization 46/2024/QH15 Art. 66.
The one purpose that names wills. Protection still asks for the testator's death record first: this
list only says what is needed once there is one. Not in the national list of procedures.
"""

from __future__ import annotations

from connectors.description import Text
from gateway.procedures.allow_lists import (
    BLOCKS,
    DEATH,
    IDENTITY,
    KINSHIP,
    LIFE,
    MARITAL,
    TRANSACTION,
)
from gateway.procedures.procedure import Procedure

PROCEDURE = Procedure(
    codes=("notarised-inheritance",),
    title=Text(
        "Công chứng phân chia, khai nhận di sản thừa kế",
        "Notarised division or acceptance of an estate",
    ),
    legal_basis=(
        "Bộ luật Dân sự 91/2015/QH13, Điều 611, 643, 651",
        "Luật Công chứng 46/2024/QH15, Điều 66",
    ),
    fields={
        "population.identity": f"{IDENTITY} marital_status",
        "population.earlier_numbers": "*",
        # Who represents heirs that are minors.
        "population.family": "*",
        "civil_status.births": KINSHIP,
        "civil_status.recognitions": "*",
        "civil_status.marriages": "*",
        "civil_status.divorces": "*",
        # The extract is what the notarial file holds.
        "civil_status.deaths": f"{DEATH} extract_no",
        "civil_status.court_notes": "*",
        "notary.wills": ("notarial_no testator_id notarised_on keeper_id replaced_by opened_on"),
        "notary.transactions": TRANSACTION,
        "notary.transaction_parties": "*",
        "notary.assets": "*",
        "notary.asset_owners": "*",
        "notary.preventive_infos": "*",
        "notary.notarial_organisations": "*",
        "notary.notaries": "*",
    },
    derived=frozenset({"family", "legal_capacity", "life_status", "marital_status", "timeline"}),
    deciding=LIFE | MARITAL | BLOCKS,
)
