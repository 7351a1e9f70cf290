"""P10: verification of a debtor's means, and coercive enforcement.

Law on Civil Judgment Enforcement 106/2025/QH15; Decree 152/2026/NĐ-CP Art. 21 (the debtor's number,
marital status, residences, assets, income and accounts), 42-45, 54-57 and 111. A spouse counts for
common property, transfers after the judgment for dispersal. The bank accounts, income and assets
are those that an earlier verification found; what a transfer fetched is not needed. What came
before the judgment and what after it, the timeline shows.

The check says what these databases can say of a debtor's means, with counts only of what is known
in full. Land, vehicles, accounts and income are verified with those who hold them: papers to bring.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from connectors.description import Row, Text
from connectors.values import PersonNumber, ThingKey
from gateway.derived.active_block import values_of
from gateway.derived.life_status import LifeState, life_status
from gateway.derived.marital_status import MaritalState, marital_status
from gateway.derived.marriages import MARRIAGES
from gateway.derived.residence import DERIVED as RESIDENCE
from gateway.derived.residence import residence
from gateway.derived.view import Conclusion, Facts, LaterReads, UnknownReason
from gateway.procedures.allow_lists import BLOCKS, DEATH, IDENTITY, MARITAL, MEASURES, TRANSACTION
from gateway.procedures.checks.definition import CheckDefinition, Edition, Paper, TypedResult
from gateway.procedures.checks.enforcement_law import (
    LAW_OF_2008,
    LAW_OF_2026,
    SINCE_2008,
    SINCE_2026,
    EnforcementLaw,
)
from gateway.procedures.checks.life import ALIVE_LISTS, alive, identified
from gateway.procedures.checks.marital import MARITAL_LATER, MARITAL_LISTS, MARITAL_PEOPLE
from gateway.procedures.checks.rule import (
    CheckRule,
    ProcedureCase,
    ProcedureRule,
    RuleResult,
    RuleState,
)
from gateway.procedures.checks.security_interests import (
    SECURITY_LATER,
    SECURITY_LISTS,
    secured_things,
)
from gateway.procedures.procedure import Procedure

_DEBTOR = Text("Người phải thi hành án", "The debtor")
_CASES, _JUDGMENT = "civil_enforcement.cases", "civil_enforcement.judgment"
_CASE_PARTIES = "civil_enforcement.parties"
_ASSETS, _TRANSACTIONS = "notary.assets", "notary.transactions"
_PARTIES = "notary.parties"
#: A key that nothing has: as much is read where the person is no party.
_NOTHING = ("-",)
#: Statuses of transactions that count, and kinds by which a debtor's means become fewer.
_STANDING = frozenset({"VALID", "AMENDED"})
_DISPERSING = frozenset(
    {"SALE", "DONATION", "CAPITAL_CONTRIBUTION", "RENUNCIATION", "SPOUSAL_PROPERTY_AGREEMENT"}
)
#: In what role somebody gives away by them.
_GIVING = frozenset({"TRANSFEROR", "HEIR", "SPOUSE"})


@dataclass(frozen=True, slots=True)
class EnforcementVerificationInput:
    """Xác minh điều kiện thi hành án / Verification of a debtor's means."""

    debtor: Annotated[PersonNumber, Text("người phải thi hành án", "debtor")]
    decision_number: Annotated[
        ThingKey,
        Text(
            "số quyết định thi hành án, hoặc số bản án được thi hành",
            "number of the decision to enforce, or of the judgment",
        ),
    ]


@dataclass(frozen=True, slots=True)
class DebtorMeans:
    """Điều kiện thi hành án theo dữ liệu / What databases say of a debtor's means. Null: unknown.

    Counts are of what is known in full.
    """

    life: Annotated[LifeState | None, Text("tình trạng sống", "whether the debtor lives")]
    marital_status: Annotated[
        MaritalState | None,
        Text("tình trạng hôn nhân, có tài sản chung", "marital status, for common property"),
    ]
    residences: Annotated[int | None, Text("số nơi cư trú", "residences on record")]
    assets: Annotated[int | None, Text("số tài sản công chứng biết", "assets notaries know of")]
    secured_things: Annotated[
        int | None, Text("số tài sản đang dùng bảo đảm", "things given as security")
    ]
    transfers_since_judgment: Annotated[
        int | None,
        Text("số giao dịch chuyển dịch tài sản sau bản án", "transfers since the judgment"),
    ]


