"""Plans compared with an oracle: graphql-core over separate reads of each key and field."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import orjson
from graphql import DocumentNode, FieldNode

from connectors.backends.base import Asker
from connectors.description import Sensitivity
from gateway.access.caller import Caller
from gateway.answer import Answer
from gateway.audit.entry import describe_touched
from gateway.audit.touched import ACCESS_LOG, INTERESTS
from gateway.cache.answer_store import AnswerStore
from gateway.cache.memory import MemoryCache
from gateway.cache.rows import Cache
from gateway.catalogue.read import Read
from gateway.errors import GatewayError
from gateway.execution.decisions import Page, RecordRules
from gateway.execution.execute import execute_plan
from gateway.execution.operation import (
    CaseResult,
    ExecutableOperation,
    OperationRequest,
    ReadyAnswer,
    Result,
)
from gateway.execution.prepare import prepare
from gateway.execution.ready_answers import find_ready_answer
from gateway.execution.reference import execute_reference
from gateway.execution.resources import ExecutionResources
from gateway.fetch.source import Source
from gateway.permission.operation import permit
from gateway.plan.document import InvalidDocument
from gateway.plan.list_arguments import ListArguments
from gateway.plan.permissions import requested_lists
from gateway.plan.syntax import walk_nodes
from gateway.runtime.clock import legal_date
from gateway.shape.response import response_body
from tests.support.callers import caller, own_view_share
from tests.support.compiling import with_tree
from tests.support.deferred import put_together
from tests.support.holes import World, world
from tests.support.operations import Generated, operation
from tests.support.receipts import is_receipt, without_salts

#: How many operations are asked of one generated world.
_PER_WORLD = 25
_DEADLINE = 1e9
_NOBODY = "001099999999"


@dataclass(frozen=True)
class Naive:
    """Asks the source for every key by itself, however often it is wanted, for ``asker``."""

    sources: Mapping[str, Source]
    asker: Asker

    async def load(self, read: Read, key: str, subject_numbers: tuple[str, ...] = ()) -> Answer:
        source = self.sources[read.record.database]
        (answer,) = await source.fetch(read, [key], _DEADLINE, self.asker)
        return answer

    def for_asker(self, asker: Asker) -> Naive:
        """Return what asks for ``asker``."""
        return Naive(self.sources, asker)


@dataclass
class Tally:
    """What a run came upon: it must be more than refusals and nulls, or it proves nothing."""

    operations: int = 0
    planned: int = 0
    unplanned: int = 0
    refused: int = 0
    with_rows: int = 0
    with_errors: int = 0
    ready: int = 0
    checked: int = 0
    queued: int = 0
    together: int = 0
    mixed: int = 0
    fragments: int = 0
    codes: Counter[str] | None = None


@dataclass(frozen=True)
class CountingRules(RecordRules):
    """Rules that also note how many rows each page shows."""

    shown: list[int] = field(default_factory=list)

    def page(
        self,
        read: Read,
        answer: Answer,
        arguments: ListArguments,
        open_up_to: Sensitivity | None,
        *,
        with_ids: bool,
        with_cursor: bool,
    ) -> Page:
        """Return the page, and note its length."""
        page = super().page(
            read, answer, arguments, open_up_to, with_ids=with_ids, with_cursor=with_cursor
        )
        self.shown.append(len(page.rows))
        return page


async def _as_it_is(generated_world: World) -> World:
    return generated_world


async def differences(
    resources: ExecutionResources,
    seed: int,
    count: int,
    fresh: float = 0.0,
    *,
    move: Callable[[World], Awaitable[World]] = _as_it_is,
    per_world: int = _PER_WORLD,
    generate: Callable[..., Generated] = operation,
) -> tuple[list[str], Tally]:
    """Ask ``count`` generated operations in both ways; return how they differ, with their seeds.

    ``fresh``: for how long rows are cached; plans are then run three times, to answer the same but
    for where rows come from. ``move`` puts a world elsewhere than into memory; ``per_world``
    operations are asked of each. ``generate`` makes an operation.

    ``resources`` must be of all installed databases; their sources are replaced by generated ones.
    An answer must show no more rows than the plan's cost allows.
    """
    differences: list[str] = []
    tally = Tally(codes=Counter())
    world_resources = resources
    generated_world: World | None = None
    for number in range(count):
        name = f"{seed}/{number}"
        if generated_world is None or number % per_world == 0:
            generated_world = await move(world(Random(f"{name} world")))
            cache = Cache(MemoryCache(2**24), resources.cache.log, resources.clock)
            sources = _sources(resources, generated_world, cache, fresh)
            await _see_tables(sources)
            answers: AnswerStore[ReadyAnswer] = AnswerStore(cache, 2**22)
            world_resources = replace(resources, sources=sources, cache=cache, answers=answers)
        rng = Random(name)
        difference_text = await difference(
            world_resources, generated_world, rng, tally, 3 if fresh else 1, generate
        )
        if difference_text is not None:
            differences.append(f"{name}: {difference_text}")
    return differences, tally


def _sources(
    resources: ExecutionResources, generated_world: World, cache: Cache, fresh: float
) -> dict[str, Source]:
    return {
        database.name: Source(
            database,
            generated_world.backends.get(database.name),
            generated_world.settings[database.name].model_copy(update={"fresh": fresh}),
            resources.clock,
            cache=cache if fresh else None,
        )
        for database in generated_world.databases
    }


async def _see_tables(sources: Mapping[str, Source]) -> None:
    """Let every table answer once that does.

    Whether a table that is missing is gone, or never was there, else depends on which list was
    asked for first, which is another in each executor.
    """
    for source in sources.values():
        for read in source.reads.values():
            if source.backend is None:
                continue
            with suppress(Exception):  # a fault of the generated world
                await source.backend.fetch(read.record, read.lookup, [_NOBODY])
                source.tables.note_answered(read.record, read.lookup)


async def difference(
    resources: ExecutionResources,
    generated_world: World,
    rng: Random,
    tally: Tally,
    times: int = 1,
    generate: Callable[..., Generated] = operation,
) -> str | None:
    """Ask one generated operation in both ways; return how they differ, None if they agree."""
    asker = caller(rng, generated_world.citizens)
    share = own_view_share(asker)
    generated = generate(
        rng,
        resources.schema,
        generated_world.numbers,
        generated_world.details,
        share,
        thing_keys=generated_world.thing_keys,
        purpose=asker.purpose,
    )
    tally.operations += 1
    try:
        request, executable = await _prepare(resources, generated, asker)
    except (GatewayError, InvalidDocument):
        # Refused before either executor: the variables do not fit, or the caller may not ask.
        tally.refused += 1
        return None
    if executable is None:
        return None
    if executable.unplanned is not None:
        tally.unplanned += 1
        return None if executable.plan is not None else "no plan could be made"
    tally.planned += 1
    tally.fragments += executable.plan is not None and len(executable.plan.fragments)
    requests = [(request, executable)]
    for variant in _variants(rng, generated, generated_world.numbers):
        companion = _companion(rng, asker, generated_world.citizens)
        try:
            varied, compiled = await _prepare(resources, variant, companion)
        except (GatewayError, InvalidDocument):
            continue
        if compiled is not None and compiled.unplanned is None:
            requests.append((varied, compiled))
    found = await _differ(resources, requests, tally, times)
    return found and f"{found}\n{generated.query}\n{generated.variables}\n{asker}"


async def _differ(
    resources: ExecutionResources,
    requests: Sequence[tuple[OperationRequest, ExecutableOperation]],
    tally: Tally,
    times: int,
) -> str | None:
    """Return how the answers to requests that come together differ from the oracle's."""
    oracles = [await _oracle(resources, request) for request, _ in requests]
    _count(tally, oracles[0][0])
    tally.together += len(requests) > 1
    tally.mixed += len({request.caller.rights for request, _ in requests}) > 1
    origins = _origin_keys(with_tree(requests[0][0].document).tree()) if times > 1 else frozenset()
    for _ in range(times):
        results = await asyncio.gather(
            *(_planned(resources, request, executable) for request, executable in requests)
        )
        tally.ready += results[0].touched is not None
        for result, (oracle, _), (request, _) in zip(results, oracles, requests, strict=True):
            found = compare(result, oracle, origins) or _compare_entries(resources, result, oracle)
            if found is not None:
                return f"{found}\n{len(requests)} together: {request.variables}\n{request.caller}"
    for (_, shown), (_, executable) in zip(oracles, requests, strict=True):
        if shown > executable.cost:
            return f"{shown} rows are shown, and {executable.cost} was said to be the most"
    return None


