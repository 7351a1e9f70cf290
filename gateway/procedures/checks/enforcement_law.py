"""The law of civil judgment enforcement by date, as several procedures name it.

Law 106/2025/QH15 and Decree 152/2026/NĐ-CP are in force from 1 July 2026 (domain.md section 0); Law
26/2008/QH12, amended by Law 64/2014/QH13, before. Its articles on what registries suspend (66-69,
178), on verification (44) and on the confirmation of results (53) are those of the project's list
or (unverified) common knowledge.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from connectors.description import Text

#: The law of 2008 is in force from this day on.
SINCE_2008 = date(2009, 7, 1)
#: Law 106/2025/QH15 and Decree 152/2026/NĐ-CP are.
SINCE_2026 = date(2026, 7, 1)


@dataclass(frozen=True, slots=True)
class EnforcementLaw:
    """The law of enforcement in an edition. ``titles``: of the instruments.

    ``measures``: what a measure does to transactions. ``verification``: what is verified of a
    debtor. ``confirmation``: of a result. ``body``: who enforces. ``confirmation_days``: working
    days within which a result is confirmed.
    """

    titles: tuple[str, ...]
    measures: Text
    verification: Text
    confirmation: Text
    body: Text
    confirmation_days: int


LAW_OF_2008 = EnforcementLaw(
    titles=("Luật Thi hành án dân sự 26/2008/QH12 (sửa đổi bởi Luật 64/2014/QH13)",),
    measures=Text(
        "Luật Thi hành án dân sự 26/2008/QH12, Điều 66-69, 178",
        "Law on Civil Judgment Enforcement 26/2008, Art. 66-69, 178",
    ),
    verification=Text(
        "Luật Thi hành án dân sự 26/2008/QH12, Điều 44",
        "Law on Civil Judgment Enforcement 26/2008, Art. 44",
    ),
    confirmation=Text(
        "Luật Thi hành án dân sự 26/2008/QH12, Điều 53",
        "Law on Civil Judgment Enforcement 26/2008, Art. 53",
    ),
    body=Text(
        "Cục, Chi cục Thi hành án dân sự ra quyết định thi hành án",
        "The enforcement agency that issued the decision to enforce",
    ),
    confirmation_days=5,
)
LAW_OF_2026 = EnforcementLaw(
    titles=("Luật Thi hành án dân sự 106/2025/QH15", "Nghị định 152/2026/NĐ-CP"),
    measures=Text("Nghị định 152/2026/NĐ-CP, Điều 111", "Decree 152/2026, Art. 111"),
    verification=Text("Nghị định 152/2026/NĐ-CP, Điều 21", "Decree 152/2026, Art. 21"),
    confirmation=Text("Nghị định 152/2026/NĐ-CP, Điều 32 khoản 3", "Decree 152/2026, Art. 32(3)"),
    body=Text(
        "Thi hành án dân sự tỉnh, thành phố; phòng thi hành án dân sự khu vực",
        "The provincial enforcement agency or its regional office",
    ),
    confirmation_days=3,
)
