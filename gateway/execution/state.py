"""What is noted while an operation is executed, by both executors: for answer and journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from connectors.description import Record
from gateway.answer import Identification, State, worst
from gateway.audit.access_log.page import LogPage
from gateway.audit.touched import (
    Role,
    Trail,
    kin_of,
    note_derived,
    note_evidence,
    note_interests,
    note_log,
)
from gateway.catalogue.sections import DerivedBinding
from gateway.derived.conclude import ReadEvidence
from gateway.errors import GatewayError, Location, Path, Problem
from gateway.people.entities import EntityKey, journal_names
from gateway.people.identification import Shortfall
from gateway.people.numbers import PersonNumbers
from gateway.settings import Limits


@dataclass(slots=True, eq=False)
class ExecutionState:
    """One operation while it is executed, whichever executor executes it.

    ``problems``: errors beside the data. ``mirrored``: notices of persons for whom the field is not
    selected. ``trail``: who was touched. ``states``: the worst state of each list that was read, by
    ``database.record``. ``shortfalls``: of the people and things that were read. ``named``: how
    many people the operation has named; ``unidentified``: how many of them by a number that nobody
    holds. ``cases``: the numbers of cases that are checked in a queue (None for a text that is no
    case number), and what is noted of each.
    """

    limits: Limits
    problems: list[Problem] = field(default_factory=list)
    mirrored: list[dict[str, object]] = field(default_factory=list)
    trail: Trail = field(default_factory=Trail)
    states: dict[str, State] = field(default_factory=dict)
    shortfalls: list[Shortfall] = field(default_factory=list)
    named: int = 0
    unidentified: int = 0
    cases: list[tuple[str | None, ExecutionState]] = field(default_factory=list)

    def begin_case(self, case_number: str | None) -> ExecutionState:
        """Return where everything about a case of a queue is noted, apart from the others."""
        state = ExecutionState(self.limits)
        self.cases.append((case_number, state))
        return state

    def add(self, other: ExecutionState) -> None:
        """Add what was noted apart, but for how many people were named."""
        self.problems += other.problems
        self.mirrored += other.mirrored
        self.shortfalls += other.shortfalls
        self.unidentified += other.unidentified
        self.trail.add(other.trail)
        for name, state in other.states.items():
            self.note_state(name, state)

    def count_unidentified(self) -> int:
        """Return how many people were named by a number that nobody holds, in cases too."""
        return self.unidentified + sum(state.unidentified for _, state in self.cases)

    def name_persons(self, numbers: Sequence[str]) -> None:
        """Count persons whom the operation names; raises GatewayError TOO_MANY_PERSONS."""
        self.note_refused(numbers)
        self.count_named(numbers)

    def name_entities(self, keys: Sequence[EntityKey]) -> None:
        """Count entities that a router asks for, malformed ones too; raises as ``name_persons``."""
        self.note_refused(journal_names(keys))
        self.named += len(keys)
        self._require_few()

    def note_refused(self, numbers: Sequence[str]) -> None:
        """Note whom the caller named, as many as limits allow; left out if opened later."""
        for number in numbers[: self.limits.persons]:
            self.trail.note_refused(number)

    def count_named(self, numbers: Sequence[str]) -> None:
        """Count persons, and leave it to the caller to note them; raises as ``name_persons``."""
        self.named += len(numbers)
        self._require_few()

    def _require_few(self) -> None:
        if self.named > self.limits.persons:
            raise GatewayError("TOO_MANY_PERSONS", details={"limit": self.limits.persons})

    def require_room(self, persons: int) -> None:
        """Raise GatewayError TOO_MANY_PERSONS if ``persons`` reached already are the most."""
        limit = self.limits.persons_reached
        if persons >= limit:
            raise GatewayError("TOO_MANY_PERSONS", details={"limit": limit})

    def open_person(self, numbers: PersonNumbers, role: Role, is_named: bool) -> set[str]:
        """Note that a person was opened; returns where their sections that are read are noted."""
        is_nobody = numbers.identification is Identification.NOT_IDENTIFIED
        self.unidentified += is_nobody and is_named
        return self.trail.note_opened(numbers, role)

    def note(self, record: Record, state: State) -> None:
        """Note for the journal in what state a list was answered: the worst counts."""
        self.note_state(f"{record.database}.{record.name}", state)

    def note_log(self, sections: set[str], page: LogPage) -> None:
        """Note that an access log was read: reading it is logged too."""
        self.note_state(note_log(sections, page.state), page.state)

    def note_interests(self, sections: set[str], state: State) -> None:
        """Note that interests in a person were read: that is logged too."""
        self.note_state(note_interests(sections, state), state)

    def note_derived(self, computed: DerivedBinding, sections: set[str], state: State) -> None:
        """Note in what state a derived view was answered, and that it was."""
        self.note_state(note_derived(sections, computed, state), state)

    def note_evidence(self, sections: set[str], evidence: ReadEvidence) -> None:
        """Note what a derived view has read, of the person and of their kin."""
        for name, state in note_evidence(sections, evidence).items():
            self.note_state(name, state)
        for number, names in kin_of(evidence):
            self.trail.note_read(number, Role.KIN, names)

    def note_state(self, name: str, state: State) -> None:
        """Note for the journal in what state the list called ``name`` was answered: the worst."""
        worst_state = self.states.get(name)
        if worst_state is not state:
            self.states[name] = state if worst_state is None else worst((state, worst_state))

    def problem(
        self, error: GatewayError, path: Path, locations: Sequence[Location], count: int = 1
    ) -> None:
        """Put ``error`` beside the data. ``count``: how many rows it stands for."""
        self.problems.append(Problem(error, path, locations, count))

    def shortfall(self, path: Path, locations: Sequence[Location]) -> Shortfall:
        """Return where it is noted which lists of a person or thing may lack rows."""
        shortfall = Shortfall(path, tuple(locations))
        self.shortfalls.append(shortfall)
        return shortfall

    def join_shortfalls(self) -> None:
        """Join what was noted at several times of the same person, so that it is one error."""
        joined: dict[Path, Shortfall] = {}
        for shortfall in self.shortfalls:
            first = joined.setdefault(shortfall.path, shortfall)
            if first is not shortfall:
                first.add(shortfall)
        self.shortfalls = list(joined.values())

    def report_shortfalls(self) -> None:
        """Put what may be missing beside the data: one error for each person and reason."""
        for shortfall in self.shortfalls:
            for error in shortfall.errors():
                self.problem(error, shortfall.path, shortfall.locations)
