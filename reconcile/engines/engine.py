"""What an engine does: from extracts to findings in clear, unit of work by unit of work."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from reconcile.layout import RunFolder
from reconcile.manifest import Manifest
from rules.statements import RuleStatements


@dataclass(frozen=True, slots=True)
class RawFinding:
    """A finding in clear, which leaves memory only hashed, or encrypted.

    ``case``: the place of the case in ``RuleStatements.cases``. ``record_ids``, ``values``: of each
    side, as ``rules.row_program.ConflictFinding`` has them. ``province``, ``former_province``: None
    for a protected person, and where the records do not say.
    """

    case: int
    number: str
    record_ids: tuple[str, ...]
    values: tuple[tuple[str | None, ...], ...]
    province: str | None
    former_province: str | None
    registration_year: int | None


class UncheckedReason(enum.Enum):
    """Why a case was not checked, or not of everybody; the gravest is said."""

    #: A record that the case reads was not extracted: the case was not run.
    NOT_EXTRACTED = "NOT_EXTRACTED"
    #: A record was not extracted wholly. What was found counts; a case that rests on "there is no
    #: such row" was not run.
    INCOMPLETE = "INCOMPLETE"
    #: Rows could not be read.
    UNREADABLE = "UNREADABLE"


@dataclass(frozen=True, slots=True)
class UncheckedCase:
    """A case that was not checked wholly: of how many people. ``people`` None: of anybody.

    ``case``: the place of the case in ``RuleStatements.cases``.
    """

    case: int
    reason: UncheckedReason
    people: int | None


class Engine(Protocol):
    """Runs the statements over the extracts of a run.

    The statements are of ``rule_statements(RULES, with_registration_dates=True)``. All raise
    ``EngineFailure`` where the engine cannot be started or fails.
    """

    name: str

    def prepare(self, folder: RunFolder, manifest: Manifest, statements: RuleStatements) -> None:
        """Make the tables that the cases read, divided into units by a hash of the person.

        What is there of an earlier call for the same run is not made again. After a resumption it
        must be called before the other methods.
        """
        ...

    def units(self) -> Sequence[str]:
        """Return the names of the units of work, the same each time for a prepared run."""
        ...

    def findings(self, unit: str) -> Iterator[RawFinding]:
        """Yield what the cases find in a unit, in any order."""
        ...

    def unchecked(self) -> Sequence[UncheckedCase]:
        """Return the cases that were not checked wholly, at most one value a case."""
        ...

    def close(self) -> None:
        """Release memory, files and processes; the prepared tables stay."""
        ...


class EngineFailure(Exception):
    """An engine could not be started, or failed. The message holds nothing of anybody."""
