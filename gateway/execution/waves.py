"""Running a plan: permission, fetch and protection for every list in it, wave by wave.

A job waits for the reads it needs and for nothing else: what depends on a slow database waits for
it, the rest of the answer does not. When no job is left, generated code turns what was found into
the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.answer import State
from gateway.audit.touched import Trail
from gateway.catalogue.entry_points import keys_of
from gateway.errors import GatewayError, Path, Problem
from gateway.execution.decisions import Reader
from gateway.execution.jobs import ByKeys, Named, Open, Verify, nobody
from gateway.execution.state import ATTEMPT, Found, Opened, Run
from gateway.fetch.reads import Reads
from gateway.fetch.source import LiveState
from gateway.people.matching import Matching, hold_matching
from gateway.people.numbers import population_of
from gateway.people.verification import Claimed, Verified
from gateway.plan.plan import LookupPlan, PersonRootPlan, Plan, Root, VerifyPlan
from gateway.settings import Limits


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a plan.

    ``data``: by response key, of the planned root fields. ``mirrored``: notices of persons at the
    root for whom the field is not selected, with their path. ``trail``: who was touched.
    ``unidentified``: how many people were named by a number that nobody holds.
    ``states``: the worst state of each list asked for. ``looked``: access logs were read.
    ``matched``: attempts to match a person were counted.
    """

    data: Mapping[str, object]
    problems: Sequence[Problem]
    mirrored: Sequence[Mapping[str, object]]
    trail: Trail
    states: Mapping[str, State]
    looked: bool = False
    matched: bool = False
    unidentified: int = 0


async def run(
    plan: Plan,
    arguments: Sequence[object],
    reader: Reader,
    reads: Reads,
    limits: Limits,
) -> Ran:
    """Run ``plan`` and return what came of it.

    ``arguments``: what came of ``plan.dynamic``, slot by slot. Never raises for what a source does.
    """
    try:
        population = population_of(reader.sources)
        return await _all(Run(plan, arguments, reader, reads, limits, population))
    finally:
        reads.close()


class _Target(list["Opened | Found | None"]):
    """Where jobs put what they find, by place."""


class _Verdict(list["Verified | None"]):
    """Where a verification puts what comes of it."""


async def _all(run: Run) -> Ran:
    sources = run.reader.sources
    asked = {name: asyncio.ensure_future(sources[name].live()) for name in run.plan.live}
    roots = {key: _root(run, root) for key, root in run.plan.roots.items()}
    await _advance(run)
    while arrived := await run.reads.arrive():
        for kind in arrived:
            run.ready += run.waiting.pop(kind, ())
        await _advance(run)
    if run.waiting:  # it would read as "there is none"
        raise RuntimeError(f"never answered: {sorted(run.waiting)}")
    live: dict[str, LiveState] = {name: await state for name, state in asked.items()}
    for looked in run.looking:
        await looked
    run.report_shortfalls()
    data = {key: _shown(run, key, found, live) for key, found in roots.items()}
    run.mirrored.sort(key=lambda one: _place(run, one["path"]))
    read_logs = bool(run.looking)
    return Ran(
        data,
        run.problems,
        run.mirrored,
        run.trail,
        run.states,
        read_logs,
        run.matched,
        run.unidentified,
    )


async def _advance(run: Run) -> None:
    """Take every job as far as it goes; attempts to match a person are counted on the way.

    They are counted in the order of the answer, so that those that are refused are the last.
    """
    run.advance()
    while jobs := run.waiting.pop(ATTEMPT, None):
        run.matched = True
        named = [job for job in jobs if isinstance(job, Open | Verify)]
        for job in sorted(named, key=lambda job: _place(run, list(job.path))):
            async with run.reader.counted(job.attempt):
                run.ready.append(job)
                run.advance()


def _place(run: Run, path: object) -> tuple[int, ...]:
    assert isinstance(path, list)
    return (run.plan.keys.index(path[0]), *path[1:])


def _shown(
    run: Run, key: str, found: _Target | _Verdict | str | None, live: Mapping[str, LiveState]
) -> object:
    if found is None or isinstance(found, str):
        return found
    root = run.plan.roots[key]
    if isinstance(root, VerifyPlan):
        (verified,) = found
        return root.render(verified, live) if isinstance(verified, Verified) else None
    if isinstance(root, LookupPlan):
        (rows,) = found
        return root.render(rows, live) if isinstance(rows, Found) else None
    assert isinstance(root, PersonRootPlan)
    values = [root.render(one, live) if isinstance(one, Opened) else None for one in found]
    return values if root.name == "persons" else values[0]


def _root(run: Run, root: Root) -> _Target | _Verdict | str | None:
    """Start on a root field; returns where it will be found, None where it is refused."""
    if isinstance(root, str):
        return root
    path: Path = root.place.steps
    try:
        if isinstance(root, LookupPlan):
            return _thing(run, root, path)
        if isinstance(root, VerifyPlan):
            return _verify(run, root, path)
        return _me(run, root, path) if root.name == "me" else _by_number(run, root, path)
    except GatewayError as error:
        run.problem(error, path, root.place.locations)
        return None


def _me(run: Run, root: PersonRootPlan, path: Path) -> _Target:
    citizen = run.reader.caller.citizen
    if citizen is None:
        details = {"missing": ["me"]}
        raise GatewayError("FORBIDDEN", "me is the citizen's own view", details=details)
    target = _Target([None])
    run.ready.append(Open(citizen, root.person, None, target, 0, path, root.place.locations))
    return target


def _thing(run: Run, root: LookupPlan, path: Path) -> _Target:
    if root.denied:
        raise GatewayError("FORBIDDEN", details={"missing": list(root.denied)})
    given = run.judged(root.arguments)
    assert isinstance(given, Mapping)
    target = _Target([None])
    keys = keys_of(given[root.argument])
    shortfall = run.shortfall(path, root.place.locations)
    run.ready.append(ByKeys(root.list, nobody(shortfall), keys, path, target, 0))
    return target


def _verify(run: Run, root: VerifyPlan, path: Path) -> _Verdict:
    given = run.judged(root.arguments)
    assert isinstance(given, Mapping)
    number = given["id"]
    run.name([number])
    if root.denied:
        raise GatewayError("FORBIDDEN", details={"missing": list(root.denied)})
    run.reader.refuse_early(number)
    claimed = Claimed(given["name"], given["birthDate"], given["sex"].value)
    target = _Verdict([None])
    run.ready.append(Verify(number, claimed, root, path, target))
    return target


def _by_number(run: Run, root: PersonRootPlan, path: Path) -> _Target:
    arguments = run.judged(root.arguments)
    assert isinstance(arguments, Mapping)
    single = root.name == "person"
    numbers: Sequence[str] = [arguments["id"]] if single else arguments["ids"]
    run.name(numbers)
    target = _Target([None] * len(numbers))
    matching = arguments.get("matching")
    wanted = matching and Matching(matching.get("name"), matching.get("birthDate"))
    hold_matching(run.reader.matching, wanted or None)
    for place, number in enumerate(numbers):
        here = path if single else (*path, place)
        if run.reader.caller.may_name_persons:
            given = Named(wanted or None)
            if given.matches:
                run.reader.refuse_early(number)
            run.ready.append(
                Open(number, root.person, None, target, place, here, root.place.locations,
                      given)
            )  # fmt: skip
        else:
            error = GatewayError("FORBIDDEN", details={"missing": ["<database>:read"]})
            run.problem(error, here, root.place.locations)
    return target
