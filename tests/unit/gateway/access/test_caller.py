"""Callers: scope and purpose open columns together, and neither opens any alone.

Covers ``gateway.catalogue.permitted``.
"""

from __future__ import annotations

import pytest

from connectors.civil_enforcement import DATABASE as CIVIL_ENFORCEMENT
from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.description import Record, Sensitivity
from connectors.population import DATABASE as POPULATION
from gateway.access.caller import ANONYMOUS, Caller
from gateway.derived.unsanctioned import DERIVED as UNSANCTIONED
from gateway.procedures.procedure import UNIFIED

MARRIAGES = CIVIL_STATUS.by_name["marriages"]
DEATHS = CIVIL_STATUS.by_name["deaths"]
IDENTITY = POPULATION.by_name["identity"]
NOTICES = CIVIL_ENFORCEMENT.by_name["public_notices"]
READ = (Sensitivity.PUBLIC, Sensitivity.BASIC)
MARRIAGE, DEATH = "1.000894", "1.000656"
SCOPES = (
    "population:read", "population:sensitive", "civil_status:read", "civil_status:sensitive",
    "civil_status:restricted",
)  # fmt: skip


def _caller(*scopes: str, purpose: str | None = UNIFIED) -> Caller:
    return Caller(client="desk", scopes=frozenset(scopes), purpose=purpose)


def _at(record: Record, sensitivity: Sensitivity) -> int | None:
    """Return the place of a column that is kept so; None, the record itself, if there is none."""
    result = (
        place for place, column in enumerate(record.columns) if column.sensitivity is sensitivity
    )
    return next(result, None)


def _column(record: Record, path: str) -> int:
    return next(n for n, column in enumerate(record.columns) if ".".join(column.path) == path)


def _scopes_lacking(caller: Caller, record: Record, position: int | None) -> list[str]:
    return [
        scope for scope in caller.missing_for(record, position) if not scope.startswith("purpose:")
    ]


@pytest.mark.parametrize("position", [None, *range(len(MARRIAGES.columns))])
@pytest.mark.parametrize("caller", [ANONYMOUS, _caller(), _caller("introspect", "operate", "me")])
def test_nothing_is_open_without_a_scope_for_it(caller: Caller, position: int | None) -> None:
    assert _scopes_lacking(caller, MARRIAGES, position)


@pytest.mark.parametrize("position", [None, *range(len(MARRIAGES.columns))])
@pytest.mark.parametrize("purpose", [None, "nothing-of-the-kind", "2.000829"])
def test_nothing_is_open_without_a_purpose_that_needs_it(
    purpose: str | None, position: int | None
) -> None:
    """No purpose, one that nobody knows, and legal aid, which does not ask about marriages."""
    lacking = _caller(*SCOPES, purpose=purpose).missing_for(MARRIAGES, position)
    assert [scope for scope in lacking if scope.startswith("purpose:civil_status.marriages")]
    assert _caller(*SCOPES).missing_for(MARRIAGES, position) == ()


@pytest.mark.parametrize(
    ("record", "sensitivity", "missing"),
    [
        (NOTICES, Sensitivity.PUBLIC, "civil_enforcement:read"),
        (MARRIAGES, Sensitivity.BASIC, "civil_status:read"),
        (MARRIAGES, Sensitivity.SENSITIVE, "civil_status:sensitive"),
        (MARRIAGES, Sensitivity.RESTRICTED, "civil_status:restricted"),
    ],
)
def test_what_is_missing_is_named_by_database_and_action(
    record: Record, sensitivity: Sensitivity, missing: str
) -> None:
    position = _at(record, sensitivity)
    assert position is not None
    assert _caller().missing_for(record, position) == (missing,)
    assert _caller(missing).missing_for(record, position) == ()


def test_a_record_itself_is_basic() -> None:
    assert _caller().missing_for(MARRIAGES, None) == ("civil_status:read",)
    assert _caller("civil_status:read").missing_for(MARRIAGES, None) == ()


def test_a_purpose_that_is_missing_is_named_by_what_it_would_have_to_cover() -> None:
    caller = _caller(*SCOPES, purpose=None)
    assert caller.missing_for(MARRIAGES, None) == ("purpose:civil_status.marriages",)
    ethnicity = _column(MARRIAGES, "husband.ethnicity")
    named = "purpose:civil_status.marriages.husband.ethnicity"
    assert caller.missing_for(MARRIAGES, ethnicity) == (named,)
    assert Caller().missing_for(MARRIAGES, ethnicity) == ("civil_status:sensitive", named)


def test_a_purpose_opens_the_columns_that_its_procedure_needs_and_no_other() -> None:
    """A marriage is registered with each spouse's ethnicity as the population database has it."""
    caller = _caller(*SCOPES, purpose=MARRIAGE)
    assert caller.missing_for(IDENTITY, _column(IDENTITY, "ethnicity")) == ()
    religion = caller.missing_for(IDENTITY, _column(IDENTITY, "religion"))
    assert religion == ("purpose:population.identity.religion",)
    assert caller.missing_for(MARRIAGES, _column(MARRIAGES, "husband.name")) == ()
    missing = caller.missing_for(MARRIAGES, _column(MARRIAGES, "husband.ethnicity"))
    assert missing == ("purpose:civil_status.marriages.husband.ethnicity",)


