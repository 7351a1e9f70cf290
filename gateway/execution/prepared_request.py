"""An operation as somebody asks it, and what was made ready to answer it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.access.caller import Caller
from gateway.operations.operation import Published
from gateway.plan.compile import AnalysedOperation, SelectedOperation
from gateway.plan.permissions import Permissions
from gateway.plan.plan import Plan


@dataclass(frozen=True, slots=True)
class Asked:
    """An operation as somebody asks it. ``deadline``: of the clock's monotonic time.

    ``published``: the published operation that is called, with whose plans it is answered.
    """

    chosen: SelectedOperation
    given: Mapping[str, object] | None
    caller: Caller
    deadline: float
    published: Published | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """An operation about persons, ready to run.

    ``arguments``: what came of those that need variables. ``cost``: the most that it may make the
    gateway read. ``unplanned``: why the reference executor has to answer, where there is no plan.
    """

    prepared: AnalysedOperation
    permissions: Permissions
    plan: Plan | None
    arguments: Sequence[object]
    cost: int
    unplanned: str | None
