"""Identifiers of X-Road: clients and services (message protocol for REST, 4.1 and 4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, unquote

#: Characters that identifiers may not hold, encoded or not (message protocol, 4.2): they would mean
#: another path to whatever stands between.
_FORBIDDEN = frozenset(":;/\\%\u200b\ufeff")
_HEADER_SAFE = " !#$&'()*+,-./:;<=>?@[]^_`{|}~"


@dataclass(frozen=True, slots=True)
class Identifier:
    """The parts of a member (3), a subsystem or security server (4), or a service (5)."""

    parts: tuple[str, ...]

    def __str__(self) -> str:
        """Return the form in headers and paths, each part percent-encoded by itself."""
        return "/".join(quote(part, safe="") for part in self.parts)

    @property
    def owner(self) -> Identifier:
        """The subsystem that offers a service."""
        return Identifier(self.parts[:4])


def identifier(text: str, lengths: tuple[int, ...], *, encoded: bool = False) -> Identifier:
    """Return the identifier written in ``text``, of so many parts.

    ``encoded``: each part is percent-encoded UTF-8, as in headers; settings have them plain. Raises
    ValueError for what no identifier can be.
    """
    parts = text.split("/")
    if encoded:
        parts = [unquote(part, errors="strict") for part in parts]
    if len(parts) not in lengths:
        counts = " or ".join(str(length) for length in lengths)
        raise ValueError(f"it must have {counts} parts between slashes, not {len(parts)}")
    for part in parts:
        if not part or part in {".", ".."} or not part.isprintable() or _FORBIDDEN & set(part):
            raise ValueError("no part of it may be empty or have such a character")
    return Identifier(tuple(parts))


def header_value(text: str) -> str:
    """Return ``text`` as a header can hold it: percent-encoded outside plain ASCII."""
    return quote(text, safe=_HEADER_SAFE)
