"""Public notices of debtors are shown while they are published.

Source: Decree 152/2026/NĐ-CP Art. 23: who cannot be enforced against yet is made public, and taken
down within three working days of the day on which that no longer holds; domain.md 2.4: it must
vanish from the gateway's view within that time. A notice that was taken down is gone for everybody:
the enforcement case itself remains, for those who may see it.
"""

from __future__ import annotations

from connectors.description import Record
from connectors.row_template import RowCondition


def may_hide_rows_of(record: Record) -> bool:
    """Say whether rows of this type are public notices."""
    return (record.database, record.name) == ("civil_enforcement", "public_notices")


def hidden_rows(_record: Record) -> RowCondition:
    """Return which rows were taken down."""
    return RowCondition("removed_on", None)
