"""The caller of a request: client, rights, purpose, and the citizen whose own view is asked for."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from connectors.backends.base import Asker
from connectors.description import Record, Sensitivity
from gateway.catalogue.checks import SCOPE as CHECK
from gateway.catalogue.checks import CheckPermission
from gateway.catalogue.entry_points import EntryPoint
from gateway.catalogue.life_events import SCOPE as EVENTS
from gateway.catalogue.permitted import Permitted
from gateway.catalogue.scopes import (
    AUDIT,
    INTROSPECT,
    METRICS,
    OPERATE,
    PLANS,
    permits_something,
    scope,
)
from gateway.catalogue.verification import SCOPE as VERIFY
from gateway.catalogue.verification import Verification
from gateway.derived.view import DerivedView
from gateway.procedures.procedure import Procedure
from gateway.procedures.registry import procedure_of


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of a request. An anonymous caller has no client and no scopes.

    ``citizen``: the number of the citizen whose own view is asked for, else None.
    ``representative``: the number of the parent, guardian or representative who asks for it in the
    citizen's place; None: the citizen does. ``authorisation``: the number under which the
    representation was notarised; None for a parent or guardian. ``token_id``, ``expires``,
    ``issuer``, ``signing_key``: of the token, the last one as its thumbprint. ``purpose`` and
    ``case_number``: stated by the request; the token grants the purpose. ``is_lent``: a published
    operation lends the scopes to a token that permits nothing by itself.
    """

    client: str | None = None
    agency: str | None = None
    subject: str | None = None
    scopes: frozenset[str] = frozenset()
    purposes: frozenset[str] = frozenset()
    citizen: str | None = None
    representative: str | None = None
    authorisation: str | None = None
    token_id: str | None = None
    expires: datetime | None = None
    issuer: str | None = None
    signing_key: str | None = None
    purpose: str | None = None
    case_number: str | None = None
    is_lent: bool = False

    @property
    def asker(self) -> Asker:
        """The caller as databases learn it whose messages name who asks."""
        represented = None if self.representative is None else self.citizen
        return Asker(self.client, self.subject, self.case_number, represented)

    @property
    def is_anonymous(self) -> bool:
        """Whether the request has no token."""
        return self.client is None

    @property
    def is_partner(self) -> bool:
        """Whether the token permits nothing by itself: it calls published operations only."""
        return not self.is_anonymous and not permits_something(self.scopes)

    @property
    def may_introspect(self) -> bool:
        """Whether the schema may be introspected."""
        return INTROSPECT in self.scopes

    @property
    def may_see_metrics(self) -> bool:
        """Whether what is measured may be seen: by monitoring and operators."""
        return not self.scopes.isdisjoint({METRICS, OPERATE})

    @property
    def may_see_plans(self) -> bool:
        """Whether an answer may show its plan and its cost."""
        return PLANS in self.scopes

    @property
    def may_name_persons(self) -> bool:
        """Whether any database may be asked about a person whom the caller names."""
        return any(scope.endswith(":read") and scope != EVENTS for scope in self.scopes)

    @property
    def may_verify(self) -> bool:
        """Whether a person whom the caller names may be verified."""
        return VERIFY in self.scopes

    @property
    def may_check(self) -> bool:
        """Whether procedures may be checked."""
        return CHECK in self.scopes

    @property
    def procedure(self) -> Procedure | None:
        """The procedure that the purpose names; None: no purpose, or an unknown one."""
        return None if self.purpose is None else procedure_of(self.purpose)

    @property
    def rights(self) -> Hashable:
        """Everything that decides what an answer shows: neither subject nor case does."""
        return (
            self.client,
            self.agency,
            self.scopes,
            self.purposes,
            self.purpose,
            self.citizen,
            self.representative,
            self.authorisation,
            self.is_lent,
        )

    @property
    def deciding(self) -> frozenset[str]:
        """The records on which the caller's procedure decides: they bypass the cache."""
        procedure = self.procedure
        return frozenset() if procedure is None else procedure.deciding

    def missing_for_access_log(self) -> tuple[str, ...]:
        """Return the scope and purpose that are missing to read somebody else's access log."""
        procedure = self.procedure
        missing = () if AUDIT in self.scopes else (AUDIT,)
        covered = procedure is not None and procedure.derives("access_log")
        return missing if covered else (*missing, "purpose:access_log")

    def missing_for_timeline(self) -> tuple[str, ...]:
        """Return the purpose that is missing for somebody else's timeline.

        What may be seen in it is decided for each date, as in the lists that it is made of.
        """
        procedure = self.procedure
        covered = procedure is not None and procedure.derives("timeline")
        return () if covered else ("purpose:timeline",)

    def missing_for(self, record: Permitted, position: int | None) -> tuple[str, ...]:
        """Return what is missing to see the column of ``record`` at ``position``; () for nothing.

        ``position`` None: to read the record at all. A derived view has no columns; an entry point
        needs a scope alone.

        A column needs a scope and a purpose (design section 7); the default is to deny. Scopes name
        a database and optionally a record: ``civil_status:read``,
        ``civil_status.births:sensitive``. A missing purpose is named by what it would have to
        cover: ``purpose:civil_status.births.ethnicity``.
        """
        if isinstance(record, EntryPoint):
            return () if record.scope in self.scopes else (record.scope,)
        if isinstance(record, Verification):
            return self._missing_for_verification(record)
        if isinstance(record, CheckPermission):
            return () if self.may_check else (CHECK,)
        return _missing_for_column(self.scopes, self.purpose, record, position)

    def _missing_for_verification(self, verification: Verification) -> tuple[str, ...]:
        procedure, record = self.procedure, verification.record
        missing = () if verification.scopes & self.scopes else (VERIFY,)
        uncovered = (
            f"purpose:{record.database}.{record.name}.{'.'.join(column.path)}"
            for column in verification.columns
            if procedure is None or not procedure.covers(record, column)
        )
        return (*missing, *uncovered)


@lru_cache(maxsize=20_000)
def _missing_for_column(
    scopes: frozenset[str], purpose: str | None, record: Record | DerivedView, position: int | None
) -> tuple[str, ...]:
    """Return what is missing; see ``Caller.missing_for``. Each answer asks for some 20 columns.

    It follows from the arguments alone. Records and derived views are equal to themselves only, so
    a result is never that of another record, and it costs 0.3 us.
    """
    procedure = None if purpose is None else procedure_of(purpose)
    name = f"{record.database}.{record.name}"
    if isinstance(record, DerivedView):
        column, level = None, record.sensitivity
        is_covered = procedure is not None and procedure.derives(record.name)
    else:
        column = None if position is None else record.columns[position]
        level = Sensitivity.BASIC if column is None else column.sensitivity
        is_covered = procedure is not None and procedure.covers(record, column)
    needed = scope(record.database, level)
    is_granted = needed in scopes or scope(name, level) in scopes
    missing = () if is_granted else (needed,)
    if is_covered:
        return missing
    path = (name, *(column.path if column else ()))
    return (*missing, f"purpose:{'.'.join(path)}")


ANONYMOUS = Caller()
