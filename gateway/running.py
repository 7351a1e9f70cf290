"""Running a plan: permission, fetch and protection for every list in it, wave by wave.

A job waits for the reads it needs and for nothing else: what depends on a slow database waits for
it, the rest of the answer does not. When no job is left, generated code turns what was found into
the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connectors.description import Lookup, Record, Sensitivity
from gateway.answer import Answer, SourceReport, State, worst
from gateway.deriving import DerivedValue, conclude, hanging_keys
from gateway.errors import GatewayError
from gateway.fetch.numbers import Needs, Numbers, Population, judge, population_of
from gateway.fetch.reads import Kind, Reads
from gateway.fetch.source import LiveState
from gateway.looking import LogPage, log_problem, log_question
from gateway.notices import notices
from gateway.opening import (
    Matching,
    hold_matching,
    is_citizen,
    open_linked,
    open_named,
    open_person,
)
from gateway.plan.bindings import Computed
from gateway.plan.plan import (
    DerivedPlan,
    Found,
    HungPlan,
    LinkPlan,
    ListPlan,
    LogPlan,
    Opened,
    PersonPlan,
    Plan,
    ReportPlan,
    RootPlan,
    RowsPlan,
)
from gateway.plan.shapes import Arguments
from gateway.problem import Location, Path, Problem
from gateway.protection import opens_on_death
from gateway.protection.life import deaths_of, is_dead
from gateway.reading import Reader, note_derived, note_read
from gateway.schema.lists import Wanted, choose
from gateway.settings import Limits
from gateway.trail import Role, Trail, mention, own_role

_PRESENT_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a plan.

    ``data``: by response key, of the planned root fields. ``mirrored``: notices of persons at the
    root for whom the field is not selected, with their path. ``trail``: who was touched.
    ``states``: the worst state of each list asked for.
    """

    data: Mapping[str, object]
    problems: Sequence[Problem]
    mirrored: Sequence[Mapping[str, object]]
    trail: Trail
    states: Mapping[str, State]


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
        return await _Run(plan, arguments, reader, reads, limits, population).all()
    finally:
        reads.close()


class _Target(list["Opened | Found | None"]):
    """Where jobs put what they find, by place."""


