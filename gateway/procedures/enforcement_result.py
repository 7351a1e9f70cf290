"""P11: confirmation of the result of an enforcement.

Decree 152/2026/NĐ-CP Art. 32(3): on request, within three working days: the obligations, what was
paid, what remains, and where the case stands. Until 30 June 2026 Law 26/2008/QH12 Art. 53: five
working days. Who asks is a party, so the parties are named, but not where they live.

Of a case to which the person is no party nothing is said, not even whether there is such a
decision: it is looked for among the person's own cases, and the same is read whatever they hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from connectors.civil_enforcement import EnforcementObligationType, EnforcementStatus
from connectors.description import Row, Text
from connectors.values import PersonNumber, ThingKey
from gateway.derived.view import Facts, LaterReads, UnknownReason
from gateway.procedures.allow_lists import IDENTITY
from gateway.procedures.checks.definition import (
    CheckDefinition,
    Deadline,
    Edition,
    Paper,
    TimeUnit,
    TypedResult,
)
from gateway.procedures.checks.enforcement_law import (
    LAW_OF_2008,
    LAW_OF_2026,
    SINCE_2008,
    SINCE_2026,
    EnforcementLaw,
)
from gateway.procedures.checks.life import ALIVE_LISTS, alive, identified
from gateway.procedures.checks.rule import ProcedureCase, ProcedureRule, RuleResult
from gateway.procedures.procedure import Procedure

_PARTY = Text("Đương sự", "The party")
_CASES, _OBLIGATIONS = "civil_enforcement.cases", "civil_enforcement.obligations"
#: A key that no decision has: as much is read where the person is no party.
_NO_DECISION = ("-",)
#: Statuses of which nothing can be confirmed by this agency.
_UNDECIDED, _ENTRUSTED = "PENDING_DECISION", "ENTRUSTED"
#: Obligations that are paid in money.
_MONETARY = frozenset(
    {"PAY_MONEY", "FINE", "BACK_COLLECTION", "COURT_FEE", "MAINTENANCE", "CONFISCATION"}
)


@dataclass(frozen=True, slots=True)
class EnforcementResultInput:
    """Xác nhận kết quả thi hành án / Confirmation of an enforcement result."""

    party: Annotated[PersonNumber, Text("đương sự yêu cầu xác nhận", "the party who asks for it")]
    decision_number: Annotated[
        ThingKey, Text("số quyết định thi hành án", "number of the decision to enforce")
    ]


@dataclass(frozen=True, slots=True)
class EnforcedObligation:
    """Một nghĩa vụ và kết quả thi hành / An obligation and what has been done of it."""

    kind: Annotated[EnforcementObligationType | None, Text("loại nghĩa vụ", "kind")]
    amount: Annotated[Decimal | None, Text("số tiền phải thi hành", "amount owed")]
    currency: Annotated[str | None, Text("loại tiền", "currency")]
    paid: Annotated[Decimal | None, Text("đã thi hành", "paid")]
    remaining: Annotated[Decimal | None, Text("còn phải thi hành", "remaining")]
    due_date: Annotated[date | None, Text("hạn thi hành", "due on")]
    is_periodic: Annotated[bool | None, Text("định kỳ", "periodic")]
    is_joint: Annotated[bool | None, Text("liên đới", "joint liability")]


@dataclass(frozen=True, slots=True)
class EnforcementOutcome:
    """Kết quả thi hành án / The result of an enforcement. Null: not known."""

    obligations: Annotated[list[EnforcedObligation], Text("các nghĩa vụ", "the obligations")]
    paid: Annotated[
        Decimal | None,
        Text("tổng số tiền đã thi hành, không kể lãi", "paid in all, without interest"),
    ]
    remaining: Annotated[
        Decimal | None,
        Text("tổng số tiền còn phải thi hành, không kể lãi", "remaining in all, without interest"),
    ]
    currency: Annotated[str | None, Text("loại tiền của các tổng số", "currency of the sums")]
    status: Annotated[EnforcementStatus, Text("tình trạng", "status")]
    status_since: Annotated[date | None, Text("từ ngày", "since")]


def _find_case(case: ProcedureCase) -> tuple[Facts, Row | None]:
    """Return the party's cases, and the one with the decision's number, if it is among them."""
    cases = case.person("party").list(_CASES)
    keys = {key.upper() for key in case.keys["decision_number"]}
    rows = [row for row in cases.rows if str(cases.value(row, "decision_no")).upper() in keys]
    return cases, rows[0] if len(rows) == 1 else None


def _read_obligations(case: ProcedureCase) -> Facts:
    """Return the obligations of the decision; of no decision where the person is no party."""
    cases, row = _find_case(case)
    if not cases.is_read:  # it is asked again once they have been read
        return cases
    keys = _NO_DECISION if row is None else (str(cases.value(row, "decision_no")),)
    return case.person("party").under(_OBLIGATIONS, keys)


_NOT_A_PARTY = Text(
    "Không có việc thi hành án mang số này mà người yêu cầu là đương sự.",
    "There is no enforcement case with this number to which the applicant is a party.",
)
_NOTHING_SAID = Text(
    "Chỉ xác nhận cho đương sự của việc thi hành án.",
    "It is confirmed to a party of the enforcement case only.",
)


def _is_party(case: ProcedureCase) -> RuleResult:
    """Art. 32(3): a party asks; found by the number among the party's own cases."""
    cases, row = _find_case(case)
    if cases.reason is not None:
        return RuleResult.unknown(
            Text(
                "Chưa xác định được người yêu cầu có phải là đương sự hay không.",
                "It is not known whether the applicant is a party to the case.",
            ),
            cases.reason,
        )
    if row is None:
        return RuleResult.fails(_NOT_A_PARTY)
    return RuleResult.passes(
        Text("Người yêu cầu là đương sự của việc thi hành án.",
             "The applicant is a party to the enforcement case."),
        cases.basis(row),
    )  # fmt: skip


