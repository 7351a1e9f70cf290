"""Reasons of denials in words, and who grants what is missing."""

from __future__ import annotations

import pytest

from connectors.civil_status import DATABASE as CIVIL_STATUS
from gateway.answer import State
from gateway.permission.denials import DeniedField
from gateway.permission.reasons import ExplainedDenial, explain_denials

DATABASES = {"civil_status": CIVIL_STATUS}


def explain(
    *missing: str, purpose: str | None = None, state: State = State.DENIED
) -> ExplainedDenial:
    denial = DeniedField("person.civilStatus.births", state, missing, 3)
    (explained,) = explain_denials([denial], purpose, DATABASES)
    return explained


def test_a_scope_is_granted_by_the_owner_of_its_database() -> None:
    explained = explain("civil_status.births:sensitive")
    (reason,) = explained.reasons
    assert reason.en == (
        "The token lacks the scope civil_status.births:sensitive "
        f"({CIVIL_STATUS.title.en}: SENSITIVE fields)."
    )
    assert reason.vi == (
        "Mã truy cập thiếu phạm vi civil_status.births:sensitive "
        f"({CIVIL_STATUS.title.vi}: trường nhạy cảm)."
    )
    (grantor,) = explained.grantors
    assert (grantor.database, grantor.owner) == ("civil_status", CIVIL_STATUS.owner)


def test_a_purpose_is_named_and_where_none_is_stated_that_is_said() -> None:
    missing = "purpose:civil_status.births.ethnicity"
    (stated,) = explain(missing, purpose="1.000894").reasons
    (silent,) = explain(missing).reasons
    assert stated.en == "The purpose 1.000894 does not cover civil_status.births.ethnicity."
    assert silent.en == "No purpose is stated that covers civil_status.births.ethnicity."


def test_scope_and_purpose_have_a_reason_each_and_their_owner_is_named_once() -> None:
    explained = explain("civil_status:read", "purpose:civil_status.births")
    assert len(explained.reasons) == 2
    assert len(explained.grantors) == 1


@pytest.mark.parametrize(
    "missing", ["me", "audit:read", "person:read", "purpose:timeline", "<database>:read"]
)
def test_what_names_no_database_is_granted_by_the_operator(missing: str) -> None:
    (grantor,) = explain(missing).grantors
    assert (grantor.database, grantor.contact) == (None, None)
    assert grantor.owner.en == "The operator of this gateway"


def test_what_the_law_withholds_nobody_grants() -> None:
    explained = explain(state=State.WITHHELD)
    assert explained.grantors == ()
    (reason,) = explained.reasons
    assert reason.en.startswith("The law withholds this")
