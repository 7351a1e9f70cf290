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
from gateway.catalogue.read import Read, ReadKind
from gateway.derived.conclude import DerivedValue, hanging_keys
from gateway.errors import GatewayError, Location, Path
from gateway.execution.batch import ATTEMPT, LoadedList, OpenedPerson, PlanBatch, own_view
from gateway.limits.verification_attempts import Attempt
from gateway.people.identification import Shortfall, says_none
from gateway.people.matching import Matching, is_citizen, open_linked, open_named, open_person
from gateway.people.notices import notices
from gateway.people.numbers import NeededReads, PersonNumbers, is_present_number
from gateway.people.verification import ClaimedIdentity, IdentityVerification
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
class PersonReference:
    """How a person at the root was named: by number, with what must agree with it."""

    matching: Matching | None

    @property
    def matches(self) -> bool:
        """Whether a detail has to match."""
        return self.matching is not None and self.matching.says_something


@dataclass(slots=True, eq=False)
class _PersonReads:
    """The reads of one person's lists.

    ``sections``: where sections that were read are noted. ``keys``: all numbers of the person.
    ``reason``: why their lists may lack rows, None where they do not. ``answers``: those that have
    arrived, by kind of read.
    """

    numbers: PersonNumbers
    is_own_view: bool
    sections: set[str]
    keys: tuple[str, ...]
    identification: Identification
    reason: str | None
    shortfall: Shortfall
    answers: dict[ReadKind, Answer] = field(default_factory=dict)

    @property
    def open_up_to(self) -> Sensitivity | None:
        return own_view(self.is_own_view)

    @property
    def path(self) -> Path:
        return self.shortfall.path

    def note_shortfall(self, answer: Answer, path: Path) -> None:
        """Note that the list at ``path`` may lack rows, if it was read."""
        if self.reason is not None and answer.rows is not None:
            self.shortfall.note(self.reason, path)

    def answer(self, batch: PlanBatch, read: Read) -> Answer | ReadKind:
        """Return a list under all numbers of the person; else the kind of read to wait for."""
        answer = self.answers.get(read.kind)
        if answer is not None:
            return answer
        keys, identification = self.keys, self.identification
        arrived = batch.answer(read, self.open_up_to, keys, identification, keys)
        if isinstance(arrived, Answer):
            self.answers[read.kind] = arrived
            note_read(self.sections, read.record, arrived)
        return arrived


@dataclass(frozen=True, slots=True)
class _Subject:
    """The person whose records are read: their numbers, and where reads of them are noted."""

    sections: set[str]
    numbers: tuple[str, ...]
    shortfall: Shortfall


def no_subject(shortfall: Shortfall) -> _Subject:
    """Return the subject of records that were looked up by a document's number: nobody."""
    return _Subject(set(), (), shortfall)


def is_fresh(batch: PlanBatch, plan: ListPlan) -> bool:
    """Return whether a list is to be read past the cache."""
    arguments = batch.arguments_of(plan.arguments)
    return isinstance(arguments, ListArguments) and arguments.fresh


