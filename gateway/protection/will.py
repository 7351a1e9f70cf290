"""Wills are shown to nobody: not what they say, and not that there are any.

Source: Law on Notarization 46/2024/QH15 Art. 66 (personal and family secrets); design section 7:
the wills of a living person are withheld from every caller for every person, and the kind WILL is
hidden among notarised transactions too, so that the one list does not give away what the other
withholds. Who may learn of a dead person's will, and how they show it, comes with the rules on
access; until then all wills are withheld, which depends on nothing that a record says.
"""

from __future__ import annotations

from connectors.description import Record, Row
from gateway.access.caller import Caller


def withholds(record: Record, _caller: Caller) -> bool:
    """Withhold the list of wills from every caller."""
    return (record.database, record.name) == ("notary", "wills")


def concerns(record: Record) -> bool:
    """Say whether rows of this type may be about a will."""
    return (record.database, record.name) == ("notary", "transactions")


def hides(record: Record, row: Row, _caller: Caller) -> bool:
    """Hide wills among notarised transactions."""
    return row[record.positions["kind"]] == "WILL"