@dataclass(slots=True, eq=False)
class _Run:
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
    ready: list[_Job] = field(default_factory=list)
    waiting: dict[Kind, list[_Job]] = field(default_factory=dict)
    looking: list[asyncio.Task[None]] = field(default_factory=list)
    named: int = 0

    async def all(self) -> Ran:
        sources = self.reader.sources
        asked = {name: asyncio.ensure_future(sources[name].live()) for name in self.plan.live}
        roots = {key: self.root(root) for key, root in self.plan.roots.items()}
        self.advance()
        while arrived := await self.reads.arrive():
            for kind in arrived:
                self.ready += self.waiting.pop(kind, ())
            self.advance()
        if self.waiting:  # it would read as "there is none"
            raise RuntimeError(f"never answered: {sorted(self.waiting)}")
        live: dict[str, LiveState] = {name: await state for name, state in asked.items()}
        for looked in self.looking:
            await looked
        data = {key: self.shown(key, found, live) for key, found in roots.items()}
        self.mirrored.sort(key=lambda one: self.place(one["path"]))
        return Ran(data, self.problems, self.mirrored, self.trail, self.states)

    def place(self, path: object) -> tuple[int, ...]:
        assert isinstance(path, list)
        return (self.plan.keys.index(path[0]), *path[1:])

    def advance(self) -> None:
        """Take every job as far as it goes; one that waits is found again by what it waits for."""
        while self.ready:
            job = self.ready.pop()
            kind = job.advance(self)
            if kind is not None:
                self.waiting.setdefault(kind, []).append(job)

    def shown(self, key: str, found: _Target | str | None, live: Mapping[str, LiveState]) -> object:
        if found is None or isinstance(found, str):
            return found
        root = self.plan.roots[key]
        assert isinstance(root, RootPlan)
        shape = root.person.shape
        values = [shape(one, live) if isinstance(one, Opened) else None for one in found]
        return values if root.name == "persons" else values[0]

    def root(self, root: RootPlan | str) -> _Target | str | None:
        """Start on a root field; returns where it will be found, None where it is refused."""
        if isinstance(root, str):
            return root
        path: Path = root.place.steps
        try:
            return self.me(root, path) if root.name == "me" else self.by_number(root, path)
        except GatewayError as error:
            self.problem(error, path, root.place.locations)
            return None

    def me(self, root: RootPlan, path: Path) -> _Target:
        citizen = self.reader.caller.citizen
        if citizen is None:
            details = {"missing": ["me"]}
            raise GatewayError("FORBIDDEN", "me is the citizen's own view", details=details)
        target = _Target([None])
        self.ready.append(_Open(citizen, root.person, None, target, 0, path, root.place.locations))
        return target

    def by_number(self, root: RootPlan, path: Path) -> _Target:
        arguments = self.judged(root.arguments)
        assert isinstance(arguments, Mapping)
        single = root.name == "person"
        numbers: Sequence[str] = [arguments["id"]] if single else arguments["ids"]
        for number in numbers[: self.limits.persons]:
            self.trail.refused(number)
        self.named += len(numbers)
        if self.named > self.limits.persons:
            raise GatewayError("TOO_MANY_PERSONS", details={"limit": self.limits.persons})
        target = _Target([None] * len(numbers))
        matching = arguments.get("matching")
        wanted = matching and Matching(matching.get("name"), matching.get("birthDate"))
        hold_matching(self.reader.matching_required, wanted or None)
        for place, number in enumerate(numbers):
            here = path if single else (*path, place)
            if self.reader.caller.may_name_persons:
                given = _Named(wanted or None)
                self.ready.append(
                    _Open(number, root.person, None, target, place, here, root.place.locations,
                          given)
                )  # fmt: skip
            else:
                error = GatewayError("FORBIDDEN", details={"missing": ["<database>:read"]})
                self.problem(error, here, root.place.locations)
        return target

    def judged(self, arguments: object) -> object:
        return self.arguments[arguments.slot] if isinstance(arguments, Arguments) else arguments

    def problem(
        self, error: GatewayError, path: Path, locations: Sequence[Location], count: int = 1
    ) -> None:
        self.problems.append(Problem(error, path, locations, count))

    def note(self, record: Record, state: State) -> None:
        name = f"{record.database}.{record.name}"
        known = self.states.get(name)
        if known is not state:
            self.states[name] = state if known is None else worst((state, known))

    def look(
        self,
        plan: LogPlan,
        numbers: Numbers,
        own: bool,
        above: Path,
        target: list[LogPage | None],
        place: int,
    ) -> None:
        """Start on reading an access log, beside everything else."""
        path, locations = (*above, *plan.place.steps), plan.place.locations

        async def read() -> None:
            try:
                given = self.judged(plan.arguments)
                assert isinstance(given, Mapping)
                page = await self.reader.access_log(numbers, own, log_question(given))
            except GatewayError as error:
                self.problem(error, path, locations)
                return
            target[place] = page
            problem = log_problem(page)
            if problem is not None:
                self.problem(problem, path, locations)

        self.looking.append(asyncio.create_task(read()))

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

    def known(self, record: Record, lookup: Lookup, number: str) -> Answer | None:
        answers = self.reads.answers.get((record.database, lookup.name))
        return answers.get(number) if answers else None

    def answer(
        self,
        record: Record,
        lookup: Lookup,
        kind: Kind,
        own: Sensitivity | None,
        keys: Sequence[str],
        earlier_asked: bool | None,
    ) -> Answer | Kind:
        """Return the answer for a list as the caller may see it; else what has to arrive first."""
        answer = self.decide(record, own)
        if answer is None and opens_on_death(record):
            dead = self.dead(keys)
            if not isinstance(dead, bool):
                return dead
            answer = None if dead else self.reader.withheld(record)
        if answer is None:
            got = self.got(record, lookup, kind, keys)
            if got is None:
                return kind
            answer = self.reader.take(record, got, earlier_asked)
        self.note(record, answer.report.state)
        return answer

    def dead(self, numbers: Sequence[str]) -> bool | Kind:
        """Return whether a person is known to be dead; else what has to arrive first."""
        deaths = deaths_of(self.reader.sources)
        if deaths is None:
            return False
        record, lookup = deaths
        kind = (record.database, lookup.name)
        got = self.got(record, lookup, kind, numbers)
        return kind if got is None else is_dead(record, got)

    def got(
        self, record: Record, lookup: Lookup, kind: Kind, keys: Sequence[str]
    ) -> list[Answer] | None:
        """Return the answers for ``keys``; None where they are not there yet, and asked for."""
        known = self.reads.answers.get(kind, {})
        got = [known[key] for key in keys if key in known]
        if len(got) == len(keys):
            return got
        self.reads.ask(record, lookup, kind, keys)
        return None


