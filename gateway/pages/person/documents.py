"""The documents that a page sends about a person: as few as the limits of documents admit.

A document has at most so many tokens, fields and characters (``gateway.settings.Limits``), and a
person has more fields than that. The parts of the view are packed one after another. Each document
is a request of its own: counted, permitted, costed and entered in the journal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from strawberry.utils.str_converters import to_camel_case

from connectors.description import Column
from gateway.derived.conflicts import ConflictReport
from gateway.pages.check_request import select_value
from gateway.pages.person.selection import (
    ChosenFact,
    ChosenList,
    ChosenRegister,
    PersonSelection,
)
from gateway.settings import Limits

#: Rows of a list, and of each list below: on the page of all lists, and on that of a single list.
ROWS, INNER_ROWS, MORE_ROWS, MORE_INNER_ROWS = 20, 10, 10, 200
#: Rows on the page of a single list of which nothing hangs.
_MOST_ROWS = 100
#: Rows of what hangs on what hangs on a list.
_INNERMOST_ROWS = 10
EVENTS, LOOK_UPS = 50, 20
#: The places of the history and of the access log, beside those of lists.
TIMELINE, ACCESS_LOG = "timeline", "accessLog"
#: The place of who follows the citizen.
INTERESTS = "interests"

_HEAD = "id askedAs identification notices { code message { vi en } detail reason }"
_SOURCE = "source { state asOf fetchedAt fromCache message { vi en } }"
_FACT = "state reason"
_CONFLICTS = (
    "value { findings { rule severity legalBasis advice { vi en } sides { database record asOf "
    "says } prevails { database record says } } unchecked { rule reason } }"
)
_TIMELINE = (
    "edges { node { kind title { vi en } date database record state } } "
    "pageInfo { hasNextPage endCursor } "
    "gaps { database state message { vi en } records kinds until missing }"
)
_ACCESS_LOG = (
    "items { at agency purpose purposeTitle { vi en } caseNumber role sections requestId } "
    "next state completeUntil"
)
_INTERESTS = "agency purpose purposeTitle { vi en } caseNumber kinds registeredAt until"
_TOKEN = re.compile(r"[A-Za-z_]\w*|\d+|[{}():$!]")
#: Tokens, names and characters of a document without its parts.
_FRAME_TOKENS, _FRAME_NAMES, _FRAME_CHARACTERS = 40, 20, 200


@dataclass(frozen=True, slots=True)
class DocumentPart:
    """A field of Person. ``place``: of a list its section and name, else its name alone."""

    place: tuple[str, ...]
    text: str

    @property
    def names(self) -> int:
        """How many fields it has at most: arguments are counted too."""
        return sum(token[0].isalpha() for token in _TOKEN.findall(self.text))

    @property
    def tokens(self) -> int:
        """How many tokens it has."""
        return len(_TOKEN.findall(self.text))


@dataclass(frozen=True, slots=True)
class PersonDocument:
    """A document with its variables. ``places``: of the parts that it asks for."""

    query: str
    variables: Mapping[str, object]
    places: tuple[tuple[str, ...], ...]


def write_documents(
    parts: Sequence[DocumentPart],
    limits: Limits,
    number: str | None,
    after: str | None = None,
) -> list[PersonDocument]:
    """Return the documents that ask for ``parts``; the first tells who the person is too.

    ``number``: of the person, None: the citizen's own view. ``after``: where the page of a list
    begins. A part that passes the limits by itself has a document of its own, and is refused.
    """
    documents: list[list[DocumentPart]] = []
    packed: list[DocumentPart] = []
    room = _room(limits)
    for part in parts:
        room = (room[0] - part.tokens, room[1] - part.names, room[2] - len(part.text))
        if packed and min(room) < 0:
            documents.append(packed)
            packed = []
            left = _room(limits)
            room = (left[0] - part.tokens, left[1] - part.names, left[2] - len(part.text))
        packed.append(part)
    documents.append(packed)
    return [
        _write(group, number, after, is_first=place == 0) for place, group in enumerate(documents)
    ]


def _room(limits: Limits) -> tuple[int, int, int]:
    return (
        limits.tokens - _FRAME_TOKENS,
        limits.fields - _FRAME_NAMES,
        limits.document_characters - _FRAME_CHARACTERS,
    )


def _write(
    parts: Sequence[DocumentPart], number: str | None, after: str | None, *, is_first: bool
) -> PersonDocument:
    sections: dict[str, list[str]] = {}
    fields = [_HEAD] if is_first else ["askedAs"]
    for part in parts:
        if len(part.place) == 2:
            sections.setdefault(part.place[0], []).append(part.text)
        else:
            fields.append(part.text)
    fields += [f"{name} {{ {' '.join(texts)} }}" for name, texts in sections.items()]
    variables: dict[str, object] = {}
    declared = []
    if number is not None:
        declared.append("$id: PersonNumber!")
        variables["id"] = number
    if any("$after" in part.text for part in parts):
        declared.append("$after: String")
        variables["after"] = after
    root = "me" if number is None else "person(id: $id)"
    name = "MyPage" if number is None else "PersonPage"
    head = f"({', '.join(declared)})" if declared else ""
    query = f"query {name}{head} {{ {root} {{ {' '.join(fields)} }} }}"
    return PersonDocument(query, variables, tuple(part.place for part in parts))


def all_parts(selection: PersonSelection, *, with_timeline: bool) -> list[DocumentPart]:
    """Return a part for each list and fact that may be seen; a citizen has the access log too.

    The population database comes first, as in the selection: it says who the person is.
    """
    parts = [part for register in selection.registers for part in _register_parts(register)]
    parts[1:1] = (DocumentPart((fact.name,), _fact(fact)) for fact in _open(selection.facts))
    if with_timeline:
        parts.append(timeline_part())
    if selection.is_own:
        parts += [access_log_part(), interests_part()]
    return parts


def _register_parts(register: ChosenRegister) -> Iterator[DocumentPart]:
    for record_list in register.lists:
        if not record_list.is_denied:
            text = _list(record_list, (ROWS, INNER_ROWS, _INNERMOST_ROWS))
            yield DocumentPart((register.name, record_list.name), text)
    for fact in _open(register.facts):
        text = f"{fact.name} {{ value asOf {_SOURCE} }}"
        yield DocumentPart((register.name, fact.name), text)


def list_part(register: ChosenRegister, chosen: ChosenList) -> DocumentPart:
    """Return the part for a page of a single list."""
    rows = MORE_ROWS if chosen.inner else _MOST_ROWS
    text = _list(chosen, (rows, MORE_INNER_ROWS, _INNERMOST_ROWS), ", after: $after")
    return DocumentPart((register.name, chosen.name), text)


def conflicts_part() -> DocumentPart:
    """Return the part for the conflicts alone."""
    return DocumentPart(("conflicts",), f"conflicts {{ {_CONFLICTS} {_FACT} }}")


def timeline_part(*, pages: bool = False) -> DocumentPart:
    """Return the part for the history; ``pages``: from where ``after`` says."""
    after = ", after: $after" if pages else ""
    text = f"{TIMELINE}(first: {EVENTS}{after}) {{ {_TIMELINE} }}"
    return DocumentPart((TIMELINE,), text)


def access_log_part(*, pages: bool = False) -> DocumentPart:
    """Return the part for the access log; ``pages``: from where ``after`` says."""
    after = ", after: $after" if pages else ""
    text = f"{ACCESS_LOG}(first: {LOOK_UPS}{after}) {{ {_ACCESS_LOG} }}"
    return DocumentPart((ACCESS_LOG,), text)


def interests_part() -> DocumentPart:
    """Return the part for who follows the citizen."""
    return DocumentPart((INTERESTS,), f"{INTERESTS} {{ {_INTERESTS} }}")


def _open(facts: Iterable[ChosenFact]) -> list[ChosenFact]:
    return [fact for fact in facts if not fact.missing]


def _fact(fact: ChosenFact) -> str:
    if fact.view.value is ConflictReport:
        return conflicts_part().text
    return f"{fact.name} {{ value{select_value(fact.view.value)} {_FACT} }}"


def _list(chosen: ChosenList, rows: tuple[int, ...], more: str = "") -> str:
    """Return the selection of a list; ``rows``: of it, and of each level below it."""
    fields = _columns(chosen.columns) or ["recordId"]
    fields += [_list(inner, rows[1:]) for inner in chosen.inner if not inner.is_denied]
    inside = f"{{ {' '.join(fields)} }}"
    if chosen.record.single:
        return f"{chosen.name} {{ item {inside} exists {_SOURCE} }}"
    arguments = f"(first: {min(rows[0], chosen.record.limit)}{more})"
    return f"{chosen.name}{arguments} {{ items {inside} truncated nextCursor {_SOURCE} }}"


def _columns(columns: Sequence[Column]) -> list[str]:
    """Return the selection of columns, those of a struct within it."""
    tree: dict[str, Any] = {}
    for column in columns:
        level = tree
        for name in column.path[:-1]:
            level = level.setdefault(to_camel_case(name), {})
        level[to_camel_case(column.path[-1])] = None
    return [_field(name, below) for name, below in tree.items()]


def _field(name: str, below: dict[str, Any] | None) -> str:
    if below is None:
        return name
    return f"{name} {{ {' '.join(_field(*entry) for entry in below.items())} }}"
