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
from gateway.errors import GatewayError
from gateway.fetch.numbers import Needs, Numbers, Population, judge, population_of
from gateway.fetch.reads import Kind, Reads
from gateway.fetch.source import LiveState
from gateway.notices import notices
from gateway.opening import Matching, is_citizen, open_linked, open_named, open_person
from gateway.plan.plan import (
    Found,
    HungPlan,
    LinkPlan,
    ListPlan,
    Opened,
    PersonPlan,
    Plan,
    ReportPlan,
    RootPlan,
    RowsPlan,
)
from gateway.plan.shapes import Arguments
from gateway.problem import Location, Path, Problem
from gateway.reading import Reader
from gateway.schema.lists import Wanted, choose
from gateway.settings import Limits

_PRESENT_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a plan.

    ``data``: by response key, of the planned root fields. ``mirrored``: notices of persons at the
    root for whom the field is not selected, with their path. ``persons``: every number touched.
    ``states``: the worst state of each list asked for.
    """

    data: Mapping[str, object]
    problems: Sequence[Problem]
    mirrored: Sequence[Mapping[str, object]]
    persons: frozenset[str]
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
    persons: set[str] = field(default_factory=set)
    states: dict[str, State] = field(default_factory=dict)
    numbers: dict[str, Numbers] = field(default_factory=dict)
    opened: set[str] = field(default_factory=set)
    decided: dict[tuple[int, Sensitivity | None], Answer | None] = field(default_factory=dict)
    ready: list[_Job] = field(default_factory=list)
    waiting: dict[Kind, list[_Job]] = field(default_factory=dict)
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
        data = {key: self.shown(key, found, live) for key, found in roots.items()}
        self.mirrored.sort(key=lambda one: self.place(one["path"]))
        persons = frozenset(self.persons)
        return Ran(data, self.problems, self.mirrored, persons, self.states)

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
        self.named += len(numbers)
        if self.named > self.limits.persons:
            raise GatewayError("TOO_MANY_PERSONS", details={"limit": self.limits.persons})
        target = _Target([None] * len(numbers))
        matching = arguments.get("matching")
        wanted = matching and Matching(matching.get("name"), matching.get("birthDate"))
        for place, number in enumerate(numbers):
            self.persons.add(number)
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
    ) -> Answer | None:
        """Return the answer for a list as the caller may see it, None while it is not there."""
        answer = self.decide(record, own)
        if answer is None:
            known = self.reads.answers.get(kind, {})
            got = [known[key] for key in keys if key in known]
            if len(got) < len(keys):
                self.reads.ask(record, lookup, kind, keys)
                return None
            answer = self.reader.take(record, got, earlier_asked)
        self.note(record, answer.report.state)
        return answer


@dataclass(frozen=True, slots=True)
class _Named:
    """How a person at the root was named: by number, with what must agree with it."""

    matching: Matching | None


@dataclass(slots=True, eq=False)
class _Person:
    """A person while their lists are read. ``answers``: those taken already."""

    numbers: Numbers
    own: bool
    path: Path
    answers: dict[Kind, Answer] = field(default_factory=dict)

    @property
    def own_view(self) -> Sensitivity | None:
        return Sensitivity.RESTRICTED if self.own else None

    def answer(self, run: _Run, record: Record, lookup: Lookup, kind: Kind) -> Answer | None:
        """Return a list of this person's, under all their numbers; None while it is not there."""
        known = self.answers.get(kind)
        if known is None:
            keys, earlier = self.numbers.all, self.numbers.known
            known = run.answer(record, lookup, kind, self.own_view, keys, earlier)
            if known is not None:
                self.answers[kind] = known
        return known


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
            run.persons.add(self.number)
        found = judge(run.population, self.number, run.known)
        if isinstance(found, Needs):
            self._ask_ahead(run)
            return found
        run.numbers[self.number] = found
        if found.present:
            run.persons.add(found.present)
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
            if not isinstance(one.wanted, GatewayError) and run.decide(one.record, one.own) is None:
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
        opened = Opened(numbers.present, numbers.asked, plan.own, told, lists, reports)
        self.target[self.place] = opened
        person = _Person(numbers, plan.own, self.path)
        run.ready += [_List(one, person, lists, place) for place, one in enumerate(plan.lists)]
        run.ready += [
            _Report(one, person, reports, place) for place, one in enumerate(plan.reports)
        ]

    def _notices(
        self, run: _Run, numbers: Numbers, identity: Record | None, plan: PersonPlan
    ) -> tuple[object, ...]:
        may_know = plan.own or (
            identity is not None
            and run.reader.missing_scope(identity, Sensitivity.BASIC, None) is None
        )
        found = notices(numbers, identity, may_know)
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
        if answer is None:
            return plan.source
        self.target[self.place] = _found(run, plan, answer, wanted, path)
        return None


@dataclass(slots=True, eq=False)
class _Hung:
    """Read a list that hangs on a row, by the key in it."""

    plan: ListPlan
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
        if answer is None:
            return plan.source
        self.target[self.place] = _found(run, plan, answer, wanted, self.path)
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
            if answer is None:
                missing = kind
            else:
                answers.append((record, answer))
        if missing is not None:
            return missing
        state = worst(answer.report.state for _, answer in answers)
        record, answer = next(one for one in answers if one[1].report.state is state)
        if self.plan.alone:
            path = (*self.person.path, *self.plan.place.steps)
            _problem(run, record, answer, path, self.plan.place.locations)
        self.target[self.place] = answer.report
        return None


_Job = _Open | _List | _Hung | _Report


def _problem(
    run: _Run, record: Record, answer: Answer, path: Path, locations: Sequence[Location]
) -> None:
    error = run.reader.problem(record, answer)
    if error is not None:
        run.problem(error, path, locations)


def _found(run: _Run, plan: ListPlan, answer: Answer, wanted: Wanted, path: Path) -> Found:
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
            _below(run, plan, one, found, (*path, one.key))
    return found


def _below(run: _Run, plan: ListPlan, selected: RowsPlan, found: Found, path: Path) -> None:
    """Count what is denied in rows, and start on the persons and lists that they lead to."""
    assert found.rows is not None
    single = plan.record.single
    first = path if single else (*path, 0)
    for denial in selected.denials:
        error = GatewayError("FORBIDDEN", details={"missing": [denial.scope]})
        here = (*first, *denial.place.steps)
        run.problem(error, here, denial.place.locations, len(found.rows))
    for place, row in enumerate(found.rows):
        here = path if single else (*path, place)
        for link in selected.links:
            _follow(run, link, row[link.position], found, place, here)
        for hung in selected.hung:
            _hang(run, hung, row[hung.position], found, place, here)


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


def _hang(run: _Run, hung: HungPlan, key: object, found: Found, place: int, path: Path) -> None:
    if key is None:
        return
    here = (*path, *hung.list.place.steps)
    run.ready.append(_Hung(hung.list, str(key), here, found.below[hung.slot], place))
