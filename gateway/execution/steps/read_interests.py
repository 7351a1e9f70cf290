"""Read who follows the events of people, beside everything else."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.answer import State
from gateway.audit.touched import note_interests
from gateway.errors import GatewayError
from gateway.execution.batch import PlanBatch
from gateway.execution.parts import PersonPart
from gateway.plan.plan import InterestsPlan


def read_interests(batch: PlanBatch, plan: InterestsPlan, people: Sequence[PersonPart]) -> None:
    """Start to read the interests in ``people``."""
    batch.has_read_log = True
    for person in people:
        batch.spawn(_read_interests(batch, plan, person))


async def _read_interests(batch: PlanBatch, plan: InterestsPlan, person: PersonPart) -> None:
    """Read the interests in one person: reading them is logged too."""
    path, locations = plan.place.steps, plan.place.locations
    assert person.plan is not None
    assert person.numbers is not None
    try:
        state, interests = await batch.rules.interests(person.numbers, person.is_own_view)
    except GatewayError as error:
        person.problem(error, path, locations)
    else:
        person.note_state(note_interests(person.add_sections(), state), state)
        person.logs[person.plan.logs.index(plan)] = interests
        if state is State.UNAVAILABLE:
            person.problem(GatewayError("EVENTS_UNAVAILABLE"), path, locations)
        elif person.reason is not None:
            person.note_shortfall(person.reason, path)
    batch.finish(person)
