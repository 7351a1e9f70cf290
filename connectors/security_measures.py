"""The Database on Security Measures: mortgages, pledges and other security over movables.

Notice-based and public by design (Decree 99/2022/NĐ-CP Art. 50, 52-53). Only the land registries
know whether a house is mortgaged (Art. 10, 25, 44). Catalogue entry; its records are not declared
yet.
"""

from __future__ import annotations

from connectors.declaration import database
from connectors.description import Coverage, Group, Text

DATABASE = database(
    "security_measures",
    title=("Cơ sở dữ liệu về biện pháp bảo đảm", "Database on Security Measures"),
    owner=("Bộ Tư pháp", "Ministry of Justice"),
    legal_basis=(
        "Bộ luật Dân sự 91/2015/QH13, Điều 292-350",
        "Nghị định 21/2021/NĐ-CP",
        "Nghị định 99/2022/NĐ-CP",
    ),
    group=Group.OPERATING,
    coverage=Coverage(
        includes=(
            Text("động sản không phải tàu bay, tàu biển", "movables other than aircraft and ships"),
            Text("chứng khoán chưa niêm yết", "unlisted securities"),
            Text(
                "cây hằng năm, công trình xây dựng tạm",
                "annual crops and temporary constructions",
            ),
        ),
        excludes=(
            Text("quyền sử dụng đất, tài sản gắn liền với đất", "land and what is attached to it"),
            Text("tàu bay", "aircraft"),
            Text("tàu biển", "sea-going ships"),
            Text("chứng khoán niêm yết", "listed securities"),
        ),
    ),
)
