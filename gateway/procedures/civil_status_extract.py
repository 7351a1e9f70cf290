"""P5: copy of an extract from the civil status books, or of a birth certificate.

Law on Civil Status 60/2014/QH13 Art. 63-64: to the person, a representative or an agency with a
stated reason. An extract prints the content of the record as last amended, therefore also the
ethnicity and the cause of death; not what stood there before, and no notes in the margin.
"""

from __future__ import annotations

from connectors.description import Text
from gateway.procedures.allow_lists import IDENTITY
from gateway.procedures.procedure import Procedure

PROCEDURE = Procedure(
    codes=("2.000635",),
    title=Text(
        "Cấp bản sao trích lục hộ tịch, bản sao Giấy khai sinh",
        "Copy of a civil status extract or birth certificate",
    ),
    legal_basis=("Luật Hộ tịch 60/2014/QH13, Điều 63-64", "Nghị định 87/2020/NĐ-CP"),
    fields={
        "population.identity": IDENTITY,
        "population.earlier_numbers": "*",
        "civil_status.births": "* ethnicity mother.ethnicity father.ethnicity",
        "civil_status.marriages": "* husband.ethnicity wife.ethnicity",
        "civil_status.divorces": "*",
        "civil_status.deaths": "* ethnicity death_cause",
        # Extracts of its own, and whether the requester is the person's guardian.
        "civil_status.guardianships": "*",
        "civil_status.recognitions": "*",
        "civil_status.changes": "* new_value",
        "civil_status.court_notes": "*",
    },
)
