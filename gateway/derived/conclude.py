"""Concluding a derived view: its arguments, and what follows from the records that it reads.

Both executors conclude here, with ``evaluate``: it calls the function of the view over what has
been read so far, and says what is lacking. The records themselves may be withheld from the caller:
they are read for the view alone, under its own permission, and only its value is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from connectors.description import Coverage, Record, Row
from connectors.vocabulary import PROVINCES
from gateway.answer import Answer, Identification, SourceReport, State
from gateway.derived.history import rows_recorded_by
from gateway.derived.view import (
    BasisRecord,
    Conclusion,
    DerivedView,
    Facts,
    ListReads,
    Needs,
    Question,
    RelatedPerson,
    UnknownReason,
)
from gateway.errors import GatewayError
from rules.registry import RULES


@dataclass(frozen=True, slots=True)
class DerivedValue:
    """The answer of a view of a section. ``value`` None: not known, or not for this caller."""

    value: object
    as_of: date
    source: SourceReport

    @property
    def state(self) -> State:
        """The state of what it rests on."""
        return self.source.state


@dataclass(frozen=True, slots=True)
class FactValue:
    """The answer of a view of a person. ``value`` None: ``reason`` says why.

    ``basis``: the records that it rests on, as far as the caller may read them; None where the
    value is not known. ``sources``: the reports of the lists that were read.
    """

    value: object
    state: State
    reason: UnknownReason | None
    valid_on: date
    recorded_by: date | None
    basis: tuple[BasisRecord, ...] | None
    sources: tuple[SourceReport, ...]


def parse_question(values: Mapping[str, object], today: date, may_ask_history: bool) -> Question:
    """Parse the arguments of a derived view; raises GatewayError INVALID_VALUE.

    ``values``: as the schema names them; views of sections call ``validOn`` ``asOf``.
    ``may_ask_history``: the caller may ask of earlier days. To others the law hides the past:
    whoever counted as sanctioned ten years ago was sanctioned.
    """
    name = "asOf" if "asOf" in values else "validOn"
    valid_on, recorded_by = values.get(name), values.get("recordedBy")
    sector, rules = values.get("sector"), values.get("rules")
    question = Question(
        valid_on if isinstance(valid_on, date) else today,
        today,
        recorded_by if isinstance(recorded_by, date) else None,
        sector if isinstance(sector, str) else None,
        _rule_codes(rules) if isinstance(rules, list) else None,
    )
    for argument, day in ((name, question.valid_on), ("recordedBy", question.recorded_by)):
        if day is not None and day > today:
            raise GatewayError("INVALID_VALUE", f"{argument} must not be later than today")
        if day is not None and day < today and not may_ask_history:
            raise GatewayError("INVALID_VALUE", f"{argument} must be today, for this purpose")
    return question


def _rule_codes(names: Sequence[str]) -> tuple[str, ...]:
    """Return codes of rules about people; raises GatewayError INVALID_VALUE for other names."""
    if not names or not set(names) <= {rule.name for rule in RULES}:
        raise GatewayError("INVALID_VALUE", "rules must name conflict rules")
    return tuple(names)


@dataclass(frozen=True, slots=True)
class Subject:
    """The person of whom a view is derived."""

    numbers: tuple[str, ...]
    identification: Identification
    is_own_view: bool


#: Gives a list under keys, without rows that protection hides; None: it has not been read. The
#: last argument: the person whose numbers the keys are, None where they are somebody else's.
FindAnswer = Callable[[str, tuple[str, ...], tuple[str, ...]], Answer | None]
#: Says whose a number is; None: it is not known yet.
FindPerson = Callable[[str], RelatedPerson | None]
#: Says whether the caller may see a column of a record of the person.
MayShow = Callable[[Record, str], bool]


@dataclass(slots=True)
class ReadEvidence:
    """What has been read for a view so far (``gateway.derived.view.Evidence``).

    ``needs``: what was lacking; ``misses``: how often anything was. ``used``: each list with its
    keys. ``kin``: other people of whom lists were read, with these lists. ``facts_by_key``: lists
    that were read before, by name, keys and whether the person is identified; ``people``: whose
    numbers are, as far as that was found out.
    """

    derived: DerivedView
    reads: ListReads
    subject: Subject
    question: Question
    find_answer: FindAnswer
    find_person: FindPerson
    may_show_column: MayShow
    needs: Needs = field(default_factory=Needs)
    used: dict[tuple[str, tuple[str, ...]], Facts] = field(default_factory=dict)
    kin: dict[str, tuple[RelatedPerson, dict[str, None]]] = field(default_factory=dict)
    facts_by_key: dict[tuple[str, tuple[str, ...], Identification | None], Facts] = field(
        default_factory=dict
    )
    people: dict[str, RelatedPerson] = field(default_factory=dict)
    misses: int = 0

    @property
    def numbers(self) -> tuple[str, ...]:
        """The person's numbers, the present one first."""
        return self.subject.numbers

    @property
    def identification(self) -> Identification:
        """Whether the person is identified."""
        return self.subject.identification

    @property
    def is_own_view(self) -> bool:
        """Whether it is the citizen's own view."""
        return self.subject.is_own_view

    def list(self, name: str) -> Facts:
        """Return a list under the person's numbers."""
        numbers = self.subject.numbers
        facts = self.used.get((name, numbers))
        if facts is not None:
            return facts
        return self._facts(name, numbers, numbers, self.subject.identification)

    def under(self, name: str, keys: Sequence[str], of: RelatedPerson | None = None) -> Facts:
        """Return a list under other keys: those of ``of``, or of things that the person has."""
        if of is None:
            return self._facts(name, tuple(keys), self.numbers, None)
        facts = self._facts(name, tuple(keys), tuple(keys), of.identification)
        if of.numbers:
            self.kin.setdefault(of.numbers[0], (of, {}))[1][name] = None
        return facts

    def person(self, number: str) -> RelatedPerson | None:
        """Return whose ``number`` is; None until that is known."""
        person = self.people.get(number)
        if person is None:
            person = self.find_person(number)
            if person is None:
                self.needs.people[number] = None
                self.misses += 1
            else:
                self.people[number] = person
        return person

    def may_show(self, name: str, column: str) -> bool:
        """Say whether the caller may see a column of the person's list."""
        return self.may_show_column(self.reads[name][0], column)

    def _facts(
        self,
        name: str,
        keys: tuple[str, ...],
        subject_numbers: tuple[str, ...],
        identification: Identification | None,
    ) -> Facts:
        facts = self.used.get((name, keys))
        if facts is not None:
            return facts
        facts = self.facts_by_key.get((name, keys, identification))
        if facts is None:
            facts = self._read_facts(name, keys, subject_numbers, identification)
        if facts.is_read:
            self.used[name, keys] = facts
        return facts

    def _read_facts(
        self,
        name: str,
        keys: tuple[str, ...],
        subject_numbers: tuple[str, ...],
        identification: Identification | None,
    ) -> Facts:
        record = self.reads[name][0]
        answer = self.find_answer(name, keys, subject_numbers)
        if answer is None:
            self.needs.lists[name, keys] = None
            self.misses += 1
            return Facts(record, (), False, UnknownReason.SOURCE_FAILED, name, is_read=False)
        reason = _shortfall(answer, identification, self.derived)
        rows: Sequence[Row] = answer.rows or ()
        recorded_by = self.question.recorded_by
        if recorded_by is not None and recorded_by < self.question.today:
            rows, is_certain = rows_recorded_by(record, rows, recorded_by)
            if not is_certain:
                reason = reason or UnknownReason.NO_HISTORY
        facts = Facts(record, rows, reason is None, reason, name, answer)
        self.facts_by_key[name, keys, identification] = facts
        return facts


