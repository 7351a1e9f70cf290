"""The people whom an answer touches, their roles, and the sections of theirs that were read.

Both executors note them while an operation runs, and the journal entry lists them
(``gateway.audit.entry``). Nothing here depends on rows that protection hides.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from connectors.description import Coded, Record
from gateway.access.caller import Caller
from gateway.answer import Answer, State, worst
from gateway.catalogue.sections import DerivedBinding
from gateway.derived.conclude import ReadEvidence
from gateway.people.numbers import PersonNumbers


class Role(Coded):
    """How an answer touched a person."""

    OWN = "chính người đó tra cứu", "the person themself asked"
    REPRESENTED = "người đại diện tra cứu thay", "asked by whoever acts for the person"
    NAMED = "được tra cứu theo số định danh", "named by the caller, and opened"
    KIN = "được mở từ hồ sơ của người khác", "opened because somebody else's record led there"
    MENTIONED = "có tên trong hồ sơ của người khác", "stands in somebody else's record"
    REFUSED = "bị từ chối tra cứu", "named by the caller, and not opened"


#: Roles that are left out if the same answer touched the person in another role.
_MINOR_ROLES = frozenset({Role.MENTIONED, Role.REFUSED})


_NOTHING_READ: AbstractSet[str] = frozenset()


@dataclass(slots=True)
class Trail:
    """People by number and role, with their sections that were read (``database.record``)."""

    _people: dict[tuple[str, Role], AbstractSet[str] | tuple[str, ...]] = field(
        default_factory=dict
    )

    def note_refused(self, number: str) -> None:
        """Note that the caller named ``number``; left out if the person is opened later."""
        self._people.setdefault((number, Role.REFUSED), _NOTHING_READ)

    def note_opened(self, numbers: PersonNumbers, role: Role) -> set[str]:
        """Note that a person was opened; return the set in which to note their sections."""
        key = (numbers.present or numbers.requested, role)
        sections = self._people.get(key)
        if not isinstance(sections, set):
            sections = self._people[key] = set(sections or ())
        self._people[numbers.requested, role] = sections
        return sections

    def note_read(self, number: str, role: Role, sections: tuple[str, ...]) -> None:
        """Note a person with one number of whom ``sections`` were read; sorted, and shared."""
        key = (number, role)
        before = self._people.setdefault(key, sections)
        if isinstance(before, set):  # whoever opened the person goes on adding to it
            before.update(sections)
        elif before is not sections:
            self._people[key] = {*before, *sections}

    def note_opened_section(self, number: str, role: Role, section: str) -> None:
        """Note that ``section`` of a person was read, who is noted or not."""
        key = (number, role)
        sections = self._people.get(key)
        if not isinstance(sections, set):
            sections = self._people[key] = set(sections or ())
        sections.add(section)

    def note_mentioned(self, number: str) -> None:
        """Note that a record shows ``number``."""
        self._people.setdefault((number, Role.MENTIONED), _NOTHING_READ)

    def add(self, other: Trail) -> None:
        """Add everybody who was noted in another trail."""
        for key, sections in other._people.items():
            before = self._people.get(key)
            self._people[key] = {*before, *sections} if before else sections

    def touches(self) -> Iterator[tuple[str, Role, list[str]]]:
        """Yield number, role and sorted sections of everybody who was touched."""
        opened = {number for number, role in self._people if role not in _MINOR_ROLES}
        for (number, role), sections in self._people.items():
            if role not in _MINOR_ROLES or number not in opened:
                is_sorted = isinstance(sections, tuple)
                yield number, role, list(sections) if is_sorted else sorted(sections)


def citizen_role(caller: Caller) -> Role:
    """Return the role of the citizen whose own view ``caller`` has."""
    return Role.OWN if caller.representative is None else Role.REPRESENTED


def note_numbers(trail: Trail, value: object) -> None:
    """Note the number, or the numbers, that a column holds."""
    if isinstance(value, tuple):
        for number in value:
            trail.note_mentioned(str(number))
    elif value is not None:
        trail.note_mentioned(str(value))


def note_read(sections: set[str], record: Record, answer: Answer) -> None:
    """Note among a person's sections that ``record`` was read, if there was an answer at all."""
    if answer.rows is not None:
        sections.add(f"{record.database}.{record.name}")


#: The name under which an access log stands among sections.
ACCESS_LOG = "audit.access_log"


def note_log(sections: set[str], state: State) -> str:
    """Note among a person's sections that their access log was read; returns its name."""
    if state.has_rows:
        sections.add(ACCESS_LOG)
    return ACCESS_LOG


#: The name under which a person's interests stand among sections.
INTERESTS = "events.interests"


def note_interests(sections: set[str], state: State) -> str:
    """Note among a person's sections that interests in them were read; returns their name."""
    if state.has_rows:
        sections.add(INTERESTS)
    return INTERESTS


def note_derived(sections: set[str], computed: DerivedBinding, state: State) -> str:
    """Note among a person's sections that a derived view was answered; returns its name."""
    name = f"{computed.derived.database}.{computed.derived.name}"
    if state is not State.DENIED:
        sections.add(name)
    return name


def note_evidence(sections: set[str], evidence: ReadEvidence) -> dict[str, State]:
    """Note among a person's sections which of their lists a derived view has read.

    Returns the worst state of each list that it read, of whomever.
    """
    states: dict[str, State] = {}
    for facts in evidence.used.values():
        assert facts.answer is not None
        name, state = list_name(facts.record), facts.answer.report.state
        states[name] = worst((states.get(name, state), state))
    for name, keys in evidence.used:
        facts = evidence.used[name, keys]
        is_of_kin = any(keys == person.numbers for person, _ in evidence.kin.values())
        if not is_of_kin and facts.answer is not None and facts.answer.rows is not None:
            sections.add(list_name(facts.record))
    return states


def kin_of(evidence: ReadEvidence) -> list[tuple[str, tuple[str, ...]]]:
    """Return the number of each other person of whom a view read lists, and these lists, sorted."""
    return [
        (number, tuple(sorted({list_name(evidence.reads[name][0]) for name in names})))
        for number, (_, names) in evidence.kin.items()
    ]


def list_name(record: Record) -> str:
    """Return what the journal calls a list of ``record``."""
    return f"{record.database}.{record.name}"
