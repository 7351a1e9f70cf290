"""Whether somebody in a case is married.

Law on Marriage and Family 52/2014/QH13 Art. 5(2)(c): nobody marries who is married. Law on Civil
Status 60/2014/QH13 Art. 18: where it is not known, the office may verify it, for five working days
at most. Facts: ``gateway.derived.marital_status``; they hold today, whatever the day of the
procedure.
"""

from __future__ import annotations

from connectors.description import Text
from gateway.derived.marital_status import (
    DERIVED,
    MaritalState,
    marital_status,
)
from gateway.procedures.checks.rule import CheckRule, ProcedureCase, ProcedureRule, RuleResult

#: The lists that the rules of this file read of somebody, in the first wave and later.
MARITAL_LISTS = DERIVED.lists
MARITAL_LATER = DERIVED.later
#: How many spouses are looked at, at most.
MARITAL_PEOPLE = DERIVED.people
MARITAL_LAW = Text(
    "Luật Hôn nhân và gia đình 52/2014/QH13, Điều 5 khoản 2 điểm c, Điều 8",
    "Law on Marriage and Family 52/2014, Art. 5(2)(c), 8",
)


def unmarried(role: str, label: Text, law: Text = MARITAL_LAW) -> ProcedureRule:
    """Return the rule that whoever stands in ``role`` is not married.

    UNKNOWN: the sentence says that the office may verify it, and for how long.
    """
    title = Text(f"{label.vi}: không đang có vợ hoặc chồng", f"{label.en}: is not married")
    return ProcedureRule(f"{role.upper()}_UNMARRIED", title, law, _unmarried(role, label))


def _unmarried(role: str, label: Text) -> CheckRule:
    met = {
        MaritalState.NEVER_MARRIED: Text(f"{label.vi} chưa từng kết hôn.",
                                         f"{label.en} has never been married."),
        MaritalState.DIVORCED: Text(f"{label.vi} đã ly hôn, chưa kết hôn lại.",
                                    f"{label.en} is divorced and has not married again."),
        MaritalState.WIDOWED: Text(f"{label.vi} có vợ hoặc chồng đã chết, chưa kết hôn lại.",
                                   f"{label.en} is widowed and has not married again."),
    }  # fmt: skip
    married = Text(f"{label.vi} đang có vợ hoặc chồng.", f"{label.en} is married.")
    not_known = Text(
        f"{label.vi}: chưa xác định được tình trạng hôn nhân; cơ quan đăng ký hộ tịch có thể xác "
        "minh trong thời hạn không quá 5 ngày làm việc.",
        f"{label.en}: marital status is not known; the civil status office may verify it within 5 "
        "working days at most.",
    )

    def check(case: ProcedureCase) -> RuleResult:
        status = marital_status(case.person(role))
        if status.reason is not None:
            return RuleResult.unknown(not_known, status.reason)
        assert isinstance(status.value, MaritalState)
        if status.value is MaritalState.MARRIED:
            return RuleResult.fails(married, status.basis)
        return RuleResult.passes(met[status.value], status.basis)

    return check
