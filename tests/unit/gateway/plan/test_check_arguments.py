"""The arguments of a check: things and organisations in an input, and inputs with a fault."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated

import pytest

from connectors.description import Text
from connectors.registry import installed_databases
from connectors.values import OrganizationCode, PersonNumber, ThingKey
from gateway.catalogue.checks import CheckBinding, checks_of
from gateway.errors import GatewayError
from gateway.plan.check_arguments import input_keys, parse_check_arguments

_ANY = Text("gì đó", "anything")
TODAY = date(2026, 11, 23)


@dataclass(frozen=True, slots=True)
class _Input:
    """Thử / Test."""

    buyer: Annotated[PersonNumber, _ANY]
    certificate: Annotated[ThingKey | None, _ANY] = None
    bank: Annotated[OrganizationCode | None, _ANY] = None


PERSON = PersonNumber("001090012345")


def test_a_key_is_looked_up_as_written_and_in_capitals() -> None:
    keys = input_keys(_Input(PERSON, ThingKey("bk 0012"), OrganizationCode("0100233488001")))
    assert keys == {
        "certificate": ("bk 0012", "BK 0012"),
        "bank": ("0100233488001", "0100233488-001"),
    }


def test_what_is_left_out_has_no_keys_and_people_have_none() -> None:
    assert input_keys(_Input(PERSON)) == {}


def test_a_persons_number_is_no_code_of_an_organisation() -> None:
    with pytest.raises(GatewayError, match="named by a role"):
        input_keys(_Input(PERSON, bank=OrganizationCode("001090012345")))


def test_an_input_with_a_fault_is_refused_with_its_sentence() -> None:
    (binding,) = (
        check
        for check in checks_of(installed_databases()).values()
        if check.definition.name == "no_sanction_check"
    )

    def find_fault(checked: object) -> str:
        return f"a {type(checked).__name__} has a fault"

    definition = replace(binding.definition, find_fault=find_fault)
    checks = {"no_sanction_check": CheckBinding(binding.procedure, definition, binding.reads)}
    arguments = {"code": "no-sanction-check", "input": {"noSanctionCheck": {"applicant": PERSON}}}
    with pytest.raises(GatewayError, match="a NoSanctionCheckInput has a fault"):
        parse_check_arguments(checks, arguments, TODAY)
