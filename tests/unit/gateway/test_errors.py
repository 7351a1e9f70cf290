"""The registry of error codes: each code is documented, and no other code is used."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from gateway.errors import BESIDE_DATA, CODES, Code, GatewayError

ROOT = Path(__file__).parents[3]
PAGES = ROOT / "docs" / "errors"
ALL = pytest.mark.parametrize("code", CODES.values(), ids=CODES.keys())


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    assert {page.stem for page in PAGES.glob("*.md")} - {"README"} == set(CODES)


@ALL
def test_a_page_says_what_the_client_is_told(code: Code) -> None:
    page = (PAGES / f"{code.name}.md").read_text("utf-8")
    assert page.startswith(f"# {code.name}\n")
    assert code.en in page
    assert code.vi in page
    assert "HTTP status" in page


@ALL
def test_a_page_says_what_to_do_in_both_languages(code: Code) -> None:
    page = (PAGES / f"{code.name}.md").read_text("utf-8")
    vietnamese = re.findall(r"^Cần làm gì: (.+?)\n\n", page, re.MULTILINE | re.DOTALL)
    english = re.findall(r"^What to do: (.+?)(?:\n\n|\n\Z)", page, re.MULTILINE | re.DOTALL)
    assert (len(vietnamese), len(english)) == (1, 1)
    assert not re.sub(r"`[^`]*`", "", vietnamese[0]).isascii(), "Vietnamese has its marks"
    assert not re.search("[À-ỹ]", english[0])
    assert re.findall(r"\.\./[\w/-]+\.md", vietnamese[0]) == re.findall(
        r"\.\./[\w/-]+\.md", english[0]
    )


def test_the_list_of_codes_names_all_of_them_and_no_other() -> None:
    listed = re.findall(r"\]\(([A-Z_]+)\.md\)", (PAGES / "README.md").read_text("utf-8"))
    assert set(listed) == set(CODES)


@ALL
def test_a_code_is_told_in_two_languages_with_a_real_status(code: Code) -> None:
    assert re.fullmatch(r"[A-Z]+(_[A-Z]+)*", code.name)
    for sentence in (code.en, code.vi):
        assert sentence.endswith(".")
    assert code.en.isascii()
    assert not code.vi.isascii(), "Vietnamese is written with its marks"
    assert code.status == BESIDE_DATA or HTTPStatus(code.status) >= HTTPStatus.BAD_REQUEST


@ALL
def test_no_sentence_names_a_table_a_driver_or_a_host(code: Code) -> None:
    sentences = f"{code.en} {code.vi}".lower()
    for word in ("sql", "postgres", "redis", "table", "localhost", "python", "graphql-core"):
        assert word not in sentences


def test_names_are_not_given_twice() -> None:
    source = (ROOT / "gateway" / "errors.py").read_text("utf-8")
    assert len(re.findall(r"^    Code\(\"", source, re.MULTILINE)) == len(CODES)


def _texts() -> Iterator[str]:
    """Every text constant in the gateway's code but the registry itself."""
    for path in (ROOT / "gateway").rglob("*.py"):
        if path.name == "errors.py":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_every_code_can_happen() -> None:
    assert set(CODES) - set(_texts()) == set()


def test_an_error_shows_its_code_its_sentences_and_its_details() -> None:
    error = GatewayError("TOO_DEEP", details={"limit": 12})
    assert error.message == str(error) == CODES["TOO_DEEP"].en
    assert error.extensions == {
        "code": "TOO_DEEP",
        "messageVi": CODES["TOO_DEEP"].vi,
        "limit": 12,
    }
    assert GatewayError("BAD_REQUEST", "query is a string").message == "query is a string"


def test_details_and_headers_belong_to_one_error_alone() -> None:
    details: dict[str, object] = {"limit": 1}
    error = GatewayError("TOO_DEEP", details=details)
    details["limit"] = 2
    assert error.details == {"limit": 1}
    assert GatewayError("TOO_DEEP").details is not GatewayError("TOO_DEEP").details


def test_a_code_that_is_not_in_the_registry_cannot_be_raised() -> None:
    with pytest.raises(KeyError):
        GatewayError("SOMETHING_ELSE")