@dataclass(slots=True, eq=False)
class OpenPerson:
    """Find out whose number it is and, if the person may be shown, start on their lists.

    ``link``: the plan of the link that led here, None at the root.
    """

    number: str
    plan: PersonPlan
    link: PersonLinkPlan | None
    target: list[OpenedPerson | LoadedList | None]
    place: int
    path: Path
    locations: Sequence[Location]
    named: PersonReference | None = None
    begun: bool = False
    attempt: Attempt | None = None

    def advance(self, batch: PlanBatch) -> ReadKind | None:
        """Go on; returns what has to arrive first, None when done."""
        try:
            numbers = self._resolve(batch)
            if isinstance(numbers, NeededReads):
                return batch.request_reads(numbers)
            if self.named is not None and self.named.matches and self.attempt is None:
                self.attempt = batch.rules.attempt(numbers)
                if self.attempt is not None:
                    return ATTEMPT
            self._open(batch, numbers)
        except GatewayError as error:
            batch.state.problem(error, self.path, self.locations)
        return None

    def _resolve(self, batch: PlanBatch) -> PersonNumbers | NeededReads:
        numbers = batch.resolve_number(self.number)
        if isinstance(numbers, NeededReads):
            self._ask_ahead(batch)
        return numbers

    def _ask_ahead(self, batch: PlanBatch) -> None:
        """Ask for the lists under the number at hand, beside finding out whose it is.

        Almost always it is the person's present and only number. Not where something has to agree
        first, nor under an old number, which may lead to somebody else: those files stay closed.
        """
        if self.begun or not is_present_number(self.number):
            return
        self.begun = True
        if self.named is not None and self.named.matching is not None:
            return
        for plan in self.plan.lists:
            if opens_on_death(plan.read.record):
                continue
            if batch.decide(plan.read.record, plan.open_up_to) is None:
                batch.reads.ask(plan.read.with_freshness(is_fresh(batch, plan)), (self.number,))

    def _open(self, batch: PlanBatch, numbers: PersonNumbers) -> None:
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
        person_notices: tuple[object, ...] = ()
        if plan.shows_notices or self.link is None:
            person_notices = self._notices(batch, numbers, plan)
        lists: list[LoadedList | None] = [None] * len(plan.lists)
        reports: list[SourceReport | None] = [None] * len(plan.reports)
        derived: list[DerivedValue | None] = [None] * len(plan.derived)
        logs: list[LogPage | None] = [None] * len(plan.logs)
        identification = self._identification(batch, numbers, plan)
        databases = [batch.rules.sources[name].database for name in plan.databases]
        opened = OpenedPerson(
            numbers.present,
            numbers.requested,
            plan.is_own_view,
            identification,
            person_notices,
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
        person = _PersonReads(
            numbers,
            plan.is_own_view,
            sections,
            numbers.all,
            numbers.identification,
            reason,
            shortfall,
        )
        batch.ready += [
            _ReadList(child, person, lists, place) for place, child in enumerate(plan.lists)
        ]
        batch.ready += [
            _ReportSection(child, plan.lists, person, reports, place)
            for place, child in enumerate(plan.reports)
        ]
        for place, log in enumerate(plan.logs):
            batch.read_log(log, numbers, plan.is_own_view, sections, shortfall, logs, place)
        batch.ready += [
            _DeriveView(child, person, derived, place) for place, child in enumerate(plan.derived)
        ]

    def _role(self, batch: PlanBatch, plan: PersonPlan) -> Role:
        if plan.is_own_view:
            return citizen_role(batch.rules.caller)
        return Role.KIN if self.link is not None else Role.NAMED

    def _identification(
        self, batch: PlanBatch, numbers: PersonNumbers, plan: PersonPlan
    ) -> str | None:
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
        self, batch: PlanBatch, numbers: PersonNumbers, plan: PersonPlan
    ) -> tuple[object, ...]:
        open_up_to = own_view(plan.is_own_view)
        knowing = batch.rules.visibility(open_up_to)
        person_notices = notices(
            numbers, batch.population, knowing, partial(batch.rules.may_list, open_up_to)
        )
        if person_notices and not plan.shows_notices:
            shown = [one.mirrored for one in person_notices]
            batch.state.mirrored.append({"path": list(self.path), "notices": shown})
        return person_notices


@dataclass(slots=True, eq=False)
class _ReadList:
    """Read a list of a person's records."""

    plan: ListPlan
    person: _PersonReads
    target: list[LoadedList | None]
    place: int

    def advance(self, batch: PlanBatch) -> ReadKind | None:
        """Go on; returns what has to arrive first, None when done."""
        plan, path = self.plan, (*self.person.path, *self.plan.place.steps)
        arguments = batch.arguments_of(plan.arguments)
        assert isinstance(arguments, ListArguments)
        answer = self.person.answer(batch, plan.read.with_freshness(arguments.fresh))
        if not isinstance(answer, Answer):
            return answer
        person = self.person
        person.note_shortfall(answer, path)
        subject = _Subject(person.sections, person.keys, person.shortfall)
        self.target[self.place] = _load_page(batch, plan, answer, arguments, path, subject)
        return None


@dataclass(slots=True, eq=False)
class ReadHangingList:
    """Read a list by other keys than a person's numbers: of the row it hangs on, or of a thing.

    ``subject``: the person whose row it is; of a thing it is nobody.
    """

    plan: ListPlan
    subject: _Subject
    keys: tuple[str, ...]
    path: Path
    target: list[LoadedList | OpenedPerson | None]
    place: int

    def advance(self, batch: PlanBatch) -> ReadKind | None:
        """Go on; returns what has to arrive first, None when done."""
        plan = self.plan
        arguments = batch.arguments_of(plan.arguments)
        assert isinstance(arguments, ListArguments)
        read = plan.read.with_freshness(arguments.fresh)
        answer = batch.answer(read, plan.open_up_to, self.keys, None, self.subject.numbers)
        if not isinstance(answer, Answer):
            return answer
        note_read(self.subject.sections, plan.read.record, answer)
        self.target[self.place] = _load_page(
            batch, plan, answer, arguments, self.path, self.subject
        )
        return None


