"""A batch: the reads that a plan still waits for, and the jobs that go on when rows arrive.

Every list goes through ``answer``: permission, protection, fetch, protection of its rows. Jobs
(``gateway.execution.jobs``) call it until the rows are there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from connectors.description import Database, Record, Row, Sensitivity
from gateway.answer import Answer, Identification, SourceReport
from gateway.audit.access_log.page import LogPage, log_problem
from gateway.catalogue.read import Read, ReadKind
from gateway.derived.conclude import DerivedValue
from gateway.errors import GatewayError
from gateway.execution.decisions import RecordRules
from gateway.execution.state import ExecutionState
from gateway.fetch.reads import Reads, SubjectNumbers
from gateway.people.identification import Shortfall
from gateway.people.numbers import (
    NeededReads,
    PersonNumbers,
    Population,
    resolve_from_known,
    resolve_simple_case,
    unchecked_numbers,
)
from gateway.plan.dynamic_arguments import DynamicArguments
from gateway.plan.list_arguments import parse_log_arguments
from gateway.plan.plan import AccessLogPlan, Plan
from gateway.protection.death import deaths_of, is_dead
from gateway.protection.rules import opens_on_death

#: What a job waits for that has an attempt to match a person, until it has been counted.
ATTEMPT: ReadKind = ("", "", "attempt", False)


class Job(Protocol):
    """Something to be done that may have to wait for reads."""

    def advance(self, batch: PlanBatch) -> ReadKind | None:
        """Go on; returns what has to arrive first, None when done."""
        ...


def own_view(is_own_view: bool) -> Sensitivity | None:
    """Return up to what sensitivity records of a person are open to the citizen they are about."""
    return Sensitivity.RESTRICTED if is_own_view else None


@dataclass(slots=True, eq=False)
class LoadedList:
    """A list that was read. ``rows`` is None where it is not known that there are none.

    ``below``: for each slot what hangs on the rows, in their order: LoadedList, OpenedPerson or
    None. ``ids``: the ``recordId`` of each row, and ``next_cursor``: where the next page begins.
    Both only where they are selected.
    """

    rows: tuple[Row, ...] | None
    truncated: bool | None
    report: SourceReport
    below: list[list[LoadedList | OpenedPerson | None]]
    ids: Sequence[str] = ()
    next_cursor: str | None = None


@dataclass(slots=True, eq=False)
class OpenedPerson:
    """A person who was opened. ``notices`` only where they are selected.

    ``identification``: the name of an ``Identification``, None where the caller may not know it.

    ``lists``, ``reports``, ``derived`` and ``logs`` stand in the order of the person's plan, None
    until they are read; what has refused arguments stays None. ``databases``: in the order of the
    plan, as settings have them.
    """

    present_number: str | None
    requested_number: str
    is_own_view: bool
    identification: str | None
    notices: tuple[object, ...]
    lists: list[LoadedList | None]
    reports: list[SourceReport | None]
    derived: list[DerivedValue | None]
    logs: list[LogPage | None]
    databases: Sequence[Database] = ()


@dataclass(slots=True, eq=False)
class PlanBatch:
    """The lists of one plan while they are read.

    ``arguments``: the values of ``plan.dynamic``. ``rules``: by which records are read. ``state``:
    what goes into the answer and the journal. ``numbers``: whose they are, as far as it is known;
    ``opened``: those that were resolved. ``ready``, ``waiting``: jobs that can go on, and those
    that wait, by what they wait for. ``logs``: access logs that are being read.
    """

    plan: Plan
    arguments: Sequence[object]
    rules: RecordRules
    reads: Reads
    state: ExecutionState
    population: Population | None
    numbers: dict[str, PersonNumbers] = field(default_factory=dict)
    opened: set[str] = field(default_factory=set)
    decided: dict[tuple[Record, Sensitivity | None], Answer | None] = field(default_factory=dict)
    ready: list[Job] = field(default_factory=list)
    waiting: dict[ReadKind, list[Job]] = field(default_factory=dict)
    logs: list[asyncio.Task[None]] = field(default_factory=list)

    def advance(self) -> None:
        """Take every job as far as it goes; one that waits is found again by what it waits for."""
        while self.ready:
            job = self.ready.pop()
            kind = job.advance(self)
            if kind is not None:
                self.waiting.setdefault(kind, []).append(job)

    def arguments_of(self, arguments: object) -> object:
        """Return arguments as they are for this request."""
        return (
            self.arguments[arguments.slot] if isinstance(arguments, DynamicArguments) else arguments
        )

    def read_log(
        self,
        plan: AccessLogPlan,
        numbers: PersonNumbers,
        is_own_view: bool,
        sections: set[str],
        shortfall: Shortfall,
        target: list[LogPage | None],
        place: int,
    ) -> None:
        """Start to read an access log, beside everything else."""
        self.state.has_read_log = True
        path, locations = (*shortfall.path, *plan.place.steps), plan.place.locations

        async def read() -> None:
            try:
                arguments = self.arguments_of(plan.arguments)
                assert isinstance(arguments, Mapping)
                page = await self.rules.access_log(
                    numbers, is_own_view, parse_log_arguments(arguments)
                )
            except GatewayError as error:
                self.state.problem(error, path, locations)
                return
            self.state.note_log(sections, page)
            target[place] = page
            reason = self.rules.shortfall_reason(numbers, own_view(is_own_view))
            if page.state.has_rows and reason is not None:
                shortfall.note(reason, path)
            problem = log_problem(page)
            if problem is not None:
                self.state.problem(problem, path, locations)

        self.logs.append(asyncio.create_task(read()))

    def decide(self, record: Record, open_up_to: Sensitivity | None) -> Answer | None:
        """Return what is decided without fetching, once a request for each kind of record."""
        key = (record, open_up_to)
        if key not in self.decided:
            self.decided[key] = self.rules.decide(record, open_up_to)
        return self.decided[key]

    def resolve_number(self, number: str) -> PersonNumbers | NeededReads:
        """Return whose ``number`` is; else the reads that have to be made first.

        Raises GatewayError TOO_MANY_PERSONS.
        """
        numbers = self.numbers.get(number)
        if numbers is not None:
            return numbers
        if number not in self.opened:
            self.state.require_room(len(self.opened))
            self.opened.add(number)
        if not self.rules.checks_numbers:
            return unchecked_numbers(number)
        found = self._resolve_simple_case(number) or resolve_from_known(
            self.population, number, self.arrived_answer
        )
        if isinstance(found, PersonNumbers):
            self.numbers[number] = found
        return found

    def _resolve_simple_case(self, number: str) -> PersonNumbers | None:
        """Return whose ``number`` is where that is plain, without a look at anything else."""
        population = self.population
        if population is None:
            return None
        identity = self.arrived_answer(population.identity, number)
        earlier = self.arrived_answer(population.earlier, number)
        holders = self.arrived_answer(population.holders, number)
        if identity is None or earlier is None or holders is None:
            return None
        return resolve_simple_case(number, identity, earlier, holders)

    def request_reads(self, needs: NeededReads) -> ReadKind:
        """Ask for what has to be read; returns what to wait for."""
        for read, number in needs.reads:
            self.reads.ask(read, (number,))
        return needs.reads[0][0].kind

    def arrived_answer(self, read: Read, number: str) -> Answer | None:
        """Return the answer to a read that has been made, None for one that has not."""
        by_key = self.reads.answers.get(read.kind)
        return by_key.get(number) if by_key else None

    def answer(
        self,
        read: Read,
        open_up_to: Sensitivity | None,
        keys: Sequence[str],
        identification: Identification | None,
        subject_numbers: SubjectNumbers = (),
    ) -> Answer | ReadKind:
        """Return the answer for a list as the caller may see it; else what has to arrive first.

        ``identification``: of the person whose numbers ``keys`` are, None where they are other
        keys. ``subject_numbers``: of the person for whose view it is.
        """
        record = read.record
        answer = self.decide(record, open_up_to)
        if answer is None and opens_on_death(record):
            death = self.resolve_death(keys)
            if not isinstance(death, bool):
                return death
            answer = None if death else self.rules.withheld(record)
        if answer is None:
            answers = self.arrived(read, keys, subject_numbers)
            if answers is None:
                return read.kind
            answer = self.rules.protect_and_merge(record, answers, identification)
        self.state.note(record, answer.report.state)
        return answer

    def resolve_death(self, numbers: Sequence[str]) -> bool | ReadKind:
        """Return whether a person is known to be dead; else what has to arrive first.

        It decides what may be shown at all, and is read past the cache.
        """
        deaths = deaths_of(self.rules.sources)
        if deaths is None:
            return False
        answers = self.arrived(deaths, numbers, tuple(numbers))
        return deaths.kind if answers is None else is_dead(deaths.record, answers)

    def arrived(
        self, read: Read, keys: Sequence[str], subject_numbers: SubjectNumbers = ()
    ) -> list[Answer] | None:
        """Return the answers for ``keys``; None where they are not there yet, and asked for."""
        if read.lookup.on is not None:  # what is there may be about somebody else
            self.reads.ask(read, keys, subject_numbers)
        by_key = self.reads.answers.get(read.kind, {})
        arrived = [by_key[key] for key in keys if key in by_key]
        if len(arrived) == len(keys):
            return arrived
        self.reads.ask(read, keys, subject_numbers)
        return None
