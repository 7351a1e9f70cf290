"""What the resolvers of one request share."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import GraphQLError

from connectors.description import Lookup, Record, Sensitivity
from gateway.answer import Answer, State, worst
from gateway.errors import GatewayError
from gateway.fetch.numbers import Numbers, population_of, resolve
from gateway.fetch.source import Source
from gateway.notices import Notice, notices
from gateway.opening import is_citizen, open_linked
from gateway.reading import Reader
from gateway.schema.selection import Info
from gateway.settings import Limits

_BASIC = Sensitivity.BASIC


@dataclass(frozen=True, slots=True)
class Person:
    """A person somebody named or a record led to. ``own``: it is the citizen who asks."""

    numbers: Numbers
    own: bool

    @property
    def own_view(self) -> Sensitivity | None:
        """Up to what sensitivity the records about this person are the caller's to see."""
        return Sensitivity.RESTRICTED if self.own else None


@dataclass(slots=True)
class Context:
    """One request while it runs.

    ``problems``: errors beside the data. ``persons``: every number touched, for the audit.
    ``states``: the worst state of each list asked for. ``mirrored``: notices of persons for whom
    the field was not selected.
    """

    reader: Reader
    sources: Mapping[str, Source]
    limits: Limits
    problems: list[GraphQLError] = field(default_factory=list)
    persons: set[str] = field(default_factory=set)
    states: dict[str, State] = field(default_factory=dict)
    mirrored: list[dict[str, object]] = field(default_factory=list)
    _named: int = 0
    _opened: dict[str, asyncio.Task[Numbers]] = field(default_factory=dict)

    def name_persons(self, count: int) -> None:
        """Count persons whom the operation names; raises TOO_MANY_PERSONS beyond the limit."""
        self._named += count
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
            self.persons.add(number)
            loaders = self.reader.loaders
            self._opened[number] = asyncio.create_task(resolve(self.sources, loaders, number))
        found = await asyncio.shield(self._opened[number])
        self.persons.update(one for one in (found.present,) if one)
        return found

    def person(self, numbers: Numbers) -> Person:
        """Return the person behind ``numbers``, whom a record led to.

        Raises NUMBER_CONFLICT. Citizens who come back to themselves are still themselves.
        """
        open_linked(numbers)
        return Person(numbers, is_citizen(numbers, self.reader.caller.citizen))

    def notices(self, person: Person) -> tuple[Notice, ...]:
        """Return what the caller must not miss about ``person``."""
        population = population_of(self.sources)
        record = population.identity if population else None
        may_know = person.own or (
            record is not None and self.reader.missing_scope(record, _BASIC, None) is None
        )
        return notices(person.numbers, record, may_know)

    async def read(self, person: Person, record: Record, lookup: Lookup) -> Answer:
        """Read one list of a person's records, under all their numbers."""
        numbers = person.numbers
        own = person.own_view
        answer = await self.reader.read(record, lookup, numbers.all, own, numbers.known)
        self.note(record, answer.report.state)
        return answer

    def note(self, record: Record, state: State) -> None:
        """Remember for the audit in what state a record type was answered."""
        name = f"{record.database}.{record.name}"
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


def _path(info: Info, place: int | None) -> list[str | int]:
    path = info.path.as_list()
    return path if place is None else [*path, place]
