"""The jobs of a running plan: open a person, read a list, what hangs on its rows, work out a view.

A job goes on as far as it can and says what has to arrive first; it is asked again then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from connectors.description import Record, Sensitivity
from gateway.answer import Answer, Identification, SourceReport, worst
from gateway.audit.access_log.page import LogPage
from gateway.audit.touched import Role, citizen_role, note_numbers, note_read
from gateway.derived.conclude import DerivedValue, hanging_keys
from gateway.errors import GatewayError, Location, Path
from gateway.execution.batch import ATTEMPT, Batch, Found, Opened, own_view
from gateway.fetch.read import Read, ReadKind
from gateway.limits.verification_attempts import Attempt
from gateway.people.identification import Shortfall, says_none
from gateway.people.matching import Matching, is_citizen, open_linked, open_named, open_person
from gateway.people.notices import notices
from gateway.people.numbers import NeededReads, PersonNumbers, is_present_number
from gateway.people.verification import ClaimedIdentity, VerificationResult
from gateway.plan.list_arguments import ListArguments
from gateway.plan.plan import (
    ChildListPlan,
    DerivedPlan,
    ListPlan,
    PersonLinkPlan,
    PersonPlan,
    ReportPlan,
    RowsPlan,
    VerifyPlan,
)
from gateway.protection.rules import opens_on_death


@dataclass(frozen=True, slots=True)
class Named:
    """How a person at the root was named: by number, with what must agree with it."""

    matching: Matching | None

    @property
    def matches(self) -> bool:
        """Whether something has to agree."""
        return self.matching is not None and self.matching.says_something


@dataclass(slots=True, eq=False)
class _Person:
    """A person while their lists are read.

    ``sections``: where it is noted what of theirs was read. ``keys``: their numbers, all of them.
    ``reason``: why lists of theirs may lack rows, None where they do not. ``answers``: those taken
    already.
    """

    numbers: PersonNumbers
    own: bool
    sections: set[str]
    keys: tuple[str, ...]
    identification: Identification
    reason: str | None
    shortfall: Shortfall
    answers: dict[ReadKind, Answer] = field(default_factory=dict)

    @property
    def own_view(self) -> Sensitivity | None:
        return own_view(self.own)

    @property
    def path(self) -> Path:
        return self.shortfall.path

    def note_shortfall(self, answer: Answer, path: Path) -> None:
        """Note that the list at ``path`` may lack rows, if it was read at all."""
        if self.reason is not None and answer.rows is not None:
            self.shortfall.note(self.reason, path)

    def answer(self, batch: Batch, read: Read) -> Answer | ReadKind:
        """Return a list of this person's, under all their numbers; else what has to arrive."""
        known = self.answers.get(read.kind)
        if known is not None:
            return known
        keys, known_as = self.keys, self.identification
        found = batch.answer(read, self.own_view, keys, known_as, keys)
        if isinstance(found, Answer):
            self.answers[read.kind] = found
            note_read(self.sections, read.record, found)
        return found


@dataclass(frozen=True, slots=True)
class _About:
    """Whose records are read: where it is noted what of theirs is, and their numbers."""

    sections: set[str]
    numbers: tuple[str, ...]
    shortfall: Shortfall


def nobody(shortfall: Shortfall) -> _About:
    """Return whom records are about that a thing leads to."""
    return _About(set(), (), shortfall)


def is_past(batch: Batch, plan: ListPlan) -> bool:
    """Say whether a list is asked for past the cache."""
    wanted = batch.judged(plan.arguments)
    return isinstance(wanted, ListArguments) and wanted.fresh


