"""Codes of organisations: which are refused, and under which spellings they are looked up."""

from __future__ import annotations

import pytest

from connectors.registry import installed_databases
from gateway.catalogue.organisations import (
    codes_as_written,
    is_person_number,
    lookup_by_number,
    organisation_code,
    organisation_lists,
)
from gateway.errors import GatewayError


@pytest.mark.parametrize(
    "code",
    [
        "0100233488",
        "0314409058-002",
        "0314409058002",
        "001090012345",
        "THADS.01",
        "H38.12",
        "12345",
    ],
)
def test_a_code_is_kept_as_it_is_written(code: str) -> None:
    assert organisation_code(f" {code}\t") == code


@pytest.mark.parametrize(
    "code",
    [
        "0100233480",
        "0100233480-001",
        "0314409058-000",
        "123456789",
        "",
        " ",
        "a\x00b",
        "x" * 101,
        7,
    ],
)
def test_what_cannot_be_a_code_is_refused(code: object) -> None:
    with pytest.raises(GatewayError) as caught:
        organisation_code(code)
    assert caught.value.code.name == "INVALID_VALUE"


def test_branches_are_looked_up_with_and_without_their_hyphen_and_others_in_capitals() -> None:
    assert codes_as_written("0314409058-002") == ("0314409058-002", "0314409058002")
    assert codes_as_written("0314409058002") == ("0314409058002", "0314409058-002")
    assert codes_as_written("thads.01") == ("thads.01", "THADS.01")
    assert codes_as_written("0100233488") == ("0100233488",)


def test_only_numbers_of_people_are_taken_for_those() -> None:
    assert [is_person_number(code) for code in ("001090012345", "123456789")] == [True, True]
    assert not any(map(is_person_number, ("0100233488", "THADS.01", "0100233488-01")))


def test_a_household_business_is_found_by_the_list_of_people_of_the_same_name() -> None:
    found = {
        (database.name, name): lookup_by_number(record, lookup).name
        for database in installed_databases()
        for name, (record, lookup) in organisation_lists(database).items()
    }
    assert found == {
        ("security_measures", "registrations"): "registrations",
        ("security_measures", "roles"): "organisation_roles",
        ("civil_enforcement", "cases"): "cases",
        ("civil_enforcement", "roles"): "organisation_roles",
        ("civil_enforcement", "publicNotices"): "public_notices",
        ("administrative_violations", "records"): "records",
        ("administrative_violations", "sanctions"): "sanctions",
        ("notary", "transactions"): "transactions",
        ("notary", "assets"): "assets",
    }