_SHORTFALLS = {
    State.STALE: UnknownReason.STALE,
    State.PARTIAL: UnknownReason.UNREADABLE,
    State.NOT_IDENTIFIED: UnknownReason.NOT_IDENTIFIED,
    State.INCOMPLETE: UnknownReason.NUMBERS_INCOMPLETE,
    State.NOT_OPERATING: UnknownReason.NOT_OPERATING,
}


def _shortfall(
    answer: Answer, identification: Identification | None, derived: DerivedView
) -> UnknownReason | None:
    """Return why a list may lack rows; None: it has all that there are.

    ``identification``: of the person under whose numbers it was read; what hangs on a row is not
    filed under a number of the person's.
    """
    state = answer.report.state
    doubts = (
        (answer.rows is None, _SHORTFALLS.get(state, UnknownReason.SOURCE_FAILED)),
        (identification is Identification.NOT_IDENTIFIED, UnknownReason.NOT_IDENTIFIED),
        (answer.unreadable > 0, UnknownReason.UNREADABLE),
        (answer.truncated, UnknownReason.TRUNCATED),
        (state is not State.ANSWERED, _SHORTFALLS.get(state, UnknownReason.SOURCE_FAILED)),
        # Older rows may lack what was decided since.
        (answer.report.from_cache and not derived.accepts_cached, UnknownReason.STALE),
        (
            identification is not None and not identification.is_complete,
            UnknownReason.NUMBERS_INCOMPLETE,
        ),
        (
            derived.needs_full_coverage and _is_narrow(answer.report.coverage),
            UnknownReason.NOT_COVERED,
        ),
    )
    return next((reason for holds, reason in doubts if holds), None)


def _is_narrow(coverage: Coverage) -> bool:
    """Say whether a list covers a part of the country or of time only, or lacks numbers.

    Design section 6.2: "none" then means none within that, and a fact is not about a part.
    """
    lacks_provinces = coverage.provinces is not None and not {*PROVINCES} <= {*coverage.provinces}
    return lacks_provinces or coverage.since is not None or coverage.unnumbered is True


def evaluate(evidence: ReadEvidence) -> Conclusion | None:
    """Return what follows from what has been read; None: ``evidence.needs`` says what is lacking.

    Lists of the first wave are asked for together, but of a view that shows what records say those
    alone that its function asks for. The value of a person who is not identified is
    not known; what would be read for anybody is read all the same: the time tells nothing.
    """
    if not evidence.derived.reads_what_is_shown:
        for name in evidence.derived.lists:
            evidence.list(name)
    conclusion = evidence.derived.compute(evidence)
    if evidence.needs:
        return None
    if evidence.identification is Identification.NOT_IDENTIFIED:
        return Conclusion.unknown(UnknownReason.NOT_IDENTIFIED)
    return conclusion


def worst_used(evidence: ReadEvidence) -> tuple[Record, Answer] | None:
    """Return the record and answer in the worst state of what a view rests on, if anything."""
    used = [
        (facts.record, facts.answer) for facts in evidence.used.values() if facts.answer is not None
    ]
    return max(used, key=lambda pair: pair[1].report.state.seriousness, default=None)
