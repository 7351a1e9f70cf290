"""``procedures`` and ``procedure``: the catalogue of procedures and of what their checks ask."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.population import DATABASE as POPULATION
from connectors.registry import installed_databases
from gateway.procedures.registry import ALL
from tests.support.running import codes, running
from tests.support.worlds import WAYS, answer

LIST = """query($canBeChecked: Boolean) { procedures(canBeChecked: $canBeChecked) {
  codes title { vi en } legalBasis records canBeChecked check { inputField } } }"""
ONE = """query($code: String!) { procedure(code: $code) {
  codes title { vi } records canBeChecked
  check { inputField records results { name title { en } }
    roles { name title { vi en } isRequired isMany }
    editions { since law competentBody { vi } deadline { amount unit law { vi } }
      rules { code title { vi en } law { vi en } group } groups { code anySuffices group }
      papers { code name { vi } replacedBy proves isConditional } } } } }"""


@pytest.fixture(params=WAYS, autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(request.param, monkeypatch)


async def ask(folder: Path, query: str, variables: Any = None, **gateway: Any) -> dict[str, Any]:
    gateway.setdefault("databases", installed_databases())
    async with running(folder, **gateway) as started:
        body: dict[str, Any] = (await started.post(query, variables)).json()
        assert started.journal() == []
        return body


async def test_everybody_may_read_which_procedures_there_are(tmp_path: Path) -> None:
    body = await ask(tmp_path, LIST)
    listed = body["data"]["procedures"]
    assert [each["codes"] for each in listed] == [list(procedure.codes) for procedure in ALL]
    for each, procedure in zip(listed, ALL, strict=True):
        assert each["canBeChecked"] is (procedure.check is not None) is (each["check"] is not None)
        assert each["title"]["vi"] == procedure.title.vi


async def test_the_list_may_be_of_those_that_can_be_checked(tmp_path: Path) -> None:
    body = await ask(tmp_path, LIST, {"canBeChecked": True})
    expected = [procedure.codes[0] for procedure in ALL if procedure.check is not None]
    assert [each["codes"][0] for each in body["data"]["procedures"]] == expected


async def test_a_procedure_says_what_its_check_asks(tmp_path: Path) -> None:
    body = await ask(tmp_path, ONE, {"code": "no-sanction-check"})
    procedure = body["data"]["procedure"]
    assert procedure["records"] == ["population.identity"]
    check = procedure["check"]
    assert check["inputField"] == "noSanctionCheck"
    assert check["roles"] == [
        {"name": "applicant", "title": {"vi": "người đề nghị", "en": "applicant"},
         "isRequired": True, "isMany": False}
    ]  # fmt: skip
    assert "administrative_violations.sanctions" in check["records"]
    assert check["results"][0]["name"] == "isConsideredUnsanctioned"
    (edition,) = check["editions"]
    assert edition["since"] == "2013-07-01"
    assert [rule["code"] for rule in edition["rules"]] == [
        "APPLICANT_IDENTIFIED", "APPLICANT_ALIVE", "UNSANCTIONED"
    ]  # fmt: skip
    assert edition["deadline"] is None


async def test_a_province_s_code_names_the_same_procedure(tmp_path: Path) -> None:
    body = await ask(tmp_path, ONE, {"code": "1.000894.H38"})
    assert body["data"]["procedure"]["codes"][0] == "1.000894"


async def test_an_unknown_code_is_an_error_and_no_guess(tmp_path: Path) -> None:
    body = await ask(tmp_path, ONE, {"code": "1.999999"})
    assert body["data"] == {"procedure": None}
    assert codes(body) == ["PROCEDURE_UNKNOWN"]


async def test_what_needs_a_database_that_is_not_there_cannot_be_checked(tmp_path: Path) -> None:
    databases = (POPULATION, CIVIL_STATUS)
    body = await ask(tmp_path, ONE, {"code": "no-sanction-check"}, databases=databases)
    procedure = body["data"]["procedure"]
    assert procedure["canBeChecked"] is False
    assert procedure["check"] is None


async def test_production_does_not_list_the_purpose_of_measurements(tmp_path: Path) -> None:
    body = await ask(tmp_path, LIST, demo=False)
    assert "bench-unified" not in [each["codes"][0] for each in body["data"]["procedures"]]
    body = await ask(tmp_path, ONE, {"code": "bench-unified"}, demo=False)
    assert codes(body) == ["PROCEDURE_UNKNOWN"]
