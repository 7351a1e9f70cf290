"""Callers of different rights who ask the same of the same people at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

import orjson

from connectors.description import Database, Group, Record
from connectors.registry import installed_databases
from gateway.settings import DatabaseSettings, Limits
from tests.support.running import Running
from tests.support.table import KEY, OTHER, PERSON, raw_row

DATABASES = tuple(database for database in installed_databases() if database.records)
EVERY_SCOPE = tuple(
    f"{database.name}:{action}"
    for database in DATABASES
    for action in ("read", "sensitive", "restricted")
)
READING = tuple(f"{database.name}:read" for database in DATABASES)
#: Limits that no document of these tests reaches.
WIDE = Limits(
    document_characters=10**6,
    tokens=50_000,
    fields=20_000,
    depth=20,
    cost=10**9,
    deadline=300,
    new_documents_per_minute=10**6,
    aliases=0,
)
UNIFIED = "bench-unified"
#: What most callers may see without an error: such answers are kept.
NAMES = """query($id: PersonNumber!) { person(id: $id) { id
  population { identity { item { fullName lifeStatus } } family { items { memberId } } } } }"""


@dataclass(frozen=True)
class Asking:
    """A caller and the number that they name."""

    number: str
    scopes: tuple[str, ...]
    purpose: str = UNIFIED
    subject: str = "somebody"
    client: str = "test-client"
    case_number: str = "1/2026"


def _askings() -> Iterator[Asking]:
    """Yield callers whose answers must differ, and some whose answers are the same."""
    for number in (PERSON, OTHER):
        for purpose in (UNIFIED, "2.001263", "notarised-inheritance", "address-protection"):
            yield Asking(number, EVERY_SCOPE, purpose)
        yield Asking(number, READING)
        yield Asking(number, READING[:2], "1.000894")
        yield Asking(number, EVERY_SCOPE, subject="somebody else", case_number="2/2026")
        yield Asking(number, EVERY_SCOPE, client="another-client")
        yield Asking(number, ("population:read", "civil_status.births:read"))
        yield Asking(number, ("introspect",))
        for citizen in (PERSON, OTHER):
            yield Asking(number, ("me",), subject=citizen)
            yield Asking(number, ("me", *READING), subject=citizen)


ASKINGS = tuple(_askings())


def row_of(database: Database, record: Record, number: str) -> dict[str, object]:
    """Return a row of PERSON's or OTHER's: every value says whose it is."""
    row = raw_row(database, record)
    if number == PERSON:
        return row
    swapped = {PERSON: OTHER, OTHER: PERSON, "012345678": "012345679"}

    def swap(value: object) -> object:
        if isinstance(value, list):
            return [swap(each) for each in value]
        if not isinstance(value, str) or value == KEY:
            return value
        return f"{value} of the other" if value.startswith("«") else swapped.get(value, value)

    return {name: swap(value) for name, value in row.items()}


def section_of(database: Database) -> str:
    """Return the field of a person that has the lists of ``database``."""
    first, *rest = database.name.split("_")
    return first + "".join(part.capitalize() for part in rest)


async def answer(gateway: Running, document: str, asking: Asking) -> bytes:
    """Return the answer to ``document``, with its errors in an order of their own."""
    token = gateway.token(
        *asking.scopes, subject=asking.subject, client=asking.client, purposes=[asking.purpose]
    )
    response = await gateway.post(
        document,
        {"id": asking.number},
        token,
        x_purpose=asking.purpose,
        x_case_number=asking.case_number,
    )
    return _sorted(response.content)


def _sorted(content: bytes) -> bytes:
    """Return an answer with its errors sorted: they stand in the order in which lists arrive."""
    body = orjson.loads(content)
    body["errors"] = sorted(map(str, body.get("errors", ())))
    return orjson.dumps(body)


async def answer_together(
    gateway: Running, document: str, askings: Sequence[Asking]
) -> list[bytes]:
    """Return the answers to callers who ask at the same time."""
    return list(await asyncio.gather(*(answer(gateway, document, each) for each in askings)))


def patient(fresh: float) -> DatabaseSettings:
    """Return the settings of a database that answers, of which rows are cached for ``fresh``."""
    return DatabaseSettings(group=Group.OPERATING, timeout=120, fresh=fresh, breaker_failures=0)


def describe_differences(
    path: str, askings: Sequence[Asking], answers: Sequence[bytes], alone: Mapping[Asking, bytes]
) -> list[str]:
    """Say which answers are not those that callers get ``alone``. ``path``: how they came."""
    return [
        f"{path}: {asking}\n{_around_difference(content, alone[asking])}"
        for asking, content in zip(askings, answers, strict=True)
        if content != alone[asking]
    ]


def _around_difference(content: bytes, expected: bytes) -> str:
    """Return both answers where they begin to differ."""
    same = (ours == theirs for ours, theirs in zip(content, expected, strict=False))
    place = len(list(takewhile(bool, same)))
    start, end = max(0, place - 150), place + 250
    return f"  {content[start:end]!r}\n  {expected[start:end]!r}"
