"""Deriving views: what both executors make of a view's conclusion, and how one field is derived.

What a view rests on may be withheld from the caller. So its answer shows the value, the states of
lists that are not withheld, and of the records only those that the caller may read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import cache

from connectors.description import Record, Sensitivity
from gateway.answer import Answer, Identification, SourceReport, State
from gateway.catalogue.read import Read
from gateway.catalogue.sections import DerivedBinding
from gateway.derived.conclude import (
    DerivedValue,
    FactValue,
    MayShow,
    ReadEvidence,
    Subject,
    evaluate,
    parse_question,
    worst_used,
)
from gateway.derived.view import (
    Basis,
    BasisRecord,
    Conclusion,
    Facts,
    Question,
    RelatedPerson,
    UnknownReason,
)
from gateway.errors import GatewayError
from gateway.execution.decisions import RecordRules
from gateway.fetch.reads import SubjectNumbers
from gateway.people.numbers import PersonNumbers
from gateway.procedures.procedure import is_for

#: Finds out whose a number is; raises GatewayError TOO_MANY_PERSONS.
Resolve = Callable[[str], Awaitable[PersonNumbers]]
#: A list and the keys under which it is read.
_ListKey = tuple[str, tuple[str, ...]]


def question_of(
    rules: RecordRules,
    computed: DerivedBinding,
    arguments: Mapping[str, object],
    is_own_view: bool,
) -> Question:
    """Return what a derived view is asked; raises GatewayError INVALID_VALUE."""
    history_purposes = computed.derived.history_purposes
    may_ask_history = (
        history_purposes is None or is_own_view or is_for(rules.caller.purpose, history_purposes)
    )
    return parse_question(arguments, rules.today, may_ask_history)


def related_person(numbers: PersonNumbers) -> RelatedPerson:
    """Return somebody to whom records lead, as derived views know them."""
    if numbers.conflict:
        return RelatedPerson((), numbers.identification, is_shared=True)
    return RelatedPerson(numbers.all, numbers.identification)


def may_show(rules: RecordRules, is_own_view: bool) -> MayShow:
    """Return what says whether the caller may see a column of a person's records.

    It decides each column once: a view of many columns asks for all of them for each person.
    """
    open_up_to = Sensitivity.RESTRICTED if is_own_view else None

    @cache
    def may_show_column(record: Record, column: str) -> bool:
        if rules.decide(record, open_up_to) is not None or rules.protection.opens_on_death(record):
            return False
        return not rules.missing(record, record.positions[column], open_up_to)

    return may_show_column


async def derive(
    rules: RecordRules,
    computed: DerivedBinding,
    subject: Subject,
    question: Question,
    resolve: Resolve,
) -> tuple[Conclusion, ReadEvidence]:
    """Return what a derived view concludes about ``subject``, and from what.

    One wave after the other: for the reference executor. Raises what ``resolve`` raises.
    """
    answers: dict[_ListKey, Answer] = {}
    subjects: dict[_ListKey, SubjectNumbers] = {}
    people: dict[str, RelatedPerson] = {}
    shows = may_show(rules, subject.is_own_view)

    def find_answer(
        name: str, keys: tuple[str, ...], subject_numbers: SubjectNumbers
    ) -> Answer | None:
        subjects[name, keys] = subject_numbers
        return answers.get((name, keys))

    while True:
        evidence = ReadEvidence(
            computed.derived,
            computed.reads,
            subject,
            question,
            find_answer,
            people.get,
            shows,
        )
        conclusion = evaluate(evidence)
        if conclusion is not None:
            return conclusion, evidence
        loads = (
            _read(rules, Read(*computed.reads[name]), keys, subjects[name, keys])
            for name, keys in evidence.needs.lists
        )
        loaded = await asyncio.gather(*loads)
        answers.update(zip(evidence.needs.lists, loaded, strict=True))
        resolved = await asyncio.gather(*(resolve(number) for number in evidence.needs.people))
        for number, numbers in zip(evidence.needs.people, resolved, strict=True):
            people[number] = related_person(numbers)


async def _read(
    rules: RecordRules, read: Read, keys: Sequence[str], subject_numbers: SubjectNumbers
) -> Answer:
    loads = (rules.loaders.load(read, key, subject_numbers) for key in keys)
    return rules.evidence_answer(read.record, await asyncio.gather(*loads))


def answer_view(
    rules: RecordRules, conclusion: Conclusion, evidence: ReadEvidence
) -> DerivedValue | FactValue:
    """Return the answer of a derived view.

    The state of a person who is not identified must not show whether there are rows.
    """
    question, identification = evidence.question, evidence.identification
    has_rows = identification is not Identification.NOT_IDENTIFIED
    state, used = State.DENIED, worst_used(evidence)
    if used is not None:
        record, answer = used
        report = rules.report_for_person(record.database, answer.report, identification, has_rows)
        if not evidence.derived.is_of_person:
            return DerivedValue(conclusion.value, question.valid_on, report)
        state = report.state
    names = _named_basis(rules, conclusion, evidence)
    value, complete_value = conclusion.value, evidence.derived.complete_value
    if complete_value is not None and conclusion.reason is None:
        value = complete_value(value, names.get)
    return FactValue(
        value,
        state,
        conclusion.reason,
        question.valid_on,
        question.recorded_by,
        None if conclusion.reason else tuple(names.values()),
        tuple(_reports(rules, evidence, has_rows)),
    )


def denied_view(
    rules: RecordRules, computed: DerivedBinding, question: Question
) -> DerivedValue | FactValue:
    """Return what a derived view answers that the caller may not ask."""
    derived, valid_on = computed.derived, question.valid_on
    if derived.is_of_person:
        reason, recorded_by = UnknownReason.DENIED, question.recorded_by
        return FactValue(None, State.DENIED, reason, valid_on, recorded_by, None, ())
    record = computed.reads[derived.lists[0]][0]
    report = rules.sources[record.database].report(record, State.DENIED)
    return DerivedValue(None, valid_on, report)


def view_problem(rules: RecordRules, evidence: ReadEvidence) -> tuple[GatewayError | None, bool]:
    """Return what to say in ``errors`` of a view, and whether there were rows to read at all.

    How many records could not be read is told to those who may read the list.
    """
    used = worst_used(evidence)
    if used is None:
        return None, False
    record, answer = used
    error = rules.problem(record, answer)
    if evidence.derived.is_of_person:
        open_up_to = Sensitivity.RESTRICTED if evidence.is_own_view else None
        error = evidence_problem(rules, record, answer, open_up_to)
    return error, answer.rows is not None


def evidence_problem(
    rules: RecordRules, record: Record, answer: Answer, open_up_to: Sensitivity | None
) -> GatewayError | None:
    """Return what to say in ``errors`` of a list that a conclusion rests on; None: nothing.

    How many records could not be read is told to those who may read the list.
    """
    error = rules.problem(record, answer)
    if error is None or not answer.unreadable or rules.decide(record, open_up_to) is None:
        return error
    return GatewayError("BAD_RECORD", details={"database": record.database, "record": record.name})


def _reports(rules: RecordRules, evidence: ReadEvidence, has_rows: bool) -> Iterator[SourceReport]:
    """Yield the worst report of each list that a fact rests on, but not of withheld ones."""
    worst_of: dict[str, tuple[Record, SourceReport]] = {}
    for facts in evidence.used.values():
        assert facts.answer is not None
        report = facts.answer.report
        before = worst_of.get(facts.name)
        if before is None or report.state.seriousness > before[1].state.seriousness:
            worst_of[facts.name] = facts.record, report
    for record, report in worst_of.values():
        if not rules.protection.is_withheld(record, rules.caller, evidence.is_own_view):
            identification = evidence.identification
            yield rules.report_for_person(record.database, report, identification, has_rows)


def _named_basis(
    rules: RecordRules, conclusion: Conclusion, evidence: ReadEvidence
) -> dict[Basis, BasisRecord]:
    """Return the records that a value rests on, as far as the caller may read them, by basis."""
    names: dict[Basis, BasisRecord] = {}
    for basis in dict.fromkeys(conclusion.basis):
        facts, record = basis.facts, basis.facts.record
        open_up_to = _open_up_to(evidence, facts)
        if rules.decide(record, open_up_to) or rules.protection.opens_on_death(record):
            continue
        assert facts.answer is not None
        (record_id,) = rules.record_ids.of(
            record, facts.answer.rows or (), [basis.row], rules.visibility(open_up_to)
        )
        as_of = facts.answer.report.as_of
        names[basis] = BasisRecord(record.database, record.name, record_id, as_of)
    return names


def _open_up_to(evidence: ReadEvidence, facts: Facts) -> Sensitivity | None:
    """Return up to what sensitivity a list is the citizen's own; None: it is somebody else's."""
    is_own = (facts.name, evidence.numbers) in evidence.used
    is_this = is_own and evidence.used[facts.name, evidence.numbers] is facts
    return Sensitivity.RESTRICTED if evidence.is_own_view and is_this else None
