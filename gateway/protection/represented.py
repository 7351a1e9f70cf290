"""What a parent, guardian or representative does not see of the person for whom they ask.

Whoever turns to legal aid, or for protection, may do so because of the very person who may act for
them: a child against a parent (Law 13/2022/QH15 on domestic violence; Law 11/2017/QH14 on legal
aid Art. 7, where children and victims have a right of their own; the duty of confidentiality of
legal-aid providers). Legal aid is withheld from representatives for everybody, and neither look-ups
of it nor those for protection are in the access log that they see. The person themself sees all.
"""

from __future__ import annotations

from collections.abc import Iterable

from connectors.description import Record
from gateway.access.caller import Caller
from gateway.procedures.procedure import is_for

#: Legal aid, and what national runs found, which may be that aid was asked for after a death.
_DATABASES = ("legal_aid.", "reconciliation.")
_RECORDS = frozenset({"population.protection_orders"})
#: Legal aid request (domain.md section 3, P7), and protection of an address.
_PURPOSES = frozenset({"2.000829", "address-protection"})


def applies_to(record: Record) -> bool:
    """Say whether records of this type concern legal aid or protection, or may tell of them."""
    return _concerns(f"{record.database}.{record.name}")


def withholds(caller: Caller, _is_own_view: bool) -> bool:
    """Withhold them from representatives."""
    return caller.representative is not None


def is_closed(sections: Iterable[str], purpose: str | None) -> bool:
    """Say whether a look-up of ``sections`` (``database.record``) is kept from representatives."""
    return is_for(purpose, _PURPOSES) or any(_concerns(name) for name in sections)


def _concerns(name: str) -> bool:
    return name.startswith(_DATABASES) or name in _RECORDS
