"""The reference executor: graphql-core over resolvers, one field at a time.

Plans are held against it. It answers what has no plan: the catalogue, the caller's access, and
operations with an argument that is null where it must not be.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from functools import partial
from inspect import isawaitable
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLResolveInfo,
    experimental_execute_incrementally,
)

from connectors.backends.base import Asker
from connectors.description import Record, Sensitivity
from gateway.answer import Answer
from gateway.audit.touched import Role, citizen_role, note_read
from gateway.catalogue.organisations import is_person_number
from gateway.catalogue.read import Read
from gateway.errors import GatewayError, Location
from gateway.execution.check_queue import results_of_cases
from gateway.execution.decisions import RecordRules
from gateway.execution.delivery import Delivery
from gateway.execution.operation import OperationRequest, Result
from gateway.execution.resources import ExecutionResources
from gateway.execution.state import ExecutionState
from gateway.people.identification import Shortfall
from gateway.people.matching import is_citizen, open_linked
from gateway.people.notices import Notice, notices
from gateway.people.numbers import (
    PersonNumbers,
    numbers_of_code,
    population_of,
    resolve_by_loading,
    unchecked_numbers,
)
from gateway.plan.defer_directive import without_defer
from gateway.shape.response import render_error, render_problem

#: What a resolver is told by graphql-core.
Info = GraphQLResolveInfo[Any]


@dataclass(frozen=True, slots=True)
class Person:
    """A person somebody named or a record led to. ``is_own``: it is the citizen who asks.

    ``sections`` and ``shortfall``: where it is noted what of theirs was read, and may lack rows.
    ``reason``: why lists of theirs may lack rows, None where they do not. ``is_organisation``: it
    is an organisation, opened by its code.
    """

    numbers: PersonNumbers
    is_own: bool
    sections: set[str]
    shortfall: Shortfall
    reason: str | None
    is_organisation: bool = False

    @property
    def own_view(self) -> Sensitivity | None:
        """Up to what sensitivity the records about this person are the caller's to see."""
        return Sensitivity.RESTRICTED if self.is_own else None

    def note_shortfall(self, answer: Answer, info: Info) -> None:
        """Note that the list at hand may lack rows, if it was read at all."""
        if self.reason is not None and answer.rows is not None:
            self.shortfall.note(self.reason, tuple(info.path.as_list()))


