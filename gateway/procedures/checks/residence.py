"""Where somebody in a case resides, and since when without a gap.

Law on Identification 26/2023/QH15 Art. 9(16)-(18): the population database has the permanent,
temporary and present residence. Facts: ``gateway.derived.residence``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from connectors.description import Row, Text
from gateway.derived.residence import residence
from gateway.derived.view import Evidence, Facts
from gateway.procedures.checks.rule import CheckRule, ProcedureCase, ProcedureRule, RuleResult

RESIDENCES = "population.residences"
#: The lists that the rules of this file read of somebody.
RESIDENCE_LISTS = (RESIDENCES,)
RESIDENCE_LAW = Text(
    "Luật Căn cước 26/2023/QH15, Điều 9 khoản 16-18",
    "Law on Identification 26/2023, Art. 9(16)-(18)",
)


def resident(role: str, label: Text, law: Text = RESIDENCE_LAW) -> ProcedureRule:
    """Return the rule that a residence of whoever stands in ``role`` is registered.

    Where none is, a document has to show it. ``label``: the role, as it begins a sentence.
    """
    title = Text(f"{label.vi}: xác định được nơi cư trú", f"{label.en}: residence is known")
    return ProcedureRule(f"{role.upper()}_RESIDENT", title, law, _resident(role, label))


def _resident(role: str, label: Text) -> CheckRule:
    met = Text(f"{label.vi} có đăng ký nơi cư trú.", f"{label.en} has a registered residence.")
    not_registered = Text(
        f"{label.vi} chưa có nơi cư trú trong dữ liệu: cần giấy tờ chứng minh.",
        f"{label.en} has no registered residence: a document has to show it.",
    )
    not_known = Text(
        f"{label.vi}: chưa xác định được nơi cư trú.", f"{label.en}: the residence is not known."
    )

    def check(case: ProcedureCase) -> RuleResult:
        addresses = residence(case.person(role))
        if addresses.reason is not None:
            return RuleResult.unknown(not_known, addresses.reason)
        if not addresses.value:
            return RuleResult.needs_document(not_registered)
        return RuleResult.passes(met, addresses.basis)

    return check


def resident_since(evidence: Evidence) -> date | None:
    """Return since when permanent residences follow each other up to today; None: not known.

    Who has no permanent residence resides where the temporary one is.
    """
    entries, today = evidence.list(RESIDENCES), evidence.question.today
    if entries.reason is not None:
        return None
    for kind in ("PERMANENT", "TEMPORARY"):
        rows = [row for row in entries.rows if entries.code(row, "kind") == kind]
        current = [row for row in rows if _until(entries, row) > today]
        if current:
            spells = [(_since(entries, row), _until(entries, row)) for row in rows]
            return _first_of_chain(min(_since(entries, row) for row in current), spells, today)
    return None


def _since(entries: Facts, row: Row) -> date:
    """Return the first day of a residence; the last that there is, where it is not recorded."""
    start = entries.value(row, "valid_from")
    return start if isinstance(start, date) else date.max


def _until(entries: Facts, row: Row) -> date:
    """Return the first day after a residence; the last that there is, while it lasts."""
    end = entries.value(row, "valid_until")
    return end if isinstance(end, date) else date.max


def _first_of_chain(start: date, spells: Sequence[tuple[date, date]], today: date) -> date | None:
    """Return the start of the first residence from which on there is no gap up to ``start``."""
    if start > today:
        return None
    for since, until in sorted(spells, reverse=True):
        if since < start <= until + timedelta(days=1):
            start = since
    return start
