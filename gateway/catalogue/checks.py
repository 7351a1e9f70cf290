"""The checks of procedures that the declared databases make possible, and the scope for them.

Whoever has the scope may check the procedures that are its purposes, and no others: the purpose of
the request must be the procedure itself (design section 7).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from connectors.description import Database
from gateway.derived.view import ListReads
from gateway.procedures.checks.definition import CheckDefinition
from gateway.procedures.procedure import Procedure
from gateway.procedures.registry import ALL

#: The scope that permits to check procedures.
SCOPE = "procedures:check"
#: The root field, and the one that makes the check of a receipt again.
FIELD, RECHECK = "checkProcedure", "recheck"
#: The root field that checks a queue of cases, and how many it takes.
CASES, MOST_CASES = "checkProcedures", 50
#: The mutations that leave a ticket for another check, and fetch its answer.
ASK_AGAIN, ANSWER_OF = "askAgain", "answerOf"
TICKET_FIELDS = frozenset({ASK_AGAIN, ANSWER_OF})


@dataclass(frozen=True, slots=True)
class CheckPermission:
    """The permission to check procedures."""

    database: str = "procedures"
    name: str = "check"


CHECK_PERMISSION = CheckPermission()


@dataclass(frozen=True, eq=False)
class CheckBinding:
    """A procedure with its check, and record and lookup of each list that it reads."""

    procedure: Procedure
    definition: CheckDefinition
    reads: ListReads

    @property
    def databases(self) -> frozenset[str]:
        """The databases that it reads."""
        return frozenset(record.database for record, _ in self.reads.values())


def checks_of(databases: Iterable[Database]) -> Mapping[str, CheckBinding]:
    """Return the checks of which ``databases`` declare all lists, by the name of the check."""
    declared = tuple(databases)
    checks: dict[str, CheckBinding] = {}
    for procedure in ALL:
        definition = procedure.check
        reads = None if definition is None else definition.reads(declared)
        if definition is not None and reads is not None:
            checks[definition.name] = CheckBinding(procedure, definition, reads)
    return checks
