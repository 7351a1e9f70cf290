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
    """What a caller must be permitted in order to verify. ``record``: in which identities stand."""

    record: Record

    @property
    def database(self) -> str:
        """The database that is asked."""
        return self.record.database

    @property
    def name(self) -> str:
        """What it is called among what callers may be permitted, apart from any record."""
        return f"{self.record.name}:verify"

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes of which one is needed."""
        return frozenset({SCOPE, f"{POPULATION}:read", f"{POPULATION}.{self.record.name}:read"})

    @property
    def columns(self) -> tuple[Column, ...]:
        """What is compared, and has to be covered by the purpose."""
        return tuple(self.record.column(name) for name in ("full_name", "birth_date", "sex"))


def verification_of(databases: Iterable[Database]) -> Verification | None:
    """Return the verification that ``databases`` make possible; None: identities are not there."""
    for database in databases:
        if database.name == POPULATION and "identity" in database.by_name:
            return Verification(database.by_name["identity"])
    return None
