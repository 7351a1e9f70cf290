"""Legal aid cases, sanctions and protection orders of a person.

They are kept with the person while a cluster is made, and are part of the truth afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from connectors.synthetic.places import Home


@dataclass(frozen=True, slots=True)
class Protection:
    """An order that keeps secret where somebody lives; ``true_home`` is in no other record."""

    order_no: str
    issued_on: date
    issuer: str
    ground: str
    true_home: Home
    valid_from: date
    valid_until: date | None


@dataclass(frozen=True, slots=True)
class ProtectedAddress:
    """The truth about a protected person: the address in the order, and the substitute."""

    order_no: str
    true_address: str
    substitute_address: str


@dataclass(frozen=True, slots=True)
class AidCase:
    """A request for legal aid; ``acceptance`` and ``status`` are the codes of that database."""

    case_no: str
    category: str
    hardship: str
    province_code: str
    centre_id: str
    requested: date
    acceptance: str
    status: str | None
    completed: date | None


@dataclass(frozen=True, slots=True)
class Sanction:
    """A decision on a sanction.

    ``counts_until``: the last day of the period of Law 15/2012/QH13 Art. 7, None while the decision
    is neither carried out nor past its limitation. ``expired``: that day has passed.
    """

    decision_no: str
    main_sanction: str
    decided: date
    completed_on: date | None
    expired_on: date | None
    counts_until: date | None
    expired: bool


@dataclass(frozen=True, slots=True)
class Handling:
    """A decision on an administrative measure; ``expired`` as for sanctions, after two years."""

    decision_no: str
    measure: str
    valid_from: date
    completed_on: date | None
    expired: bool
