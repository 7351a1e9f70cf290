"""Emit: from the parts of a batch to the result of one request.

The generated functions of the plan make the data of a part, once for all who show it. What stands
beside the data (errors, notices, the people touched) is put together for each request: a part does
not know where it stands in an answer.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.answer import State
from gateway.audit.touched import Role, note_numbers
from gateway.cache.answer_store import Used
from gateway.errors import Path
from gateway.execution.batch import PlanBatch
from gateway.execution.check_queue import CaseCheck, results_of_cases
from gateway.execution.operation import Result
from gateway.execution.parts import (
    AnswerPart,
    CheckPart,
    ListPart,
    LoadedList,
    Member,
    PersonPart,
    VerificationPart,
)
from gateway.execution.state import ExecutionState
from gateway.people.identification import Shortfall
from gateway.plan.plan import (
    CheckPlan,
    EntitiesPlan,
    LookupPlan,
    PersonRootPlan,
    ReadingRoot,
    VerifyPlan,
)
from gateway.shape.response import render_problem


def emit(batch: PlanBatch, member: Member) -> tuple[Result, list[Used] | None]:
    """Return the result of ``member``, and the entries of the cache that it was made of.

    They are None where anything else was used.
    """
    data, used = emit_roots(batch, member)
    return make_result(batch, member.state, data), used


def emit_roots(batch: PlanBatch, member: Member) -> tuple[dict[str, object], list[Used] | None]:
    """Return the data of the root fields of ``member``, and entries as in ``emit``.

    What stands beside the data is noted in the state of ``member``.
    """
    state = member.state
    data: dict[str, object] = {}
    used: list[Used] | None = []
    for key, value in member.roots.items():
        root = batch.plan.roots[key]
        if value is None or isinstance(value, str) or isinstance(root, str):
            data[key] = value
            continue
        several = isinstance(root, EntitiesPlan) or (
            isinstance(root, PersonRootPlan) and root.name == "persons"
        )
        if isinstance(root, CheckPlan) and root.takes_cases:
            used = None
            data[key] = [_emit_case(batch, member, root, *entry) for entry in enumerate(value)]
            continue
        numbers = member.named.get(key, ())
        values: list[object] = []
        for index, part in enumerate(value):
            path: Path = (*root.place.steps, index) if several else root.place.steps
            if part is not None:
                used = _replay(batch, state, part, path, used)
            if numbers and not _is_opened(part):
                for number in numbers if isinstance(root, CheckPlan) else (numbers[index],):
                    state.trail.note_refused(number)
            values.append(None if part is None else _render(batch, root, part))
        data[key] = values if several else values[0]
    return data, used


def make_result(batch: PlanBatch, state: ExecutionState, data: dict[str, object]) -> Result:
    """Return the result with ``data``, and what is noted in ``state`` beside it."""
    state.report_shortfalls()
    state.mirrored.sort(key=lambda notices: _place(batch, notices["path"]))
    return Result(
        data,
        [render_problem(problem) for problem in state.problems],
        state.mirrored,
        state.trail,
        state.states,
        unidentified=state.count_unidentified(),
        is_repeatable=not (batch.has_read_log or batch.has_matched),
        cases=results_of_cases(state),
    )


def emit_increment(
    batch: PlanBatch,
    root: PersonRootPlan,
    part: PersonPart,
    path: Path,
    state: ExecutionState,
    used: list[Used] | None,
) -> tuple[object, list[Used] | None]:
    """Return the data of fields of a person that are delivered later, and entries as in ``emit``.

    ``path``: of the person. The person was named already, and counted, in the first payload.
    """
    unidentified = state.unidentified
    used = _replay(batch, state, part, path, used)
    state.unidentified = unidentified
    return _render(batch, root, part), used


def _emit_case(
    batch: PlanBatch, member: Member, root: CheckPlan, index: int, part: AnswerPart | None
) -> object:
    """Return the data of a case of a queue, and note everything about it for that case alone."""
    assert isinstance(part, CheckPart)
    assert part.case is not None
    state = member.state.begin_case(part.case.case_number)
    _replay(batch, state, part, (*root.place.steps, index), None)
    if not _is_opened(part):
        state.note_refused(part.case.numbers)
    return root.render(CaseCheck(part.case.shown_number, part.check), batch.live)


def _render(batch: PlanBatch, root: ReadingRoot, part: AnswerPart) -> object:
    """Return the data of a part, None where there are none. Everybody who shows it shares them."""
    if part.data is not None:
        return part.data
    value: object = None
    if isinstance(root, VerifyPlan):
        assert isinstance(part, VerificationPart)
        if part.verification is not None:
            value = root.render(part.verification, batch.live)
    elif isinstance(root, CheckPlan):
        assert isinstance(part, CheckPart)
        answered = part.recheck or part.check
        value = None if answered is None else root.render(answered, batch.live)
    elif isinstance(root, LookupPlan):
        assert isinstance(part, ListPart)
        (loaded,) = part.target
        value = root.render(loaded, batch.live) if isinstance(loaded, LoadedList) else None
    else:
        assert isinstance(part, PersonPart)
        opened = part.entry if isinstance(root, EntitiesPlan) else root
        assert isinstance(opened, PersonRootPlan)
        value = opened.render(part, batch.live) if part.refusal is None else None
    part.data = value
    return value


def _place(batch: PlanBatch, path: object) -> tuple[int, ...]:
    assert isinstance(path, list)
    return (batch.plan.keys.index(path[0]), *path[1:])


def _replay(
    batch: PlanBatch,
    state: ExecutionState,
    part: AnswerPart,
    path: Path,
    used: list[Used] | None,
) -> list[Used] | None:
    """Add to ``state`` what ``part``, which stands at ``path``, has beside its data.

    Returns ``used`` and what the part used: entries of the cache, None once anything else was.
    """
    if used is not None:
        used = None if part.used is None else [*used, *part.used]
    if isinstance(part, PersonPart):
        if part.refusal is not None:
            state.problem(part.refusal, path, part.locations)
            return used
        _replay_person(batch, state, part)
        if part.mirrored is not None:
            state.mirrored.append({"path": list(path), "notices": part.mirrored})
    else:
        _replay_compared(state, part)
    for name, worst in (part.states or {}).items():
        state.note_state(name, worst)
    for problem in part.problems or ():
        state.problem(problem.error, (*path, *problem.path), problem.locations, problem.count)
    if part.shortfalls:
        _replay_shortfalls(state.shortfall(path, part.locations), part.shortfalls, path)
    for number, names in part.kin or ():
        state.trail.note_read(number, Role.KIN, names)
    for mention in part.mentions or ():
        note_numbers(state.trail, mention)
    for below, person in part.links or ():
        used = _replay(batch, state, person, (*path, *below), used)
    return used


def _replay_compared(state: ExecutionState, part: AnswerPart) -> None:
    """Note the people whom a verification or a check is about, and what of theirs was read."""
    if isinstance(part, VerificationPart) and part.touched is not None:
        sections = state.trail.note_opened(part.touched, Role.NAMED)
        sections.update(part.sections or ())
    elif isinstance(part, CheckPart):
        for person in part.touched:
            sections = state.open_person(person.numbers, Role.NAMED, is_named=True)
            sections.update(person.sections)


def _is_opened(part: AnswerPart | None) -> bool:
    """Say whether somebody whom a root field names was opened, or compared."""
    if isinstance(part, VerificationPart):
        return part.touched is not None
    if isinstance(part, CheckPart):
        return part.check is not None
    return isinstance(part, PersonPart) and part.refusal is None


def _replay_person(batch: PlanBatch, state: ExecutionState, person: PersonPart) -> None:
    """Note that a person was opened, and what of theirs was read."""
    plan = person.plan
    assert plan is not None
    assert person.numbers is not None
    names = batch.list_names(plan)
    if person.is_plain and person.sections is None and person.states is None:
        # Every list was plain: the same names for everybody.
        state.trail.note_read(person.requested_number, person.role, names)
        for name in names:
            state.states.setdefault(name, State.ANSWERED)
        return
    sections = state.open_person(person.numbers, person.role, person.role is Role.NAMED)
    sections.update(person.sections or ())
    for place, child in enumerate(plan.lists):
        if person.plain_lists >> place & 1:
            name = f"{child.read.record.database}.{child.read.record.name}"
            sections.add(name)
            state.note_state(name, State.ANSWERED)


def _replay_shortfalls(
    shortfall: Shortfall, shortfalls: Sequence[tuple[str, Path]], path: Path
) -> None:
    for reason, below in shortfalls:
        shortfall.note(reason, (*path, *below))