def _variants(rng: Random, generated: Generated, numbers: Sequence[str]) -> list[Generated]:
    """Return the operation about other people, to be asked at the same time."""

    def vary(value: object) -> object:
        if isinstance(value, list):
            return [vary(item) for item in value]
        if isinstance(value, dict):
            return {name: vary(inner) for name, inner in value.items()}
        return rng.choice(numbers) if value in numbers else value

    variants = []
    for _ in range(rng.choice((0, 0, 1, 3))):
        variables = {name: vary(value) for name, value in generated.variables.items()}
        variants.append(replace(generated, variables=variables))
    return variants


def _companion(rng: Random, asker: Caller, citizens: Sequence[str]) -> Caller:
    """Return who asks at the same time: often the same caller, or somebody with the same rights."""
    draw = rng.random()
    if draw < 0.4:
        return asker
    if draw < 0.6:
        subject, case_number = rng.choice((("a second", "2/2026"), ("a third", asker.case_number)))
        return replace(asker, subject=subject, case_number=case_number)
    client = rng.choice(("test-client", "another-client"))
    return replace(caller(rng, citizens), client=client)


async def _planned(
    resources: ExecutionResources, request: OperationRequest, executable: ExecutableOperation
) -> Result:
    """Answer by the plan, or return the answer that it gave before."""
    ready = find_ready_answer(resources, request)
    if ready is not None:
        return ready.result
    result = await execute_plan(resources, request, executable)
    if result.increments is None:
        return result
    whole = await put_together(executable, result)
    databases = [source.database for source in resources.sources.values()]
    known = requested_lists(executable.prepared.needs, databases) | result.states.keys()
    assert whole.states.keys() <= known | {ACCESS_LOG, INTERESTS}, "the first entry knows of all"
    return whole


