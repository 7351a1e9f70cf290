"""Permissions: what of an operation a caller may see, and how it is looked up while compiling."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from connectors.description import Database, Record, Sensitivity
from gateway.catalogue.own_view import is_open
from gateway.catalogue.permitted import Missing, Need, Permitted
from gateway.derived.view import DerivedView, reads_of


@dataclass(frozen=True, slots=True)
class Permissions:
    """What of an operation a caller may see.

    ``lacking``: what the caller lacks (``Caller.missing_for``) for each of
    ``AnalysedOperation.needs``. ``citizen``: a citizen asks, whom records may lead back to
    themselves. ``requested_fields``: what the journal says of the fields (JSON, below);
    it follows from the rest, so it is not compared.
    """

    lacking: tuple[Missing, ...]
    citizen: bool
    requested_fields: bytes = field(default=b"{}", compare=False)
    _hash: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Compute the hash once: every request looks up its plan by it, and it has many parts."""
        object.__setattr__(self, "_hash", hash((self.lacking, self.citizen)))

    def __hash__(self) -> int:
        """Return the hash of what is compared."""
        return self._hash


def requested_fields(
    needs: Sequence[Need], selected: Sequence[bool], lacking: Sequence[Missing]
) -> bytes:
    """Return which fields of which records an operation selects, and what the caller lacks.

    JSON, encoded once for an operation and a set of permissions, and put into each journal entry
    unchanged. ``selected``: which of ``needs`` a selected field has. ``lacking`` counts for the
    records of others than the citizen who asks.
    """
    fields: dict[str, list[str]] = {}
    missing: set[str] = set()
    for (permitted, position), is_selected, lacks in zip(needs, selected, lacking, strict=True):
        if not is_selected:
            continue
        missing.update(lacks)
        names = fields.setdefault(f"{permitted.database}.{permitted.name}", [])
        if position is not None and isinstance(permitted, Record):
            names.append(permitted.columns[position].name)
    return orjson.dumps({"fields": fields, "lacking": sorted(missing)})


def requested_lists(needs: Iterable[Need], databases: Sequence[Database]) -> set[str]:
    """Return the lists that an operation may read, as the journal calls them.

    ``needs``: of the operation. Those that derived views read count too, whoever may see them.
    """
    lists = {f"{permitted.database}.{permitted.name}" for permitted, _ in needs}
    for permitted, _ in needs:
        if isinstance(permitted, DerivedView):
            reads = reads_of(permitted, databases) or {}
            lists |= {f"{record.database}.{record.name}" for record, _ in reads.values()}
    return lists


@dataclass(frozen=True, slots=True)
class PermissionTable:
    """What a caller lacks for each need of an operation, by database, name and column position.

    Steps and response functions both decide by it, so that they never disagree on a denial.
    """

    lacking: Mapping[tuple[str, str, int | None], Missing]
    citizen: bool

    @classmethod
    def build(cls, needs: Sequence[Need], permissions: Permissions) -> PermissionTable:
        """Return the table for a caller with ``permissions``."""
        pairs = zip(needs, permissions.lacking, strict=True)
        lacking = {
            (permitted.database, permitted.name, position): missing
            for (permitted, position), missing in pairs
        }
        return cls(lacking, permissions.citizen)

    def missing(self, permitted: Permitted) -> Missing:
        """Return what the caller lacks for a view, an entry point, a verification or a record."""
        return self.lacking[permitted.database, permitted.name, None]

    def missing_in_rows(
        self, record: Record, position: int | None, open_up_to: Sensitivity | None
    ) -> Missing:
        """Return what the caller lacks for a column of ``record``; None: for the record itself.

        ``open_up_to``: the sensitivity up to which these rows are open to everybody who is shown
        them (``gateway.catalogue.own_view``), None where permission alone decides.
        """
        if is_open(record, position, open_up_to):
            return ()
        return self.lacking[record.database, record.name, position]
