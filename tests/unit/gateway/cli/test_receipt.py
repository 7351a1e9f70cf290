"""The commands ``justice-gateway receipt``: verify and select.

Covers ``gateway.receipts.describe``.
"""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.cli.main import app
from gateway.keys.files import create_missing
from gateway.keys.keyring import key_ids
from gateway.receipts.issue import ReceiptIssuer
from gateway.settings import load
from tests.support.people import HOA, LAN
from tests.support.receipts import RECIPIENT, Ring, shown_check
from tests.support.running import CASE_NUMBER, TestClock


class Site:
    """A folder with a receipt and the keys that verify it."""

    def __init__(self, folder: Path) -> None:
        self.ring = Ring()
        self.receipt = self.ring.issuer.issue(shown_check(), RECIPIENT)
        self.file, self.keys = folder / "receipt.txt", folder / "keys.json"
        self.file.write_text(self.receipt)
        self.publish()

    def publish(self) -> None:
        self.keys.write_text(json.dumps(self.ring.issuer.keys.jwks()))

    def verify(self, *arguments: str, file: str | None = None, text: str | None = None) -> Result:
        command = ["receipt", "verify", file or str(self.file), "--keys", str(self.keys)]
        return CliRunner().invoke(app, [*command, *arguments], input=text)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_receipt_is_read_out_in_both_languages(site: Site) -> None:
    result = site.verify()
    assert result.exit_code == 0
    for line in (
        "Biên nhận hợp lệ.",
        "  The receipt verifies.",
        "Thủ tục: Đăng ký kết hôn (1.000894)",
        "  Procedure: Marriage registration (1.000894)",
        "Kết quả: chưa xác định được",
        "Xét theo luật và tuổi ngày 01/12/2026: Luật Hôn nhân và gia đình 52/2014/QH13",
        "Sự việc đúng vào lúc 2026-11-23 10:00:00+07:00",
        "- civil_status.marriages, lúc 2026-11-23 10:00:00+07:00: không trả lời được",
        "  - civil_status.marriages, at 2026-11-23 10:00:00+07:00: did not answer",
        "Không trả lời: civil_status",
        "Cấp cho: Phòng công chứng số 7 / notary-7",
        f"Số hồ sơ: {CASE_NUMBER}",
        f"Người, vai trò groom: {HOA}",
        "Thông tin place: Phường Bến Thành",
        "  The check advises; the officer decides.",
    ):
        assert line in result.stdout.splitlines()
    assert "GROOM_AGE" in result.stdout
    assert "SOURCE_FAILED" not in result.stdout


def test_the_people_and_the_case_are_confirmed(site: Site) -> None:
    result = site.verify(
        "--person", f"groom={HOA}", "--person", f"bride={LAN}", "--case", CASE_NUMBER
    )
    assert result.exit_code == 0
    assert "  groom: confirmed" in result.stdout
    assert "case: khớp" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--person", f"groom={LAN}"), "  groom: it is another"),
        (("--person", f"witness={LAN}"), "  witness: the receipt does not disclose it"),
        (("--case", "HS-2"), "  case: it is another"),
    ],
)
def test_somebody_else_gives_another_status(
    site: Site, arguments: tuple[str, ...], sentence: str
) -> None:
    result = site.verify(*arguments)
    assert (result.exit_code, sentence in result.stdout) == (3, True)


def test_what_does_not_verify_says_why(site: Site) -> None:
    place = len(site.receipt) // 2
    altered = site.receipt[:place] + ("A" if site.receipt[place] != "A" else "B")
    site.file.write_text(altered + site.receipt[place + 1 :])
    result = site.verify("--person", f"groom={HOA}")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Biên nhận không hợp lệ: chữ ký không khớp với nội dung." in result.stderr
    assert "It does not verify: the signature does not fit the content." in result.stderr


def test_a_revoked_key_says_so(site: Site) -> None:
    site.ring.rotate("key-2")
    site.ring.revoke("key-1")
    site.publish()
    result = site.verify()
    assert result.exit_code == 1
    assert "the key that signed it was revoked" in result.stderr


def test_a_retired_key_is_named_as_one(site: Site) -> None:
    site.ring.rotate("key-2")
    site.publish()
    assert "Signed with the key key-1: it was replaced, and still verifies" in site.verify().stdout


def test_standard_input_and_a_line_end_are_read(site: Site) -> None:
    assert site.verify(file="-", text=site.receipt + "\n").exit_code == 0
    assert site.verify(file="-", text=site.receipt + "\r\n").exit_code == 0
    assert site.verify(file="-", text=site.receipt + "\n\n").exit_code == 1


@pytest.mark.parametrize("person", ["groom", "groom=", "groom=1", f"={HOA}x"])
def test_a_person_who_is_none_is_bad_usage(site: Site, person: str) -> None:
    assert site.verify("--person", person).exit_code == 2


def test_files_that_cannot_be_used_are_bad_usage(site: Site, tmp_path: Path) -> None:
    assert site.verify(file=str(tmp_path / "nothing.txt")).exit_code == 2
    site.file.write_text("biên nhận", "utf-8")
    assert site.verify().exit_code == 2
    site.file.write_text(site.receipt)
    for text in ("", "[]", "{", '{"keys": 1}'):
        site.keys.write_text(text)
        assert site.verify().exit_code == 2
    site.keys.unlink()
    assert site.verify().exit_code == 2


def test_the_keys_of_the_settings_are_used(tmp_path: Path) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text("demo = true\n")
    settings = load(config)
    create_missing(settings, demo=True)
    issuer = ReceiptIssuer.from_settings(settings, TestClock())
    file = tmp_path / "receipt.txt"
    file.write_text(issuer.issue(shown_check(), RECIPIENT))
    command = ["receipt", "verify", str(file), "--config", str(config)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0
    assert "It is a key of the demo: this receipt proves nothing." in result.stdout
    (kid,) = key_ids(settings, "receipt_sign")
    revoked = CliRunner().invoke(app, ["keys", "revoke", kid, "--config", str(config)])
    assert revoked.exit_code == 0
    assert CliRunner().invoke(app, command).exit_code == 1


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """Serve the files of ``folder`` on this machine; yields the address."""
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def test_keys_are_fetched_from_an_address(site: Site) -> None:
    command = ["receipt", "verify", str(site.file), "--keys"]
    with _served(site.keys.parent) as address:
        assert CliRunner().invoke(app, [*command, f"{address}/keys.json"]).exit_code == 0
        assert CliRunner().invoke(app, [*command, f"{address}/other.json"]).exit_code == 2
    assert CliRunner().invoke(app, [*command, f"{address}/keys.json"]).exit_code == 2


def test_a_holder_selects_what_to_show(site: Site) -> None:
    command = ["receipt", "select", str(site.file)]
    selected = CliRunner().invoke(app, [*command, "--show", "person.groom"])
    assert selected.exit_code == 0
    site.file.write_text(selected.stdout)
    result = site.verify("--person", f"groom={HOA}")
    assert result.exit_code == 0
    assert LAN not in result.stdout
    assert "4 claims are not disclosed in this copy." in result.stdout
    assert site.verify("--person", f"bride={LAN}").exit_code == 3
    assert CliRunner().invoke(app, [*command, "--show", "case"]).exit_code == 2
    site.file.write_text("no receipt")
    assert CliRunner().invoke(app, command).exit_code == 1