async def _prepare(
    resources: ExecutionResources, generated: Generated, asker: Caller
) -> tuple[OperationRequest, ExecutableOperation | None]:
    document = await resources.plans.document(generated.query, asker.client)
    operation = document.operation(generated.operation_name)
    permit(asker, document, operation, in_url=False)
    request = OperationRequest(
        document,
        operation,
        generated.variables,
        asker,
        _DEADLINE,
        is_incremental=operation.defers,
    )
    return request, await prepare(resources, request)


async def _oracle(resources: ExecutionResources, request: OperationRequest) -> tuple[Result, int]:
    """Answer by the oracle; return how many rows it shows, too."""
    today = legal_date(resources.clock.now())
    loads, ids = Naive(resources.sources, request.caller.asker), resources.record_ids
    rules = CountingRules(
        request.caller,
        resources.sources,
        loads,
        today,
        resources.log,
        ids,
        receipts=resources.receipts,
    )
    tree = with_tree(request.document).tree()
    result = await execute_reference(resources, request, tree, rules)
    return result, sum(rules.shown)


def _origin_keys(document: DocumentNode) -> frozenset[str]:
    """Return the response keys under which an answer says whether rows come from the cache."""
    fields = (node for node in walk_nodes(document) if isinstance(node, FieldNode))
    return frozenset(
        (node.alias or node.name).value for node in fields if node.name.value == "fromCache"
    )


