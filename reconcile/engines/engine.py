"""What an engine does: from extracts to findings in clear, unit of work by unit of work."""

from __future__ import annotations

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
    side, as ``rules.row_program.ConflictFinding`` has them.
    """

    case: int
    number: str
    record_ids: tuple[str, ...]
    values: tuple[tuple[str | None, ...], ...]
    province: str | None
    former_province: str | None
    registration_year: int | None


class Engine(Protocol):
    """Runs the statements over the extracts of a run."""

    name: str

    def prepare(self, folder: RunFolder, manifest: Manifest, statements: RuleStatements) -> None:
        """Make the tables that the cases read, divided into units by a hash of the person."""
        ...

    def units(self) -> Sequence[str]:
        """Return the names of the units of work, the same each time for a prepared run."""
        ...

    def findings(self, unit: str) -> Iterator[RawFinding]:
        """Yield what the cases find in a unit, in any order."""
        ...

    def close(self) -> None:
        """Release memory, files and processes."""
        ...
