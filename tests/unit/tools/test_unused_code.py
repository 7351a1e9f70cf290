"""Unused code is found; callbacks of libraries are listed with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import unused_code


def test_a_function_that_nothing_calls_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "module.py").write_text("def unused() -> None: ...\n", "utf-8")
    assert unused_code.main(tmp_path, ["module.py"], {}) == 1
    assert capsys.readouterr().out == "module.py:1: unused function 'unused'\n"


def test_an_allowance_that_nothing_needs_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "module.py").write_text("def used() -> None: ...\n\n\nused()\n", "utf-8")
    assert unused_code.main(tmp_path, ["module.py"], {"used": "a reason"}) == 1
    assert "take it out of ALLOWED" in capsys.readouterr().out
