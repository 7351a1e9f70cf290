"""Violations are not listed for general purposes: what counts is whether one was sanctioned still.

Source: Law on Handling of Administrative Violations 15/2012/QH13 Art. 7: after a period whoever was
sanctioned is considered not to have been; Decree 20/2016/NĐ-CP: state bodies use the database for
management and to determine recidivism; Decree 356/2025/NĐ-CP Art. 4: such data are sensitive. If
only what is within its period were shown, an empty list would tell of what lies before it. So the
lists are withheld from everybody for general purposes, and ``isConsideredUnsanctioned`` answers
(``gateway.derived.unsanctioned``). Citizens see their own, past periods too.
"""

from __future__ import annotations

from connectors.description import Record
from gateway.access.caller import Caller
from gateway.procedures.procedure import UNIFIED, is_for

#: Handling of violations, where recidivism is determined; and measurements, not in production.
PURPOSES = frozenset({"violation-handling", UNIFIED})


def applies_to(record: Record) -> bool:
    """Say whether records of this type are of violations."""
    return record.database == "administrative_violations"


def withholds(caller: Caller, is_own_view: bool) -> bool:
    """Withhold them for general purposes, but not from the citizen."""
    return not is_own_view and not is_for(caller.purpose, PURPOSES)
