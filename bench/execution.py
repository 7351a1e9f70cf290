"""From fetched rows to the answer: generated code compared with graphql-core.

graphql-core runs under the best conditions: the document is parsed and validated beforehand, the
schema has no resolvers of its own, and the root value is the answer itself, as plain nested
dictionaries of JSON values. All that is left to do is to walk them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import orjson
from graphql import ExecutionResult, GraphQLSchema, build_schema, execute, parse, validate

from bench.measure import Figures, in_turn
from bench.site import Site
from gateway.plan.plan import PersonRootPlan
from gateway.plan.results import PersonResult, RenderPerson

ROUNDS = 25
REPEATED = 5


async def render_inputs(site: Site, numbers: list[str]) -> tuple[RenderPerson, list[PersonResult]]:
    """Answer W1 about ``numbers``; return the generated function and its arguments."""
    root = await _person_root(site, numbers[0])
    render: RenderPerson = root.render
    people: list[PersonResult] = []

    def note(person: PersonResult, live: Mapping[str, object]) -> Mapping[str, object]:
        people.append(person)
        return render(person, live)

    root.render = note
    try:
        for number in numbers:
            await site.answer(number)
    finally:
        root.render = render
    return render, people


async def _person_root(site: Site, number: str) -> PersonRootPlan:
    _, executable = await site.prepare(number)
    assert executable.plan is not None
    root = executable.plan.roots["person"]
    assert isinstance(root, PersonRootPlan)
    return root


async def measure(site: Site, numbers: list[str]) -> Figures:
    """Return microseconds an operation for each side, and how many times faster plans are."""
    render, persons = await render_inputs(site, numbers)
    answers = [orjson.loads(orjson.dumps(render(person, {}))) for person in persons]
    reference = _reference(site, numbers, answers)
    for number, answer in zip(numbers, answers, strict=True):
        data = reference(number, answer).data
        assert data == {"person": answer}, "the two sides must answer the same"
    repeated = len(numbers) * REPEATED
    operations = {
        "plan to dict": repeated,
        "plan to bytes": repeated,
        "graphql-core to dict": len(numbers),
    }
    costs = in_turn(
        {
            "plan to dict": _repeat(lambda person: render(person, {}), persons),
            "plan to bytes": _repeat(lambda person: _bytes(render(person, {})), persons),
            "graphql-core to dict": lambda: _all(reference, numbers, answers),
        },
        operations,
        ROUNDS,
    )
    plan, core = costs["plan to dict"], costs["graphql-core to dict"]
    return {
        **{name: cost.figures() for name, cost in costs.items()},
        "times faster": round(core.median / plan.median, 1),
        "answer bytes, mean": round(sum(len(_bytes(person)) for person in answers) / len(answers)),
    }


def _bytes(answer: object) -> bytes:
    return orjson.dumps({"data": {"person": answer}})


def _repeat(
    work: Callable[[PersonResult], object], persons: list[PersonResult]
) -> Callable[[], None]:
    """Return a function that does ``work`` for all ``persons`` repeatedly, and keeps no answer."""

    def run() -> None:
        for _ in range(REPEATED):
            for person in persons:
                work(person)

    return run


_Reference = Callable[[str, object], ExecutionResult]


def _reference(site: Site, numbers: list[str], answers: list[object]) -> _Reference:
    schema: GraphQLSchema = build_schema(site.service.schema_text)
    document = parse(site.text)
    assert not validate(schema, document)

    def run(number: str, answer: object) -> ExecutionResult:
        result = execute(
            schema, document, root_value={"person": answer}, variable_values={"id": number}
        )
        assert isinstance(result, ExecutionResult)
        return result

    return run


def _all(reference: _Reference, numbers: list[str], answers: list[object]) -> None:
    for number, answer in zip(numbers, answers, strict=True):
        reference(number, answer)
