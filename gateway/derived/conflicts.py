"""Where records about a person contradict each other, and which prevails (mâu thuẫn dữ liệu).

The rules are in the package ``rules``, with the law behind each: the civil status book prevails
over other databases (Law on Civil Status 60/2014/QH13 Art. 60(2)). A finding shows what records
say, so a case of a rule is checked only where the caller may see every column that it reads,
whatever stands there. A rule with such a case is among the unchecked ones, as is a rule of which a
list could not be read, or may lack rows; what its other cases found counts. So "no conflicts" is
said of rules that were checked alone. Nothing is changed, and rows that protection hides take part
in nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

from strawberry.utils.str_converters import to_camel_case

from connectors.description import Kind, Text
from gateway.derived.view import (
    PERSON,
    Basis,
    BasisRecord,
    Conclusion,
    DerivedView,
    Evidence,
    Facts,
    LaterReads,
    UnknownReason,
)
from rules.expression import ListRead
from rules.registry import RULES
from rules.row_program import ConflictFinding, RowProgram
from rules.rule import Case, ConflictCode, ConflictRule, ConflictSeverity, Side

_PROGRAM = RowProgram(RULES)
#: Of how many earlier numbers it is looked up who else has them.
_MOST_NUMBERS = 8


@dataclass(frozen=True, slots=True)
class ConflictSide:
    """Một bên mâu thuẫn / A record that contradicts the others."""

    database: Annotated[str, Text("cơ sở dữ liệu", "database")]
    record: Annotated[str, Text("loại bản ghi", "kind of record")]
    record_id: Annotated[
        str | None,
        Text("recordId của bản ghi; null: của người khác", "recordId; null: it is somebody else's"),
    ]
    as_of: Annotated[
        datetime | None,
        Text("nguồn công bố dữ liệu tính đến", "what the source itself states, or null"),
    ]
    says: Annotated[str, Text("nội dung ghi", "what it says: fields and their values")]


@dataclass(frozen=True, slots=True)
class PersonConflict:
    """Một mâu thuẫn giữa các bản ghi / Records that contradict each other."""

    rule: Annotated[ConflictCode, Text("quy tắc", "which rule they break")]
    severity: Annotated[ConflictSeverity, Text("mức độ", "how much hangs on it")]
    sides: Annotated[list[ConflictSide], Text("các bên", "what each record says")]
    prevails: Annotated[
        ConflictSide | None,
        Text("bản ghi có giá trị hơn; null: phải xác minh", "which prevails; null: none does"),
    ]
    legal_basis: Annotated[str, Text("căn cứ pháp lý", "the law behind the rule")]
    advice: Annotated[Text, Text("nên làm gì", "what to do")]


@dataclass(frozen=True, slots=True)
class UncheckedRule:
    """Quy tắc chưa kiểm tra được / A rule that could not be checked, or not wholly."""

    rule: Annotated[ConflictCode, Text("quy tắc", "the rule")]
    reason: Annotated[UnknownReason, Text("vì sao", "why not")]


@dataclass(frozen=True, slots=True)
class ConflictReport:
    """Kết quả kiểm tra mâu thuẫn / What the rules find about a person."""

    findings: Annotated[
        list[PersonConflict] | None,
        Text(
            "các mâu thuẫn; rỗng: đã kiểm tra đủ và không có; null: chưa biết",
            "the conflicts; empty: all rules were checked, there are none; null: not known",
        ),
    ]
    unchecked: Annotated[
        list[UncheckedRule], Text("quy tắc chưa kiểm tra được", "rules that were not checked")
    ]


@dataclass(frozen=True, slots=True)
class _CheckedRules:
    """What the program found, in which rows, and which rules it could not decide."""

    findings: Sequence[tuple[ConflictFinding, tuple[Basis, ...]]]
    unchecked: tuple[UncheckedRule, ...]
    numbers: frozenset[str]


def _name(read: ListRead) -> str:
    return f"{read.database}.{read.lookup}"


#: What the caller must be allowed to see for each case: lists with columns.
_COLUMNS: Mapping[Case, frozenset[tuple[str, str]]] = {
    case: frozenset((_name(read), column) for read, column in case.columns_read())
    for _, case in _PROGRAM.cases
}
_ALL_COLUMNS = tuple(sorted(frozenset().union(*_COLUMNS.values())))
#: The lists of each case and of each rule, in the order of the program.
_CASE_READS: Mapping[Case, tuple[ListRead, ...]] = {
    case: tuple(read for read in _PROGRAM.reads if read in case.reads) for _, case in _PROGRAM.cases
}
_RULE_READS: Mapping[ConflictRule, tuple[ListRead, ...]] = {
    rule: tuple(read for read in _PROGRAM.reads if any(read in c.reads for c in rule.cases))
    for rule in RULES
}


def conflicts(evidence: Evidence) -> Conclusion:
    """Return the findings of the rules asked for, and which of them could not be checked."""
    codes = evidence.question.rules
    rules = [rule for rule in RULES if codes is None or rule.name in codes]
    closed = {column for column in _ALL_COLUMNS if not evidence.may_show(*column)}
    open_cases = {
        case
        for rule in rules
        for case in rule.cases
        if not closed or closed.isdisjoint(_COLUMNS[case])
    }
    needed = {read for case in open_cases for read in _CASE_READS[case]}
    lists = dict(_lists(evidence, [read for read in _PROGRAM.reads if read in needed]))
    unchecked = [
        UncheckedRule(rule.code, reason)
        for rule in rules
        if (reason := _shortfall(rule, open_cases, lists)) is not None
    ]
    numbers = frozenset(evidence.numbers)
    findings = [
        (finding, _bases(finding, lists))
        for finding in _PROGRAM.check(
            [lists[read].rows if read in lists else None for read in _PROGRAM.reads],
            numbers,
            evidence.question.today,
            [_complete_rows(lists.get(read)) for read in _PROGRAM.reads],
        )
        if finding.case in open_cases
    ]
    basis = (
        basis
        for finding, bases in findings
        for side, basis in zip(finding.case.sides, bases, strict=True)
        if not _is_of_others(side)
    )
    return Conclusion(_CheckedRules(findings, tuple(unchecked), numbers), None, tuple(basis))


def _lists(evidence: Evidence, reads: Sequence[ListRead]) -> Iterator[tuple[ListRead, Facts]]:
    """Yield the lists of the person, and those that hang on their rows."""
    for read in reads:
        if read.hung is None:
            yield read, evidence.list(_name(read))
    for read in reads:
        if read.hung is not None:
            yield read, _hung_list(evidence, read, *read.hung)


def _hung_list(evidence: Evidence, read: ListRead, lookup: str, column: str) -> Facts:
    """Return the list under the values of a column of another; of no rows nothing hangs."""
    parent = evidence.list(f"{read.database}.{lookup}")
    keys = list(dict.fromkeys(str(parent.value(row, column)) for row in parent.rows))
    if not keys:
        return replace(parent, rows=())
    hung = evidence.under(_name(read), keys[:_MOST_NUMBERS])
    if len(keys) > _MOST_NUMBERS and hung.complete:
        return replace(hung, complete=False, reason=UnknownReason.TRUNCATED)
    return hung


def _shortfall(
    rule: ConflictRule, open_cases: Collection[Case], lists: Mapping[ListRead, Facts]
) -> UnknownReason | None:
    """Return why a rule was not checked, or not wholly; None: it was.

    What the caller may not see comes first: it does not depend on what could be read.
    """
    if any(case not in open_cases for case in rule.cases):
        return UnknownReason.DENIED
    reasons = (lists[read].reason for read in _RULE_READS[rule])
    return next((reason for reason in reasons if reason is not None), None)


def _complete_rows(facts: Facts | None) -> Sequence[tuple[object, ...]] | None:
    return facts.rows if facts is not None and facts.complete else None


def _bases(finding: ConflictFinding, lists: Mapping[ListRead, Facts]) -> tuple[Basis, ...]:
    return tuple(
        Basis(lists[side.row.read], row)
        for side, row in zip(finding.case.sides, finding.rows, strict=True)
    )


def _is_of_others(side: Side) -> bool:
    """Whether the row may be somebody else's, of whom nothing is shown."""
    return side.row.read.hung is not None


