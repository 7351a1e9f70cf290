"""Checking procedures: what both executors make of a case, and how one is checked.

The rules of a check are in ``gateway.procedures``. Here its people are given evidence, and what the
check comes to is turned into what the caller may see of it.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, partial
from types import SimpleNamespace

from strawberry.utils.str_converters import to_camel_case

from connectors.description import Database, Record, Text
from gateway.access.caller import Caller
from gateway.answer import Answer, Identification, SourceReport, State
from gateway.audit.touched import kin_of, note_evidence
from gateway.catalogue.checks import CheckBinding
from gateway.catalogue.read import Read
from gateway.derived.conclude import FindAnswer, FindPerson, ReadEvidence, Subject
from gateway.derived.view import Basis, BasisRecord, Question, RelatedPerson, UnknownReason
from gateway.errors import GatewayError
from gateway.execution.decisions import RecordRules
from gateway.execution.derivation import evidence_problem, related_person
from gateway.fetch.reads import SubjectNumbers
from gateway.people.matching import open_person, require_matching
from gateway.people.numbers import PersonNumbers
from gateway.plan.check_arguments import CheckArguments, input_as_json
from gateway.procedures.checks.definition import Deadline
from gateway.procedures.checks.evaluate import (
    CheckCase,
    CheckConclusion,
    PaperState,
    evaluate_check,
)
from gateway.procedures.checks.rule import AnyOf, Outcome, RuleState
from gateway.procedures.procedure import is_for
from gateway.procedures.registry import ALL
from gateway.receipts.issue import ReceiptIssuer, Recipient, ShownCheck, ShownRule
from gateway.receipts.timestamps import UNAVAILABLE, ReceiptTimestamp

#: The states of a database that somebody has to be called about.
_SILENT = frozenset(
    {State.UNAVAILABLE, State.TIMED_OUT, State.MAINTENANCE, State.NOT_OPERATING, State.STALE}
)
#: Whose numbers each role of a case has.
RoleNumbers = Mapping[str, Sequence[PersonNumbers]]


@dataclass(frozen=True, slots=True)
class RuleCheck:
    """A rule of a check as it is shown. ``group``: the code of the group it stands in.

    ``evidence``: the records that it rests on, as far as the caller may read them.
    """

    code: str
    title: Text
    group: str | None
    state: RuleState
    reason: UnknownReason | None
    sentence: Text
    law: Text
    evidence: tuple[BasisRecord, ...]


@dataclass(frozen=True, slots=True)
class GroupCheck:
    """A group of rules as it is shown. ``any_suffices``: one of them is enough."""

    code: str
    title: Text
    group: str | None
    any_suffices: bool
    state: RuleState


@dataclass(frozen=True, slots=True)
class PaperCheck:
    """A paper as it is shown. ``replaced_by``: the records whose data replace it."""

    code: str
    name: Text
    replaced_by: tuple[str, ...]
    state: PaperState


@dataclass(slots=True, eq=False)
class CheckReceipt:
    """The receipt of a check, issued when it is first read: the same text each time.

    ``issuer``: None for a receipt that was issued before, which nobody stamps any more.
    ``deadline``: in seconds of its clock's monotonic time. ``stamped``: its time stamp, once asked
    for.
    """

    issue: Callable[[ProcedureCheck], str]
    text: str | None = None
    issuer: ReceiptIssuer | None = None
    deadline: float = 0.0
    stamped: ReceiptTimestamp | None = None
    _stamping: asyncio.Task[ReceiptTimestamp] | None = None

    async def stamp(self, check: ProcedureCheck) -> ReceiptTimestamp:
        """Return the time stamp of the receipt; the authority is asked once."""
        if self.issuer is None:
            self.stamped = UNAVAILABLE
        elif self._stamping is None:
            left = self.deadline - self.issuer.clock.monotonic()
            self._stamping = asyncio.create_task(self.issuer.stamp(self.read(check), left))
        if self._stamping is not None:
            self.stamped = await self._stamping
        assert self.stamped is not None
        return self.stamped

    def read(self, check: ProcedureCheck) -> str:
        """Return the receipt of ``check``."""
        if self.text is None:
            self.text = self.issue(check)
        return self.text


@dataclass(frozen=True, slots=True)
class ProcedureCheck:
    """What a check of a procedure comes to. It advises; the officer decides.

    ``at``: the day whose law and ages count; ``facts_as_of``: when the first of the facts was read,
    which hold for that moment (UTC); None: no database was asked. ``silent``: the databases that
    did not answer. ``results``: what the procedure asks beyond the outcome. ``lists``: the names of
    the lists (``database.lookup``) that ``sources`` are of.
    """

    code: str
    title: Text
    outcome: Outcome
    at: date
    facts_as_of: datetime | None
    law: tuple[str, ...]
    competent_body: Text
    deadline: Deadline | None
    rules: tuple[RuleCheck, ...]
    groups: tuple[GroupCheck, ...]
    papers: tuple[PaperCheck, ...]
    sources: tuple[SourceReport, ...]
    silent: tuple[Database, ...]
    results: SimpleNamespace
    lists: tuple[str, ...]
    issued: CheckReceipt

    @property
    def receipt(self) -> str:
        """The signed receipt; it is issued when it is read."""
        return self.issued.read(self)

    @property
    def timestamp(self) -> ReceiptTimestamp | Awaitable[ReceiptTimestamp]:
        """The time stamp of the receipt; awaitable until the authority was asked."""
        return self.issued.stamped or self.issued.stamp(self)

    @property
    def to_bring(self) -> list[PaperCheck]:
        """The papers that have to be brought, or may have to be."""
        return [paper for paper in self.papers if paper.state is not PaperState.REPLACED]


@dataclass(frozen=True, slots=True)
class CheckedPerson:
    """Somebody in a case, for the journal. ``sections``: the role, and the lists read."""

    numbers: PersonNumbers
    sections: frozenset[str]


def require_check(rules: RecordRules, binding: CheckBinding) -> None:
    """Refuse a check that the caller may not make; raises GatewayError FORBIDDEN.

    The purpose must be the procedure itself: nobody learns by one what another would answer. The
    caller's scope has been decided with the plan. Raises MATCHING_REQUIRED where the client must
    know more of people than their numbers: a check takes no such details.
    """
    if not is_for(rules.caller.purpose, binding.procedure.codes):
        missing = [f"purpose:{binding.procedure.codes[0]}"]
        raise GatewayError("FORBIDDEN", details={"missing": missing})
    require_matching(rules.matching, None)


def role_numbers(arguments: CheckArguments) -> dict[str, tuple[str, ...]]:
    """Return the numbers that stand in each role, as they were named.

    Raises GatewayError INVALID_VALUE for too many, or for none where somebody must.
    """
    definition, named = arguments.binding.definition, {}
    for role in definition.role_definitions:
        value = getattr(arguments.input, role.name)
        numbers = tuple(value) if role.is_many and value else (value,) if value else ()
        if len(numbers) > definition.most:
            raise GatewayError("INVALID_VALUE", f"at most {definition.most} in one role")
        if role.is_required and not numbers:
            raise GatewayError("INVALID_VALUE", "nobody stands in a role that needs somebody")
        named[role.name] = numbers
    return named


def require_distinct_people(people: RoleNumbers) -> None:
    """Refuse numbers that lead to nobody or to several, and a person who stands in two roles.

    Raises GatewayError NUMBER_CONFLICT, NUMBER_UNRESOLVED or SAME_PERSON.
    """
    everybody = [numbers for role in people.values() for numbers in role]
    for numbers in everybody:
        open_person(numbers)
    if len({numbers.present or numbers.requested for numbers in everybody}) < len(everybody):
        raise GatewayError("SAME_PERSON")


def make_case(
    rules: RecordRules,
    arguments: CheckArguments,
    people: RoleNumbers,
    find_answer: FindAnswer,
    find_person: FindPerson,
) -> CheckCase:
    """Return the case of ``people``, with evidence that is found by the two functions."""
    binding, question = arguments.binding, Question(rules.today, rules.today)

    def evidence(numbers: tuple[str, ...], identification: Identification) -> ReadEvidence:
        subject = Subject(numbers, identification, is_own_view=False)
        return ReadEvidence(
            binding.definition.view,
            binding.reads,
            subject,
            question,
            find_answer,
            find_person,
            _shows_nothing,
        )

    by_role = {
        role: tuple(evidence(numbers.all, numbers.identification) for numbers in holders)
        for role, holders in people.items()
    }
    things = evidence((), Identification.IDENTIFIED)
    return CheckCase(
        arguments.input,
        arguments.at,
        rules.today,
        by_role,
        things,
        arguments.keys,
        frozenset(rules.special_areas),
    )


def _shows_nothing(record: Record, column: str) -> bool:
    return False


def all_evidence(case: CheckCase) -> Iterator[ReadEvidence]:
    """Yield the evidence of everybody in the case, and of its things."""
    for holders in (*case.evidence.values(), (case.things,)):
        for evidence in holders:
            assert isinstance(evidence, ReadEvidence)
            yield evidence


def is_complete(case: CheckCase) -> bool:
    """Say whether nothing was lacking when the case was evaluated."""
    return not any(evidence.needs for evidence in all_evidence(case))


def check_answer(
    rules: RecordRules,
    arguments: CheckArguments,
    name: str,
    record: Record,
    answers: Sequence[Answer],
) -> Answer:
    """Make one answer of those for several keys of the list ``name``, as a check rests on it."""
    if name in arguments.binding.definition.unprotected:
        return rules.merge(record, answers)
    return rules.evidence_answer(record, answers)


async def check_by_loading(
    rules: RecordRules,
    arguments: CheckArguments,
    people: RoleNumbers,
    resolve: Callable[[str], Awaitable[PersonNumbers]],
) -> tuple[CheckConclusion, CheckCase]:
    """Return what a check comes to, one wave after the other: for the reference executor.

    Raises what ``resolve`` raises.
    """
    answers: dict[tuple[str, tuple[str, ...]], Answer] = {}
    subjects: dict[tuple[str, tuple[str, ...]], SubjectNumbers] = {}
    related: dict[str, RelatedPerson] = {}
    definition, reads = arguments.binding.definition, arguments.binding.reads

    def find_answer(
        name: str, keys: tuple[str, ...], subject_numbers: SubjectNumbers
    ) -> Answer | None:
        subjects[name, keys] = subject_numbers
        return answers.get((name, keys))

    while True:
        case = make_case(rules, arguments, people, find_answer, related.get)
        conclusion = evaluate_check(definition, arguments.edition, case)
        if is_complete(case):
            return conclusion, case
        lacking = [key for key in subjects if key not in answers]
        loads = (
            _load(rules, Read(*reads[name], fresh=True), keys, subjects[name, keys])
            for name, keys in lacking
        )
        for (name, keys), loaded in zip(lacking, await asyncio.gather(*loads), strict=True):
            answers[name, keys] = check_answer(rules, arguments, name, reads[name][0], loaded)
        numbers = dict.fromkeys(
            number for evidence in all_evidence(case) for number in evidence.needs.people
        )
        resolved = await asyncio.gather(*(resolve(number) for number in numbers))
        for number, person_numbers in zip(numbers, resolved, strict=True):
            related[number] = related_person(person_numbers)


async def _load(
    rules: RecordRules, read: Read, keys: Sequence[str], subject_numbers: SubjectNumbers
) -> Sequence[Answer]:
    return await asyncio.gather(*(rules.loaders.load(read, key, subject_numbers) for key in keys))


def answer_check(
    rules: RecordRules,
    arguments: CheckArguments,
    case: CheckCase,
    conclusion: CheckConclusion,
    recipient: Recipient,
) -> ProcedureCheck:
    """Return what the caller may see of a check. ``recipient``: of its receipt."""
    procedure, edition = arguments.binding.procedure, conclusion.edition
    evidence = list(all_evidence(case))
    reports = shown_reports(rules, evidence)
    return ProcedureCheck(
        code=arguments.code,
        title=procedure.title,
        outcome=conclusion.outcome,
        at=arguments.at,
        facts_as_of=_facts_as_of(evidence),
        law=edition.law,
        competent_body=edition.body_for(case),
        deadline=edition.deadline,
        rules=tuple(
            RuleCheck(
                rule.rule.code,
                rule.rule.title,
                rule.groups[-1].code if rule.groups else None,
                rule.result.state,
                rule.result.reason,
                rule.result.sentence,
                rule.rule.law,
                tuple(_named_basis(rules, arguments, rule.result.basis)),
            )
            for rule in conclusion.rules
        ),
        groups=tuple(
            GroupCheck(
                group.group.code,
                group.group.title,
                group.groups[-1].code if group.groups else None,
                isinstance(group.group, AnyOf),
                group.state,
            )
            for group in conclusion.groups
        ),
        papers=tuple(
            PaperCheck(paper.paper.code, paper.paper.title, paper.paper.replaced_by, paper.state)
            for paper in conclusion.papers
        ),
        sources=tuple(shown.report for shown in reports),
        silent=tuple(_silent_databases(evidence)),
        results=SimpleNamespace(**{**_no_results(), **conclusion.results}),
        lists=tuple(shown.name for shown in reports),
        issued=CheckReceipt(
            partial(_issue_receipt, rules, arguments, recipient),
            issuer=rules.receipts,
            deadline=recipient.deadline,
        ),
    )


@cache
def _no_results() -> Mapping[str, None]:
    """Return what no procedure asks: the results of the others are null in each check."""
    checks = (procedure.check for procedure in ALL if procedure.check is not None)
    return {result.name: None for check in checks for result in check.results}


def recipient_of(
    request_id: str, caller: Caller, case_number: str | None, deadline: float = math.inf
) -> Recipient:
    """Return to whom the receipt of a check is issued; ``deadline``: of the request."""
    return Recipient(
        request_id, caller.client, caller.agency, caller.purpose, case_number, deadline
    )


def _issue_receipt(
    rules: RecordRules, arguments: CheckArguments, recipient: Recipient, check: ProcedureCheck
) -> str:
    """Return the receipt of what the caller sees of a check, and of nothing else."""
    assert rules.receipts is not None
    people = {
        to_camel_case(role): numbers for role, numbers in role_numbers(arguments).items() if numbers
    }
    whole = input_as_json(arguments.input)
    shown = ShownCheck(
        check.code,
        check.outcome,
        check.at,
        arguments.requested_at,
        check.facts_as_of,
        check.law,
        arguments.edition.since,
        [ShownRule(rule.code, rule.state, rule.reason, rule.evidence) for rule in check.rules],
        list(zip(check.lists, check.sources, strict=True)),
        [database.name for database in check.silent],
        people,
        {name: value for name, value in whole.items() if name not in people},
        whole,
    )
    return rules.receipts.issue(shown, recipient)


def _facts_as_of(evidence: Sequence[ReadEvidence]) -> datetime | None:
    reports = (
        facts.answer.report
        for person_evidence in evidence
        for facts in person_evidence.used.values()
        if facts.answer
    )
    return min((report.fetched_at for report in reports if report.fetched_at), default=None)


def _named_basis(
    rules: RecordRules, arguments: CheckArguments, bases: Sequence[Basis]
) -> Iterator[BasisRecord]:
    """Yield the records that a rule rests on, as far as the caller may read them."""
    for basis in dict.fromkeys(bases):
        facts, record = basis.facts, basis.facts.record
        if rules.decide(record, None) or rules.protection.opens_on_death(record):
            continue
        visible = rules.protection.visible_rows(record, (basis.row,), rules.caller)
        if not visible:
            continue
        assert facts.answer is not None
        rows = rules.protection.visible_rows(record, facts.answer.rows or (), rules.caller)
        (record_id,) = rules.record_ids.of(record, rows, visible, rules.visibility(None))
        yield BasisRecord(record.database, record.name, record_id, facts.answer.report.as_of)


@dataclass(frozen=True, slots=True)
class ShownReport:
    """The worst report of the list called ``name``, and the answer that it is of."""

    name: str
    record: Record
    answer: Answer
    report: SourceReport


def shown_reports(rules: RecordRules, evidence: Iterable[ReadEvidence]) -> list[ShownReport]:
    """Return the worst report of each list that was read of the people and things of a case.

    What was read of relatives, or is withheld from the caller, is not reported.
    """
    worst_of: dict[str, ShownReport] = {}
    for person_evidence in evidence:
        for (name, keys), facts in person_evidence.used.items():
            if facts.answer is None or (
                person_evidence.numbers and keys != person_evidence.numbers
            ):
                continue
            report = _report_of(rules, person_evidence, facts.answer, facts.record)
            before = worst_of.get(name)
            if before is None or report.state.seriousness > before.report.state.seriousness:
                worst_of[name] = ShownReport(name, facts.record, facts.answer, report)
    return [
        shown
        for shown in worst_of.values()
        if not rules.protection.is_withheld(shown.record, rules.caller, is_own_view=False)
    ]


def _report_of(
    rules: RecordRules, evidence: ReadEvidence, answer: Answer, record: Record
) -> SourceReport:
    if not evidence.numbers:  # found by the key of a thing
        return answer.report
    has_rows = evidence.identification is not Identification.NOT_IDENTIFIED
    return rules.report_for_person(
        record.database, answer.report, evidence.identification, has_rows
    )


def check_problems(rules: RecordRules, case: CheckCase) -> Iterator[GatewayError]:
    """Yield what to say in ``errors`` of a check: one error for each list that failed."""
    for shown in shown_reports(rules, all_evidence(case)):
        error = evidence_problem(rules, shown.record, shown.answer, None)
        if error is not None:
            yield error


def _silent_databases(evidence: Sequence[ReadEvidence]) -> Iterator[Database]:
    """Yield the databases that did not answer, whatever was read of them."""
    silent: dict[str, Database] = {}
    for person_evidence in evidence:
        for facts in person_evidence.used.values():
            if facts.answer is not None and facts.answer.report.state in _SILENT:
                database = facts.answer.report.database
                silent.setdefault(database.name, database)
    yield from silent.values()


def checked_people(
    arguments: CheckArguments, people: RoleNumbers, case: CheckCase
) -> list[CheckedPerson]:
    """Return who stands in a case and what of theirs was read, for the journal."""
    name = arguments.binding.definition.name
    checked = []
    for role, holders in people.items():
        for numbers, evidence in zip(holders, case.evidence[role], strict=True):
            assert isinstance(evidence, ReadEvidence)
            sections = {f"procedures.{name}.{role}"}
            note_evidence(sections, evidence)
            checked.append(CheckedPerson(numbers, frozenset(sections)))
    return checked


def check_states(case: CheckCase) -> dict[str, State]:
    """Return the worst state of each list that was read, of whomever, for the journal."""
    states: dict[str, State] = {}
    for evidence in all_evidence(case):
        for name, state in note_evidence(set(), evidence).items():
            before = states.get(name)
            if before is None or state.seriousness > before.seriousness:
                states[name] = state
    return states


def check_kin(case: CheckCase) -> list[tuple[str, tuple[str, ...]]]:
    """Return the number of each other person of whom lists were read, with these lists."""
    return [touched for evidence in all_evidence(case) for touched in kin_of(evidence)]
