"""Errors beside the data, as a plan comes upon them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.errors import GatewayError

#: Where in the answer: response keys and places in lists, from the root.
Path = tuple[str | int, ...]
#: Where in the document: line and column, from 1.
Location = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Problem:
    """An error beside the data. ``count``: how many rows it stands for, ``path`` is the first's."""

    error: GatewayError
    path: Path
    locations: Sequence[Location]
    count: int = 1
