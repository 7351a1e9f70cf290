"""Callers: what a scope opens, and that nothing is open without one."""

from __future__ import annotations

import pytest

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.description import Sensitivity
from connectors.population import DATABASE as POPULATION
from gateway.access.caller import ANONYMOUS, Caller

MARRIAGES = CIVIL_STATUS.by_name["marriages"]
DEATHS = CIVIL_STATUS.by_name["deaths"]
IDENTITY = POPULATION.by_name["identity"]
READ = (Sensitivity.PUBLIC, Sensitivity.BASIC)


def _caller(*scopes: str) -> Caller:
    return Caller(client="desk", scopes=frozenset(scopes))


@pytest.mark.parametrize("sensitivity", Sensitivity)
@pytest.mark.parametrize("caller", [ANONYMOUS, _caller(), _caller("introspect", "operate", "me")])
def test_nothing_is_open_without_a_scope_for_it(caller: Caller, sensitivity: Sensitivity) -> None:
    assert caller.lacks(MARRIAGES, sensitivity) is not None


@pytest.mark.parametrize(
    ("sensitivity", "missing"),
    [
        (Sensitivity.PUBLIC, "civil_status:read"),
        (Sensitivity.BASIC, "civil_status:read"),
        (Sensitivity.SENSITIVE, "civil_status:sensitive"),
        (Sensitivity.RESTRICTED, "civil_status:restricted"),
    ],
)
def test_what_is_missing_is_named_by_database_and_action(
    sensitivity: Sensitivity, missing: str
) -> None:
    assert _caller().lacks(MARRIAGES, sensitivity) == missing
    assert _caller(missing).lacks(MARRIAGES, sensitivity) is None


@pytest.mark.parametrize("sensitivity", READ)
def test_reading_a_database_opens_all_its_records(sensitivity: Sensitivity) -> None:
    caller = _caller("civil_status:read")
    assert all(caller.lacks(record, sensitivity) is None for record in CIVIL_STATUS.records)
    assert caller.lacks(IDENTITY, sensitivity) == "population:read"


def test_a_scope_for_one_record_opens_that_record_only() -> None:
    caller = _caller("civil_status.marriages:read")
    assert caller.lacks(MARRIAGES, Sensitivity.BASIC) is None
    assert caller.lacks(DEATHS, Sensitivity.BASIC) == "civil_status:read"
    assert caller.lacks(MARRIAGES, Sensitivity.SENSITIVE) == "civil_status:sensitive"


def test_a_closer_kept_level_does_not_open_the_others() -> None:
    """Nor the other way round: each action is granted by itself."""
    caller = _caller("civil_status:sensitive")
    assert caller.lacks(MARRIAGES, Sensitivity.SENSITIVE) is None
    assert caller.lacks(MARRIAGES, Sensitivity.BASIC) == "civil_status:read"
    assert caller.lacks(MARRIAGES, Sensitivity.RESTRICTED) == "civil_status:restricted"


@pytest.mark.parametrize(
    "scope",
    ["civil_status", ":read", "*:read", "civil_status:*", "civil_status.:read", "CIVIL_STATUS:READ",
     "civil_statu:read", "civil_status:reader", "civil_status.marriage:read", "marriages:read"],
)  # fmt: skip
def test_a_scope_that_is_only_similar_opens_nothing(scope: str) -> None:
    assert _caller(scope).lacks(MARRIAGES, Sensitivity.BASIC) == "civil_status:read"


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
