"""Wills are shown after the testator's death, to whoever settles the estate, and to nobody else.

Source: Law on Notarization 46/2024/QH15 Art. 66 (personal and family secrets); domain.md 2.6: "even
existence only after a death record exists and to a competent requester"; design section 7: the
wills of a living person are withheld from every caller for every person, the testator's own view
too. The kind WILL is hidden among notarised transactions from everybody, so that the one list does
not give away what the other withholds.
"""

from __future__ import annotations

from connectors.description import Record
from connectors.row_template import RowCondition
from gateway.access.caller import Caller
from gateway.procedures.procedure import is_for

#: The competent requester: a notary who settles an estate.
PURPOSE = "notarised-inheritance"


def applies_to(record: Record) -> bool:
    """Say whether records of this type are wills, which a death opens."""
    return (record.database, record.name) == ("notary", "wills")


def withholds(caller: Caller, is_own_view: bool) -> bool:
    """Withhold them from every caller who does not settle an estate."""
    return is_own_view or not is_for(caller.purpose, {PURPOSE})


def may_hide_rows_of(record: Record) -> bool:
    """Say whether rows of this type may be about a will."""
    return (record.database, record.name) == ("notary", "transactions")


def hidden_rows(_record: Record) -> RowCondition:
    """Return which notarised transactions are wills."""
    return RowCondition("kind", frozenset({"WILL"}))
