"""The caller: who asks, on whose behalf, for which purpose."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime

from connectors.backends.base import Asker
from connectors.description import Record, Sensitivity
from gateway.catalogue.entry_points import EntryPoint
from gateway.catalogue.permitted import Permitted
from gateway.catalogue.scopes import AUDIT, INTROSPECT, PLANS, permits_something, scope
from gateway.catalogue.verification import SCOPE as VERIFY
from gateway.catalogue.verification import Verification
from gateway.derived.view import DerivedView
from gateway.procedures.procedure import Procedure
from gateway.procedures.registry import procedure_of


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    ``citizen``: the number of the citizen whose own view is asked for, else None.
    ``representative``: the number of the parent, guardian or representative who asks for it in the
    citizen's place, None where the citizen does. ``authorisation``: the number under which it was
    notarised, None for a parent or guardian.
    ``purpose`` and ``case_number``: what this request says of itself; the purpose is one that the
    token grants. An anonymous caller has no client and no scopes. ``is_lent``: the scopes are lent
    by a published operation to a token that permits nothing by itself.
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
    purpose: str | None = None
    case_number: str | None = None
    is_lent: bool = False

    @property
    def asker(self) -> Asker:
        """What databases are told whose messages name who asks."""
        represented = None if self.representative is None else self.citizen
        return Asker(self.client, self.subject, self.case_number, represented)

    @property
    def is_anonymous(self) -> bool:
        """Whether no token was shown."""
        return self.client is None

    @property
    def is_partner(self) -> bool:
        """Whether the token permits nothing by itself: only what is published is called then."""
        return not self.is_anonymous and not permits_something(self.scopes)

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

    @property
    def may_verify(self) -> bool:
        """Whether a person whom the caller names may be verified."""
        return VERIFY in self.scopes

    @property
    def procedure(self) -> Procedure | None:
        """The procedure that the purpose names; None: no purpose, or none that is known here."""
        return None if self.purpose is None else procedure_of(self.purpose)

    @property
    def rights(self) -> Hashable:
        """All of the caller that decides what an answer shows; not who asks, or in which case."""
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
        """The records on which the caller's procedure decides: they are read past the cache."""
        procedure = self.procedure
        return frozenset() if procedure is None else procedure.deciding

    def missing_for_access_log(self) -> tuple[str, ...]:
        """Return what is missing to read somebody else's access log."""
        procedure = self.procedure
        missing = () if AUDIT in self.scopes else (AUDIT,)
        covered = procedure is not None and procedure.derives("access_log")
        return missing if covered else (*missing, "purpose:access_log")

    def missing_for(self, record: Permitted, position: int | None) -> tuple[str, ...]:
        """Return what is missing to see a column of ``record``; None: to read the record at all.

        The same for a derived view, which has no columns; and for an entry, for which a scope is
        all that is needed.

        Both a scope and a purpose are needed (design section 7); default is deny. Scopes name a
        database and optionally a record: ``civil_status:read``, ``civil_status.births:sensitive``.
        A purpose that is missing is named by what it would have to cover:
        ``purpose:civil_status.births.ethnicity``.
        """
        if isinstance(record, EntryPoint):
            return () if record.scope in self.scopes else (record.scope,)
        if isinstance(record, Verification):
            return self._lacks_verification(record)
        known = _KNOWN.get((self.scopes, self.purpose))
        if known is None:
            if len(_KNOWN) >= _MOST:
                _KNOWN.clear()
            known = _KNOWN[self.scopes, self.purpose] = {}
        missing = known.get((record, position))
        if missing is None:
            missing = _lacks(self.scopes, self.procedure, record, position)
            known[record, position] = missing
        return missing

    def _lacks_verification(self, asked: Verification) -> tuple[str, ...]:
        procedure, record = self.procedure, asked.record
        missing = () if asked.scopes & self.scopes else (VERIFY,)
        uncovered = (
            f"purpose:{record.database}.{record.name}.{'.'.join(one.path)}"
            for one in asked.columns
            if procedure is None or not procedure.covers(record, one)
        )
        return (*missing, *uncovered)


#: What is missing for what, by scopes and purpose: every answer asks it of some twenty columns.
#: Records and views are equal to themselves only.
_KNOWN: dict[
    tuple[frozenset[str], str | None],
    dict[tuple[Record | DerivedView, int | None], tuple[str, ...]],
] = {}
_MOST = 500


def _lacks(
    scopes: frozenset[str],
    procedure: Procedure | None,
    record: Record | DerivedView,
    position: int | None,
) -> tuple[str, ...]:
    name = f"{record.database}.{record.name}"
    if isinstance(record, DerivedView):
        column, level = None, Sensitivity.BASIC
        covered = procedure is not None and procedure.derives(record.name)
    else:
        column = None if position is None else record.columns[position]
        level = Sensitivity.BASIC if column is None else column.sensitivity
        covered = procedure is not None and procedure.covers(record, column)
    wanted = scope(record.database, level)
    granted = wanted in scopes or scope(name, level) in scopes
    missing = () if granted else (wanted,)
    if covered:
        return missing
    path = (name, *(column.path if column else ()))
    return (*missing, f"purpose:{'.'.join(path)}")


ANONYMOUS = Caller()