def _has_status(case: ProcedureCase) -> RuleResult:
    """A case whose decision is pending has no result; one that was entrusted has it elsewhere."""
    cases, row = _find_case(case)
    if cases.reason is not None:
        return RuleResult.unknown(_NOT_KNOWN, cases.reason)
    if row is None:
        return RuleResult.unknown(_NOTHING_SAID, UnknownReason.DENIED)
    status = cases.code(row, "status")
    if status is None:
        return RuleResult.unknown(_NOT_KNOWN, UnknownReason.NOT_RECORDED)
    if status == _ENTRUSTED:
        return RuleResult.unknown(
            Text("Việc thi hành án đã ủy thác: hỏi cơ quan nhận ủy thác.",
                 "The case was entrusted to another agency: ask that agency."),
            UnknownReason.NOT_COVERED,
        )  # fmt: skip
    if status == _UNDECIDED:
        return RuleResult.fails(
            Text("Chưa có quyết định thi hành án, nên chưa có kết quả.",
                 "Enforcement has not been decided, so there is no result yet."),
            cases.basis(row),
        )  # fmt: skip
    return RuleResult.passes(
        Text("Đã xác định được tình trạng của việc thi hành án.",
             "It is known where the enforcement case stands."),
        cases.basis(row),
    )  # fmt: skip


_NOT_KNOWN = Text(
    "Chưa xác định được tình trạng của việc thi hành án.",
    "It is not known where the enforcement case stands.",
)


def _has_obligations(case: ProcedureCase) -> RuleResult:
    """What is confirmed: every obligation, what was paid of it, and what remains."""
    cases, row = _find_case(case)
    obligations = _read_obligations(case)
    not_known = Text(
        "Chưa xác định đủ các nghĩa vụ và số đã thi hành.",
        "The obligations and what was paid are not known in full.",
    )
    if cases.reason is not None:
        return RuleResult.unknown(not_known, cases.reason)
    if row is None:
        return RuleResult.unknown(_NOTHING_SAID, UnknownReason.DENIED)
    doubt = obligations.reason or _doubt(obligations)
    if doubt is not None:
        return RuleResult.unknown(not_known, doubt)
    return RuleResult.passes(
        Text("Đã có đủ các nghĩa vụ, số đã thi hành và số còn phải thi hành.",
             "The obligations, what was paid and what remains are known."),
        obligations.basis(*obligations.rows),
    )  # fmt: skip


def _doubt(obligations: Facts) -> UnknownReason | None:
    """Return why the sums of a complete list are not known; None: they are."""
    if not obligations.rows:  # a decision has obligations
        return UnknownReason.NOT_RECORDED
    for row in obligations.rows:
        kind = obligations.code(row, "kind")
        amount, paid, remaining = (
            obligations.value(row, name) for name in ("amount", "paid_amount", "remaining")
        )
        if kind is None or (kind in _MONETARY and None in (amount, paid, remaining)):
            return UnknownReason.NOT_RECORDED
        if None not in (amount, paid, remaining) and amount != paid + remaining:
            return UnknownReason.CONTRADICTORY
    return None


