"""Read access logs of people, beside everything else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.audit.access_log.page import log_problem
from gateway.audit.touched import note_log
from gateway.errors import GatewayError
from gateway.execution.batch import PlanBatch
from gateway.execution.parts import PersonPart
from gateway.plan.list_arguments import parse_log_arguments
from gateway.plan.plan import AccessLogPlan


def read_logs(batch: PlanBatch, plan: AccessLogPlan, people: Sequence[PersonPart]) -> None:
    """Start to read the access logs of ``people``."""
    batch.has_read_log = True
    for person in people:
        batch.spawn(_read_log(batch, plan, person))


async def _read_log(batch: PlanBatch, plan: AccessLogPlan, person: PersonPart) -> None:
    """Read the access log of one person: reading it is logged too."""
    path, locations = plan.place.steps, plan.place.locations
    assert person.plan is not None
    assert person.numbers is not None
    try:
        arguments = batch.arguments_of(plan.arguments)
        assert isinstance(arguments, Mapping)
        page = await batch.rules.access_log(
            person.numbers, person.is_own_view, parse_log_arguments(arguments)
        )
    except GatewayError as error:
        person.problem(error, path, locations)
    else:
        person.note_state(note_log(person.add_sections(), page.state), page.state)
        person.logs[person.plan.logs.index(plan)] = page
        if page.state.has_rows and person.reason is not None:
            person.note_shortfall(person.reason, path)
        problem = log_problem(page)
        if problem is not None:
            person.problem(problem, path, locations)
    batch.finish(person)
