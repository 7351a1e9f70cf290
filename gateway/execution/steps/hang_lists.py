"""Read lists by other keys than people's numbers: of the rows they hang on, or of a thing."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.audit.touched import note_read
from gateway.execution.batch import PlanBatch, Step
from gateway.execution.pages import HangingList, RowSteps, load_page
from gateway.fetch.reads import ReadColumn
from gateway.plan.plan import ListPlan


def hang_lists(
    batch: PlanBatch, plan: ListPlan, entries: Sequence[HangingList], step: Step, steps: RowSteps
) -> None:
    """Read the list ``plan`` for each of ``entries``. ``step``: this step, for those who wait."""
    arguments = batch.list_arguments(plan)
    read = plan.read.with_freshness(arguments.fresh)
    for entry in entries:
        part = entry.part
        answer = batch.answer(part, read, plan.open_up_to, entry.keys, None)
        if isinstance(answer, ReadColumn):
            batch.wait(answer, step, plan, (entry,))
            continue
        note_read(part.add_sections(), plan.read.record, answer)
        entry.target[entry.place] = load_page(
            batch, part, plan, answer, arguments, entry.path, steps
        )
        batch.finish(part)
