"""The Legal Aid Database: cases, beneficiaries and providers of state legal aid.

Provincial legal aid centres write it, in a system used since 2019; the central database is being
built. Why somebody gets aid is mostly sensitive. Catalogue entry; its records are not declared yet.
"""

from __future__ import annotations

from connectors.declaration import database
from connectors.description import Coverage, Group, Text

DATABASE = database(
    "legal_aid",
    title=("Cơ sở dữ liệu về trợ giúp pháp lý", "Legal Aid Database"),
    owner=("Bộ Tư pháp", "Ministry of Justice"),
    legal_basis=(
        "Luật Trợ giúp pháp lý 11/2017/QH14, Điều 39 khoản 3",
        "Nghị định 144/2017/NĐ-CP",
    ),
    group=Group.UNDER_CONSTRUCTION,
    coverage=Coverage(
        includes=(Text("vụ việc có hồ sơ điện tử", "cases with an electronic file"),),
        excludes=(Text("hồ sơ chỉ có bản giấy", "files that exist on paper only"),),
    ),
)
