"""The parts of a batch: people, lists and verifications, each evaluated once for all who show it.

A part knows nothing of where it stands in an answer: paths in it begin at the part itself, so that
the same person in the answers of ten requests is one part. ``gateway.execution.emit`` puts the
parts of a request together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson

from connectors.backends.base import Asker
from connectors.description import Database, Row, Sensitivity
from gateway.answer import Answer, Identification, SourceReport, State
from gateway.audit.access_log.interests import PersonInterest
from gateway.audit.access_log.page import LogPage
from gateway.audit.touched import Role
from gateway.cache.answer_store import Used
from gateway.catalogue.read import ReadKind
from gateway.derived.conclude import DerivedValue, FactValue
from gateway.derived.timeline import TimelinePage
from gateway.errors import GatewayError, Location, Path, Problem
from gateway.execution.check_progress import CheckProgress
from gateway.execution.check_queue import QueuedCase
from gateway.execution.checking import CheckedPerson, ProcedureCheck
from gateway.execution.operation import OperationRequest, Result
from gateway.execution.rechecking import Recheck
from gateway.execution.state import ExecutionState
from gateway.limits.verification_attempts import Attempt
from gateway.people.details import Matching
from gateway.people.numbers import PersonNumbers
from gateway.people.verification import ClaimedIdentity, IdentityVerification
from gateway.plan.check_arguments import CheckArguments
from gateway.plan.plan import PersonPlan
from gateway.receipts.issue import Recipient
from gateway.receipts.statement import ReceiptStatement


def own_view(is_own_view: bool) -> Sensitivity | None:
    """Return up to what sensitivity records of a person are open to the citizen they are about."""
    return Sensitivity.RESTRICTED if is_own_view else None


#: What hangs on a row: a list, a person, the people of one column, or nothing.
Below: TypeAlias = "LoadedList | PersonPart | list[Below] | None"


@dataclass(slots=True, eq=False)
class LoadedList:
    """A list that was read. ``rows`` is None where it is not known that there are none.

    ``below``: for each slot what hangs on the rows, in their order.
    ``ids``: the ``recordId`` of each row, and ``next_cursor``: where the next page begins. Both
    only where they are selected. ``text``: all that is shown of the rows, where their database has
    written it; ``rows`` then say no more than how many there are.
    """

    rows: tuple[Row, ...] | None
    truncated: bool | None
    report: SourceReport
    below: Sequence[Sequence[Below]]
    ids: Sequence[str] = ()
    next_cursor: str | None = None
    text: orjson.Fragment | None = None


#: Of a person whose plan selects nothing of a kind.
_NOTHING: Any = ()


@dataclass(slots=True, eq=False)
class Member:
    """A request of a batch.

    ``arguments``: of its root fields and lists, slot by slot. ``result``: what is awaited: the
    result, and the entries of the cache that it was made of (None: not only of those). ``roots``:
    by response key: parts, a text, or None for a field that is refused. ``named``: the numbers that
    a root field names, in the order of its parts. ``pending``: parts that are
    not done.
    """

    request: OperationRequest
    arguments: Sequence[object]
    result: asyncio.Future[tuple[Result, list[Used] | None]]
    state: ExecutionState
    roots: dict[str, Sequence[AnswerPart | None] | str | None] = field(default_factory=dict)
    named: dict[str, Sequence[str]] = field(default_factory=dict)
    pending: int = 1

    @property
    def is_done(self) -> bool:
        """Whether nobody awaits the result any more, or it is there."""
        return self.result.done()


@dataclass(slots=True, eq=False)
class AnswerPart:
    """What every part has beside its data. What is None has nothing in it: most parts have little.

    ``locations``: of its field in the document. ``asker``: who asks, None where that is nobody's
    business: then the part is everybody's. ``keys``: the numbers of the person for whose view rows
    are read, empty for nobody. ``pending``: steps and people below that are not done.
    ``waits``: the parts and members whose ``pending`` counts this one. ``problems``: errors.
    ``shortfalls``: why a list may lack rows, and where it is. ``states``: the worst state of each
    list that was read, by ``database.record``. ``mentions``: what columns of numbers show.
    ``links``: the people whom rows lead to, and where. ``sections``: lists that were read of the
    person. ``used``: the entries of the cache that it is made of, None once anything else was used.
    ``kin``: the numbers of other people of whom a derived view read lists, with these lists.
    ``data``: what its response function makes of it, once somebody shows it.
    """

    locations: Sequence[Location]
    asker: Asker | None
    keys: tuple[str, ...] = ()
    pending: int = 1
    waits: list[AnswerPart | Member] | None = None
    problems: list[Problem] | None = None
    shortfalls: list[tuple[str, Path]] | None = None
    states: dict[str, State] | None = None
    mentions: list[object] | None = None
    links: list[tuple[Path, PersonPart]] | None = None
    sections: set[str] | None = None
    used: list[Used] | None = None
    kin: list[tuple[str, tuple[str, ...]]] | None = None
    data: object = None

    def problem(
        self, error: GatewayError, path: Path, locations: Sequence[Location], count: int = 1
    ) -> None:
        """Put ``error`` beside the data. ``count``: how many rows it stands for."""
        self.problems = self.problems or []
        self.problems.append(Problem(error, path, locations, count))

    def note_shortfall(self, reason: str, path: Path) -> None:
        """Note that the list at ``path`` may lack rows for ``reason``, an error code."""
        self.shortfalls = self.shortfalls or []
        self.shortfalls.append((reason, path))

    def note_state(self, name: str, state: State) -> None:
        """Note for the journal in what state the list called ``name`` was answered: the worst."""
        if self.states is None:
            self.states = {}
        before = self.states.get(name)
        if before is None or state.seriousness > before.seriousness:
            self.states[name] = state

    def note_mentions(self, numbers: Sequence[object]) -> None:
        """Note what a column of numbers shows."""
        if self.mentions is None:
            self.mentions = []
        self.mentions += numbers

    def note_link(self, path: Path, person: PersonPart) -> None:
        """Note that rows lead to ``person``, at ``path``."""
        if self.links is None:
            self.links = []
        self.links.append((path, person))

    def add_sections(self) -> set[str]:
        """Return the set of lists that were read of the person, to add to it."""
        if self.sections is None:
            self.sections = set()
        return self.sections


@dataclass(slots=True, eq=False)
class PersonPart(AnswerPart):
    """A person: one number under one plan. What a response function reads stands last.

    ``entry``: the root field or link that leads here. ``requested_number``: the number asked for.
    ``numbers``: whose it is, None until that is known; ``known_as``: whether the population
    database knows the person. ``is_plain``: it does, by this one number. ``refusal``: why the
    person is not shown.
    ``answers``: lists under all numbers, as the caller may see them, by kind of read.
    ``plain_lists``: the lists that were read without anything to note, one bit each. ``reason``:
    why lists may lack rows, None where they do not. ``targets``: where in lists the person is to
    stand; ``place``: where in the answer, for who has to match. ``mirrored``: notices, where the
    field for them is not selected. ``matching``: what has to agree with the number; ``attempt``:
    counted for it. ``again``: the same person under other root fields, who waits to be opened until
    this one is: an attempt is counted once.

    ``identification``: the name of an ``Identification``, None where the caller may not know it.
    ``lists``, ``reports``, ``derived``, ``logs`` and ``timelines`` stand in the order of the
    person's plan, None until they are read; what has refused arguments stays None.
    """

    entry: object = None
    requested_number: str = ""
    plan: PersonPlan | None = None
    numbers: PersonNumbers | None = None
    role: Role = Role.NAMED
    refusal: GatewayError | None = None
    reads_ahead: bool = False
    known_as: Identification | None = None
    is_plain: bool = False
    answers: dict[ReadKind, Answer] | None = None
    plain_lists: int = 0
    reason: str | None = None
    targets: list[tuple[list[Below], int]] | None = None
    mirrored: orjson.Fragment | None = None
    place: tuple[int, ...] = ()
    matching: Matching | None = None
    attempt: Attempt | None = None
    again: Sequence[PersonPart] = ()
    present_number: str | None = None
    is_own_view: bool = False
    identification: str | None = None
    notices: tuple[object, ...] = ()
    lists: list[LoadedList | None] = _NOTHING
    reports: list[SourceReport | None] = _NOTHING
    derived: list[DerivedValue | FactValue | None] = _NOTHING
    logs: list[LogPage | Sequence[PersonInterest] | None] = _NOTHING
    timelines: list[TimelinePage | None] = _NOTHING
    databases: Sequence[Database] = ()

    @property
    def matches(self) -> bool:
        """Whether a detail has to match."""
        return self.matching is not None and self.matching.says_something


@dataclass(slots=True, eq=False)
class ListPart(AnswerPart):
    """Records that somebody looks up by the number of a thing: about nobody in particular."""

    target: list[Below] = field(default_factory=lambda: [None])


@dataclass(slots=True, eq=False)
class VerificationPart(AnswerPart):
    """A person whose details are compared.

    ``place``: in the answer. ``touched``: the numbers, where rows were read.
    """

    number: str = ""
    place: tuple[int, ...] = ()
    claimed: ClaimedIdentity | None = None
    attempt: Attempt | None = None
    touched: PersonNumbers | None = None
    verification: IdentityVerification | None = None


@dataclass(slots=True, eq=False)
class CheckPart(AnswerPart):
    """A case that is checked; it is one request's alone.

    ``named``: the numbers in each role; ``people``: whose they are, None until that is known.
    ``touched``: the people of the case, for the journal. ``check``: what it comes to, None until
    then or where it is refused. ``recipient``: of its receipt. ``before``: what the receipt states
    with which it is made again, and ``recheck``: what changed since. ``case``: the case of a queue,
    None where the case is that of the request.
    """

    arguments: CheckArguments | None = None
    named: Mapping[str, Sequence[str]] = field(default_factory=dict)
    reads_ahead: bool = False
    people: Mapping[str, Sequence[PersonNumbers]] | None = None
    progress: CheckProgress | None = None
    touched: Sequence[CheckedPerson] = ()
    check: ProcedureCheck | None = None
    recipient: Recipient | None = None
    before: ReceiptStatement | None = None
    recheck: Recheck | None = None
    case: QueuedCase | None = None
