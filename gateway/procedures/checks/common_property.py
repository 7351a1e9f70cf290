"""Whether spouses have to dispose of a thing together.

Law on Marriage and Family 52/2014/QH13 Art. 33: what either spouse acquires during the marriage is
common property, and in doubt it is held to be; Art. 35: spouses dispose of common real property by
agreement in writing. So the marital status counts on the day on which the thing was acquired and
today. Common property of a marriage that has ended stays common until it is divided (Art. 59, 66);
spouses may agree otherwise (Art. 38-50). (own knowledge)

The day is that of the notarised transaction; the notary may state it from the certificate where the
database has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from connectors.description import Coded
from gateway.derived.marital_status import MaritalState, marital_status
from gateway.derived.marriages import MARRIAGES, BookMarriage, marriages_of
from gateway.derived.view import Basis, Evidence, UnknownReason
from gateway.procedures.checks.evidence_on_day import evidence_on
from gateway.procedures.checks.real_property import history_of, owner_numbers, owners_of
from gateway.procedures.checks.rule import ProcedureCase

_AGREEMENT = "SPOUSAL_PROPERTY_AGREEMENT"


class PropertyRegime(Coded):
    """Whose the thing is, as far as a marriage goes."""

    SEPARATE = "tài sản riêng", "separate property"
    COMMON = "tài sản chung của vợ chồng", "common property of the spouses"
    ENDED_MARRIAGE = "có từ cuộc hôn nhân đã chấm dứt", "acquired in a marriage that has ended"
    AGREEMENT = "có thỏa thuận về tài sản vợ chồng", "the spouses have an agreement on property"


@dataclass(frozen=True, slots=True)
class PresentMarriage:
    """Whether somebody is married today. ``union``: the marriage, None where there is none."""

    state: MaritalState | None
    union: BookMarriage | None
    reason: UnknownReason | None
    basis: tuple[Basis, ...] = ()


def present_marriage(evidence: Evidence) -> PresentMarriage:
    """Return the marriage of the person today. ``basis``: the person's own records alone."""
    status = marital_status(evidence)
    unions, reason = marriages_of(evidence)
    if status.reason is not None or reason is not None:
        return PresentMarriage(None, None, status.reason or reason)
    assert isinstance(status.value, MaritalState)
    union = _covering(unions, evidence.question.valid_on)
    basis = tuple(basis for basis in status.basis if basis.facts.name == MARRIAGES)
    return PresentMarriage(
        status.value, union if status.value is MaritalState.MARRIED else None, None, basis
    )


def _covering(unions: Sequence[BookMarriage], day: date) -> BookMarriage | None:
    covering = [union for union in unions if union.covers(day)]
    return covering[-1] if covering else None


@dataclass(frozen=True, slots=True)
class Regime:
    """Whose the thing is, or why that is not known."""

    value: PropertyRegime | None
    reason: UnknownReason | None = None
    basis: tuple[Basis, ...] = ()


def regime_of(case: ProcedureCase, role: str, stated: date | None) -> Regime:
    """Return the regime of the thing for its owner in ``role``. ``stated``: when it was acquired.

    What the database says of that day goes before what is stated. Of somebody who never married
    nothing else counts.
    """
    marriage = present_marriage(case.person(role))
    if marriage.reason is not None:
        return Regime(None, marriage.reason)
    if marriage.state is MaritalState.NEVER_MARRIED:
        return Regime(PropertyRegime.SEPARATE, None, marriage.basis)
    return _regime(case, role, marriage, stated)


def _regime(
    case: ProcedureCase, role: str, marriage: PresentMarriage, stated: date | None
) -> Regime:
    evidence, history = case.person(role), history_of(case)
    acquisition = history.acquired_on(evidence.numbers)
    if acquisition.reason is not None:
        return Regime(None, acquisition.reason)
    if history.of_kind(_AGREEMENT) is not None:
        return Regime(PropertyRegime.AGREEMENT)
    if marriage.union is not None and _owns(case, marriage.union.spouse):
        return Regime(PropertyRegime.COMMON, None, marriage.basis)
    acquired = acquisition.value or stated
    if not isinstance(acquired, date) or acquired > case.today:
        return Regime(None, UnknownReason.NOT_RECORDED)
    return _regime_since(evidence, marriage, acquired)


def _owns(case: ProcedureCase, number: str | None) -> bool:
    """Say whether somebody is recorded as an owner of the thing."""
    owners, _ = owners_of(case)
    rows = () if owners is None else owners.rows
    return owners is not None and any(number in owner_numbers(owners, row) for row in rows)


def _regime_since(evidence: Evidence, marriage: PresentMarriage, acquired: date) -> Regime:
    """Return the regime of what was acquired on a day, by the marriage on it."""
    then = marital_status(evidence_on(evidence, acquired))
    unions, reason = marriages_of(evidence)
    if then.reason is not None or reason is not None:
        return Regime(None, then.reason or reason)
    if then.value is not MaritalState.MARRIED:
        return Regime(PropertyRegime.SEPARATE, None, marriage.basis)
    union = _covering(unions, acquired)
    is_same = (
        union is not None and marriage.union is not None and (union.event == marriage.union.event)
    )
    regime = PropertyRegime.COMMON if is_same else PropertyRegime.ENDED_MARRIAGE
    return Regime(regime, None, marriage.basis)
