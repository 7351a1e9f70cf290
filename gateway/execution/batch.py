"""A batch: one plan, executed once for all requests that were gathered for it.

The requests of a batch have the same plan, the same rights and the same arguments of lists; they
differ in whom they name, and in who asks. What they name are parts (``gateway.execution.parts``),
each evaluated once. A step (``gateway.execution.steps``) runs over all parts that are ready for it.
A part whose rows have not arrived waits for their column (``gateway.fetch.reads``); the others go
on. When no step can run, the batch sends what the columns were asked for, and waits.

A member has its result as soon as its own parts are done (``docs/how-it-runs.md``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.backends.base import Asker
from connectors.description import Record, Sensitivity
from gateway.answer import Answer, Identification
from gateway.cache.answer_store import Used
from gateway.catalogue.read import Read
from gateway.errors import GatewayError
from gateway.execution.decisions import RecordRules
from gateway.execution.operation import Result
from gateway.execution.parts import AnswerPart, Member, PersonPart
from gateway.execution.program import Program
from gateway.fetch.reads import ReadColumn, Reads, SubjectNumbers
from gateway.fetch.source import LiveState
from gateway.people.notices import VisibleFacts, plain_facts
from gateway.people.numbers import PersonNumbers, Population
from gateway.plan.dynamic_arguments import DynamicArguments
from gateway.plan.list_arguments import ListArguments
from gateway.plan.plan import ListPlan, PersonLinkPlan, PersonPlan, PersonRootPlan, Plan
from gateway.protection.death import deaths_of, is_dead
from gateway.settings import Limits

#: A step: takes the batch, a piece of its plan (a list, a link, a view), and the entries for which
#: it is to run: parts, or lists that hang on rows of one.
Step = Callable[["PlanBatch", Any, Sequence[Any]], None]
#: Where a request's attempt to match a person stands in its answer, and what goes on after it.
AttemptEntry = tuple[tuple[int, ...], Any, Callable[[], None]]


class Crowded(Exception):
    """The requests of a batch together reach more people than one request may.

    Each has to be executed alone: then it is known whose request reaches too many.
    """


@dataclass(slots=True, eq=False)
class PlanBatch:
    """Requests that are executed together.

    ``program``, ``arguments``: of all members; only the arguments of root fields differ. ``rules``:
    by which records are read, the same for all members. ``emit``: makes a member's result of its
    parts. ``renderings``: the lists that their databases write, with their reads. ``live``: the
    state of databases, where the plan shows it. ``attempts``: to match a person, which have to be
    counted before the execution goes on. ``numbers``: whose each number is, by number and asker.
    ``on_progress``: called whenever no step can run, None where nobody waits for that.
    ``opened``: the numbers that count towards ``limits.persons_reached``.

    ``_ready`` and ``_waiting`` have the entries for which a step is to run, by step and plan: now,
    or once something has arrived in a column.
    """

    program: Program
    arguments: Sequence[object]
    rules: RecordRules
    reads: Reads
    limits: Limits
    members: Sequence[Member]
    emit: Callable[[PlanBatch, Member], tuple[Result, list[Used] | None]]
    renderings: Mapping[ListPlan, Read] = field(default_factory=dict)
    live: dict[str, LiveState] = field(default_factory=dict)
    has_matched: bool = False
    has_read_log: bool = False
    attempts: list[AttemptEntry] = field(default_factory=list)
    numbers: dict[tuple[str, Asker | None], tuple[PersonNumbers, list[Used] | None]] = field(
        default_factory=dict
    )
    opened: set[str] = field(default_factory=set)
    on_progress: Callable[[PlanBatch], None] | None = None
    _parts: dict[Hashable, AnswerPart] = field(default_factory=dict)
    _ready: dict[tuple[Step, Any], list[Any]] = field(default_factory=dict)
    _waiting: dict[ReadColumn, dict[tuple[Step, Any], list[Any]]] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _number_columns: dict[Asker | None, tuple[ReadColumn, ReadColumn, ReadColumn]] = field(
        default_factory=dict
    )
    _failure: BaseException | None = None

    @property
    def plan(self) -> Plan:
        """The plan, which all members share."""
        return self.program.plan

    @property
    def population(self) -> Population | None:
        """The reads by which numbers are resolved."""
        return self.program.population

    # --- running ------------------------------------------------------------------------------

    async def run(self, start: Callable[[PlanBatch, Member], None]) -> None:
        """Run until every member has its result; ``start`` begins on the root fields of one."""
        try:
            self._start_live()
            for member in self.members:
                start(self, member)
                self.finish(member)
            await self._advance()
            while self._waiting or self._tasks:
                for column in await self.reads.arrive(len(self._tasks)):
                    self._resume(column)
                await self._advance()
                if self._failure is not None:
                    raise self._failure
                if all(member.is_done for member in self.members):
                    return
                if not self._tasks and not self.reads.is_waiting() and not self._ready:
                    self._require_progress()
            if self._failure is not None:
                raise self._failure
        finally:
            self.reads.close()
            for member in self.members:  # parts that nobody waits for any more refer to them
                member.roots.clear()
            for task in self._tasks:
                task.cancel()

    def _require_progress(self) -> None:
        """Raise RuntimeError where parts wait for what nobody reads: it would read as "none"."""
        if self._waiting and not self.reads.has_work():
            kinds = sorted(column.read.kind for column in self._waiting)
            raise RuntimeError(f"never answered: {kinds}")

    def _resume(self, column: ReadColumn) -> None:
        for key, entries in self._waiting.pop(column, {}).items():
            self._ready.setdefault(key, []).extend(entries)

    async def _advance(self) -> None:
        """Run every step that can run; attempts to match a person are counted on the way.

        They are counted in the order of the answer, so that those that are refused are the last.
        """
        self._run_steps()
        while self.attempts:
            self.has_matched = True
            attempts, self.attempts = self.attempts, []
            for _, attempt, go_on in sorted(attempts, key=lambda entry: entry[0]):
                async with self.rules.count_attempt(attempt):
                    go_on()
                    self._run_steps()
        if self.on_progress is not None:
            self.on_progress(self)

    def _run_steps(self) -> None:
        ready = self._ready
        while ready:
            key = next(iter(ready))
            step, plan = key
            step(self, plan, ready.pop(key))

    def _start_live(self) -> None:
        for name in sorted(self.plan.live):
            for member in self.members:
                member.pending += 1
            self.spawn(self._read_live(name))

    async def _read_live(self, name: str) -> None:
        self.live[name] = await self.rules.sources[name].live()
        for member in self.members:
            self.finish(member)

    def spawn(self, work: Coroutine[object, object, None]) -> None:
        """Run ``work`` beside the reads; it ends with the batch at the latest."""
        task = asyncio.create_task(work)
        self._tasks.add(task)

        def end(ended: asyncio.Task[None]) -> None:
            self._tasks.discard(ended)
            if not ended.cancelled():
                self._failure = self._failure or ended.exception()
            self.reads.wake_up()

        task.add_done_callback(end)

    # --- steps --------------------------------------------------------------------------------

    def schedule(self, step: Step, plan: object, entries: Sequence[object]) -> None:
        """Let ``step`` run over ``entries``, with others of the same plan."""
        if entries:
            self._ready.setdefault((step, plan), []).extend(entries)

    def wait(self, column: ReadColumn, step: Step, plan: object, entries: Sequence[object]) -> None:
        """Let ``step`` run over ``entries`` once something has arrived in ``column``."""
        self._waiting.setdefault(column, {}).setdefault((step, plan), []).extend(entries)

    def finish(self, part: AnswerPart | Member) -> None:
        """Note that a step of ``part`` is done, or a part below it."""
        part.pending -= 1
        if part.pending:  # almost always
            return
        if isinstance(part, Member):
            self._complete(part)
            return
        # Nothing of a batch may refer to itself, or its memory would wait for a collection.
        waits, part.waits = part.waits, None
        for waiting in waits or ():
            self.finish(waiting)

    def _complete(self, member: Member) -> None:
        if member.is_done:
            return
        try:
            member.result.set_result(self.emit(self, member))
        except Exception as error:  # a defect in one answer costs that answer only
            member.result.set_exception(error)
        member.roots.clear()
        member.named.clear()

    # --- parts --------------------------------------------------------------------------------

    def asker_of(self, member: Member) -> Asker | None:
        """Return who asks, where some database is told so."""
        return member.request.caller.asker if self.program.names_asker else None

    def add_part(self, part: AnswerPart, waiting: AnswerPart | Member) -> None:
        """Let ``waiting`` wait for ``part``, unless it is done."""
        if part.pending:
            waiting.pending += 1
            if part.waits is None:
                part.waits = []
            part.waits.append(waiting)

    def find_part(self, key: Hashable) -> AnswerPart | None:
        """Return the part under ``key``, if there is one."""
        return self._parts.get(key)

    def keep_part(self, key: Hashable, part: AnswerPart) -> None:
        """Keep ``part`` under ``key``, for whoever shows it too."""
        self._parts[key] = part

    def person(
        self,
        entry: PersonRootPlan | PersonLinkPlan,
        number: str,
        asker: Asker | None,
        open_people: Step,
    ) -> PersonPart:
        """Return the part of the person with ``number`` under ``entry``; starts on a new one."""
        key = (entry, number, asker)
        part = self._parts.get(key)
        if part is None:
            part = PersonPart(
                entry.place.locations,
                asker,
                used=self.no_entries(),
                entry=entry,
                requested_number=number,
                plan=entry.person,
            )
            self._parts[key] = part
            self.schedule(open_people, entry, (part,))
        assert isinstance(part, PersonPart)
        return part

    def require_room(self, number: str) -> None:
        """Count a number that is opened; raises GatewayError TOO_MANY_PERSONS, or Crowded."""
        if number in self.opened:
            return
        limit = self.limits.persons_reached
        if len(self.opened) >= limit:
            if len(self.members) > 1:
                raise Crowded
            raise GatewayError("TOO_MANY_PERSONS", details={"limit": limit})
        self.opened.add(number)

    def number_columns(self, asker: Asker | None) -> tuple[ReadColumn, ReadColumn, ReadColumn]:
        """Return what the population database says of numbers: identity, earlier, holders."""
        columns = self._number_columns.get(asker)
        if columns is None:
            population = self.population
            assert population is not None
            columns = self._number_columns[asker] = (
                self.reads.column(population.identity, asker),
                self.reads.column(population.earlier, asker),
                self.reads.column(population.holders, asker),
            )
        return columns

    def no_entries(self) -> list[Used] | None:
        """Return where a part notes the entries of the cache that it is made of; None: none are."""
        return [] if self.program.uses_cache else None

    def list_names(self, plan: PersonPlan) -> tuple[str, ...]:
        """Return the lists that a plan reads of a person, as the journal calls them, sorted."""
        list_names = self.program.list_names
        names = list_names.get(plan)
        if names is None:
            records = [child.read.record for child in plan.lists]
            read = {f"{record.database}.{record.name}" for record in records}
            names = list_names[plan] = tuple(sorted(read))
        return names

    def notice_facts(self, open_up_to: Sensitivity | None) -> VisibleFacts | None:
        """Return what notices about plain people depend on, as far as the caller may see it."""
        notice_facts = self.program.notice_facts
        if open_up_to not in notice_facts:
            may_know = self.rules.visibility(open_up_to)
            notice_facts[open_up_to] = plain_facts(self.population, may_know)
        return notice_facts[open_up_to]

    # --- reading ------------------------------------------------------------------------------

    def list_arguments(self, plan: ListPlan) -> ListArguments:
        """Return the arguments of a list, which all members share."""
        arguments = self.arguments_of(plan.arguments)
        assert isinstance(arguments, ListArguments)
        return arguments

    def arguments_of(self, arguments: object) -> object:
        """Return arguments as they are for this batch."""
        return (
            self.arguments[arguments.slot] if isinstance(arguments, DynamicArguments) else arguments
        )

    def decide(self, record: Record, open_up_to: Sensitivity | None) -> Answer | None:
        """Return what is decided without fetching, once a program for each kind of record."""
        key = (record, open_up_to)
        decisions = self.program.decisions
        if key not in decisions:
            decisions[key] = self.rules.decide(record, open_up_to)
        return decisions[key]

    def answer(
        self,
        part: AnswerPart,
        read: Read,
        open_up_to: Sensitivity | None,
        keys: Sequence[str],
        identification: Identification | None,
    ) -> Answer | ReadColumn:
        """Return the answer for a list as the caller may see it; else what has to arrive first.

        ``identification``: of the person whose numbers ``keys`` are, None where they are other
        keys. Every list goes this way: permission, protection, fetch, protection of its rows.
        """
        record = read.record
        answer = self.decide(record, open_up_to)
        if answer is None and self.rules.protection.opens_on_death(record):
            death = self.resolve_death(part, keys)
            if not isinstance(death, bool):
                return death
            answer = None if death else self.rules.withheld(record)
        if answer is None:
            answers = self.arrived(part, read, keys, part.keys)
            if isinstance(answers, ReadColumn):
                return answers
            answer = self.rules.protect_and_merge(record, answers, identification)
            answer = self.rules.cover_as_written(read, answer)
        part.note_state(f"{record.database}.{record.name}", answer.report.state)
        return answer

    def resolve_death(self, part: AnswerPart, numbers: Sequence[str]) -> bool | ReadColumn:
        """Return whether a person is known to be dead; else what has to arrive first.

        It decides what may be shown at all, and is read past the cache.
        """
        deaths = deaths_of(self.rules.sources)
        if deaths is None:
            return False
        answers = self.arrived(part, deaths, numbers, tuple(numbers))
        return answers if isinstance(answers, ReadColumn) else is_dead(deaths.record, answers)

    def arrived(
        self, part: AnswerPart, read: Read, keys: Sequence[str], subject_numbers: SubjectNumbers
    ) -> list[Answer] | ReadColumn:
        """Return the answers for ``keys``; the column where they are not there yet.

        They are asked for then.
        """
        column = self.reads.column(read, part.asker)
        if read.lookup.on is not None:  # what is there may be about somebody else
            column.ask(keys, subject_numbers)
        answers = column.answers
        arrived = [answers[key] for key in keys if key in answers]
        if len(arrived) < len(keys):
            column.ask(keys, subject_numbers)
            return column
        note_used(part, column, keys)
        return arrived


def note_used(part: AnswerPart, column: ReadColumn, keys: Sequence[str]) -> None:
    """Note which entries of the cache a part is made of."""
    if part.used is None:
        return
    served, hangs = column.served, column.read.lookup.on is not None
    for key in keys:
        used = served.get(key)
        if used is None:
            part.used = None
            return
        if hangs and used[2] != part.keys:  # they were asked for about somebody else
            used = (*used[:2], part.keys, used[3])
        part.used.append(used)