@dataclass(slots=True, eq=False)
class VerifyPerson:
    """Compare what is claimed of a person with what the population database holds."""

    number: str
    claimed: ClaimedIdentity
    plan: VerifyPlan
    path: Path
    target: list[IdentityVerification | None]
    attempt: Attempt | None = None

    def advance(self, batch: PlanBatch) -> ReadKind | None:
        """Go on; returns what has to arrive first, None when done."""
        verification = self.plan.verification
        record = verification.record
        try:
            numbers = batch.resolve_number(self.number)
            if isinstance(numbers, NeededReads):
                return batch.request_reads(numbers)
            if self.attempt is None:
                self.attempt = batch.rules.attempt(numbers)
                if self.attempt is not None:
                    return ATTEMPT
            result, answer = batch.rules.verify(numbers, self.claimed, verification, self.attempt)
        except GatewayError as error:
            batch.state.problem(error, self.path, self.plan.place.locations)
            return None
        self.target[0] = result
        _report_problem(batch, record, answer, self.path, self.plan.place.locations)
        batch.state.note(record, answer.report.state)
        if answer.rows is not None:
            note_read(batch.state.trail.note_opened(numbers, Role.NAMED), record, answer)
        return None


@dataclass(slots=True, eq=False)
class _ReportSection:
    """Find the worst state of the lists selected in a section.

    ``lists``: those of the person, which say what is read past the cache.
    """

    plan: ReportPlan
    lists: Sequence[ListPlan]
    person: _PersonReads
    target: list[SourceReport | None]
    place: int

    def advance(self, batch: PlanBatch) -> ReadKind | None:
        """Go on; returns what has to arrive first, None when done."""
        answers = []
        missing: ReadKind | None = None
        for read in self.plan.lists:
            fresh = any(
                plan.read.kind == read.kind and is_fresh(batch, plan) for plan in self.lists
            )
            answer = self.person.answer(batch, read.with_freshness(fresh))
            if isinstance(answer, Answer):
                answers.append((read.record, answer))
            else:
                missing = answer
        if missing is not None:
            return missing
        state = worst(answer.report.state for _, answer in answers)
        record, answer = next(plan for plan in answers if plan[1].report.state is state)
        if self.plan.needs_read:
            path = (*self.person.path, *self.plan.place.steps)
            _report_problem(batch, record, answer, path, self.plan.place.locations)
            self.person.note_shortfall(answer, path)
        self.target[self.place] = answer.report
        return None


@dataclass(slots=True, eq=False)
class _DeriveView:
    """Work out a derived view: its lists first, then what hangs on them."""

    plan: DerivedPlan
    person: _PersonReads
    target: list[DerivedValue | None]
    place: int

    def advance(self, batch: PlanBatch) -> ReadKind | None:
        """Go on; returns what has to arrive first, None when done."""
        plan, path = self.plan, (*self.person.path, *self.plan.place.steps)
        arguments = batch.arguments_of(plan.arguments)
        assert isinstance(arguments, Mapping)
        try:
            question = batch.rules.derived_question(
                plan.computed, arguments, self.person.is_own_view
            )
        except GatewayError as error:
            batch.state.problem(error, path, plan.place.locations)
            return None
        if plan.denied:
            denied = GatewayError("FORBIDDEN", details={"missing": list(plan.denied)})
            batch.state.problem(denied, path, plan.place.locations)
            self._finish(batch, batch.rules.denied_view(plan.computed, question))
            return None
        answers = self._read_lists(batch)
        if not isinstance(answers, dict):
            return answers
        identification = self.person.identification
        value, record, answer = batch.rules.conclude(
            plan.computed, answers, identification, question
        )
        _report_problem(batch, record, answer, path, plan.place.locations)
        self.person.note_shortfall(answer, path)
        self._finish(batch, value)
        return None

    def _read_lists(self, batch: PlanBatch) -> dict[str, tuple[Record, Answer]] | ReadKind:
        """Return what was read of each list; else what has to arrive first."""
        derived = self.plan.computed.derived
        answers: dict[str, tuple[Record, Answer]] = {}
        missing: ReadKind | None = None
        for name in (*derived.lists, derived.hanging[0]):
            read = self.plan.reads[name]
            hangs = name == derived.hanging[0]
            if hangs and missing is not None:
                break
            keys = hanging_keys(derived, answers) if hangs else self.person.keys
            arrived = batch.arrived(read, keys, self.person.keys)
            if arrived is None:
                missing = read.kind
            else:
                answers[name] = (read.record, batch.rules.merge(read.record, arrived))
        return answers if missing is None else missing

    def _finish(self, batch: PlanBatch, value: DerivedValue) -> None:
        self.target[self.place] = value
        batch.state.note_derived(self.plan.computed, self.person.sections, value.source.state)