def test_a_purpose_in_the_spelling_of_a_province_opens_the_same() -> None:
    national, provincial = (_caller(*SCOPES, purpose=f"{MARRIAGE}{end}") for end in ("", ".H38"))
    for record in (IDENTITY, MARRIAGES, DEATHS):
        for position in (None, *range(len(record.columns))):
            assert national.missing_for(record, position) == provincial.missing_for(
                record, position
            )
    assert national.procedure is provincial.procedure is not None


def test_neither_the_scope_nor_the_purpose_stands_for_the_other() -> None:
    assert _caller("civil_status:read", purpose=MARRIAGE).missing_for(DEATHS, None) == ()
    assert _caller(purpose=MARRIAGE).missing_for(DEATHS, None) == ("civil_status:read",)
    assert _caller("civil_status:read", purpose="2.000829").missing_for(DEATHS, None) == (
        "purpose:civil_status.deaths",
    )


def test_the_purpose_that_counts_is_the_one_stated_and_not_those_that_the_token_grants() -> None:
    granted = frozenset({MARRIAGE, DEATH, UNIFIED})
    silent = Caller(client="desk", scopes=frozenset(SCOPES), purposes=granted)
    assert silent.procedure is None
    assert silent.missing_for(MARRIAGES, None) == ("purpose:civil_status.marriages",)


def test_a_derived_view_needs_the_scope_of_its_database_and_a_purpose_that_names_it() -> None:
    missing = "purpose:administrative_violations.is_considered_unsanctioned"
    scope = "administrative_violations:read"
    assert Caller().missing_for(UNSANCTIONED, None) == (scope, missing)
    assert _caller(scope, purpose=MARRIAGE).missing_for(UNSANCTIONED, None) == (missing,)
    assert _caller(purpose="no-sanction-check").missing_for(UNSANCTIONED, None) == (scope,)
    for purpose in ("no-sanction-check", UNIFIED):
        assert _caller(scope, purpose=purpose).missing_for(UNSANCTIONED, None) == ()
    alone = "administrative_violations.is_considered_unsanctioned:read"
    assert _caller(alone).missing_for(UNSANCTIONED, None) == ()


@pytest.mark.parametrize("sensitivity", READ)
def test_reading_a_database_opens_all_its_records(sensitivity: Sensitivity) -> None:
    caller = _caller("civil_status:read")
    for record in CIVIL_STATUS.records:
        assert caller.missing_for(record, None) == ()
        assert caller.missing_for(record, _at(record, sensitivity)) == ()
    assert caller.missing_for(IDENTITY, _at(IDENTITY, sensitivity)) == ("population:read",)


def test_a_scope_for_one_record_opens_that_record_only() -> None:
    caller = _caller("civil_status.marriages:read")
    assert caller.missing_for(MARRIAGES, _at(MARRIAGES, Sensitivity.BASIC)) == ()
    assert caller.missing_for(DEATHS, _at(DEATHS, Sensitivity.BASIC)) == ("civil_status:read",)
    sensitive = caller.missing_for(MARRIAGES, _at(MARRIAGES, Sensitivity.SENSITIVE))
    assert sensitive == ("civil_status:sensitive",)


def test_a_closer_kept_level_does_not_open_the_others() -> None:
    """Nor the other way round: each action is granted by itself."""
    caller = _caller("civil_status:sensitive")
    assert caller.missing_for(MARRIAGES, _at(MARRIAGES, Sensitivity.SENSITIVE)) == ()
    assert caller.missing_for(MARRIAGES, _at(MARRIAGES, Sensitivity.BASIC)) == (
        "civil_status:read",
    )
    restricted = caller.missing_for(MARRIAGES, _at(MARRIAGES, Sensitivity.RESTRICTED))
    assert restricted == ("civil_status:restricted",)


@pytest.mark.parametrize(
    "scope",
    ["civil_status", ":read", "*:read", "civil_status:*", "civil_status.:read", "CIVIL_STATUS:READ",
     "civil_statu:read", "civil_status:reader", "civil_status.marriage:read", "marriages:read"],
)  # fmt: skip
def test_a_scope_that_is_only_similar_opens_nothing(scope: str) -> None:
    position = _at(MARRIAGES, Sensitivity.BASIC)
    assert _caller(scope).missing_for(MARRIAGES, position) == ("civil_status:read",)


@pytest.mark.parametrize("purpose", ["", " ", "1.00089", "1.000894 ", "1.000894.H3", "UNIFIED"])
def test_a_purpose_that_is_only_similar_opens_nothing(purpose: str) -> None:
    caller = _caller(*SCOPES, purpose=purpose)
    assert caller.procedure is None
    assert caller.missing_for(MARRIAGES, None) == ("purpose:civil_status.marriages",)


def test_only_who_shows_a_token_is_not_anonymous() -> None:
    assert ANONYMOUS.is_anonymous
    assert not _caller().is_anonymous


def test_introspection_and_naming_persons_each_need_their_scope() -> None:
    assert not ANONYMOUS.may_introspect
    assert not ANONYMOUS.may_name_persons
    assert _caller("introspect").may_introspect
    assert not _caller("introspect", "me", "operate").may_name_persons
    assert _caller("civil_status.marriages:read").may_name_persons
    assert not _caller("civil_status:read").may_introspect