@dataclass(frozen=True, slots=True)
class _DebtorCase:
    """The case with the number that is asked for. ``row``: None where the debtor has none."""

    cases: Facts
    row: Row | None
    several: bool

    def value(self, column: str) -> str | None:
        value = None if self.row is None else self.cases.value(self.row, column)
        return None if value is None else str(value)


def _find_case(case: ProcedureCase) -> _DebtorCase:
    """Return the debtor's case by the number of its decision, else of its judgment."""
    cases = case.person("debtor").list(_CASES)
    keys = {key.upper() for key in case.keys["decision_number"]}
    for column in ("decision_no", "judgment_no"):
        rows = [row for row in cases.rows if str(cases.value(row, column)).upper() in keys]
        if rows:
            return _DebtorCase(cases, rows[0] if len(rows) == 1 else None, len(rows) > 1)
    return _DebtorCase(cases, None, False)


def _is_debtor(case: ProcedureCase) -> RuleResult:
    """Means are verified of whoever owes by the decision."""
    debtor_case = _find_case(case)
    not_known = Text(
        "Chưa xác định được người này có phải thi hành án theo quyết định hay không.",
        "It is not known whether the person owes by the decision.",
    )
    parties = _read(case, _CASE_PARTIES, debtor_case, "decision_no")
    reason = debtor_case.cases.reason or parties.reason
    if reason is not None or debtor_case.several:
        return RuleResult.unknown(not_known, reason or UnknownReason.CONTRADICTORY)
    numbers = case.person("debtor").numbers
    roles = {
        parties.code(row, "role")
        for row in parties.rows
        if any(parties.value(row, name) in numbers
               for name in ("party_citizen_id", "party_enterprise_code"))
    }  # fmt: skip
    if "DEBTOR" in roles:
        return RuleResult.passes(
            Text("Người này phải thi hành án theo quyết định.", "The person owes by the decision."),
            () if debtor_case.row is None else debtor_case.cases.basis(debtor_case.row),
        )
    if None in roles:
        return RuleResult.unknown(not_known, UnknownReason.NOT_RECORDED)
    return RuleResult.fails(
        Text(
            "Không có việc thi hành án mang số này mà người này phải thi hành.",
            "There is no case with this number in which the person is the debtor.",
        )
    )


def _read(case: ProcedureCase, name: str, debtor_case: _DebtorCase, column: str) -> Facts:
    """Return a list under a number of the debtor's case; of none where there is no such case."""
    if not debtor_case.cases.is_read:  # it is asked again once they have been read
        return debtor_case.cases
    key = debtor_case.value(column)
    return case.person("debtor").under(name, _NOTHING if key is None else (key,))


def _fact(conclusion: Conclusion, fact_title: Text) -> RuleResult:
    """Return PASS where a fact is known. ``fact_title``: it, in both languages."""
    if conclusion.reason is not None:
        sentence = Text(f"Chưa xác định được {fact_title.vi}.", f"Not known: {fact_title.en}.")
        return RuleResult.unknown(sentence, conclusion.reason)
    sentence = Text(f"Đã xác định được {fact_title.vi}.", f"Known: {fact_title.en}.")
    return RuleResult.passes(sentence, conclusion.basis)


def _knows_marital_status(case: ProcedureCase) -> RuleResult:
    """Art. 21: the marital status, for common property."""
    status = marital_status(case.person("debtor"))
    basis = tuple(basis for basis in status.basis if basis.facts.name == MARRIAGES)
    return _fact(
        Conclusion(status.value, status.reason, basis),
        Text("tình trạng hôn nhân", "marital status"),
    )


