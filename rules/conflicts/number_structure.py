"""The digits of the citizen ID do not fit sex, birth date or place of birth registration.

Decree 137/2015/NĐ-CP Art. 13; Law on Identification 26/2023/QH15 Art. 12. Nothing prevails: a
number that was given before sex or birth date were corrected keeps its digits until it is replaced
(Decree 70/2024/NĐ-CP), and old numbers have faults. Compared within the population database, which
gives the numbers: where the civil status book differs from it, other rules say so. Country codes of
births abroad are in no source, and are not compared.
"""

from __future__ import annotations

from connectors.description import Text
from rules.expression import Form, all_of, any_of, any_row, differ, is_among
from rules.numbers import (
    CENTURY_OF_DATE,
    CENTURY_OF_NUMBER,
    SEX_OF_NUMBER,
    YEAR_OF_DATE,
    YEAR_OF_NUMBER,
    is_citizen_id,
)
from rules.provinces import PROVINCE_OF_CODE, PROVINCE_OF_NUMBER, is_province
from rules.rule import ConflictCode, ConflictRule, ConflictSeverity, case

_identity = any_row("population", "identity")
_number, _born = _identity["citizen_id"], _identity["birth_date"]
_province = _identity["birth_registered_at_province_code"]

RULE = ConflictRule(
    ConflictCode.NUMBER_STRUCTURE,
    ConflictSeverity.MEDIUM,
    (
        case(
            (_identity, ("citizen_id", "sex")),
            where=all_of(
                is_citizen_id(_number),
                is_among(_identity["sex"], "MALE", "FEMALE"),
                differ(Form(SEX_OF_NUMBER, _number), _identity["sex"]),
            ),
        ),
        case(
            (_identity, ("citizen_id", "birth_date")),
            where=all_of(
                is_citizen_id(_number),
                any_of(
                    differ(Form(CENTURY_OF_NUMBER, _number), Form(CENTURY_OF_DATE, _born)),
                    differ(Form(YEAR_OF_NUMBER, _number), Form(YEAR_OF_DATE, _born)),
                ),
            ),
        ),
        case(
            (_identity, ("citizen_id", _province.name)),
            where=all_of(
                is_citizen_id(_number),
                is_province(PROVINCE_OF_NUMBER, _number),
                is_province(PROVINCE_OF_CODE, _province),
                differ(Form(PROVINCE_OF_NUMBER, _number), Form(PROVINCE_OF_CODE, _province)),
            ),
        ),
    ),
    "Nghị định 137/2015/NĐ-CP, Điều 13; Luật Căn cước 26/2023/QH15, Điều 12",
    Text(
        "Chỉ là cảnh báo, không phải căn cứ từ chối: số cấp trước khi cải chính giới tính, ngày "
        "sinh vẫn giữ nguyên chữ số. Kiểm tra việc cải chính; nếu không có thì đề nghị Công an "
        "xác minh số định danh.",
        "A warning, and no reason to refuse: a number given before sex or birth date were "
        "corrected keeps its digits. See whether they were; if not, ask the police to verify it.",
    ),
)
