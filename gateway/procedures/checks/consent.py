"""What no database can say: consent, presence, and papers from outside of the databases.

A child of nine or more is asked for consent (domain.md section 3, P6; the law says so of adoptions,
Law 52/2010/QH12 Art. 21(1), and of names, Civil Code 91/2015/QH13 Art. 27-28; for other
registrations the age is an assumption).
"""

from __future__ import annotations

from connectors.description import Text
from gateway.derived.view import UnknownReason
from gateway.procedures.checks.age import birth_of, has_reached
from gateway.procedures.checks.rule import CheckRule, ProcedureCase, ProcedureRule, RuleResult

#: From this age on a child is asked.
CHILD_CONSENT_AGE = 9


def person_rule(code: str, title: Text, law: Text, sentence: Text) -> ProcedureRule:
    """Return a rule that somebody has to meet in person: consent, signature, presence."""
    return ProcedureRule(code, title, law, lambda _case: RuleResult.needs_person(sentence))


def document_rule(code: str, title: Text, law: Text, sentence: Text) -> ProcedureRule:
    """Return a rule that a document has to show, which no database here holds."""
    return ProcedureRule(code, title, law, lambda _case: RuleResult.needs_document(sentence))


def agrees(role: str, label: Text, law: Text, age: int = CHILD_CONSENT_AGE) -> ProcedureRule:
    """Return the rule that whoever stands in ``role`` agrees, once they are ``age`` years old.

    Younger children are not asked: PASS. Adults are: NEEDS_PERSON.
    """
    title = Text(
        f"{label.vi} đồng ý (từ đủ {age} tuổi)", f"{label.en} agrees (from {age} years on)"
    )
    return ProcedureRule(f"{role.upper()}_AGREES", title, law, _agrees(role, label, age))


def _agrees(role: str, label: Text, age: int) -> CheckRule:
    to_agree = Text(f"{label.vi} từ đủ {age} tuổi trở lên, phải thể hiện sự đồng ý.",
                    f"{label.en} is {age} or older and has to agree.")  # fmt: skip
    too_young = Text(f"{label.vi} chưa đủ {age} tuổi, không phải hỏi ý kiến.",
                     f"{label.en} is younger than {age} and is not asked.")  # fmt: skip
    not_known = Text(f"{label.vi}: chưa xác định được đã đủ {age} tuổi hay chưa.",
                     f"{label.en}: whether the age of {age} is reached is not known.")  # fmt: skip

    def check(case: ProcedureCase) -> RuleResult:
        born = birth_of(case.person(role))
        if born.reason is not None:
            return RuleResult.unknown(not_known, born.reason)
        reaches = has_reached(born.value, age, case.at)
        if reaches is None:
            return RuleResult.unknown(not_known, UnknownReason.NOT_RECORDED)
        if reaches:
            return RuleResult.needs_person(to_agree)
        return RuleResult.passes(too_young, born.basis)

    return check
