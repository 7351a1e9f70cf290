"""Verify people: compare what is claimed of a person with what the population database holds."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from gateway.audit.touched import note_read
from gateway.errors import GatewayError
from gateway.execution.batch import PlanBatch, Step
from gateway.execution.parts import VerificationPart
from gateway.execution.resolve import resolve_number
from gateway.fetch.reads import ReadColumn
from gateway.plan.plan import VerifyPlan


def verify_people(
    batch: PlanBatch, plan: VerifyPlan, parts: Sequence[VerificationPart], step: Step
) -> None:
    """Verify the people of ``parts``. ``step``: this step, for those who have to wait."""
    for part in parts:
        try:
            is_done = _verify(batch, plan, part, step)
        except GatewayError as error:
            part.problem(error, (), plan.place.locations)
            is_done = True
        if is_done:
            batch.finish(part)


def _verify(batch: PlanBatch, plan: VerifyPlan, part: VerificationPart, step: Step) -> bool:
    """Verify one person; returns whether that is done. Raises GatewayError."""
    verification = plan.verification
    record = verification.record
    numbers = resolve_number(batch, part, part.number)
    if isinstance(numbers, ReadColumn):
        batch.wait(numbers, step, plan, (part,))
        return False
    if part.attempt is None:
        part.attempt = batch.rules.attempt(numbers)
        if part.attempt is not None:
            go_on = partial(batch.schedule, step, plan, (part,))
            batch.attempts.append((part.place, part.attempt, go_on))
            return False
    assert part.claimed is not None
    part.verification, answer = batch.rules.verify(
        numbers, part.claimed, verification, part.attempt
    )
    error = batch.rules.problem(record, answer)
    if error is not None:
        part.problem(error, (), plan.place.locations)
    part.note_state(f"{record.database}.{record.name}", answer.report.state)
    if answer.rows is not None:
        part.touched = numbers
        note_read(part.add_sections(), record, answer)
    return True
