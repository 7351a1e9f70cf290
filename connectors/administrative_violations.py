"""The National Database on Handling of Administrative Violations.

Since Resolution 66.9/2025/NQ-CP (8 December 2025) the Ministry of Public Security builds and runs
it; the Ministry of Justice is a user. All of it is sensitive (Decree 356/2025/NĐ-CP Art. 4).
Catalogue entry; its records are not declared yet.
"""

from __future__ import annotations

from connectors.declaration import database
from connectors.description import Coverage, Group, Text

DATABASE = database(
    "administrative_violations",
    title=(
        "Cơ sở dữ liệu quốc gia về xử lý vi phạm hành chính",
        "National Database on Handling of Administrative Violations",
    ),
    owner=("Bộ Công an", "Ministry of Public Security"),
    legal_basis=(
        "Luật Xử lý vi phạm hành chính 15/2012/QH13 (sửa đổi 67/2020/QH14, 88/2025/QH15), Điều 17",
        "Nghị quyết 66.9/2025/NQ-CP",
        "Nghị định 20/2016/NĐ-CP",
        "Nghị định 118/2021/NĐ-CP, sửa đổi bởi 68/2025/NĐ-CP và 190/2025/NĐ-CP",
    ),
    group=Group.UNDER_CONSTRUCTION,
    coverage=Coverage(
        includes=(
            Text("xử phạt vi phạm hành chính", "sanctions for administrative violations"),
            Text("biện pháp xử lý hành chính", "administrative handling measures"),
        ),
        excludes=(Text("án tích, lý lịch tư pháp", "convictions and judicial records"),),
    ),
)
