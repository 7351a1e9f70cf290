"""Case numbers: the names of files are accepted in every encoding that clients send."""

from __future__ import annotations

import unicodedata
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import orjson
import pytest

from gateway.access.case_number import parse_case_number, read_case_number
from gateway.audit.entry import person_hash
from gateway.errors import GatewayError
from gateway.procedures.procedure import UNIFIED
from tests.support.asgi import JSON_BODY, Reply, send_raw
from tests.support.people import HOA, LAN, OLD_NUMBER
from tests.support.running import OFFICER, Running, application, running

PERSON = "query($id: PersonNumber!) {person(id: $id) {id}}"
FILES = [
    "HSĐ-12/2026/QĐ-UBND",
    "ƯU-01/2026",
    "Ê.1",
    "000.00.11.H29-261123-0001",
    "123/2024/HSST",
    "ស៊ុម-1",
    "дело_7:1",
    "x" * 64,
    "Đ" * 64,
]
REFUSED = [
    b"", b" ", b" HS", b"HS ", b"H S", b"a,b", b"a\tb", b"HS;1", b"<b>", "HS\u200b1".encode(),
    "H\u00a01".encode(), "HS١".encode(), b"\xc4\x90\xff", "Đ".encode("utf-16"), b"x" * 65,
    ("Đ" * 65).encode(), b"%", b"%FF", b"%0A", b"HS%3B", b"HS%20",
]  # fmt: skip


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as running_gateway:
        yield running_gateway


async def _ask(gateway: Running, case_number: bytes) -> Reply:
    headers = [
        JSON_BODY,
        (b"authorization", f"Bearer {gateway.token(*OFFICER)}".encode()),
        (b"x-purpose", UNIFIED.encode()),
        (b"x-case-number", case_number),
    ]
    body = orjson.dumps({"query": PERSON, "variables": {"id": LAN}})
    return await send_raw(application(gateway), [body], headers)


def _latin(text: str) -> str:
    """Return a header's bytes as Starlette reads them."""
    return text.encode().decode("latin-1")


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_file_is_called_the_same_however_its_name_is_sent(file: str, form: str) -> None:
    written = unicodedata.normalize("NFD" if form == "NFD" else "NFC", file)
    assert read_case_number(_latin(written)) == file
    assert read_case_number(quote(written, safe="")) == file


@pytest.mark.parametrize("header", REFUSED)
def test_what_no_file_is_called_is_refused_with_what_is_allowed(header: bytes) -> None:
    with pytest.raises(GatewayError, match="letters of any script, digits 0-9"):
        read_case_number(header.decode("latin-1"))


@pytest.mark.parametrize("number", [HOA, OLD_NUMBER])
def test_the_number_of_a_person_is_that_of_no_case(number: str) -> None:
    with pytest.raises(GatewayError, match="number of a person"):
        read_case_number(number)


@pytest.mark.parametrize("sent", ["HSĐ-12/2026/QĐ-UBND", "HS%C4%90-12%2F2026%2FQ%C4%90-UBND"])
async def test_it_stands_in_the_journal_as_the_file_is_called(gateway: Running, sent: str) -> None:
    reply = await _ask(gateway, sent.encode())
    assert reply.json()["data"] == {"person": {"id": LAN}}
    assert [entry["caseNumber"] for entry in gateway.journal()] == ["HSĐ-12/2026/QĐ-UBND"]


@pytest.mark.parametrize(
    ("sent", "before", "number", "after"),
    [
        (f"HS{HOA}", "HS", HOA, ""),
        (f"HS{HOA}/2026", "HS", HOA, "/2026"),
        ("001.183.274.301", "", "001183274301", ""),
        ("HS-001-183-274-301", "HS-", "001183274301", ""),
        (f"CMND{OLD_NUMBER}", "CMND", OLD_NUMBER, ""),
    ],
)
async def test_a_number_within_a_case_number_is_redacted_in_the_journal(
    gateway: Running, sent: str, before: str, number: str, after: str
) -> None:
    """Whoever has the key can still tell which case it was."""
    reply = await _ask(gateway, sent.encode())
    assert reply.json()["data"] == {"person": {"id": LAN}}
    (entry,) = gateway.journal()
    tag = person_hash(gateway.service.resources.person_hash, number).partition(":")[2][:8]
    assert entry["caseNumber"] == f"{before}…{tag}{after}"


@pytest.mark.parametrize("text", ["HSĐ-12/2026/QĐ-UBND", "Số.1", "e" * 64])
def test_an_argument_has_the_form_of_the_header(text: str) -> None:
    for form in ("NFC", "NFD"):
        assert parse_case_number(unicodedata.normalize(form, text)) == text


@pytest.mark.parametrize("text", ["", "HS 1", "e" * 65, "HS%C4%90", "001090000001", "090000001"])
def test_an_argument_that_no_file_is_called_is_an_invalid_value(text: str) -> None:
    with pytest.raises(GatewayError) as refused:
        parse_case_number(text)
    assert refused.value.code.name == "INVALID_VALUE"
