"""The Civil Judgment Enforcement Database: decisions, obligations, measures, exit postponements.

The platform was switched on on 12 December 2025; 34 provincial agencies and their regional offices
write it. Catalogue entry; its records are not declared yet.
"""

from __future__ import annotations

from connectors.declaration import database
from connectors.description import Coverage, Group, Text

DATABASE = database(
    "civil_enforcement",
    title=("Cơ sở dữ liệu về thi hành án dân sự", "Civil Judgment Enforcement Database"),
    owner=("Bộ Tư pháp", "Ministry of Justice"),
    legal_basis=(
        "Luật Thi hành án dân sự 106/2025/QH15, Điều 5",
        "Nghị định 152/2026/NĐ-CP, Điều 4-6",
        "Nghị định 151/2026/NĐ-CP",
    ),
    group=Group.OPERATING,
    coverage=Coverage(
        includes=(
            Text("việc đã có quyết định thi hành án", "cases with a decision to enforce"),
            Text(
                "phần dân sự trong bản án hình sự, phần tài sản trong bản án hành chính",
                "civil parts of criminal judgments, property parts of administrative ones",
            ),
        ),
        excludes=(
            Text(
                "bản án, quyết định chưa có yêu cầu hoặc quyết định thi hành án",
                "judgments whose enforcement was neither requested nor decided",
            ),
        ),
    ),
)
