"""A plan while it runs: what is known so far, what is waited for, and what went wrong.

Every list goes through ``answer``: permission, protection, fetch, protection of its rows. Jobs
(``gateway.execution.jobs``) ask for it until it is there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from connectors.description import Database, Record, Row, Sensitivity
from gateway.answer import Answer, Identification, SourceReport, State, worst
from gateway.audit.access_log.page import LogPage, log_problem
from gateway.audit.touched import Trail
from gateway.catalogue.sections import Computed
from gateway.derived.conclude import DerivedValue
from gateway.errors import GatewayError, Location, Path, Problem
from gateway.execution.decisions import Reader, note_derived, note_log
from gateway.fetch.read import Read, ReadKind
from gateway.fetch.reads import Reads, SubjectNumbers
from gateway.people.identification import Shortfall
from gateway.people.numbers import Needs, Numbers, Population, judge, plainly, unchecked
from gateway.plan.list_arguments import parse_log_arguments
from gateway.plan.plan import AccessLogPlan, Plan
from gateway.plan.selection import DynamicArguments
from gateway.protection.death import deaths_of, is_dead
from gateway.protection.rules import opens_on_death
from gateway.settings import Limits

#: What a job waits for that has an attempt to match a person, until it has been counted.
ATTEMPT: ReadKind = ("", "", "attempt", False)


class Job(Protocol):
    """Something to be done that may have to wait for reads."""

    def advance(self, run: Run) -> ReadKind | None:
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
class Run:
    """One operation about persons while its plan runs.

    ``arguments``: what came of ``plan.dynamic``. ``problems``, ``mirrored``, ``trail``, ``states``:
    what goes into the answer and the journal. ``numbers``: whose they are, as far as it is known;
    ``opened``: those that were asked for. ``ready``, ``waiting``: jobs that can go on, and those
    that wait, by what they wait for. ``looking``: access logs being read. ``named``: how many
    people the operation has named so far. ``shortfalls``: of the people and things that were read.
    ``unidentified``: how many people were named by a number that nobody holds.
    ``matched``: attempts to match a person were counted.
    """

    plan: Plan
    arguments: Sequence[object]
    reader: Reader
    reads: Reads
    limits: Limits
    population: Population | None
    problems: list[Problem] = field(default_factory=list)
    mirrored: list[dict[str, object]] = field(default_factory=list)
    trail: Trail = field(default_factory=Trail)
    states: dict[str, State] = field(default_factory=dict)
    numbers: dict[str, Numbers] = field(default_factory=dict)
    opened: set[str] = field(default_factory=set)
    decided: dict[tuple[int, Sensitivity | None], Answer | None] = field(default_factory=dict)
    ready: list[Job] = field(default_factory=list)
    waiting: dict[ReadKind, list[Job]] = field(default_factory=dict)
    looking: list[asyncio.Task[None]] = field(default_factory=list)
    named: int = 0
    matched: bool = False
    shortfalls: list[Shortfall] = field(default_factory=list)
    unidentified: int = 0

    def shortfall(self, path: Path, locations: Sequence[Location]) -> Shortfall:
        """Return where it is noted which lists of a person or thing may lack rows."""
        shortfall = Shortfall(path, tuple(locations))
        self.shortfalls.append(shortfall)
        return shortfall

    def report_shortfalls(self) -> None:
        """Put what may be missing beside the data: one error for each person and reason."""
        for shortfall in self.shortfalls:
            for error in shortfall.errors():
                self.problem(error, shortfall.path, shortfall.locations)

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

    def problem(
        self, error: GatewayError, path: Path, locations: Sequence[Location], count: int = 1
    ) -> None:
        """Put ``error`` beside the data."""
        self.problems.append(Problem(error, path, locations, count))

    def note(self, record: Record, state: State) -> None:
        """Remember for the journal in what state a list was answered: the worst counts."""
        name = f"{record.database}.{record.name}"
        known = self.states.get(name)
        if known is not state:
            self.states[name] = state if known is None else worst((state, known))

    def look(
        self,
        plan: AccessLogPlan,
        numbers: Numbers,
        own: bool,
        sections: set[str],
        shortfall: Shortfall,
        target: list[LogPage | None],
        place: int,
    ) -> None:
        """Start on reading an access log, beside everything else."""
        path, locations = (*shortfall.path, *plan.place.steps), plan.place.locations

        async def read() -> None:
            try:
                given = self.judged(plan.arguments)
                assert isinstance(given, Mapping)
                page = await self.reader.access_log(numbers, own, parse_log_arguments(given))
            except GatewayError as error:
                self.problem(error, path, locations)
                return
            self.note_log(sections, page)
            target[place] = page
            reason = self.reader.shortfall_reason(numbers, own_view(own))
            if page.state.has_rows and reason is not None:
                shortfall.note(reason, path)
            problem = log_problem(page)
            if problem is not None:
                self.problem(problem, path, locations)

        self.looking.append(asyncio.create_task(read()))

    def note_log(self, sections: set[str], page: LogPage) -> None:
        """Note that an access log was read: reading it is logged too."""
        name = note_log(sections, page.state)
        self.states[name] = worst((page.state, self.states.get(name, State.ANSWERED)))

    def concluded(self, computed: Computed, sections: set[str], state: State) -> None:
        """Note in what state a derived view was answered, and that it was."""
        name = note_derived(sections, computed, state)
        self.states[name] = worst((state, self.states.get(name, State.ANSWERED)))

    def decide(self, record: Record, own: Sensitivity | None) -> Answer | None:
        """Return what is decided without fetching, once a request for each kind of record."""
        key = (id(record), own)
        if key not in self.decided:
            self.decided[key] = self.reader.decide(record, own)
        return self.decided[key]

    def name(self, numbers: Sequence[str]) -> None:
        """Count persons whom the operation names; raises GatewayError TOO_MANY_PERSONS."""
        for number in numbers[: self.limits.persons]:
            self.trail.note_refused(number)
        self.named += len(numbers)
        if self.named > self.limits.persons:
            raise GatewayError("TOO_MANY_PERSONS", details={"limit": self.limits.persons})

    def whose(self, number: str) -> Numbers | Needs:
        """Return whose ``number`` is; else the reads that have to be made first.

        Raises GatewayError TOO_MANY_PERSONS.
        """
        known = self.numbers.get(number)
        if known is not None:
            return known
        if number not in self.opened:
            limit = self.limits.persons_reached
            if len(self.opened) >= limit:
                raise GatewayError("TOO_MANY_PERSONS", details={"limit": limit})
            self.opened.add(number)
        if not self.reader.checks_numbers:
            return unchecked(number)
        found = self._plainly(number) or judge(self.population, number, self.known)
        if isinstance(found, Numbers):
            self.numbers[number] = found
        return found

    def _plainly(self, number: str) -> Numbers | None:
        """Return whose ``number`` is where that is plain, without a look at anything else."""
        of = self.population
        if of is None:
            return None
        identity = self.known(of.identity, number)
        earlier = self.known(of.earlier, number)
        holders = self.known(of.holders, number)
        if identity is None or earlier is None or holders is None:
            return None
        return plainly(number, identity, earlier, holders)

    def ask(self, needs: Needs) -> ReadKind:
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
            answer = None if dead else self.reader.withheld(record)
        if answer is None:
            got = self.got(read, keys, subject_numbers)
            if got is None:
                return read.kind
            answer = self.reader.take(record, got, identification)
        self.note(record, answer.report.state)
        return answer

    def dead(self, numbers: Sequence[str]) -> bool | ReadKind:
        """Return whether a person is known to be dead; else what has to arrive first.

        It decides what may be shown at all, and is read past the cache.
        """
        deaths = deaths_of(self.reader.sources)
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