@dataclass(slots=True, eq=False)
class Open:
    """Find out whose number it is and, if the person may be shown, start on their lists.

    ``link``: the plan of the link that led here, None at the root.
    """

    number: str
    plan: PersonPlan
    link: PersonLinkPlan | None
    target: list[Opened | Found | None]
    place: int
    path: Path
    locations: Sequence[Location]
    named: Named | None = None
    begun: bool = False
    attempt: Attempt | None = None

    def advance(self, batch: Batch) -> ReadKind | None:
        """Go on; returns what has to arrive first, None when done."""
        try:
            numbers = self._numbers(batch)
            if isinstance(numbers, NeededReads):
                return batch.ask(numbers)
            if self.named is not None and self.named.matches and self.attempt is None:
                self.attempt = batch.rules.attempt(numbers)
                if self.attempt is not None:
                    return ATTEMPT
            self._opened(batch, numbers)
        except GatewayError as error:
            batch.state.problem(error, self.path, self.locations)
        return None

    def _numbers(self, batch: Batch) -> PersonNumbers | NeededReads:
        found = batch.whose(self.number)
        if isinstance(found, NeededReads):
            self._ask_ahead(batch)
        return found

    def _ask_ahead(self, batch: Batch) -> None:
        """Ask for the lists under the number at hand, beside finding out whose it is.

        Almost always it is the person's present and only number. Not where something has to agree
        first, nor under an old number, which may lead to somebody else: those files stay closed.
        """
        if self.begun or not is_present_number(self.number):
            return
        self.begun = True
        if self.named is not None and self.named.matching is not None:
            return
        for one in self.plan.lists:
            if opens_on_death(one.read.record):
                continue
            if batch.decide(one.read.record, one.open_up_to) is None:
                batch.reads.ask(one.read.with_freshness(is_past(batch, one)), (self.number,))

    def _opened(self, batch: Batch, numbers: PersonNumbers) -> None:
        identity = batch.population.identity.record if batch.population else None
        plan = self.plan
        if self.link is not None:
            open_linked(numbers)
            if self.link.own_view is not None and is_citizen(numbers, batch.rules.caller.citizen):
                plan = self.link.own_view
        elif self.named is not None:
            conceals = batch.rules.matching.required
            open_named(numbers, self.named.matching, identity, self.attempt, conceals)
        else:
            open_person(numbers)
        told: tuple[object, ...] = ()
        if plan.shows_notices or self.link is None:
            told = self._notices(batch, numbers, plan)
        lists: list[Found | None] = [None] * len(plan.lists)
        reports: list[SourceReport | None] = [None] * len(plan.reports)
        derived: list[DerivedValue | None] = [None] * len(plan.derived)
        logs: list[LogPage | None] = [None] * len(plan.logs)
        known_as = self._identification(batch, numbers, plan)
        databases = [batch.rules.sources[name].database for name in plan.databases]
        opened = Opened(
            numbers.present,
            numbers.asked,
            plan.is_own_view,
            known_as,
            told,
            lists,
            reports,
            derived,
            logs,
            databases,
        )
        self.target[self.place] = opened
        is_named = self.named is not None
        sections = batch.state.open_person(numbers, self._role(batch, plan), is_named)
        shortfall = batch.state.shortfall(self.path, self.locations)
        reason = batch.rules.shortfall_reason(numbers, own_view(plan.is_own_view))
        person = _Person(
            numbers,
            plan.is_own_view,
            sections,
            numbers.all,
            numbers.identification,
            reason,
            shortfall,
        )
        batch.ready += [_List(one, person, lists, place) for place, one in enumerate(plan.lists)]
        batch.ready += [
            _Report(one, plan.lists, person, reports, place)
            for place, one in enumerate(plan.reports)
        ]
        for place, log in enumerate(plan.logs):
            batch.read_log(log, numbers, plan.is_own_view, sections, shortfall, logs, place)
        batch.ready += [
            _Derive(one, person, derived, place) for place, one in enumerate(plan.derived)
        ]

    def _role(self, batch: Batch, plan: PersonPlan) -> Role:
        if plan.is_own_view:
            return citizen_role(batch.rules.caller)
        return Role.KIN if self.link is not None else Role.NAMED

    def _identification(self, batch: Batch, numbers: PersonNumbers, plan: PersonPlan) -> str | None:
        """Return whether the person is identified, for who may see some list of theirs."""
        if not plan.identifications:
            return None
        if batch.rules.may_list(own_view(plan.is_own_view)):
            return numbers.identification.name
        for place in plan.identifications:
            error = GatewayError("FORBIDDEN", details={"missing": ["<database>:read"]})
            batch.state.problem(error, (*self.path, *place.steps), place.locations)
        return None

    def _notices(
        self, batch: Batch, numbers: PersonNumbers, plan: PersonPlan
    ) -> tuple[object, ...]:
        own = own_view(plan.is_own_view)
        knowing = batch.rules.knowing(own)
        found = notices(numbers, batch.population, knowing, partial(batch.rules.may_list, own))
        if found and not plan.shows_notices:
            shown = [one.mirrored for one in found]
            batch.state.mirrored.append({"path": list(self.path), "notices": shown})
        return found


@dataclass(slots=True, eq=False)
class _List:
    """Read a list of a person's records."""

    plan: ListPlan
    person: _Person
    target: list[Found | None]
    place: int

    def advance(self, batch: Batch) -> ReadKind | None:
        """Go on; returns what has to arrive first, None when done."""
        plan, path = self.plan, (*self.person.path, *self.plan.place.steps)
        wanted = batch.judged(plan.arguments)
        assert isinstance(wanted, ListArguments)
        answer = self.person.answer(batch, plan.read.with_freshness(wanted.fresh))
        if not isinstance(answer, Answer):
            return answer
        person = self.person
        person.note_shortfall(answer, path)
        about = _About(person.sections, person.keys, person.shortfall)
        self.target[self.place] = _found(batch, plan, answer, wanted, path, about)
        return None


