"""The caller: who asks, on whose behalf, for which purpose."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from connectors.description import Record, Sensitivity
from gateway.scopes import INTROSPECT, PLANS, scope


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    ``citizen``: the number of the citizen who asks for their own view, else None.
    ``purpose`` and ``case_number``: what this request says of itself; the purpose is one that the
    token grants. An anonymous caller has no client and no scopes.
    """

    client: str | None = None
    agency: str | None = None
    subject: str | None = None
    scopes: frozenset[str] = frozenset()
    purposes: frozenset[str] = frozenset()
    citizen: str | None = None
    token_id: str | None = None
    expires: datetime | None = None
    purpose: str | None = None
    case_number: str | None = None

    @property
    def is_anonymous(self) -> bool:
        """Whether no token was shown."""
        return self.client is None

    @property
    def may_introspect(self) -> bool:
        """Whether the schema may be introspected."""
        return INTROSPECT in self.scopes

    @property
    def may_see_plans(self) -> bool:
        """Whether an answer may say how it was planned and what it may have cost."""
        return PLANS in self.scopes

    @property
    def may_name_persons(self) -> bool:
        """Whether any database may be asked about a person whom the caller names."""
        return any(scope.endswith(":read") for scope in self.scopes)

    def lacks(self, record: Record, sensitivity: Sensitivity) -> str | None:
        """Return the scope that is missing to see ``sensitivity`` fields of ``record``, or None.

        Scopes name a database and optionally a record (design section 7): ``civil_status:read``,
        ``civil_status.births:sensitive``. Default is deny.
        """
        wanted = scope(record.database, sensitivity)
        of_record = scope(f"{record.database}.{record.name}", sensitivity)
        return None if wanted in self.scopes or of_record in self.scopes else wanted


ANONYMOUS = Caller()
