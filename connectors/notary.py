"""The Notarization Database: notarised transactions, assets, preventive information, notaries.

Provinces keep local databases; the Ministry's central one, synchronised from them, is being built.
Its use must respect private life and family secrets (Law 46/2024/QH15 Art. 66). Catalogue entry;
its records are not declared yet.
"""

from __future__ import annotations

from connectors.declaration import database
from connectors.description import Coverage, Group, Text

DATABASE = database(
    "notary",
    title=("Cơ sở dữ liệu công chứng", "Notarization Database"),
    owner=("Bộ Tư pháp", "Ministry of Justice"),
    legal_basis=("Luật Công chứng 46/2024/QH15, Điều 66", "Nghị định 104/2025/NĐ-CP"),
    group=Group.UNDER_CONSTRUCTION,
    coverage=Coverage(
        includes=(
            Text(
                "dữ liệu được đồng bộ từ cơ sở dữ liệu công chứng của các tỉnh, thành phố",
                "what is synchronised from the provinces' local databases",
            ),
        ),
        excludes=(
            Text(
                "dữ liệu mà tỉnh, thành phố chưa đồng bộ",
                "what a province has not yet synchronised",
            ),
        ),
    ),
)