@dataclass(slots=True, eq=False)
class ByKeys:
    """Read a list by other keys than a person's numbers: of the row it hangs on, or of a thing.

    ``about``: the person whose row it is; of a thing it is nobody.
    """

    plan: ListPlan
    about: _About
    keys: tuple[str, ...]
    path: Path
    target: list[Found | Opened | None]
    place: int

    def advance(self, batch: Batch) -> ReadKind | None:
        """Go on; returns what has to arrive first, None when done."""
        plan = self.plan
        wanted = batch.judged(plan.arguments)
        assert isinstance(wanted, ListArguments)
        read = plan.read.with_freshness(wanted.fresh)
        answer = batch.answer(read, plan.open_up_to, self.keys, None, self.about.numbers)
        if not isinstance(answer, Answer):
            return answer
        note_read(self.about.sections, plan.read.record, answer)
        self.target[self.place] = _found(batch, plan, answer, wanted, self.path, self.about)
        return None


@dataclass(slots=True, eq=False)
class Verify:
    """Compare what is claimed of a person with what the population database holds."""

    number: str
    claimed: ClaimedIdentity
    plan: VerifyPlan
    path: Path
    target: list[VerificationResult | None]
    attempt: Attempt | None = None

    def advance(self, batch: Batch) -> ReadKind | None:
        """Go on; returns what has to arrive first, None when done."""
        verification = self.plan.verification
        record = verification.record
        try:
            numbers = batch.whose(self.number)
            if isinstance(numbers, NeededReads):
                return batch.ask(numbers)
            if self.attempt is None:
                self.attempt = batch.rules.attempt(numbers)
                if self.attempt is not None:
                    return ATTEMPT
            found, answer = batch.rules.verify(numbers, self.claimed, verification, self.attempt)
        except GatewayError as error:
            batch.state.problem(error, self.path, self.plan.place.locations)
            return None
        self.target[0] = found
        _problem(batch, record, answer, self.path, self.plan.place.locations)
        batch.state.note(record, answer.report.state)
        if answer.rows is not None:
            note_read(batch.state.trail.note_opened(numbers, Role.NAMED), record, answer)
        return None


@dataclass(slots=True, eq=False)
class _Report:
    """Find the worst state of the lists selected in a section.

    ``lists``: those of the person, which say what is read past the cache.
    """

    plan: ReportPlan
    lists: Sequence[ListPlan]
    person: _Person
    target: list[SourceReport | None]
    place: int

    def advance(self, batch: Batch) -> ReadKind | None:
        """Go on; returns what has to arrive first, None when done."""
        answers = []
        missing: ReadKind | None = None
        for read in self.plan.lists:
            fresh = any(one.read.kind == read.kind and is_past(batch, one) for one in self.lists)
            answer = self.person.answer(batch, read.with_freshness(fresh))
            if isinstance(answer, Answer):
                answers.append((read.record, answer))
            else:
                missing = answer
        if missing is not None:
            return missing
        state = worst(answer.report.state for _, answer in answers)
        record, answer = next(one for one in answers if one[1].report.state is state)
        if self.plan.needs_read:
            path = (*self.person.path, *self.plan.place.steps)
            _problem(batch, record, answer, path, self.plan.place.locations)
            self.person.note_shortfall(answer, path)
        self.target[self.place] = answer.report
        return None


@dataclass(slots=True, eq=False)
class _Derive:
    """Work out a derived view: its lists first, then what hangs on them."""

    plan: DerivedPlan
    person: _Person
    target: list[DerivedValue | None]
    place: int

    def advance(self, batch: Batch) -> ReadKind | None:
        """Go on; returns what has to arrive first, None when done."""
        plan, path = self.plan, (*self.person.path, *self.plan.place.steps)
        given = batch.judged(plan.arguments)
        assert isinstance(given, Mapping)
        try:
            asked = batch.rules.question(plan.computed, given, self.person.own)
        except GatewayError as error:
            batch.state.problem(error, path, plan.place.locations)
            return None
        if plan.denied:
            denied = GatewayError("FORBIDDEN", details={"missing": list(plan.denied)})
            batch.state.problem(denied, path, plan.place.locations)
            self._done(batch, batch.rules.denied(plan.computed, asked))
            return None
        found = self._found(batch)
        if not isinstance(found, dict):
            return found
        known_as = self.person.identification
        value, record, answer = batch.rules.conclude(plan.computed, found, known_as, asked)
        _problem(batch, record, answer, path, plan.place.locations)
        self.person.note_shortfall(answer, path)
        self._done(batch, value)
        return None

    def _found(self, batch: Batch) -> dict[str, tuple[Record, Answer]] | ReadKind:
        """Return what was read of each list; else what has to arrive first."""
        derived = self.plan.computed.derived
        found: dict[str, tuple[Record, Answer]] = {}
        missing: ReadKind | None = None
        for name in (*derived.lists, derived.hanging[0]):
            read = self.plan.reads[name]
            hangs = name == derived.hanging[0]
            if hangs and missing is not None:
                break
            keys = hanging_keys(derived, found) if hangs else self.person.keys
            got = batch.got(read, keys, self.person.keys)
            if got is None:
                missing = read.kind
            else:
                found[name] = (read.record, batch.rules.together(read.record, got))
        return found if missing is None else missing

    def _done(self, batch: Batch, value: DerivedValue) -> None:
        self.target[self.place] = value
        batch.state.note_derived(self.plan.computed, self.person.sections, value.source.state)


