"""Interests: ``registerInterest``, ``endInterest`` and ``interests`` (``gateway.changes``).

Each registration names people, so it is in the journal, and they see it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import strawberry
from strawberry.types.field import StrawberryField

from connectors.description import Text
from connectors.values import PersonNumber
from gateway.audit.touched import INTERESTS, Role
from gateway.catalogue.life_events import SCOPE
from gateway.changes.event import LifeEventKind
from gateway.changes.feed import answering, permitted_kinds, require_events, require_kinds
from gateway.changes.feed_cursors import FeedCursors
from gateway.changes.interests import Interest
from gateway.errors import GatewayError
from gateway.execution.feeds import feed_parts
from gateway.execution.reference import ReferenceContext
from gateway.people.details import Matching
from gateway.people.matching import open_named, require_matching
from gateway.people.numbers import PersonNumbers, population_of
from gateway.schema.factory import TypeFactory
from gateway.schema.field_definitions import attribute_field, list_annotation, resolved_field
from gateway.schema.person import MatchingInput
from gateway.schema.requires_scopes import require_any_scope

#: Random bytes of the id of an interest.
_ID = 16


@dataclass(frozen=True, slots=True)
class _Registered:
    """What comes of ``registerInterest``. ``cursor``: events after it are to be read."""

    interests: Sequence[Interest]
    cursor: str


def interest_query(types: TypeFactory) -> StrawberryField:
    """Return the root field ``interests``."""
    field = resolved_field(
        "interests",
        list_annotation(_interest_type(types)) | None,
        _list_interests,
        title=Text(
            "đăng ký theo dõi của cơ quan này qua ứng dụng này theo mục đích đã nêu",
            "the interests of this client and agency under the purpose stated",
        ),
    )
    return require_any_scope(field, (SCOPE,))


def interest_mutations(types: TypeFactory) -> list[StrawberryField]:
    """Return the mutations that register and end interests."""
    registered = types.object(
        "RegisteredInterests",
        [
            attribute_field("interests", list_annotation(_interest_type(types))),
            attribute_field(
                "cursor", str, Text("đọc sự kiện từ vị trí này", "read lifeEvents after this")
            ),
        ],
        Text("Kết quả đăng ký theo dõi", "What was registered"),
    )
    register = resolved_field(
        "register_interest",
        registered | None,
        _register,
        {
            "persons": list[PersonNumber],
            "kinds": list_annotation(types.enumeration(LifeEventKind)),
            "until": datetime,
            "matching": list[MatchingInput] | None,
        },
        Text(
            "đăng ký theo dõi sự kiện của những người này; matching theo thứ tự của persons",
            "follow the events of these people; matching in the order of persons",
        ),
    )
    end = resolved_field(
        "end_interest",
        int | None,
        _end,
        {"ids": list[str]},
        Text("kết thúc theo dõi; trả về số lượng", "end interests; returns how many there were"),
    )
    return [require_any_scope(field, (SCOPE,)) for field in (register, end)]


def _interest_type(types: TypeFactory) -> Any:
    return types.object(
        "Interest",
        [
            attribute_field("id", str, Text("mã", "id")),
            attribute_field("person", PersonNumber, Text("số định danh", "the person's number")),
            resolved_field(
                "kinds",
                list_annotation(types.enumeration(LifeEventKind)),
                _kinds,
                title=Text("các loại sự kiện", "kinds of events"),
            ),
            resolved_field(
                "case_number", str | None, _case_number, title=Text("số hồ sơ", "case number")
            ),
            attribute_field("registered_at", datetime, Text("từ lúc", "since when")),
            attribute_field("until", datetime, Text("đến lúc", "until when")),
        ],
        Text("Đăng ký theo dõi sự kiện của một người", "An interest in a person's events"),
    )


async def _register(
    self: Any,
    info: strawberry.Info,
    persons: list[PersonNumber],
    kinds: Any,
    until: datetime,
    matching: Any = None,
) -> _Registered:
    context: ReferenceContext = info.context
    context.state.name_persons(persons)
    caller, parts = context.rules.caller, feed_parts(context.resources)
    owner = require_events(caller)
    chosen = frozenset(LifeEventKind[kind.value] for kind in kinds)
    _require_terms(context, chosen, until)
    require_kinds(parts, caller, chosen)
    numbers = await _open_people(context, info, persons, matching or None)
    now = context.resources.clock.now()
    with answering():
        position = await parts.log.end()
        interests = [
            Interest(
                secrets.token_urlsafe(_ID),
                caller,
                person.present or person.requested,
                frozenset(person.all),
                chosen,
                now,
                until,
                position,
            )
            for person in {
                person.present or person.requested: person for person in numbers
            }.values()
        ]
        most = context.resources.settings.interests.most_per_client
        if not await parts.interests.put(interests, most, now):
            raise GatewayError("TOO_MANY_INTERESTS", details={"limit": most})
    cursor = FeedCursors(parts.keys, owner).make(position)
    return _Registered(interests, cursor)


def _require_terms(
    context: ReferenceContext, kinds: frozenset[LifeEventKind], until: datetime
) -> None:
    """Refuse kinds and times that the settings of the purpose do not permit.

    Raises GatewayError INTEREST_NOT_PERMITTED, INVALID_VALUE.
    """
    settings, now = context.resources.settings, context.resources.clock.now()
    purpose = context.rules.caller.purpose
    if until.tzinfo is None or until <= now:
        raise GatewayError(
            "INVALID_VALUE", "until must be in the future, with a time zone: ...T00:00:00+07:00"
        )
    if not kinds:
        raise GatewayError("INVALID_VALUE", "kinds must name some kind of event")
    permitted = permitted_kinds(settings, purpose)
    days = settings.interest_terms(purpose).days
    if not kinds <= permitted or until > now + timedelta(days=days):
        names = sorted(kind.name for kind in permitted)
        raise GatewayError("INTEREST_NOT_PERMITTED", details={"kinds": names, "days": days})


async def _open_people(
    context: ReferenceContext,
    info: strawberry.Info,
    persons: Sequence[PersonNumber],
    matching: Sequence[MatchingInput] | None,
) -> list[PersonNumbers]:
    """Find out who the people are, as ``person`` does; raises GatewayError for the first refusal.

    A number of which the population database could not tell everything is refused, since events
    under another number would be missing: NUMBER_UNRESOLVED.
    """
    if not persons:
        raise GatewayError("INVALID_VALUE", "persons must name somebody")
    if matching is not None and len(matching) != len(persons):
        raise GatewayError("INVALID_VALUE", "matching must have one entry for each of persons")
    details = [
        None if matching is None else Matching(matching[at].name, matching[at].birth_date)
        for at in range(len(persons))
    ]
    for detail in details:
        require_matching(context.rules.matching, detail)
    opened = await asyncio.gather(
        *(_open(context, number, detail) for number, detail in zip(persons, details, strict=True)),
        return_exceptions=True,
    )
    people: list[PersonNumbers] = []
    for numbers in opened:
        if isinstance(numbers, BaseException):
            raise numbers
        people.append(numbers)
    for numbers in people:
        context.state.open_person(numbers, Role.NAMED, True).add(INTERESTS)
        reason = context.rules.shortfall_reason(numbers, None)
        if reason is not None:
            context.problem(info._raw_info, GatewayError(reason, details={"lists": ["interests"]}))
    return people


async def _open(
    context: ReferenceContext, number: PersonNumber, details: Matching | None
) -> PersonNumbers:
    rules, sources = context.rules, context.resources.sources
    matches = details is not None and details.says_something
    if matches:
        rules.refuse_early(number)
    numbers = await context.numbers(number)
    attempt = rules.attempt(numbers) if matches else None
    population = population_of(sources)
    identity = population.identity.record if population else None
    async with rules.count_attempt(attempt):
        open_named(numbers, details, identity, attempt, rules.matching.required)
    if numbers.doubt is not None:
        raise GatewayError("NUMBER_UNRESOLVED")
    return numbers


async def _end(self: Any, info: strawberry.Info, ids: list[str]) -> int:
    """End interests; an id that is none may be one of those that cannot be read."""
    context: ReferenceContext = info.context
    owner = require_events(context.rules.caller)
    store, now = context.resources.interests, context.resources.clock.now()
    with answering():
        count = await store.end(owner, ids)
        if count < len(set(ids)) and await store.count_unreadable(now):
            raise GatewayError("INTERESTS_UNREADABLE", details={"ended": count})
    return count


async def _list_interests(self: Any, info: strawberry.Info) -> Sequence[Interest]:
    context: ReferenceContext = info.context
    owner = require_events(context.rules.caller)
    store, now = context.resources.interests, context.resources.clock.now()
    with answering():
        interests = await store.of_owner(owner, now)
        is_whole = not await store.count_unreadable(now)
    if not is_whole:
        context.problem(info._raw_info, GatewayError("INTERESTS_UNREADABLE"))
    for interest in interests:
        context.state.trail.note_opened_section(interest.person, Role.NAMED, INTERESTS)
    return interests


def _kinds(self: Interest, info: strawberry.Info) -> list[str]:
    return [kind.name for kind in LifeEventKind if kind in self.kinds]


def _case_number(self: Interest, info: strawberry.Info) -> str | None:
    return self.caller.case_number
