"""P6: change, correction and supplement of civil status, redetermination of ethnicity.

Law on Civil Status 60/2014/QH13 Art. 26-29: the record that is to be changed, and what was changed
before. Ethnicity is redetermined to that of a parent, and once only (Civil Code 91/2015/QH13 Art.
29, own knowledge), so both parents' and earlier values are needed. Why an earlier change was made
is not: its ground may be an adoption.
"""

from __future__ import annotations

from connectors.description import Text
from gateway.procedures.allow_lists import IDENTITY
from gateway.procedures.procedure import Procedure

PROCEDURE = Procedure(
    codes=("1.004859",),
    title=Text(
        "Đăng ký thay đổi, cải chính, bổ sung hộ tịch, xác định lại dân tộc",
        "Change, correction and supplement of civil status, redetermination of ethnicity",
    ),
    legal_basis=(
        "Luật Hộ tịch 60/2014/QH13, Điều 26-29",
        "Bộ luật Dân sự 91/2015/QH13, Điều 29",
    ),
    fields={
        "population.identity": (
            f"{IDENTITY} other_name birth_place birth_registered_at native_place ethnicity"
        ),
        "population.earlier_numbers": "*",
        "population.residences": "*",
        "population.family": "*",
        "civil_status.births": "* ethnicity mother.ethnicity father.ethnicity",
        "civil_status.marriages": "* husband.ethnicity wife.ethnicity",
        "civil_status.divorces": "*",
        "civil_status.deaths": "* ethnicity",
        "civil_status.guardianships": "*",
        "civil_status.recognitions": "*",
        "civil_status.changes": "* old_value new_value",
        "civil_status.court_notes": "*",
    },
    # What is to be corrected.
    derived=frozenset({"conflicts", "guardianship", "legal_capacity", "life_status"}),
)
