"""Running a plan: permission, fetch and protection for every list in it, wave by wave.

A job waits for the reads it needs and for nothing else: what depends on a slow database waits for
it, the rest of the answer does not. When no job is left, generated code turns what was found into
the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from gateway.catalogue.entry_points import keys_of
from gateway.errors import GatewayError, Path
from gateway.execution.batch import ATTEMPT, LoadedList, OpenedPerson, PlanBatch
from gateway.execution.decisions import RecordRules
from gateway.execution.jobs import (
    OpenPerson,
    PersonReference,
    ReadHangingList,
    VerifyPerson,
    no_subject,
)
from gateway.execution.operation import Result
from gateway.execution.state import ExecutionState
from gateway.fetch.reads import Reads
from gateway.fetch.source import LiveState
from gateway.people.matching import Matching, require_matching
from gateway.people.numbers import population_of
from gateway.people.verification import ClaimedIdentity, IdentityVerification
from gateway.plan.plan import LookupPlan, PersonRootPlan, Plan, Root, VerifyPlan
from gateway.settings import Limits
from gateway.shape.response import render_problem


async def run_plan(
    plan: Plan,
    arguments: Sequence[object],
    rules: RecordRules,
    reads: Reads,
    limits: Limits,
) -> Result:
    """Run ``plan`` and return its result.

    ``arguments``: the values of ``plan.dynamic``, slot by slot. Never raises for what a source
    does.
    """
    batch = PlanBatch(
        plan, arguments, rules, reads, ExecutionState(limits), population_of(rules.sources)
    )
    live = {name: asyncio.ensure_future(rules.sources[name].live()) for name in sorted(plan.live)}
    try:
        return await _run(batch, live)
    finally:
        reads.close()
        for task in (*batch.logs, *live.values()):
            task.cancel()


class _Target(list["OpenedPerson | LoadedList | None"]):
    """Where jobs put what they find, by place."""


class _VerificationTarget(list["IdentityVerification | None"]):
    """Where a verification puts what comes of it."""


async def _run(batch: PlanBatch, live: Mapping[str, asyncio.Future[LiveState]]) -> Result:
    state = batch.state
    roots = {key: _start_root(batch, root) for key, root in batch.plan.roots.items()}
    await _advance(batch)
    while arrived := await batch.reads.arrive():
        for kind in arrived:
            batch.ready += batch.waiting.pop(kind, ())
        await _advance(batch)
    if batch.waiting:  # it would read as "there is none"
        raise RuntimeError(f"never answered: {sorted(batch.waiting)}")
    live_states = {name: await task for name, task in live.items()}
    for log in batch.logs:
        await log
    state.report_shortfalls()
    data = {key: _render(batch, key, target, live_states) for key, target in roots.items()}
    state.mirrored.sort(key=lambda notices: _place(batch, notices["path"]))
    return Result(
        data,
        [render_problem(problem) for problem in state.problems],
        state.mirrored,
        state.trail,
        state.states,
        unidentified=state.unidentified,
        is_repeatable=not (state.has_read_log or state.has_matched),
    )


async def _advance(batch: PlanBatch) -> None:
    """Take every job as far as it goes; attempts to match a person are counted on the way.

    They are counted in the order of the answer, so that those that are refused are the last.
    """
    batch.advance()
    while jobs := batch.waiting.pop(ATTEMPT, None):
        batch.state.has_matched = True
        named = [job for job in jobs if isinstance(job, OpenPerson | VerifyPerson)]
        for job in sorted(named, key=lambda job: _place(batch, list(job.path))):
            async with batch.rules.count_attempt(job.attempt):
                batch.ready.append(job)
                batch.advance()


def _place(batch: PlanBatch, path: object) -> tuple[int, ...]:
    assert isinstance(path, list)
    return (batch.plan.keys.index(path[0]), *path[1:])


def _render(
    batch: PlanBatch,
    key: str,
    target: _Target | _VerificationTarget | str | None,
    live: Mapping[str, LiveState],
) -> object:
    if target is None or isinstance(target, str):
        return target
    root = batch.plan.roots[key]
    if isinstance(root, VerifyPlan):
        (verified,) = target
        return root.render(verified, live) if isinstance(verified, IdentityVerification) else None
    if isinstance(root, LookupPlan):
        (rows,) = target
        return root.render(rows, live) if isinstance(rows, LoadedList) else None
    assert isinstance(root, PersonRootPlan)
    values = [
        root.render(value, live) if isinstance(value, OpenedPerson) else None for value in target
    ]
    return values if root.name == "persons" else values[0]


def _start_root(batch: PlanBatch, root: Root) -> _Target | _VerificationTarget | str | None:
    """Start on a root field; returns where it will be found, None where it is refused."""
    if isinstance(root, str):
        return root
    path: Path = root.place.steps
    try:
        if isinstance(root, LookupPlan):
            return _look_up(batch, root, path)
        if isinstance(root, VerifyPlan):
            return _start_verification(batch, root, path)
        return (
            _open_citizen(batch, root, path)
            if root.name == "me"
            else _open_by_number(batch, root, path)
        )
    except GatewayError as error:
        batch.state.problem(error, path, root.place.locations)
        return None


def _open_citizen(batch: PlanBatch, root: PersonRootPlan, path: Path) -> _Target:
    citizen = batch.rules.caller.citizen
    if citizen is None:
        details = {"missing": ["me"]}
        raise GatewayError("FORBIDDEN", "me is the citizen's own view", details=details)
    target = _Target([None])
    batch.ready.append(
        OpenPerson(citizen, root.person, None, target, 0, path, root.place.locations)
    )
    return target


def _look_up(batch: PlanBatch, root: LookupPlan, path: Path) -> _Target:
    if root.denied:
        raise GatewayError("FORBIDDEN", details={"missing": list(root.denied)})
    arguments = batch.arguments_of(root.arguments)
    assert isinstance(arguments, Mapping)
    target = _Target([None])
    keys = keys_of(arguments[root.argument])
    shortfall = batch.state.shortfall(path, root.place.locations)
    batch.ready.append(ReadHangingList(root.list, no_subject(shortfall), keys, path, target, 0))
    return target


def _start_verification(batch: PlanBatch, root: VerifyPlan, path: Path) -> _VerificationTarget:
    arguments = batch.arguments_of(root.arguments)
    assert isinstance(arguments, Mapping)
    number = arguments["id"]
    batch.state.name_persons([number])
    if root.denied:
        raise GatewayError("FORBIDDEN", details={"missing": list(root.denied)})
    batch.rules.refuse_early(number)
    claimed = ClaimedIdentity(arguments["name"], arguments["birthDate"], arguments["sex"].value)
    target = _VerificationTarget([None])
    batch.ready.append(VerifyPerson(number, claimed, root, path, target))
    return target


def _open_by_number(batch: PlanBatch, root: PersonRootPlan, path: Path) -> _Target:
    arguments = batch.arguments_of(root.arguments)
    assert isinstance(arguments, Mapping)
    single = root.name == "person"
    numbers: Sequence[str] = [arguments["id"]] if single else arguments["ids"]
    batch.state.name_persons(numbers)
    target = _Target([None] * len(numbers))
    matching = arguments.get("matching")
    details = matching and Matching(matching.get("name"), matching.get("birthDate"))
    require_matching(batch.rules.matching, details or None)
    for place, number in enumerate(numbers):
        here = path if single else (*path, place)
        if batch.rules.caller.may_name_persons:
            reference = PersonReference(details or None)
            if reference.matches:
                batch.rules.refuse_early(number)
            batch.ready.append(
                OpenPerson(number, root.person, None, target, place, here, root.place.locations,
                      reference)
            )  # fmt: skip
        else:
            error = GatewayError("FORBIDDEN", details={"missing": ["<database>:read"]})
            batch.state.problem(error, here, root.place.locations)
    return target
