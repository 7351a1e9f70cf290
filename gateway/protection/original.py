"""What stood in the civil status books before it was replaced is not shown; what replaced it is.

Design section 7: "the original before an amendment" is under the protection of the record that
replaced it. Law on Civil Status 60/2014/QH13 Art. 28, 63-64: extracts give the latest content. A
birth is registered anew after an adoption, a recognition of a parent or a redetermination of sex,
and the original names whom the new one does not. Which of these it was, a replaced record does not
say, so all of them are kept as closely as the closest, adoption (``gateway.protection.adoption``).
"""

from __future__ import annotations

from connectors.description import Record
from connectors.row_template import RowCondition
from gateway.access.caller import Caller
from gateway.protection.adoption import is_registering_agency


def may_hide_rows_of(record: Record) -> bool:
    """Say whether rows of this type may have been replaced by others."""
    return record.database == "civil_status" and record.status is not None


def hidden_rows(record: Record) -> RowCondition:
    """Return which rows were replaced."""
    assert record.status is not None
    return RowCondition(record.status, frozenset({"SUPERSEDED"}))


def hides_from(caller: Caller) -> bool:
    """Hide them from everybody but the agency that registers adoptions."""
    return not is_registering_agency(caller)