@dataclass(frozen=True, slots=True)
class _Named:
    """How a person at the root was named: by number, with what must agree with it."""

    matching: Matching | None


@dataclass(slots=True, eq=False)
class _Person:
    """A person while their lists are read.

    ``sections``: where it is noted what of theirs was read. ``answers``: those taken already.
    """

    numbers: Numbers
    own: bool
    path: Path
    sections: set[str]
    answers: dict[Kind, Answer] = field(default_factory=dict)

    @property
    def own_view(self) -> Sensitivity | None:
        return Sensitivity.RESTRICTED if self.own else None

    def answer(self, run: _Run, record: Record, lookup: Lookup, kind: Kind) -> Answer | Kind:
        """Return a list of this person's, under all their numbers; else what has to arrive."""
        known = self.answers.get(kind)
        if known is not None:
            return known
        keys, earlier = self.numbers.all, self.numbers.known
        found = run.answer(record, lookup, kind, self.own_view, keys, earlier)
        if isinstance(found, Answer):
            self.answers[kind] = found
            note_read(self.sections, record, found)
        return found


@dataclass(slots=True, eq=False)
class _Open:
    """Find out whose number it is and, if the person may be shown, start on their lists.

    ``link``: the plan of the link that led here, None at the root.
    """

    number: str
    plan: PersonPlan
    link: LinkPlan | None
    target: list[Opened | Found | None]
    place: int
    path: Path
    locations: Sequence[Location]
    named: _Named | None = None
    begun: bool = False

    def advance(self, run: _Run) -> Kind | None:
        """Go on; returns what has to arrive first, None when done."""
        try:
            numbers = self._numbers(run)
            if isinstance(numbers, Needs):
                for record, lookup, key in numbers.reads:
                    run.reads.ask(record, lookup, (record.database, lookup.name), (key,))
                record, lookup, _ = numbers.reads[0]
                return (record.database, lookup.name)
            self._opened(run, numbers)
        except GatewayError as error:
            run.problem(error, self.path, self.locations)
        return None

    def _numbers(self, run: _Run) -> Numbers | Needs:
        known = run.numbers.get(self.number)
        if known is not None:
            return known
        if self.number not in run.opened:
            limit = run.limits.persons_reached
            if len(run.opened) >= limit:
                raise GatewayError("TOO_MANY_PERSONS", details={"limit": limit})
            run.opened.add(self.number)
        found = judge(run.population, self.number, run.known)
        if isinstance(found, Needs):
            self._ask_ahead(run)
            return found
        run.numbers[self.number] = found
        return found

    def _ask_ahead(self, run: _Run) -> None:
        """Ask for the lists under the number at hand, beside finding out whose it is.

        Almost always it is the person's present and only number. Not where something has to agree
        first, nor under an old number, which may lead to somebody else: those files stay closed.
        """
        if self.begun or len(self.number) != _PRESENT_DIGITS:
            return
        self.begun = True
        if self.named is not None and self.named.matching is not None:
            return
        for one in self.plan.lists:
            refused = isinstance(one.wanted, GatewayError)
            if refused or opens_on_death(one.record):
                continue
            if run.decide(one.record, one.own) is None:
                run.reads.ask(one.record, one.lookup, one.source, (self.number,))

    def _opened(self, run: _Run, numbers: Numbers) -> None:
        identity = run.population.identity if run.population else None
        plan = self.plan
        if self.link is not None:
            open_linked(numbers)
            if self.link.own is not None and is_citizen(numbers, run.reader.caller.citizen):
                plan = self.link.own
        elif self.named is not None:
            open_named(numbers, self.named.matching, identity)
        else:
            open_person(numbers)
        told: tuple[object, ...] = ()
        if plan.shows_notices or self.link is None:
            told = self._notices(run, numbers, identity, plan)
        lists: list[Found | None] = [None] * len(plan.lists)
        reports: list[SourceReport | None] = [None] * len(plan.reports)
        derived: list[DerivedValue | None] = [None] * len(plan.derived)
        logs: list[LogPage | None] = [None] * len(plan.logs)
        opened = Opened(
            numbers.present, numbers.asked, plan.own, told, lists, reports, derived, logs
        )
        self.target[self.place] = opened
        sections = run.trail.opened(numbers, self._role(run, plan))
        person = _Person(numbers, plan.own, self.path, sections)
        run.ready += [_List(one, person, lists, place) for place, one in enumerate(plan.lists)]
        run.ready += [
            _Report(one, person, reports, place) for place, one in enumerate(plan.reports)
        ]
        for place, log in enumerate(plan.logs):
            run.look(log, numbers, plan.own, self.path, logs, place)
        run.ready += [
            _Derive(one, person, derived, place) for place, one in enumerate(plan.derived)
        ]

    def _role(self, run: _Run, plan: PersonPlan) -> Role:
        if plan.own:
            return own_role(run.reader.caller)
        return Role.KIN if self.link is not None else Role.NAMED

    def _notices(
        self, run: _Run, numbers: Numbers, identity: Record | None, plan: PersonPlan
    ) -> tuple[object, ...]:
        own = Sensitivity.RESTRICTED if plan.own else None
        found = notices(numbers, identity, run.reader.knowing(own))
        if found and not plan.shows_notices:
            shown = [one.mirrored for one in found]
            run.mirrored.append({"path": list(self.path), "notices": shown})
        return found