def _problem(
    batch: Batch, record: Record, answer: Answer, path: Path, locations: Sequence[Location]
) -> None:
    error = batch.rules.problem(record, answer)
    if error is not None:
        batch.state.problem(error, path, locations)


def _found(
    batch: Batch, plan: ListPlan, answer: Answer, wanted: ListArguments, path: Path, about: _About
) -> Found | None:
    """Return what a list shows, and start on what hangs on its rows; None: a cursor is refused."""
    _problem(batch, plan.read.record, answer, path, plan.place.locations)
    try:
        page = batch.rules.page(
            plan.read,
            answer,
            wanted,
            plan.open_up_to,
            with_ids=plan.shows_ids,
            with_cursor=plan.shows_cursor,
        )
    except GatewayError as error:
        batch.state.problem(error, path, plan.place.locations)
        return None
    rows = page.rows
    if not rows and not says_none(answer):
        return Found(None, answer.truncated or None, answer.report, [])
    below: list[list[Found | Opened | None]] = [[None] * len(rows) for _ in range(plan.slots)]
    found = Found(rows, page.truncated, answer.report, below, page.ids, page.next_cursor)
    if rows:
        for one in plan.rows:
            _below(batch, plan, one, found, (*path, one.key), about)
    return found


def _below(
    batch: Batch, plan: ListPlan, selected: RowsPlan, found: Found, path: Path, about: _About
) -> None:
    """Count what is denied in rows, and start on the persons and lists that they lead to."""
    assert found.rows is not None
    single = plan.read.record.single
    first = path if single else (*path, 0)
    for denial in selected.denials:
        error = GatewayError("FORBIDDEN", details={"missing": list(denial.missing)})
        here = (*first, *denial.place.steps)
        batch.state.problem(error, here, denial.place.locations, len(found.rows))
    for place, row in enumerate(found.rows):
        here = path if single else (*path, place)
        for position in selected.mentions:
            note_numbers(batch.state.trail, row[position])
        for link in selected.links:
            _follow(batch, link, row[link.position], found, place, here)
        for hung in selected.child_lists:
            _hang(batch, hung, about, row[hung.position], found, place, here)


def _follow(
    batch: Batch, link: PersonLinkPlan, number: object, found: Found, place: int, path: Path
) -> None:
    if number is None:
        return
    here = (*path, *link.place.steps)
    target = found.below[link.slot]
    batch.ready.append(
        Open(str(number), link.person, link, target, place, here, link.place.locations)
    )


def _hang(
    batch: Batch,
    hung: ChildListPlan,
    about: _About,
    key: object,
    found: Found,
    place: int,
    path: Path,
) -> None:
    here = (*path, *hung.list.place.steps)
    if key is None:
        found.below[hung.slot][place] = _without_key(batch, hung.list, about, here)
        return
    batch.ready.append(ByKeys(hung.list, about, (str(key),), here, found.below[hung.slot], place))


def _without_key(batch: Batch, plan: ListPlan, about: _About, path: Path) -> Found | None:
    """Return a list that hangs on a row in which its key is not recorded: it cannot be asked for.

    It is not "none" either: the records may be there.
    """
    wanted = batch.judged(plan.arguments)
    if isinstance(wanted, GatewayError):
        batch.state.problem(wanted, path, plan.place.locations)
        return None
    answer = batch.rules.incomplete(plan.read.record, plan.open_up_to)
    batch.state.note(plan.read.record, answer.report.state)
    _problem(batch, plan.read.record, answer, path, plan.place.locations)
    if answer.rows is not None:
        about.shortfall.note("KEY_NOT_RECORDED", path)
    return Found(None, None, answer.report, [])