@dataclass(slots=True)
class ReferenceContext:
    """What the resolvers of one request share.

    ``rules``: by which records are read. ``state``: what goes into the answer and the journal.
    ``request_id``: as in the journal. ``delivery``: which answer of a subscription it is.
    """

    resources: ExecutionResources
    rules: RecordRules
    state: ExecutionState
    request_id: str
    delivery: Delivery | None = None
    _opened: dict[tuple[Asker, str], asyncio.Task[PersonNumbers]] = field(default_factory=dict)
    _reached: set[str] = field(default_factory=set)

    def of_case(self, case_number: str | None) -> ReferenceContext:
        """Return the context of a case of a queue: databases learn its number, and nobody else's.

        People count towards the limits of the request.
        """
        caller = replace(self.rules.caller, case_number=case_number)
        loaders = self.rules.loaders.for_asker(caller.asker)
        rules = replace(self.rules, caller=caller, loaders=loaders)
        return replace(self, rules=rules, state=self.state.begin_case(case_number))

    async def numbers(self, number: str) -> PersonNumbers:
        """Find out whose ``number`` is, once a request; it may be the code of an organisation.

        Raises TOO_MANY_PERSONS when records lead to more persons than the limits allow.
        """
        key = (self.rules.caller.asker, number)
        if key not in self._opened:
            if number not in self._reached:
                self.state.require_room(len(self._reached))
                self._reached.add(number)
            self._opened[key] = asyncio.create_task(self._resolved(number))
        return await asyncio.shield(self._opened[key])

    async def _resolved(self, number: str) -> PersonNumbers:
        if not is_person_number(number):
            return numbers_of_code(number)
        if not self.rules.checks_numbers:
            return unchecked_numbers(number)
        return await resolve_by_loading(self.resources.sources, self.rules.loaders.load, number)

    def person(self, info: Info, numbers: PersonNumbers, place: int | None = None) -> Person:
        """Return the person behind ``numbers``, whom a record led to.

        ``place``: in the list of people at hand, if it is one. Raises NUMBER_CONFLICT. Citizens who
        come back to themselves are still themselves.
        """
        open_linked(numbers)
        is_own = is_citizen(numbers, self.rules.caller.citizen)
        return self.opened(info, numbers, is_own, Role.KIN, place)

    def opened(
        self, info: Info, numbers: PersonNumbers, is_own: bool, role: Role, place: int | None = None
    ) -> Person:
        """Return a person who may be shown. ``role``: as which others than the citizen count."""
        touched_as = citizen_role(self.rules.caller) if is_own else role
        sections = self.state.open_person(numbers, touched_as, touched_as is Role.NAMED)
        reason = self.rules.shortfall_reason(numbers, Sensitivity.RESTRICTED if is_own else None)
        return Person(numbers, is_own, sections, self.shortfall(info, place), reason)

    def shortfall(self, info: Info, place: int | None = None) -> Shortfall:
        """Return where it is noted which lists of a person or thing may lack rows."""
        return self.state.shortfall(tuple(_path(info, place)), _locations(info))

    def notices(self, person: Person) -> tuple[Notice, ...]:
        """Return what the caller must not miss about ``person``."""
        population = population_of(self.resources.sources)
        open_up_to = person.own_view
        may_list = partial(self.rules.may_list, open_up_to)
        return notices(person.numbers, population, self.rules.visibility(open_up_to), may_list)

    async def read(self, person: Person, read: Read) -> Answer:
        """Read one list of a person's records, under all their numbers."""
        record = read.record
        keys, open_up_to = person.numbers.all, person.own_view
        identification = person.numbers.identification
        answer = await self.rules.read(read, keys, open_up_to, identification, keys)
        self.state.note(record, answer.report.state)
        note_read(person.sections, record, answer)
        return answer

    def report(self, info: Info, record: Record, answer: Answer) -> None:
        """Put what went wrong with a list beside the data, at the list's place."""
        error = self.rules.problem(record, answer)
        if error is not None:
            self.problem(info, error)

    def mirror(self, info: Info, person: Person, place: int | None) -> None:
        """Keep a person's notices for the answer's extensions."""
        mirrored = [notice.mirrored for notice in self.notices(person)]
        if mirrored:
            self.state.mirrored.append({"path": _path(info, place), "notices": mirrored})

    def problem(self, info: Info, error: GatewayError, place: int | None = None) -> None:
        """Put ``error`` beside the data, at the field (or its ``place``) where it happened."""
        self.state.problem(error, tuple(_path(info, place)), _locations(info))


def _locations(info: Info) -> tuple[Location, ...]:
    tokens = (node.loc.start_token for node in info.field_nodes if node.loc)
    return tuple({"line": token.line, "column": token.column} for token in tokens)


def _path(info: Info, place: int | None) -> list[str | int]:
    path = info.path.as_list()
    return path if place is None else [*path, place]


async def execute_reference(
    resources: ExecutionResources,
    request: OperationRequest,
    tree: DocumentNode,
    rules: RecordRules,
) -> Result:
    """Execute ``tree`` field by field, with graphql-core over the resolvers of the schema.

    There is a single payload: deferred fragments are part of it.
    """
    if request.operation.defers:
        tree = without_defer(tree)
    state = ExecutionState(resources.settings.limits)
    # graphql-core's ``execute`` refuses a schema that has @defer at all.
    executed = experimental_execute_incrementally(
        resources.schema,
        tree,
        context_value=ReferenceContext(resources, rules, state, request.id, request.delivery),
        variable_values=dict(request.variables or {}),
        operation_name=request.operation.name,
    )
    result = await executed if isawaitable(executed) else executed
    assert isinstance(result, ExecutionResult)
    state.report_shortfalls()
    errors = [render_error(error) for error in result.errors or ()]
    errors += [render_problem(problem) for problem in state.problems]
    return Result(
        result.data,
        errors,
        state.mirrored,
        state.trail,
        state.states,
        unidentified=state.count_unidentified(),
        cases=results_of_cases(state),
    )