@dataclass(slots=True, eq=False)
class _List:
    """Read a list of a person's records."""

    plan: ListPlan
    person: _Person
    target: list[Found | None]
    place: int

    def advance(self, run: _Run) -> Kind | None:
        """Go on; returns what has to arrive first, None when done."""
        plan, path = self.plan, (*self.person.path, *self.plan.place.steps)
        wanted = run.judged(plan.wanted)
        if isinstance(wanted, GatewayError):
            run.problem(wanted, path, plan.place.locations)
            return None
        assert isinstance(wanted, Wanted)
        answer = self.person.answer(run, plan.record, plan.lookup, plan.source)
        if not isinstance(answer, Answer):
            return answer
        self.target[self.place] = _found(run, plan, answer, wanted, path, self.person.sections)
        return None


@dataclass(slots=True, eq=False)
class _Hung:
    """Read a list that hangs on a row, by the key in it. ``sections``: of the row's person."""

    plan: ListPlan
    sections: set[str]
    key: str
    path: Path
    target: list[Found | Opened | None]
    place: int

    def advance(self, run: _Run) -> Kind | None:
        """Go on; returns what has to arrive first, None when done."""
        plan = self.plan
        wanted = run.judged(plan.wanted)
        if isinstance(wanted, GatewayError):
            run.problem(wanted, self.path, plan.place.locations)
            return None
        assert isinstance(wanted, Wanted)
        keys = (self.key,)
        answer = run.answer(plan.record, plan.lookup, plan.source, plan.own, keys, None)
        if not isinstance(answer, Answer):
            return answer
        note_read(self.sections, plan.record, answer)
        self.target[self.place] = _found(run, plan, answer, wanted, self.path, self.sections)
        return None


@dataclass(slots=True, eq=False)
class _Report:
    """Find the worst state of the lists selected in a section."""

    plan: ReportPlan
    person: _Person
    target: list[SourceReport | None]
    place: int

    def advance(self, run: _Run) -> Kind | None:
        """Go on; returns what has to arrive first, None when done."""
        answers = []
        missing: Kind | None = None
        for record, lookup, kind in self.plan.lists:
            answer = self.person.answer(run, record, lookup, kind)
            if isinstance(answer, Answer):
                answers.append((record, answer))
            else:
                missing = answer
        if missing is not None:
            return missing
        state = worst(answer.report.state for _, answer in answers)
        record, answer = next(one for one in answers if one[1].report.state is state)
        if self.plan.alone:
            path = (*self.person.path, *self.plan.place.steps)
            _problem(run, record, answer, path, self.plan.place.locations)
        self.target[self.place] = answer.report
        return None