def _knows_residence(case: ProcedureCase) -> RuleResult:
    """Art. 21: where the debtor resides, permanently, temporarily and at present."""
    conclusion = residence(case.person("debtor"))
    if conclusion.reason is None and not conclusion.value:
        return RuleResult.needs_document(
            Text(
                "Không có nơi cư trú nào đang đăng ký: phải xác minh tại chỗ.",
                "No residence is registered: it has to be verified on site.",
            )
        )
    return _fact(conclusion, Text("nơi cư trú", "residence"))


def _knows_assets(case: ProcedureCase) -> RuleResult:
    """Art. 21: the assets, as far as notaries know them."""
    assets = case.person("debtor").list(_ASSETS)
    conclusion = Conclusion(None, assets.reason, assets.basis(*assets.rows))
    return _fact(conclusion, Text("tài sản mà công chứng biết", "the assets that notaries know"))


def _knows_secured_things(case: ProcedureCase) -> RuleResult:
    """Art. 21: what the debtor has given as security: it pays the secured party first."""
    conclusion = Conclusion(None, secured_things(case.person("debtor")).reason)
    return _fact(conclusion, Text("tài sản đang dùng bảo đảm", "what is given as security"))


# --- transfers ----------------------------------------------------------------------------------


def _judgment_day(case: ProcedureCase) -> tuple[date | None, bool, UnknownReason | None]:
    """Return since when transfers count, whether that is certain, or why it is not known.

    They count from the day on which the judgment took effect; it was issued before.
    """
    debtor_case = _find_case(case)
    judgment = _read(case, _JUDGMENT, debtor_case, "judgment_no")
    reason = debtor_case.cases.reason or judgment.reason
    if reason is not None:
        return None, False, reason
    effective = {judgment.value(row, "effective_date") for row in judgment.rows} - {None}
    issued = {judgment.value(row, "issue_date") for row in judgment.rows} - {None}
    if len(effective) == 1:
        return effective.pop(), True, None
    if not effective and len(issued) == 1:
        return issued.pop(), False, None
    return None, False, UnknownReason.NOT_RECORDED


def _transfers(case: ProcedureCase) -> tuple[int, bool, UnknownReason | None, tuple[Row, ...]]:
    """Return how many transfers count, whether each does for certain, why not known, and rows."""
    debtor = case.person("debtor")
    transactions = debtor.list(_TRANSACTIONS)
    since, is_certain, reason = _judgment_day(case)
    if not transactions.is_read:
        return 0, False, UnknownReason.SOURCE_FAILED, ()
    parties = debtor.under(_PARTIES, values_of(transactions, "notarial_no") or _NOTHING)
    reason = reason or transactions.reason or parties.reason
    if since is None or reason is not None:
        return 0, False, reason or UnknownReason.NOT_RECORDED, ()
    rows = []
    for row in transactions.rows:
        counts = _counts(transactions, row, parties, debtor.numbers, since)
        if counts is None:
            reason = UnknownReason.NOT_RECORDED
        elif counts:
            rows.append(row)
    return len(rows), is_certain, reason, tuple(rows)


def _counts(
    transactions: Facts, row: Row, parties: Facts, numbers: tuple[str, ...], since: date
) -> bool | None:
    """Say whether the debtor gave something away by a transaction since the judgment."""
    status, kind = transactions.code(row, "status"), transactions.code(row, "kind")
    day, number = transactions.value(row, "notarised_on"), transactions.value(row, "notarial_no")
    if (status is not None and status not in _STANDING) or (day is not None and day < since):
        return False
    if kind is not None and kind not in _DISPERSING:
        return False
    roles = {
        parties.code(party, "role")
        for party in parties.rows
        if parties.value(party, "notarial_no") == number
        and any(parties.value(party, name) in numbers
                for name in ("party_citizen_id", "party_enterprise_code"))
    }  # fmt: skip
    if roles and None not in roles and roles.isdisjoint(_GIVING):
        return False
    is_known = None not in (status, kind, day) and not roles.isdisjoint(_GIVING)
    return True if is_known else None


