"""What the resolvers of one request share."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo

from connectors.description import Record, Sensitivity
from gateway.answer import Answer, Identification, State, worst
from gateway.audit.touched import Role, Trail, citizen_role
from gateway.cache.rows import Cache
from gateway.catalogue.sections import Computed
from gateway.errors import GatewayError, Location
from gateway.execution.decisions import Reader, note_derived, note_read
from gateway.execution.plan_cache import Plans
from gateway.fetch.maintenance import Maintenance
from gateway.fetch.read import Read
from gateway.fetch.source import Source
from gateway.people.identification import Shortfall
from gateway.people.matching import is_citizen, open_linked
from gateway.people.notices import Notice, notices
from gateway.people.numbers import Numbers, population_of, resolve, unchecked
from gateway.settings import Limits

#: What a resolver is told by graphql-core.
Info = GraphQLResolveInfo[Any]


@dataclass(frozen=True, slots=True)
class Person:
    """A person somebody named or a record led to. ``own``: it is the citizen who asks.

    ``sections`` and ``shortfall``: where it is noted what of theirs was read, and may lack rows.
    ``reason``: why lists of theirs may lack rows, None where they do not.
    """

    numbers: Numbers
    own: bool
    sections: set[str]
    shortfall: Shortfall
    reason: str | None

    @property
    def own_view(self) -> Sensitivity | None:
        """Up to what sensitivity the records about this person are the caller's to see."""
        return Sensitivity.RESTRICTED if self.own else None

    def note_shortfall(self, answer: Answer, info: Info) -> None:
        """Note that the list at hand may lack rows, if it was read at all."""
        if self.reason is not None and answer.rows is not None:
            self.shortfall.note(self.reason, tuple(info.path.as_list()))


@dataclass(slots=True)
class Context:
    """One request while it runs.

    ``problems``: errors beside the data. ``trail``: who is touched, for the audit.
    ``states``: the worst state of each list asked for. ``mirrored``: notices of persons for whom
    the field was not selected. ``plans``: for trials, which run nothing. ``maintenance``: for
    operators, who plan it. ``cache``: for them too, who invalidate what is in it. ``shortfalls``:
    of the people and things that were read. ``unidentified``: how many people were named by a
    number that nobody holds.
    """

    reader: Reader
    sources: Mapping[str, Source]
    limits: Limits
    plans: Plans
    maintenance: Maintenance
    cache: Cache
    problems: list[GraphQLError] = field(default_factory=list)
    trail: Trail = field(default_factory=Trail)
    states: dict[str, State] = field(default_factory=dict)
    mirrored: list[dict[str, object]] = field(default_factory=list)
    shortfalls: list[Shortfall] = field(default_factory=list)
    unidentified: int = 0
    _named: int = 0
    _opened: dict[str, asyncio.Task[Numbers]] = field(default_factory=dict)

    def name_persons(self, numbers: Sequence[str]) -> None:
        """Count persons whom the operation names; raises TOO_MANY_PERSONS beyond the limit."""
        for number in numbers[: self.limits.persons]:
            self.trail.note_refused(number)
        self._named += len(numbers)
        if self._named > self.limits.persons:
            raise GatewayError("TOO_MANY_PERSONS", details={"limit": self.limits.persons})

    async def numbers(self, number: str) -> Numbers:
        """Find out whose ``number`` is, once a request.

        Raises TOO_MANY_PERSONS when records lead to more persons than the limits allow.
        """
        if number not in self._opened:
            limit = self.limits.persons_reached
            if len(self._opened) >= limit:
                raise GatewayError("TOO_MANY_PERSONS", details={"limit": limit})
            self._opened[number] = asyncio.create_task(self._resolved(number))
        return await asyncio.shield(self._opened[number])

    async def _resolved(self, number: str) -> Numbers:
        if not self.reader.checks_numbers:
            return unchecked(number)
        return await resolve(self.sources, self.reader.loaders.load, number)

    def person(self, info: Info, numbers: Numbers) -> Person:
        """Return the person behind ``numbers``, whom a record led to.

        Raises NUMBER_CONFLICT. Citizens who come back to themselves are still themselves.
        """
        open_linked(numbers)
        own = is_citizen(numbers, self.reader.caller.citizen)
        return self.opened(info, numbers, own, Role.KIN)

    def opened(
        self, info: Info, numbers: Numbers, own: bool, role: Role, place: int | None = None
    ) -> Person:
        """Return a person who may be shown; ``role``: in which they are touched if not ``own``."""
        noted = citizen_role(self.reader.caller) if own else role
        sections = self.trail.note_opened(numbers, noted)
        nobody = numbers.identification is Identification.NOT_IDENTIFIED
        self.unidentified += nobody and noted is Role.NAMED
        level = Sensitivity.RESTRICTED if own else None
        reason = self.reader.shortfall_reason(numbers, level)
        return Person(numbers, own, sections, self.shortfall(info, place), reason)

    def shortfall(self, info: Info, place: int | None = None) -> Shortfall:
        """Return where it is noted which lists of a person or thing may lack rows."""
        shortfall = Shortfall(tuple(_path(info, place)), _locations(info))
        self.shortfalls.append(shortfall)
        return shortfall

    def notices(self, person: Person) -> tuple[Notice, ...]:
        """Return what the caller must not miss about ``person``."""
        population = population_of(self.sources)
        own = person.own_view
        may_list = partial(self.reader.may_list, own)
        return notices(person.numbers, population, self.reader.knowing(own), may_list)

    async def read(self, person: Person, read: Read) -> Answer:
        """Read one list of a person's records, under all their numbers."""
        record = read.record
        keys, own = person.numbers.all, person.own_view
        identification = person.numbers.identification
        answer = await self.reader.read(read, keys, own, identification, keys)
        self.note(record, answer.report.state)
        note_read(person.sections, record, answer)
        return answer

    def note(self, record: Record, state: State) -> None:
        """Remember for the audit in what state a record type was answered."""
        name = f"{record.database}.{record.name}"
        self.states[name] = worst((state, self.states.get(name, State.ANSWERED)))

    def concluded(self, computed: Computed, sections: set[str], state: State) -> None:
        """Note in what state a derived view was answered, and that it was."""
        name = note_derived(sections, computed, state)
        self.states[name] = worst((state, self.states.get(name, State.ANSWERED)))

    def report(self, info: Info, record: Record, answer: Answer) -> None:
        """Put what went wrong with a list beside the data, at the list's place."""
        error = self.reader.problem(record, answer)
        if error is not None:
            self.problem(info, error)

    def mirror(self, info: Info, person: Person, place: int | None) -> None:
        """Keep a person's notices for the answer's extensions."""
        found = [one.mirrored for one in self.notices(person)]
        if found:
            self.mirrored.append({"path": _path(info, place), "notices": found})

    def problem(self, info: Info, error: GatewayError, place: int | None = None) -> None:
        """Put ``error`` beside the data, at the field (or its ``place``) where it happened."""
        self.problems.append(
            GraphQLError(
                error.message,
                list(info.field_nodes),
                path=_path(info, place),
                original_error=error,
                extensions=error.extensions,
            )
        )


def _locations(info: Info) -> tuple[Location, ...]:
    tokens = (node.loc.start_token for node in info.field_nodes if node.loc)
    return tuple({"line": token.line, "column": token.column} for token in tokens)


def _path(info: Info, place: int | None) -> list[str | int]:
    path = info.path.as_list()
    return path if place is None else [*path, place]
