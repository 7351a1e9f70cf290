"""Whom a refused request named.

A refusal comes before the document is understood, at times before it is read at all. So whatever
could be a person's number counts: in the variables, and in the texts of the document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from graphql import GraphQLError, Lexer, Source, TokenKind

_NUMBER = re.compile(r"[0-9]{12}|[0-9]{9}")
_TEXTS = frozenset({TokenKind.STRING, TokenKind.BLOCK_STRING})
#: More are not noted: a request may name no more than that many people (``limits.persons``).
_MOST = 100
_DEEPEST = 20
#: Tokens of a document that are looked at: more than any document that is let through has.
_TOKENS = 10_000


def numbers_named(query: str, variables: Mapping[str, object] | None) -> list[str]:
    """Return what could be numbers of people in a request, each once, at most 100.

    Costs about 2 us a token of the document.
    """
    found: dict[str, None] = {}
    for text in _texts(query, variables or {}):
        if _NUMBER.fullmatch(text.strip()):
            found[text.strip()] = None
        if len(found) == _MOST:
            break
    return list(found)


def _texts(query: str, variables: Mapping[str, object]) -> Iterator[str]:
    yield from _within(variables, 0)
    yield from _quoted(query)


def _quoted(query: str) -> Iterator[str]:
    """Yield the texts in a document as GraphQL reads them, as far as it is one."""
    lexer = Lexer(Source(query))
    try:
        for _ in range(_TOKENS):
            token = lexer.advance()
            if token.kind is TokenKind.EOF:
                return
            if token.kind in _TEXTS and token.value is not None:
                yield token.value
    except GraphQLError:
        return


def _within(value: object, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth < _DEEPEST and isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _within(inner, depth + 1)