def _not_dispersed(case: ProcedureCase) -> RuleResult:
    """Whoever owes by a judgment in force gives nothing away that would pay it."""
    count, is_certain, reason, rows = _transfers(case)
    if count and is_certain:
        return RuleResult.fails(
            Text(
                "Có giao dịch chuyển dịch tài sản sau khi bản án có hiệu lực: xem xét yêu cầu "
                "tuyên vô hiệu.",
                "Assets were transferred since the judgment took effect: consider having it "
                "declared void.",
            ),
            case.person("debtor").list(_TRANSACTIONS).basis(*rows),
        )
    if reason is not None or count:
        return RuleResult.unknown(
            Text(
                "Chưa xác định được có chuyển dịch tài sản sau bản án hay không.",
                "It is not known whether assets were transferred since the judgment.",
            ),
            reason or UnknownReason.NOT_RECORDED,
        )
    return RuleResult.passes(
        Text(
            "Không có giao dịch chuyển dịch tài sản nào được công chứng sau bản án.",
            "No notarised transfer came after the judgment.",
        )
    )


def _means(case: ProcedureCase) -> DebtorMeans | None:
    """Return what is known of the debtor's means; None of somebody who is not the debtor."""
    debtor = case.person("debtor")
    if _is_debtor(case).state is not RuleState.PASS:
        return None
    life, marital, homes = life_status(debtor), marital_status(debtor), residence(debtor)
    assets, secured = debtor.list(_ASSETS), secured_things(debtor)
    count, is_certain, reason, _ = _transfers(case)
    is_counted = reason is None and (is_certain or count == 0)
    return DebtorMeans(
        life=life.value if isinstance(life.value, LifeState) else None,
        marital_status=marital.value if isinstance(marital.value, MaritalState) else None,
        residences=len(homes.value) if isinstance(homes.value, list) else None,
        assets=None if assets.reason is not None else len(assets.rows),
        secured_things=None if secured.reason is not None else secured.count,
        transfers_since_judgment=count if is_counted else None,
    )


def _conditions(law: EnforcementLaw) -> tuple[ProcedureRule, ...]:
    def rule(code: str, title: Text, check: CheckRule) -> ProcedureRule:
        return ProcedureRule(code, title, law.verification, check)

    return (
        identified("debtor", _DEBTOR),
        alive("debtor", _DEBTOR),
        rule("DEBTOR_OF_DECISION", Text("phải thi hành án", "owes by the decision"), _is_debtor),
        rule(
            "MARITAL_STATUS_KNOWN",
            Text("tình trạng hôn nhân, có tài sản chung", "marital status"),
            _knows_marital_status,
        ),
        rule("RESIDENCE_KNOWN", Text("nơi cư trú", "residence"), _knows_residence),
        rule("ASSETS_KNOWN", Text("tài sản công chứng biết", "assets"), _knows_assets),
        rule(
            "SECURED_ASSETS_KNOWN",
            Text("tài sản đang dùng bảo đảm", "what is given as security"),
            _knows_secured_things,
        ),
        rule(
            "NO_DISPERSAL",
            Text("không tẩu tán tài sản sau bản án", "nothing transferred since the judgment"),
            _not_dispersed,
        ),
    )