@dataclass(slots=True, eq=False)
class _Derive:
    """Work out a derived view: its lists first, then what hangs on them."""

    plan: DerivedPlan
    person: _Person
    target: list[DerivedValue | None]
    place: int

    def advance(self, run: _Run) -> Kind | None:
        """Go on; returns what has to arrive first, None when done."""
        plan, path = self.plan, (*self.person.path, *self.plan.place.steps)
        given = run.judged(plan.arguments)
        assert isinstance(given, Mapping)
        try:
            asked = run.reader.question(plan.computed, given, self.person.own)
        except GatewayError as error:
            run.problem(error, path, plan.place.locations)
            return None
        if plan.denied:
            denied = GatewayError("FORBIDDEN", details={"missing": list(plan.denied)})
            run.problem(denied, path, plan.place.locations)
            self._done(run, run.reader.denied(plan.computed, asked))
            return None
        found = self._found(run)
        if not isinstance(found, dict):
            return found
        numbers_known = self.person.numbers.known
        value, record, answer = conclude(plan.computed.derived, found, numbers_known, asked)
        _problem(run, record, answer, path, plan.place.locations)
        self._done(run, value)
        return None

    def _found(self, run: _Run) -> dict[str, tuple[Record, Answer]] | Kind:
        """Return what was read of each list; else what has to arrive first."""
        derived, reads = self.plan.computed.derived, self.plan.computed.reads
        found: dict[str, tuple[Record, Answer]] = {}
        missing: Kind | None = None
        for name in (*derived.lists, derived.hanging[0]):
            record, lookup = reads[name]
            kind = (record.database, lookup.name)
            hangs = name == derived.hanging[0]
            if hangs and missing is not None:
                break
            keys = hanging_keys(derived, found) if hangs else self.person.numbers.all
            got = run.got(record, lookup, kind, keys)
            if got is None:
                missing = kind
            else:
                found[name] = (record, run.reader.together(record, got))
        return found if missing is None else missing

    def _done(self, run: _Run, value: DerivedValue) -> None:
        self.target[self.place] = value
        run.concluded(self.plan.computed, self.person.sections, value.source.state)


_Job = _Open | _List | _Hung | _Report | _Derive


def _problem(
    run: _Run, record: Record, answer: Answer, path: Path, locations: Sequence[Location]
) -> None:
    error = run.reader.problem(record, answer)
    if error is not None:
        run.problem(error, path, locations)


def _found(
    run: _Run, plan: ListPlan, answer: Answer, wanted: Wanted, path: Path, sections: set[str]
) -> Found:
    """Return what a list shows, and start on what hangs on its rows."""
    _problem(run, plan.record, answer, path, plan.place.locations)
    if answer.rows is None:
        return Found(None, None, answer.report, [])
    rows, more = choose(plan.record, answer.rows, wanted)
    if plan.record.single:
        rows = rows[:1]
    below: list[list[Found | Opened | None]] = [[None] * len(rows) for _ in range(plan.slots)]
    found = Found(rows, more or answer.truncated, answer.report, below)
    if rows:
        for one in plan.rows:
            _below(run, plan, one, found, (*path, one.key), sections)
    return found


def _below(
    run: _Run, plan: ListPlan, selected: RowsPlan, found: Found, path: Path, sections: set[str]
) -> None:
    """Count what is denied in rows, and start on the persons and lists that they lead to."""
    assert found.rows is not None
    single = plan.record.single
    first = path if single else (*path, 0)
    for denial in selected.denials:
        error = GatewayError("FORBIDDEN", details={"missing": list(denial.missing)})
        here = (*first, *denial.place.steps)
        run.problem(error, here, denial.place.locations, len(found.rows))
    for place, row in enumerate(found.rows):
        here = path if single else (*path, place)
        for position in selected.mentions:
            mention(run.trail, row[position])
        for link in selected.links:
            _follow(run, link, row[link.position], found, place, here)
        for hung in selected.hung:
            _hang(run, hung, sections, row[hung.position], found, place, here)


def _follow(
    run: _Run, link: LinkPlan, number: object, found: Found, place: int, path: Path
) -> None:
    if number is None:
        return
    here = (*path, *link.place.steps)
    target = found.below[link.slot]
    run.ready.append(
        _Open(str(number), link.other, link, target, place, here, link.place.locations)
    )


def _hang(
    run: _Run,
    hung: HungPlan,
    sections: set[str],
    key: object,
    found: Found,
    place: int,
    path: Path,
) -> None:
    if key is None:
        return
    here = (*path, *hung.list.place.steps)
    run.ready.append(_Hung(hung.list, sections, str(key), here, found.below[hung.slot], place))