def _report_problem(
    batch: PlanBatch, record: Record, answer: Answer, path: Path, locations: Sequence[Location]
) -> None:
    error = batch.rules.problem(record, answer)
    if error is not None:
        batch.state.problem(error, path, locations)


def _load_page(
    batch: PlanBatch,
    plan: ListPlan,
    answer: Answer,
    arguments: ListArguments,
    path: Path,
    subject: _Subject,
) -> LoadedList | None:
    """Return what a list shows, and start on what hangs on its rows; None: a cursor is refused."""
    _report_problem(batch, plan.read.record, answer, path, plan.place.locations)
    try:
        page = batch.rules.page(
            plan.read,
            answer,
            arguments,
            plan.open_up_to,
            with_ids=plan.shows_ids,
            with_cursor=plan.shows_cursor,
        )
    except GatewayError as error:
        batch.state.problem(error, path, plan.place.locations)
        return None
    rows = page.rows
    if not rows and not says_none(answer):
        return LoadedList(None, answer.truncated or None, answer.report, [])
    below: list[list[LoadedList | OpenedPerson | None]] = [
        [None] * len(rows) for _ in range(plan.slots)
    ]
    result = LoadedList(rows, page.truncated, answer.report, below, page.ids, page.next_cursor)
    if rows:
        for selected in plan.rows:
            _start_below(batch, plan, selected, result, (*path, selected.key), subject)
    return result


def _start_below(
    batch: PlanBatch,
    plan: ListPlan,
    selected: RowsPlan,
    result: LoadedList,
    path: Path,
    subject: _Subject,
) -> None:
    """Count what is denied in rows, and start on the persons and lists that they lead to."""
    assert result.rows is not None
    single = plan.read.record.single
    first = path if single else (*path, 0)
    for denial in selected.denials:
        error = GatewayError("FORBIDDEN", details={"missing": list(denial.missing)})
        here = (*first, *denial.place.steps)
        batch.state.problem(error, here, denial.place.locations, len(result.rows))
    for place, row in enumerate(result.rows):
        here = path if single else (*path, place)
        for position in selected.mentions:
            note_numbers(batch.state.trail, row[position])
        for link in selected.links:
            _follow_link(batch, link, row[link.position], result, place, here)
        for child in selected.child_lists:
            _read_child_list(batch, child, subject, row[child.position], result, place, here)


def _follow_link(
    batch: PlanBatch,
    link: PersonLinkPlan,
    number: object,
    result: LoadedList,
    place: int,
    path: Path,
) -> None:
    if number is None:
        return
    here = (*path, *link.place.steps)
    target = result.below[link.slot]
    batch.ready.append(
        OpenPerson(str(number), link.person, link, target, place, here, link.place.locations)
    )


def _read_child_list(
    batch: PlanBatch,
    child: ChildListPlan,
    subject: _Subject,
    key: object,
    result: LoadedList,
    place: int,
    path: Path,
) -> None:
    here = (*path, *child.list.place.steps)
    if key is None:
        result.below[child.slot][place] = _list_without_key(batch, child.list, subject, here)
        return
    batch.ready.append(
        ReadHangingList(child.list, subject, (str(key),), here, result.below[child.slot], place)
    )


def _list_without_key(
    batch: PlanBatch, plan: ListPlan, subject: _Subject, path: Path
) -> LoadedList | None:
    """Return a list that hangs on a row in which its key is not recorded: it cannot be asked for.

    It is not "none" either: the records may be there.
    """
    arguments = batch.arguments_of(plan.arguments)
    if isinstance(arguments, GatewayError):
        batch.state.problem(arguments, path, plan.place.locations)
        return None
    answer = batch.rules.incomplete(plan.read.record, plan.open_up_to)
    batch.state.note(plan.read.record, answer.report.state)
    _report_problem(batch, plan.read.record, answer, path, plan.place.locations)
    if answer.rows is not None:
        subject.shortfall.note("KEY_NOT_RECORDED", path)
    return LoadedList(None, None, answer.report, [])
