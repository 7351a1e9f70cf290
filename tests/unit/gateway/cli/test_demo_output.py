"""Output of ``justice-gateway demo``: addresses, callers and a command to paste."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from gateway.cli.demo import Demo, welcome
from gateway.settings import Settings

ADDRESS = "http://127.0.0.1:9000"


def _lines(folder: Path) -> list[str]:
    return welcome(Demo(folder, Settings(), ("citizen", "officer")), 9000)


def test_every_address_is_named() -> None:
    text = "\n".join(_lines(Path(".demo")))
    for path in ("/graphql", "/schema.graphql", "/openapi.json", "/health/ready", "/metrics"):
        assert f"{ADDRESS}{path}" in text
    assert "citizen, officer" in text


def test_no_line_is_as_long_as_a_token() -> None:
    assert max(len(line) for line in _lines(Path(".demo"))) < 200


def test_the_command_can_be_pasted_whatever_the_folder_is_called(tmp_path: Path) -> None:
    folder = tmp_path / "it's a demo"
    (folder / "tokens").mkdir(parents=True)
    (folder / "tokens" / "citizen").write_text("the-token\n", "utf-8")
    lines = _lines(folder)
    start = next(place for place, line in enumerate(lines) if line.lstrip().startswith("curl"))
    shell = ["curl() { printf '%s\\n' \"$@\"; }", *lines[start : start + 2]]
    completed = subprocess.run(
        ["bash", "-c", "\n".join(shell)], capture_output=True, text=True, timeout=60, check=True
    )
    arguments = completed.stdout.splitlines()
    assert arguments[1] == f"{ADDRESS}/graphql"
    assert "Authorization: Bearer the-token" in arguments
    assert "me" in json.loads(arguments[arguments.index("-d") + 1])["query"]
