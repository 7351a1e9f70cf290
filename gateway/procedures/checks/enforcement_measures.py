"""Whether a measure of enforcement keeps somebody from disposing of a thing.

On a security or coercive measure registries and notaries suspend transactions (Decree
152/2026/NĐ-CP Art. 111; before: Law 26/2008/QH12 Art. 66-69, 178). A measure names what it concerns
by the reference of an asset, or not at all: then it concerns whatever the debtor has. Measures that
take money or demand an act bar no transaction, unless they name the thing itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from connectors.description import Row
from gateway.derived.active_block import BLOCKING_MEASURES, values_of
from gateway.derived.view import Basis, Conclusion, Evidence, Facts, LaterReads, UnknownReason

CASES = "civil_enforcement.cases"
_PARTIES, _MEASURES = "civil_enforcement.parties", "civil_enforcement.measures"
#: What hangs on the cases of somebody, read in a later wave.
MEASURE_LATER = (LaterReads(_PARTIES, CASES), LaterReads(_MEASURES, CASES))
#: Measures that bar the transfer of real property: others concern accounts and deposits.
REAL_PROPERTY_MEASURES = BLOCKING_MEASURES - {"FREEZE_ACCOUNT"}


@dataclass(frozen=True, slots=True)
class ThingAtStake:
    """The thing that is to be disposed of, as measures may refer to it (in capitals).

    ``other_references``: of other things of the same person. ``kinds``: the measures that bar the
    transaction where they name no thing.
    """

    references: Collection[str]
    other_references: Collection[str]
    kinds: Collection[str]


def is_barred(
    evidence: Evidence, cases: Facts, debtor: Collection[str], thing: ThingAtStake
) -> Conclusion:
    """Return whether a measure bars disposing of ``thing`` today.

    ``cases``: those of the person or organisation whose numbers or codes are ``debtor``; what hangs
    on them is read through ``evidence``.
    """
    if not cases.is_read:  # it is asked again once they have been read
        return Conclusion.unknown(UnknownReason.SOURCE_FAILED)
    decisions = values_of(cases, "decision_no") or ("-",)
    parties = evidence.under(_PARTIES, decisions)
    measures = evidence.under(_MEASURES, decisions)
    verdicts = list(_verdicts(evidence, measures, parties, debtor, thing))
    for bars, basis in verdicts:
        if bars:
            return Conclusion.of(True, basis)
    reason = cases.reason or measures.reason or parties.reason
    if reason is None and any(bars is None for bars, _ in verdicts):
        reason = UnknownReason.NOT_RECORDED
    return Conclusion.of(False) if reason is None else Conclusion.unknown(reason)


def _verdicts(
    evidence: Evidence,
    measures: Facts,
    parties: Facts,
    debtor: Collection[str],
    thing: ThingAtStake,
) -> Iterator[tuple[bool | None, tuple[Basis, ...]]]:
    """Say of each measure in force whether it bars; None: that is not known."""
    day = evidence.question.valid_on
    for row in measures.rows:
        applied, lifted = measures.value(row, "applied_on"), measures.value(row, "lifted_on")
        if (applied is not None and applied > day) or (lifted is not None and lifted <= day):
            continue
        bars = _bars(measures, row, parties, debtor, thing)
        yield (None if bars and applied is None else bars), measures.basis(row)


def _bars(
    measures: Facts, row: Row, parties: Facts, debtor: Collection[str], thing: ThingAtStake
) -> bool | None:
    reference = str(measures.value(row, "asset_ref") or "").upper()
    kind = measures.code(row, "kind")
    if reference in thing.references:
        return True
    if reference in thing.other_references or (kind is not None and kind not in thing.kinds):
        return False
    concerns = _is_sole_debtor(parties, measures.value(row, "decision_no"), debtor)
    # A reference that nothing here explains may mean the thing; and so may a measure of no kind.
    return None if concerns and (reference or kind is None) else concerns


def _is_sole_debtor(parties: Facts, decision: object, debtor: Collection[str]) -> bool | None:
    """Say whether the person owes alone; None: somebody else may, or that is not known."""
    debtors = [
        row
        for row in parties.rows
        if parties.value(row, "decision_no") == decision
        and parties.code(row, "role") in {"DEBTOR", None}
    ]
    columns = ("party_citizen_id", "party_enterprise_code", "party_organisation_id")
    numbers = [{parties.value(row, column) for column in columns} - {None} for row in debtors]
    if any(not named.isdisjoint(debtor) for named in numbers):
        return True if len(debtors) == 1 and parties.complete else None
    is_certain = parties.complete and all(numbers)
    return False if is_certain else None