_PAPERS = (
    Paper(
        "CIVIL_STATUS",
        Text("Xác nhận tình trạng hôn nhân", "Confirmation of the marital status"),
        ("civil_status.marriages", "civil_status.divorces"),
        ("MARITAL_STATUS_KNOWN",),
    ),
    Paper(
        "RESIDENCE",
        Text("Xác nhận nơi cư trú", "Confirmation of the residence"),
        ("population.residences",),
        ("RESIDENCE_KNOWN",),
    ),
    Paper(
        "NOTARIES",
        Text("Xác nhận của tổ chức công chứng", "Confirmation of notaries"),
        ("notary.assets", "notary.transactions"),
        ("ASSETS_KNOWN", "NO_DISPERSAL"),
    ),
    Paper(
        "LAND_AND_VEHICLES",
        Text(
            "Xác minh tại cơ quan đăng ký đất đai, đăng ký xe (nguồn này không bao gồm)",
            "Verification with land and vehicle registries (not covered by this source)",
        ),
    ),
    Paper(
        "ACCOUNTS_AND_INCOME",
        Text(
            "Xác minh tài khoản, thu nhập tại ngân hàng, nơi trả lương, bảo hiểm xã hội "
            "(nguồn này không bao gồm)",
            "Verification of accounts and income (not covered by this source)",
        ),
    ),
)


def _edition(since: date, law: EnforcementLaw) -> Edition:
    return Edition(
        since=since,
        law=law.titles,
        competent_body=law.body,
        deadline=None,  # (unverified): of debtors without conditions again every six months
        conditions=_conditions(law),
        papers=_PAPERS,
    )


CHECK = CheckDefinition(
    name="enforcement_verification",
    input=EnforcementVerificationInput,
    roles={
        "debtor": tuple(
            dict.fromkeys(
                (
                    *ALIVE_LISTS,
                    *MARITAL_LISTS,
                    *RESIDENCE.lists,
                    *SECURITY_LISTS,
                    _CASES,
                    _ASSETS,
                    _TRANSACTIONS,
                )
            )
        )
    },
    editions=(_edition(SINCE_2008, LAW_OF_2008), _edition(SINCE_2026, LAW_OF_2026)),
    later=(
        *MARITAL_LATER,
        *SECURITY_LATER,
        LaterReads(_CASE_PARTIES, 1),
        LaterReads(_JUDGMENT, 1),
        LaterReads(_PARTIES, _TRANSACTIONS),
    ),
    people=MARITAL_PEOPLE,
    results=(
        TypedResult(
            "debtor_means",
            Text("điều kiện thi hành án theo dữ liệu", "what databases say of the means"),
            DebtorMeans,
            _means,
        ),
    ),
)

PROCEDURE = Procedure(
    codes=("enforcement-verification",),
    title=Text(
        "Xác minh điều kiện thi hành án; cưỡng chế",
        "Verification for coercive enforcement",
    ),
    legal_basis=(
        "Luật Thi hành án dân sự 106/2025/QH15",
        "Nghị định 152/2026/NĐ-CP, Điều 21, 42-45, 54-57, 111",
    ),
    fields={
        "population.identity": f"{IDENTITY} marital_status",
        "population.earlier_numbers": "*",
        "population.residences": "*",
        "civil_status.marriages": "*",
        "civil_status.divorces": "*",
        "civil_status.deaths": DEATH,
        "civil_status.court_notes": "*",
        "security_measures.registrations": "*",
        "security_measures.security_parties": "*",
        "security_measures.collateral": "*",
        "security_measures.amendments": "*",
        "security_measures.enforcement_notices": "*",
        "civil_enforcement.cases": "*",
        "civil_enforcement.enforcement_parties": "*",
        "civil_enforcement.judgment": "*",
        "civil_enforcement.obligations": "*",
        "civil_enforcement.verifications": "* assets income accounts",
        "civil_enforcement.measures": "*",
        "civil_enforcement.confirmations": "*",
        "civil_enforcement.exit_postponements": "*",
        "civil_enforcement.public_notices": "*",
        "notary.transactions": TRANSACTION,
        "notary.transaction_parties": "*",
        "notary.assets": "*",
        "notary.asset_owners": "*",
        "notary.preventive_infos": "*",
        "notary.notarial_organisations": "*",
        "notary.notaries": "*",
    },
    derived=frozenset(
        {"has_active_block", "life_status", "marital_status", "residence", "timeline"}
    ),
    deciding=MARITAL | BLOCKS | MEASURES,
    check=CHECK,
)