def report(
    checked: _CheckedRules, record_of: Callable[[Basis], BasisRecord | None]
) -> ConflictReport:
    """Return the value of the schema: each side with the ``recordId`` of its record."""
    findings = [
        _conflict(finding, bases, checked.numbers, record_of) for finding, bases in checked.findings
    ]
    is_open = bool(checked.unchecked) and not findings
    return ConflictReport(None if is_open else findings, list(checked.unchecked))


def _conflict(
    finding: ConflictFinding,
    bases: Sequence[Basis],
    numbers: frozenset[str],
    record_of: Callable[[Basis], BasisRecord | None],
) -> PersonConflict:
    rule, case = finding.rule, finding.case
    sides = [
        _side(side, basis, numbers, record_of(basis))
        for side, basis in zip(case.sides, bases, strict=True)
    ]
    prevails = None if case.prevails is None else sides[case.prevails]
    return PersonConflict(rule.code, rule.severity, sides, prevails, rule.legal_basis, rule.advice)


def _side(
    side: Side, basis: Basis, numbers: frozenset[str], named: BasisRecord | None
) -> ConflictSide:
    record, answer = basis.facts.record, basis.facts.answer
    return ConflictSide(
        record.database,
        record.name,
        None if named is None or _is_of_others(side) else named.id,
        None if answer is None else answer.report.as_of,
        "; ".join(_shown_values(side, basis, numbers)),
    )


def _shown_values(side: Side, basis: Basis, numbers: frozenset[str]) -> Iterator[str]:
    """Yield what a side shows: field and value. Numbers of other people are left out."""
    for name in side.columns:
        value = basis.facts.value(basis.row, name)
        kind = basis.facts.record.column(name).field.kind
        if kind is not Kind.PERSON_NUMBER or value in numbers or name == "number":
            yield f"{to_camel_case(name)}: {'null' if value is None else value}"


DERIVED = DerivedView(
    database=PERSON,
    name="conflicts",
    type_name="ConflictsFact",
    title=Text(
        "các bản ghi về người này mâu thuẫn ở đâu",
        "where the records about the person contradict each other",
    ),
    value=ConflictReport,
    lists=tuple(_name(read) for read in _PROGRAM.reads if read.hung is None),
    later=tuple(
        LaterReads(_name(read), _MOST_NUMBERS) for read in _PROGRAM.reads if read.hung is not None
    ),
    compute=conflicts,
    arguments=("rules",),
    reads_what_is_shown=True,
    complete_value=report,
)
