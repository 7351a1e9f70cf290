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
from gateway.execution.batch import ATTEMPT, Batch, Found, Opened
from gateway.execution.decisions import RecordRules
from gateway.execution.jobs import ByKeys, Named, Open, Verify, nobody
from gateway.execution.operation import Result
from gateway.execution.state import ExecutionState
from gateway.fetch.reads import Reads
from gateway.fetch.source import LiveState
from gateway.people.matching import Matching, require_matching
from gateway.people.numbers import population_of
from gateway.people.verification import ClaimedIdentity, VerificationResult
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
    batch = Batch(
        plan, arguments, rules, reads, ExecutionState(limits), population_of(rules.sources)
    )
    live = {name: asyncio.ensure_future(rules.sources[name].live()) for name in sorted(plan.live)}
    try:
        return await _run(batch, live)
    finally:
        reads.close()
        for task in (*batch.logs, *live.values()):
            task.cancel()


class _Target(list["Opened | Found | None"]):
    """Where jobs put what they find, by place."""


class _Verdict(list["VerificationResult | None"]):
    """Where a verification puts what comes of it."""


async def _run(batch: Batch, live: Mapping[str, asyncio.Future[LiveState]]) -> Result:
    state = batch.state
    roots = {key: _root(batch, root) for key, root in batch.plan.roots.items()}
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
    data = {key: _shown(batch, key, target, live_states) for key, target in roots.items()}
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


async def _advance(batch: Batch) -> None:
    """Take every job as far as it goes; attempts to match a person are counted on the way.

    They are counted in the order of the answer, so that those that are refused are the last.
    """
    batch.advance()
    while jobs := batch.waiting.pop(ATTEMPT, None):
        batch.state.has_matched = True
        named = [job for job in jobs if isinstance(job, Open | Verify)]
        for job in sorted(named, key=lambda job: _place(batch, list(job.path))):
            async with batch.rules.counted(job.attempt):
                batch.ready.append(job)
                batch.advance()


def _place(batch: Batch, path: object) -> tuple[int, ...]:
    assert isinstance(path, list)
    return (batch.plan.keys.index(path[0]), *path[1:])


def _shown(
    batch: Batch, key: str, found: _Target | _Verdict | str | None, live: Mapping[str, LiveState]
) -> object:
    if found is None or isinstance(found, str):
        return found
    root = batch.plan.roots[key]
    if isinstance(root, VerifyPlan):
        (verified,) = found
        return root.render(verified, live) if isinstance(verified, VerificationResult) else None
    if isinstance(root, LookupPlan):
        (rows,) = found
        return root.render(rows, live) if isinstance(rows, Found) else None
    assert isinstance(root, PersonRootPlan)
    values = [root.render(one, live) if isinstance(one, Opened) else None for one in found]
    return values if root.name == "persons" else values[0]


def _root(batch: Batch, root: Root) -> _Target | _Verdict | str | None:
    """Start on a root field; returns where it will be found, None where it is refused."""
    if isinstance(root, str):
        return root
    path: Path = root.place.steps
    try:
        if isinstance(root, LookupPlan):
            return _thing(batch, root, path)
        if isinstance(root, VerifyPlan):
            return _verify(batch, root, path)
        return _me(batch, root, path) if root.name == "me" else _by_number(batch, root, path)
    except GatewayError as error:
        batch.state.problem(error, path, root.place.locations)
        return None


def _me(batch: Batch, root: PersonRootPlan, path: Path) -> _Target:
    citizen = batch.rules.caller.citizen
    if citizen is None:
        details = {"missing": ["me"]}
        raise GatewayError("FORBIDDEN", "me is the citizen's own view", details=details)
    target = _Target([None])
    batch.ready.append(Open(citizen, root.person, None, target, 0, path, root.place.locations))
    return target


def _thing(batch: Batch, root: LookupPlan, path: Path) -> _Target:
    if root.denied:
        raise GatewayError("FORBIDDEN", details={"missing": list(root.denied)})
    given = batch.judged(root.arguments)
    assert isinstance(given, Mapping)
    target = _Target([None])
    keys = keys_of(given[root.argument])
    shortfall = batch.state.shortfall(path, root.place.locations)
    batch.ready.append(ByKeys(root.list, nobody(shortfall), keys, path, target, 0))
    return target


def _verify(batch: Batch, root: VerifyPlan, path: Path) -> _Verdict:
    given = batch.judged(root.arguments)
    assert isinstance(given, Mapping)
    number = given["id"]
    batch.state.name_persons([number])
    if root.denied:
        raise GatewayError("FORBIDDEN", details={"missing": list(root.denied)})
    batch.rules.refuse_early(number)
    claimed = ClaimedIdentity(given["name"], given["birthDate"], given["sex"].value)
    target = _Verdict([None])
    batch.ready.append(Verify(number, claimed, root, path, target))
    return target


def _by_number(batch: Batch, root: PersonRootPlan, path: Path) -> _Target:
    arguments = batch.judged(root.arguments)
    assert isinstance(arguments, Mapping)
    single = root.name == "person"
    numbers: Sequence[str] = [arguments["id"]] if single else arguments["ids"]
    batch.state.name_persons(numbers)
    target = _Target([None] * len(numbers))
    matching = arguments.get("matching")
    wanted = matching and Matching(matching.get("name"), matching.get("birthDate"))
    require_matching(batch.rules.matching, wanted or None)
    for place, number in enumerate(numbers):
        here = path if single else (*path, place)
        if batch.rules.caller.may_name_persons:
            given = Named(wanted or None)
            if given.matches:
                batch.rules.refuse_early(number)
            batch.ready.append(
                Open(number, root.person, None, target, place, here, root.place.locations,
                      given)
            )  # fmt: skip
        else:
            error = GatewayError("FORBIDDEN", details={"missing": ["<database>:read"]})
            batch.state.problem(error, here, root.place.locations)
    return target