def _result(case: ProcedureCase) -> EnforcementOutcome | None:
    cases, row = _find_case(case)
    obligations = _read_obligations(case)
    if row is None or cases.reason or obligations.reason or not obligations.rows:
        return None
    status = cases.code(row, "status")
    if status in {None, _UNDECIDED, _ENTRUSTED}:
        return None
    currencies = {
        obligations.value(row, "currency")
        for row in obligations.rows
        if obligations.value(row, "amount") is not None
    }
    is_summable = _doubt(obligations) is None and len(currencies) == 1
    return EnforcementOutcome(
        obligations=[_obligation(obligations, row) for row in obligations.rows],
        paid=_sum(obligations, "paid_amount") if is_summable else None,
        remaining=_sum(obligations, "remaining") if is_summable else None,
        currency=currencies.pop() if is_summable else None,
        status=EnforcementStatus[str(status)],
        status_since=cases.value(row, "status_since"),
    )


def _obligation(obligations: Facts, row: Row) -> EnforcedObligation:
    kind = obligations.code(row, "kind")

    def value(column: str) -> Any:
        return obligations.value(row, column)

    return EnforcedObligation(
        kind=None if kind is None else EnforcementObligationType[kind],
        amount=value("amount"),
        currency=value("currency"),
        paid=value("paid_amount"),
        remaining=value("remaining"),
        due_date=value("due_date"),
        is_periodic=value("periodic"),
        is_joint=value("joint_liability"),
    )


def _sum(obligations: Facts, column: str) -> Decimal:
    values = (obligations.value(row, column) for row in obligations.rows)
    return sum((value for value in values if value is not None), Decimal(0))


def _edition(since: date, law: EnforcementLaw) -> Edition:
    return Edition(
        since=since,
        law=law.titles,
        competent_body=law.body,
        deadline=Deadline(law.confirmation_days, TimeUnit.WORKING_DAYS, law.confirmation),
        conditions=(
            identified("party", _PARTY),
            alive("party", _PARTY),
            ProcedureRule(
                "PARTY_OF_DECISION",
                Text("là đương sự của việc thi hành án", "is a party to the enforcement case"),
                law.confirmation,
                _is_party,
            ),
            ProcedureRule(
                "STATUS_KNOWN",
                Text("tình trạng thi hành án", "where the enforcement case stands"),
                law.confirmation,
                _has_status,
            ),
            ProcedureRule(
                "OBLIGATIONS_KNOWN",
                Text("các nghĩa vụ, đã thi hành và còn lại", "obligations, paid and remaining"),
                law.confirmation,
                _has_obligations,
            ),
        ),
        papers=(
            Paper(
                "REQUEST",
                Text("Đơn đề nghị xác nhận kết quả thi hành án", "Request for confirmation"),
            ),
            Paper(
                "IDENTITY_CARD",
                Text("Giấy tờ tùy thân của đương sự", "Identity card of the party"),
                ("population.identity",),
                ("PARTY_IDENTIFIED",),
            ),
            Paper(
                "DECISION",
                Text("Bản sao quyết định thi hành án", "Copy of the decision to enforce"),
                ("civil_enforcement.cases", "civil_enforcement.obligations"),
                ("PARTY_OF_DECISION", "STATUS_KNOWN", "OBLIGATIONS_KNOWN"),
            ),
        ),
    )


CHECK = CheckDefinition(
    name="enforcement_result",
    input=EnforcementResultInput,
    roles={"party": (*ALIVE_LISTS, _CASES)},
    editions=(_edition(SINCE_2008, LAW_OF_2008), _edition(SINCE_2026, LAW_OF_2026)),
    later=(LaterReads(_OBLIGATIONS, 1),),
    results=(
        TypedResult(
            "enforcement_result",
            Text(
                "kết quả thi hành án; null: không rõ hoặc không phải đương sự",
                "the result; null: not known, or not a party's",
            ),
            EnforcementOutcome,
            _result,
        ),
    ),
)

PROCEDURE = Procedure(
    codes=("enforcement-result",),
    title=Text("Xác nhận kết quả thi hành án", "Confirmation of an enforcement result"),
    legal_basis=("Nghị định 152/2026/NĐ-CP, Điều 32",),
    fields={
        "population.identity": IDENTITY,
        "population.earlier_numbers": "*",
        "civil_enforcement.cases": (
            "decision_no decision_date issuer_name issuer_title judgment_no agency_id initiation "
            "status status_since entrusted_to"
        ),
        "civil_enforcement.enforcement_parties": (
            "entry_id decision_no role party.kind party.name party.citizen_id "
            "party.organisation_id party.enterprise_code"
        ),
        "civil_enforcement.judgment": (
            "judgment_no issuer issuer_name issue_date effective_date kind"
        ),
        "civil_enforcement.obligations": "*",
        "civil_enforcement.confirmations": "*",
    },
    check=CHECK,
)
