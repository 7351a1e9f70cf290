"""The Electronic Civil Status Database: births, marriages, deaths and what changes them.

The Ministry of Justice keeps it; communes and missions abroad write it. Some 107 million entries,
most of them digitised from paper books, so nearly every field may be missing. Where it differs from
other databases the civil status book prevails (Law 60/2014/QH13 Art. 60(2)). It becomes a national
database under the Law on Civil Status of 2026, from 1 March 2027.
"""

from __future__ import annotations

from connectors.civil_status.family import (
    Adoption,
    DivorceNote,
    Guardianship,
    Marriage,
    ParentChildRecognition,
)
from connectors.civil_status.notes import (
    CivilStatusChange,
    CourtDecisionNote,
    MaritalStatusConfirmation,
)
from connectors.civil_status.vital import Birth, Death
from connectors.declaration import database
from connectors.description import Coverage, Group, Text

DATABASE = database(
    "civil_status",
    title=("Cơ sở dữ liệu hộ tịch điện tử", "Electronic Civil Status Database"),
    owner=("Bộ Tư pháp", "Ministry of Justice"),
    legal_basis=(
        "Luật Hộ tịch 60/2014/QH13, Điều 57-64",
        "Nghị định 123/2015/NĐ-CP",
        "Nghị định 87/2020/NĐ-CP, sửa đổi bởi 07/2025/NĐ-CP và 18/2026/NĐ-CP",
        "Thông tư 01/2022/TT-BTP, sửa đổi bởi 03/2023/TT-BTP",
        "Quyết định 3458/QĐ-BTP ngày 10/12/2025",
        "Luật Hộ tịch (sửa đổi) năm 2026, có hiệu lực từ 01/3/2027",
    ),
    group=Group.OPERATING,
    coverage=Coverage(
        includes=(
            Text(
                "sổ hộ tịch điện tử và sổ giấy đã số hóa trong cả nước",
                "electronic civil status books and digitised paper books of the whole country",
            ),
        ),
        excludes=(
            Text("việc sinh chưa từng được đăng ký khai sinh", "births that were never registered"),
            Text("sổ hộ tịch giấy chưa được số hóa", "paper books that are not yet digitised"),
        ),
    ),
    records=[
        Birth,
        Marriage,
        DivorceNote,
        Death,
        MaritalStatusConfirmation,
        Adoption,
        Guardianship,
        ParentChildRecognition,
        CivilStatusChange,
        CourtDecisionNote,
    ],
)
