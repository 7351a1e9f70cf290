"""Deferred fragments of an answer, and the data of their fields once these are complete.

``gateway.execution.incremental`` decides which payload has what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.cache.answer_store import Used
from gateway.errors import Path
from gateway.execution.batch import PlanBatch
from gateway.execution.emit import emit_increment, emit_roots
from gateway.execution.parts import AnswerPart, Member, PersonPart
from gateway.execution.state import ExecutionState
from gateway.plan.plan import PersonRootPlan
from gateway.plan.selection import FragmentShape
from gateway.shape.response import merge_denials, render_problem

#: Returns data, noting in the state what stands beside them, and entries as ``emit`` does.
EmitFields = Callable[
    [ExecutionState, list[Used] | None], tuple[dict[str, object], list[Used] | None]
]


@dataclass(slots=True, eq=False)
class FieldDelivery:
    """Fields of an object that are delivered together.

    ``path``: of the object. ``parts``: what has to be done for them.
    """

    path: Path
    parts: Sequence[AnswerPart]
    emit: EmitFields
    is_delivered: bool = False


@dataclass(slots=True, eq=False)
class FragmentDelivery:
    """A deferred fragment of an object. ``id``: None until it is announced."""

    shape: FragmentShape
    path: Path
    parent: FragmentDelivery | None
    fields: list[FieldDelivery] = field(default_factory=list)
    id: str | None = None
    is_delivered: bool = False

    @property
    def remaining(self) -> list[FieldDelivery]:
        """What is in no payload yet."""
        return [fields for fields in self.fields if not fields.is_delivered]

    @property
    def is_complete(self) -> bool:
        """Whether nothing of it has to be waited for."""
        return not any(is_any_pending(fields.parts) for fields in self.remaining)

    @property
    def is_due(self) -> bool:
        """Whether it is announced and complete, and not delivered."""
        return self.id is not None and not self.is_delivered and self.is_complete

    @property
    def is_next(self) -> bool:
        """Whether it may be announced: the fragment around it has been delivered."""
        return self.parent is None or self.parent.is_delivered


def is_any_pending(parts: Iterable[AnswerPart]) -> bool:
    """Say whether something of ``parts`` has to be waited for."""
    return any(part.pending for part in parts)


def set_apart(member: Member) -> Member:
    """Return ``member`` with room apart for a root field and what stands beside it."""
    return replace(member, state=ExecutionState(member.state.limits), roots={}, named={})


def emit_deferred_root(
    batch: PlanBatch, holder: Member, state: ExecutionState, used: list[Used] | None
) -> tuple[dict[str, object], list[Used] | None]:
    """Return the data of a deferred root field, as ``EmitFields``. ``holder``: has nothing else."""
    state.add(holder.state)  # why it was refused at once
    holder.state = state
    data, of_root = emit_roots(batch, holder)
    return data, None if used is None or of_root is None else [*used, *of_root]


def emit_deferred_fields(
    batch: PlanBatch,
    root: PersonRootPlan,
    part: PersonPart,
    path: Path,
    section: tuple[str, ...],
    state: ExecutionState,
    used: list[Used] | None,
) -> tuple[dict[str, object], list[Used] | None]:
    """Return the data of fields of a person, as ``EmitFields``.

    ``section``: the response key of the section whose fields they are, nothing for the person's.
    """
    data, used = emit_increment(batch, root, part, path, state, used)
    for key in section:
        data = data[key] if isinstance(data, dict) else None
    if not isinstance(data, dict):  # the person is shown already
        raise RuntimeError("a person was opened, and not once more")
    return data, used


def emit_later(
    state: ExecutionState, fields: FieldDelivery
) -> tuple[dict[str, object], list[dict[str, object]]]:
    """Return the data and errors of fields, and note in ``state`` who was touched."""
    data, _ = fields.emit(state, None)
    state.report_shortfalls()
    errors = merge_denials([render_problem(problem) for problem in state.problems])
    state.problems, state.shortfalls = [], []
    fields.is_delivered = True
    return data, errors


def is_hidden(data: Mapping[str, object], path: Path) -> bool:
    """Say whether the object at ``path`` is null, or one around it. It may not be there yet."""
    value: Any = data
    for step in path:
        if isinstance(value, Mapping) and step not in value:
            return False
        value = value[step]
        if value is None:
            return True
    return False


def put_fields(
    data: dict[str, object],
    path: Path,
    fields: Mapping[str, object],
    orders: Mapping[tuple[str, ...], tuple[str, ...]],
) -> None:
    """Put fields into the object at ``path``, in their order.

    What is on the way is copied: others may show it too.
    """
    target: Any = data
    for step in path:
        value = target[step]
        target[step] = [*value] if isinstance(value, list) else {**value}
        target = target[step]
    values = {**target, **fields}
    target.clear()
    order = orders[tuple(step for step in path if isinstance(step, str))]
    target.update({key: values[key] for key in order if key in values})
