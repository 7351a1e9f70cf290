"""The verification that the declared databases make possible, and the scopes that permit it.

Whoever may read name, birth date and sex of a person may verify them: how, see
``gateway.people.verification``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from connectors.description import Column, Database, Record

#: The database that says who a person is, and under which numbers.
POPULATION = "population"
#: The scope that permits to verify and nothing more.
SCOPE = f"{POPULATION}:verify"
#: The root field.
FIELD = "verifyPerson"


@dataclass(frozen=True)
class Verification:
    """The permission to verify persons. ``record``: of identities."""

    record: Record

    @property
    def database(self) -> str:
        """The database that is asked."""
        return self.record.database

    @property
    def name(self) -> str:
        """Its name among permissions, which no record has."""
        return f"{self.record.name}:verify"

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes, one of which permits it."""
        return frozenset({SCOPE, f"{POPULATION}:read", f"{POPULATION}.{self.record.name}:read"})

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that are compared, and that the purpose must cover."""
        return tuple(self.record.column(name) for name in ("full_name", "birth_date", "sex"))


def verification_of(databases: Iterable[Database]) -> Verification | None:
    """Return the verification of ``databases``; None: they declare no identities."""
    for database in databases:
        if database.name == POPULATION and "identity" in database.by_name:
            return Verification(database.by_name["identity"])
    return None
