"""The header of a published operation's file: comment lines before the document.

::

    # name: marital-status
    # version: 1
    # title: Tình trạng hôn nhân / Marital status
    # owner: Cục Hành chính tư pháp
    # purposes: 1.000894 1.004873
    # clients: demo-officer
    # cost: 600
    # matching: birth-date
    # example: {"id": "@married", "matching": {"birthDate": "@married.birthDate"}}

    query MaritalStatus($id: PersonNumber!, $matching: Matching) { ... }

It ends before the first line that is no comment. GraphQL ignores comments, so the whole file is a
document; the published document, whose hash is its id, begins after the header.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from connectors.description import Text
from gateway.operations.operation import OperationHeader

_ENTRY = re.compile(r"#\s*([a-z]+)\s*:\s*(.*?)\s*")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_COUNT = re.compile(r"[1-9][0-9]{0,8}")
_REQUIRED = ("name", "version", "title", "owner", "clients", "cost")
_OPTIONAL = ("purposes", "example", "matching")
_MATCHING = re.compile("birth-date|name|none")


class OperationRefused(Exception):
    """A file is not published, for ``reason``. ``line``: in the file, from 1."""

    def __init__(self, line: int, reason: str) -> None:
        self.line = line
        self.reason = reason
        super().__init__(f"line {line}: {reason}")


@dataclass(frozen=True, slots=True)
class OperationFile:
    """A file that was read: its header, the line of each entry, and the document.

    ``above``: the number of lines before the first line of the document.
    """

    header: OperationHeader
    lines: Mapping[str, int]
    document: str
    above: int

    def line(self, line_of_document: int) -> int:
        """Return the line in the file of a line of the document."""
        return self.above + line_of_document


def parse_file(text: str) -> OperationFile:
    """Read the text of a file; raises OperationRefused."""
    entries, lines, above = _entries(text)
    for name in _REQUIRED:
        if name not in entries:
            raise OperationRefused(1, f"the header needs {name}")
    header = OperationHeader(
        name=_matching(entries, lines, "name", _NAME, "lower-case letters, digits and -"),
        version=int(_matching(entries, lines, "version", _COUNT, "a number from 1")),
        title=_title(entries["title"], lines["title"]),
        owner=entries["owner"] or _empty("owner", lines),
        purposes=_words(entries, lines, "purposes"),
        clients=frozenset(_words(entries, lines, "clients") or _empty("clients", lines)),
        cost=int(_matching(entries, lines, "cost", _COUNT, "a number from 1")),
        example=_example(entries.get("example", "{}"), lines.get("example", 1)),
        matching=_matching(
            {"matching": "birth-date"} | entries,
            lines,
            "matching",
            _MATCHING,
            "birth-date, name or none",
        ),
    )
    rest = text.splitlines(keepends=True)[above:]
    blank = next((at for at, line in enumerate(rest) if line.strip()), len(rest))
    document = "".join(rest[blank:])
    if not document:
        raise OperationRefused(above + 1, "there is no document")
    return OperationFile(header, lines, document, above + blank)


def _entries(text: str) -> tuple[dict[str, str], dict[str, int], int]:
    """Return the entries, the line of each, and how many lines the header has."""
    entries: dict[str, str] = {}
    lines: dict[str, int] = {}
    header_lines = 0
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.startswith("#"):
            break
        header_lines = number
        match = _ENTRY.fullmatch(line)
        if match is None:
            raise OperationRefused(number, "a line of the header must be '# name: value'")
        name, value = match.groups()
        if name not in (*_REQUIRED, *_OPTIONAL):
            raise OperationRefused(number, f"a header has no {name}")
        if name in entries:
            raise OperationRefused(number, f"{name} must not be given twice")
        entries[name], lines[name] = value, number
    return entries, lines, header_lines


def _matching(
    entries: Mapping[str, str],
    lines: Mapping[str, int],
    name: str,
    pattern: re.Pattern[str],
    wording: str,
) -> str:
    if not pattern.fullmatch(entries[name]):
        raise OperationRefused(lines[name], f"{name} must be {wording}")
    return entries[name]


def _empty(name: str, lines: Mapping[str, int]) -> str:
    raise OperationRefused(lines[name], f"{name} must not be empty")


def _title(value: str, line: int) -> Text:
    vi, slash, en = value.partition(" / ")
    if not slash or not vi.strip() or not en.strip():
        raise OperationRefused(line, "title must be Vietnamese, then ' / ', then English")
    return Text(vi.strip(), en.strip())


def _words(entries: Mapping[str, str], lines: Mapping[str, int], name: str) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(entries.get(name, "").split()))
    for word in words:
        if not _WORD.fullmatch(word):
            raise OperationRefused(lines[name], f"{name} must be words of letters, digits and ._-")
    return words


def _example(value: str, line: int) -> Mapping[str, object]:
    try:
        example = orjson.loads(value)
    except orjson.JSONDecodeError:
        example = None
    if not isinstance(example, dict):
        raise OperationRefused(line, "example must be a JSON object")
    return example
