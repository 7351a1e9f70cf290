"""A published operation: a named, reviewed document that a partner may call.

It is parsed, validated, permitted for its purposes and planned when it is published
(``gateway.operations.publish``). A call only looks it up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from connectors.description import Text
from gateway.plan.compile import AnalysedOperation, Conditions
from gateway.plan.document import Document, Operation
from gateway.plan.permissions import Permissions
from gateway.plan.plan import Plan


@dataclass(frozen=True, slots=True)
class OperationHeader:
    """The header of an operation file.

    ``version``: from 1. ``purposes``: procedure codes for one of which it is called, the
    usual one first; empty where the operation asks for nobody but the citizen themself. ``clients``
    may call it. ``cost``: the most that it may cost. ``example``: variables for documentation;
    a text ``@tag`` in it stands for the number of the first persona with that tag, ``@tag.key`` for
    the value of that persona under ``key``. ``matching``: what partners must give beside a person's
    number: ``birth-date``, ``name`` (and the date of birth) or ``none``.
    """

    name: str
    version: int
    title: Text
    owner: str
    purposes: tuple[str, ...]
    clients: frozenset[str]
    cost: int
    example: Mapping[str, object]
    matching: str = "birth-date"

    @property
    def id(self) -> str:
        """The name with the version: a custom document identifier."""
        return f"{self.name}.v{self.version}"


@dataclass(frozen=True, slots=True, eq=False)
class PublishedOperation:
    """An operation that is ready to be called.

    ``file``: where it comes from. ``cost``: the most that any call may cost. ``lends``: the scopes
    that the review stands for, which its callers need not have. ``prepared`` and ``plans``: for
    every value of the variables in ``@include`` and ``@skip``, and whether a citizen asks; both
    empty where the operation is not about persons.
    """

    file: Path
    header: OperationHeader
    document: Document
    operation: Operation
    cost: int
    lends: frozenset[str]
    prepared: Mapping[Conditions, AnalysedOperation]
    plans: Mapping[tuple[Conditions, bool], tuple[Permissions, Plan]]

    @property
    def document_id(self) -> str:
        """The SHA256 hex document identifier (GraphQL over HTTP, appendix A)."""
        return f"sha256:{self.document.digest}"
