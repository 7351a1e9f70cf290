"""Check procedures: open the people of a case, read what rules ask for, then conclude.

All lists of the first wave are asked for beside the numbers, as for people who are shown
(``gateway.execution.steps.open_people``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.answer import Answer
from gateway.derived.people import numbers_in
from gateway.derived.view import RelatedPerson
from gateway.errors import GatewayError
from gateway.execution.batch import PlanBatch, Step
from gateway.execution.check_progress import CheckProgress
from gateway.execution.checking import (
    ProcedureCheck,
    answer_check,
    check_answer,
    check_kin,
    check_problems,
    check_states,
    checked_people,
    require_distinct_people,
)
from gateway.execution.derivation import related_person
from gateway.execution.parts import CheckPart
from gateway.execution.rechecking import compare_check
from gateway.execution.resolve import resolve_number
from gateway.fetch.reads import ReadColumn
from gateway.people.numbers import PersonNumbers, is_present_number
from gateway.plan.plan import CheckPlan


def check_procedures(
    batch: PlanBatch, plan: CheckPlan, parts: Sequence[CheckPart], step: Step
) -> None:
    """Check the cases of ``parts``. ``step``: this step, for those that have to wait."""
    for part in parts:
        try:
            column = _open_people(batch, plan, part) or _check(batch, plan, part)
        except GatewayError as error:
            part.problem(error, (), plan.place.locations)
            column = None
        if column is None and part.check is not None and plan.shows_timestamp:
            batch.spawn(_stamp(batch, part, part.check))
        elif column is None:
            batch.finish(part)
        else:
            batch.wait(column, step, plan, (part,))


def _open_people(batch: PlanBatch, plan: CheckPlan, part: CheckPart) -> ReadColumn | None:
    """Find out whose the numbers are; returns what has to arrive first. Raises GatewayError."""
    if part.people is not None:
        return None
    assert part.arguments is not None
    _read_ahead(batch, plan, part)
    missing: ReadColumn | None = None
    people: dict[str, list[PersonNumbers]] = {}
    for role, named in part.named.items():
        resolved = [resolve_number(batch, part, number) for number in named]
        people[role] = [numbers for numbers in resolved if isinstance(numbers, PersonNumbers)]
        columns = [column for column in resolved if isinstance(column, ReadColumn)]
        missing = missing or (columns[0] if columns else None)
    if missing is not None:
        return missing
    require_distinct_people(people)
    part.people = people
    return None


def _read_ahead(batch: PlanBatch, plan: CheckPlan, part: CheckPart) -> None:
    """Ask for the lists of the first wave under the numbers at hand, once."""
    if part.reads_ahead:
        return
    part.reads_ahead = True
    assert part.arguments is not None
    definition = part.arguments.binding.definition
    reads = plan.reads[definition.name]
    for role, names in definition.roles.items():
        numbers = [number for number in part.named.get(role, ()) if is_present_number(number)]
        for name in names if numbers else ():
            batch.reads.column(reads[name], part.asker).ask(numbers)
    for field, names in definition.things.items():
        for name in names if field in part.arguments.keys else ():
            batch.reads.column(reads[name], part.asker).ask(part.arguments.keys[field])


@dataclass(slots=True)
class _ArrivedReads:
    """What has arrived for a case."""

    batch: PlanBatch
    plan: CheckPlan
    part: CheckPart

    def find_answer(
        self, name: str, keys: tuple[str, ...], subject_numbers: tuple[str, ...]
    ) -> Answer | None:
        arguments = self.part.arguments
        assert arguments is not None
        read = self.plan.reads[arguments.binding.definition.name][name]
        arrived = self.batch.arrived(self.part, read, keys, subject_numbers)
        if isinstance(arrived, ReadColumn):
            return None
        return check_answer(self.batch.rules, arguments, name, read.record, arrived)

    def find_person(self, number: str) -> RelatedPerson | None:
        numbers = resolve_number(self.batch, self.part, number)
        return None if isinstance(numbers, ReadColumn) else related_person(numbers)

    def missing(self, progress: CheckProgress) -> ReadColumn | None:
        """Return a column that has not arrived of what the case lacks, None where all has."""
        arguments = progress.arguments
        reads = self.plan.reads[arguments.binding.definition.name]
        for name, keys in progress.lists:
            column = self.batch.reads.column(reads[name], self.part.asker)
            if not all(key in column.answers for key in keys):
                return column
        # Each is looked at: whose number needs another wave is asked about in the same one.
        resolved = [resolve_number(self.batch, self.part, number) for number in progress.people]
        return next((column for column in resolved if isinstance(column, ReadColumn)), None)


def _check(batch: PlanBatch, plan: CheckPlan, part: CheckPart) -> ReadColumn | None:
    """Evaluate a case; returns what has to arrive first, None when done. Raises GatewayError."""
    arguments, people, recipient = part.arguments, part.people, part.recipient
    assert arguments is not None
    assert people is not None
    assert recipient is not None
    reads = _ArrivedReads(batch, plan, part)
    progress = part.progress
    if progress is None:
        progress = part.progress = CheckProgress.begin(batch.rules, arguments, people)
    conclusion = None
    while conclusion is None:
        # All that is lacking first: to evaluate a case costs more than to wait for its last list.
        missing = reads.missing(progress)
        if missing is not None:
            return missing
        conclusion = progress.advance(reads.find_answer, reads.find_person)
    case = progress.case
    for error in check_problems(batch.rules, case):
        part.problem(error, (), plan.place.locations)
    part.touched = checked_people(arguments, people, case)
    for name, state in check_states(case).items():
        part.note_state(name, state)
    part.kin = check_kin(case) or None
    part.used = None
    part.check = answer_check(batch.rules, arguments, case, conclusion, recipient)
    if part.before is not None:
        part.recheck = compare_check(part.before, part.check)
    part.note_mentions(numbers_in([*vars(part.check.results).values()]))
    return None


async def _stamp(batch: PlanBatch, part: CheckPart, check: ProcedureCheck) -> None:
    """Have the receipt of a check stamped, which is shown then."""
    await check.issued.stamp(check)
    batch.finish(part)
