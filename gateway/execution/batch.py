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
from gateway.derived.conclude import DerivedValue
from gateway.errors import GatewayError
from gateway.execution.decisions import RecordRules
from gateway.execution.state import ExecutionState
from gateway.fetch.read import Read, ReadKind
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

    def advance(self, batch: Batch) -> ReadKind | None:
        """Go on; returns what has to arrive first, None when done."""
        ...


def own_view(own: bool) -> Sensitivity | None:
    """Return up to what sensitivity records of a person are open to the citizen they are about."""
    return Sensitivity.RESTRICTED if own else None


@dataclass(slots=True, eq=False)
class Found:
    """A list that was read. ``rows`` is None where it is not known that there are none.

    ``below``: for each slot what hangs on the rows, in their order: Found, Opened or None.
    ``ids``: the ``recordId`` of each row; ``next_cursor``: where the next page begins; where they
    are selected.
    """

    rows: tuple[Row, ...] | None
    truncated: bool | None
    report: SourceReport
    below: list[list[Found | Opened | None]]
    ids: Sequence[str] = ()
    next_cursor: str | None = None


@dataclass(slots=True, eq=False)
class Opened:
    """A person who was opened. ``notices`` only where they are selected.

    ``identification``: the name of an ``Identification``, None where the caller may not know it.

    ``lists``, ``reports``, ``derived`` and ``logs`` stand in the order of the person's plan, None
    until they are read; what has refused arguments stays None. ``databases``: in the order of the
    plan, as settings have them.
    """

    present: str | None
    asked: str
    own: bool
    identification: str | None
    notices: tuple[object, ...]
    lists: list[Found | None]
    reports: list[SourceReport | None]
    derived: list[DerivedValue | None]
    logs: list[LogPage | None]
    databases: Sequence[Database] = ()


@dataclass(slots=True, eq=False)
class Batch:
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

    def judged(self, arguments: object) -> object:
        """Return arguments as they are for this request."""
        return (
            self.arguments[arguments.slot] if isinstance(arguments, DynamicArguments) else arguments
        )

    def read_log(
        self,
        plan: AccessLogPlan,
        numbers: PersonNumbers,
        own: bool,
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
                given = self.judged(plan.arguments)
                assert isinstance(given, Mapping)
                page = await self.rules.access_log(numbers, own, parse_log_arguments(given))
            except GatewayError as error:
                self.state.problem(error, path, locations)
                return
            self.state.note_log(sections, page)
            target[place] = page
            reason = self.rules.shortfall_reason(numbers, own_view(own))
            if page.state.has_rows and reason is not None:
                shortfall.note(reason, path)
            problem = log_problem(page)
            if problem is not None:
                self.state.problem(problem, path, locations)

        self.logs.append(asyncio.create_task(read()))

    def decide(self, record: Record, own: Sensitivity | None) -> Answer | None:
        """Return what is decided without fetching, once a request for each kind of record."""
        key = (record, own)
        if key not in self.decided:
            self.decided[key] = self.rules.decide(record, own)
        return self.decided[key]

    def whose(self, number: str) -> PersonNumbers | NeededReads:
        """Return whose ``number`` is; else the reads that have to be made first.

        Raises GatewayError TOO_MANY_PERSONS.
        """
        known = self.numbers.get(number)
        if known is not None:
            return known
        if number not in self.opened:
            self.state.require_room(len(self.opened))
            self.opened.add(number)
        if not self.rules.checks_numbers:
            return unchecked_numbers(number)
        found = self._plainly(number) or resolve_from_known(self.population, number, self.known)
        if isinstance(found, PersonNumbers):
            self.numbers[number] = found
        return found

    def _plainly(self, number: str) -> PersonNumbers | None:
        """Return whose ``number`` is where that is plain, without a look at anything else."""
        of = self.population
        if of is None:
            return None
        identity = self.known(of.identity, number)
        earlier = self.known(of.earlier, number)
        holders = self.known(of.holders, number)
        if identity is None or earlier is None or holders is None:
            return None
        return resolve_simple_case(number, identity, earlier, holders)

    def ask(self, needs: NeededReads) -> ReadKind:
        """Ask for what has to be read; returns what to wait for."""
        for read, number in needs.reads:
            self.reads.ask(read, (number,))
        return needs.reads[0][0].kind

    def known(self, read: Read, number: str) -> Answer | None:
        """Return the answer to a read that has been made, None for one that has not."""
        answers = self.reads.answers.get(read.kind)
        return answers.get(number) if answers else None

    def answer(
        self,
        read: Read,
        own: Sensitivity | None,
        keys: Sequence[str],
        identification: Identification | None,
        subject_numbers: SubjectNumbers = (),
    ) -> Answer | ReadKind:
        """Return the answer for a list as the caller may see it; else what has to arrive first.

        ``identification``: of the person whose numbers ``keys`` are, None where they are other
        keys. ``subject_numbers``: of the person for whose view it is.
        """
        record = read.record
        answer = self.decide(record, own)
        if answer is None and opens_on_death(record):
            dead = self.dead(keys)
            if not isinstance(dead, bool):
                return dead
            answer = None if dead else self.rules.withheld(record)
        if answer is None:
            got = self.got(read, keys, subject_numbers)
            if got is None:
                return read.kind
            answer = self.rules.take(record, got, identification)
        self.state.note(record, answer.report.state)
        return answer

    def dead(self, numbers: Sequence[str]) -> bool | ReadKind:
        """Return whether a person is known to be dead; else what has to arrive first.

        It decides what may be shown at all, and is read past the cache.
        """
        deaths = deaths_of(self.rules.sources)
        if deaths is None:
            return False
        got = self.got(deaths, numbers, tuple(numbers))
        return deaths.kind if got is None else is_dead(deaths.record, got)

    def got(
        self, read: Read, keys: Sequence[str], subject_numbers: SubjectNumbers = ()
    ) -> list[Answer] | None:
        """Return the answers for ``keys``; None where they are not there yet, and asked for."""
        if read.lookup.on is not None:  # what is there may be about somebody else
            self.reads.ask(read, keys, subject_numbers)
        known = self.reads.answers.get(read.kind, {})
        got = [known[key] for key in keys if key in known]
        if len(got) == len(keys):
            return got
        self.reads.ask(read, keys, subject_numbers)
        return None
