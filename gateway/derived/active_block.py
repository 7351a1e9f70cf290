"""Whether something blocks a person from disposing of assets, on a day (thông tin ngăn chặn).

domain.md 2.6: preventive information of the level BLOCK, on the person or on an asset, until it is
lifted; warnings are for reference. domain.md 2.4 with Decree 152/2026/NĐ-CP Art. 111: on a security
or coercive measure registries suspend transactions, and notaries learn of it; a measure that
they have not learnt of blocks all the same. Land and vehicle registries are outside of these
databases, so that False means: none within their coverage.

A measure in a case with several debtors says of one asset that it knows only by its reference.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from connectors.description import Row, Text
from gateway.derived.view import (
    PERSON,
    Basis,
    Conclusion,
    DerivedView,
    Evidence,
    Facts,
    LaterReads,
    UnknownReason,
)

_ON_PERSON, _ASSETS = "notary.preventive_infos", "notary.assets"
_ON_ASSET = "notary.preventive_infos_on_asset"
_CASES = "civil_enforcement.cases"
_PARTIES, _MEASURES = "civil_enforcement.parties", "civil_enforcement.measures"
#: Measures that keep an asset from being disposed of; others take money or demand an act.
BLOCKING_MEASURES = frozenset(
    {"FREEZE_ACCOUNT", "TEMP_HOLD", "SUSPEND_REGISTRATION", "SEIZE_ASSET"}
)


def has_active_block(evidence: Evidence) -> Conclusion:
    """Return whether anything blocks the person on the day of the question."""
    question = evidence.question
    infos, assets, cases = (evidence.list(name) for name in (_ON_PERSON, _ASSETS, _CASES))
    if not (assets.is_read and cases.is_read):  # it is asked again once they have been read
        return Conclusion.unknown(UnknownReason.SOURCE_FAILED)
    asset_ids = values_of(assets, "asset_id")
    on_assets = evidence.under(_ON_ASSET, asset_ids or ("-",))
    decisions = values_of(cases, "decision_no")
    parties = evidence.under(_PARTIES, decisions or ("-",))
    measures = evidence.under(_MEASURES, decisions or ("-",))
    verdicts: list[tuple[bool | None, tuple[Basis, ...]]] = []
    for facts in (infos, on_assets):
        verdicts += [(is_blocking(facts, row, question.valid_on), facts.basis(row))
                     for row in facts.rows]  # fmt: skip
    verdicts += _measures(evidence, measures, parties, frozenset(asset_ids))
    for is_active, basis in verdicts:
        if is_active:
            return Conclusion.of(True, basis)
    reasons = [facts.reason for facts in (infos, assets, on_assets, cases, parties, measures)]
    reason = next((reason for reason in reasons if reason is not None), None)
    if reason is None and any(is_active is None for is_active, _ in verdicts):
        reason = UnknownReason.NOT_RECORDED
    if reason is None and question.valid_on < question.today:
        reason = UnknownReason.NO_HISTORY  # what the person owned then is not known
    return Conclusion.of(False) if reason is None else Conclusion.unknown(reason)


def values_of(facts: Facts, column: str) -> tuple[str, ...]:
    """Return what a column of a list holds, each value once: keys of what hangs on its rows."""
    values = (facts.value(row, column) for row in facts.rows)
    return tuple(dict.fromkeys(str(value) for value in values if value is not None))


def is_blocking(infos: Facts, row: Row, day: date) -> bool | None:
    """Say whether preventive information blocks on ``day``; None: that is not known."""
    level = infos.code(row, "level")
    if level == "WARN":
        return False
    since = infos.value(row, "valid_from") or infos.value(row, "document_date")
    if since is not None and since > day:
        return False
    status, lifted_on = infos.code(row, "status"), infos.value(row, "lifted_on")
    if lifted_on is not None and status != "ACTIVE":
        is_standing: bool | None = day < lifted_on
    elif lifted_on is not None:  # lifted, and active all the same
        is_standing = True if day < lifted_on else None
    else:
        is_standing = {"ACTIVE": True, "LIFTED": False}.get(status or "")
    if is_standing is False and lifted_on is None and status == "LIFTED":
        return False
    return None if is_standing and level is None else is_standing


def _measures(
    evidence: Evidence, measures: Facts, parties: Facts, asset_ids: frozenset[str]
) -> Iterator[tuple[bool | None, tuple[Basis, ...]]]:
    """Say of each measure whether it blocks the person; None: that is not known."""
    day = evidence.question.valid_on
    for row in measures.rows:
        kind, applied = measures.code(row, "kind"), measures.value(row, "applied_on")
        lifted = measures.value(row, "lifted_on")
        is_over = (applied is not None and applied > day) or (lifted is not None and lifted <= day)
        if is_over or (kind is not None and kind not in BLOCKING_MEASURES):
            continue
        concerns = _concerns(evidence, measures, row, parties, asset_ids)
        is_known = kind is not None and applied is not None
        yield (concerns if is_known or concerns is False else None), measures.basis(row)


def _concerns(
    evidence: Evidence, measures: Facts, row: Row, parties: Facts, asset_ids: frozenset[str]
) -> bool | None:
    """Say whether a measure concerns the person; None: it may concern another debtor."""
    if measures.value(row, "asset_ref") in asset_ids:
        return True
    decision = measures.value(row, "decision_no")
    debtors = [
        parties.value(party, "party_citizen_id")
        for party in parties.rows
        if parties.value(party, "decision_no") == decision
        and parties.code(party, "role") in {"DEBTOR", None}
    ]
    is_debtor = any(number in evidence.numbers for number in debtors)
    if not is_debtor:
        return False if parties.complete else None
    return True if len(debtors) == 1 and parties.complete else None


DERIVED = DerivedView(
    database=PERSON,
    name="has_active_block",
    type_name="ActiveBlockFact",
    title=Text(
        "có thông tin ngăn chặn đang áp dụng không",
        "whether anything blocks the person from disposing of assets",
    ),
    value=bool,
    lists=(_ON_PERSON, _ASSETS, _CASES),
    later=(
        LaterReads(_ON_ASSET, _ASSETS),
        LaterReads(_PARTIES, _CASES),
        LaterReads(_MEASURES, _CASES),
    ),
    compute=has_active_block,
    needs_full_coverage=True,
)