def _count(tally: Tally, result: Result) -> None:
    assert tally.codes is not None
    encoded = orjson.dumps(result.data)
    tally.with_rows += b'"items":[{' in encoded or b'"item":{' in encoded
    tally.with_errors += bool(result.errors)
    people = [*_people(result), *(person for case in result.cases for person in _people(case))]
    tally.checked += any("procedures." in str(sections) for _, _, sections in people)
    tally.queued += any(_people(case) for case in result.cases)
    for error in result.all_errors:
        extensions: Any = error["extensions"]
        tally.codes[str(extensions["code"])] += 1


def _people(result: Result | CaseResult) -> list[tuple[str, str, list[str]]]:
    return sorted(
        (number, role.name, sections) for number, role, sections in result.trail.touches()
    )


def compare(planned: Result, oracle: Result, origins: frozenset[str] = frozenset()) -> str | None:
    """Say how two results differ; None if they do not.

    ``origins``: keys under which data may say another origin of rows. A ready answer has only its
    entry in the journal to say who was touched.
    """
    is_ready = planned.touched is not None
    for name, planned_part, oracle_part in (
        ("data", _bytes(planned.data, origins), _bytes(oracle.data, origins)),
        ("errors", _errors(planned), _errors(oracle)),
        ("cases", _cases(planned), _cases(oracle)),
        ("notices", _sorted(planned.mirrored), _sorted(oracle.mirrored)),
        ("people", _people(planned), _people(oracle)),
        ("states", dict(planned.states), dict(oracle.states)),
        ("unidentified", planned.unidentified, oracle.unidentified),
    ):
        if planned_part != oracle_part and not (is_ready and name in {"people", "states"}):
            return f"{name} differ:\n  plan   {planned_part!r}\n  oracle {oracle_part!r}"
    return None


def _compare_entries(resources: ExecutionResources, ready: Result, oracle: Result) -> str | None:
    """Say how what the journal has of a ready answer differs from what the oracle touched."""
    if ready.touched is None:
        return None
    touched = describe_touched(resources.person_hash, oracle.trail.touches(), oracle.states)
    of_ready, of_oracle = (
        (sorted(map(str, orjson.loads(entry.persons))), orjson.loads(entry.sections), entry.names)
        for entry in (ready.touched, touched)
    )
    if of_ready == of_oracle:
        return None
    return f"entries differ:\n  ready  {of_ready!r}\n  oracle {of_oracle!r}"


def _cases(result: Result) -> list[tuple[str | None, list[str], object, object]]:
    """Return what the journal has of each case of a queue."""
    return [
        (case.case_number, _sorted(case.errors), _people(case), dict(case.states))
        for case in result.cases
    ]


def _bytes(data: object, origins: frozenset[str]) -> bytes:
    """Return the data as they leave, with keys in their order; receipts without their salts."""
    encoded = orjson.dumps(data)
    if not origins and b'~"' not in encoded:
        return encoded
    return orjson.dumps(_without_origins(orjson.loads(encoded), origins))


def _without_origins(data: object, origins: frozenset[str]) -> object:
    """Return ``data`` with null for what may be another origin of rows: true or false."""
    if isinstance(data, list):
        return [_without_origins(inner, origins) for inner in data]
    if is_receipt(data):
        return without_salts(str(data))
    if not isinstance(data, dict):
        return data
    return {
        key: None
        if key in origins and isinstance(inner, bool)
        else _without_origins(inner, origins)
        for key, inner in data.items()
    }


def _errors(result: Result) -> list[str]:
    """Return the errors as the answer has them, as a multiset; ids of defects differ always."""
    errors = response_body(result.data, deepcopy(result.all_errors), {}).get("errors", [])
    return _sorted(errors)


def _sorted(errors: object) -> list[str]:
    assert isinstance(errors, list | tuple)
    return sorted(_text(error) for error in errors)


def _text(error: object) -> str:
    decoded = orjson.loads(orjson.dumps(error))
    decoded.get("extensions", {}).pop("errorId", None)
    return json.dumps(decoded, sort_keys=True, ensure_ascii=False)
