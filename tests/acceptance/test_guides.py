"""The guides for partners and reviewers, followed literally on the demo."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.process import Process

ROOT = Path(__file__).parents[2]
NODE_MODULES = ROOT / "tests" / "acceptance" / "typescript" / "node_modules"
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_STRICT = ("--strict", "--module", "esnext", "--target", "es2022", "--moduleResolution", "bundler")


def block(demo: Process, page: str, language: str, place: int = 0) -> str:
    """Return a block of a guide, with the demo's address in place of the usual one."""
    text = (ROOT / "docs" / "how-to" / page).read_text("utf-8")
    code_blocks: list[str] = [code for kind, code in _FENCE.findall(text) if kind == language]
    return code_blocks[place].replace("http://127.0.0.1:8000", demo.url)


def test_the_command_of_the_readme_gets_the_answer_that_it_shows(
    demo: Process, tmp_path: Path
) -> None:
    blocks = _FENCE.findall((ROOT / "README.md").read_text("utf-8"))
    (command,) = (code for kind, code in blocks if kind == "sh" and "curl" in code)
    (answer,) = (code for kind, code in blocks if kind == "json")
    (tmp_path / ".demo").symlink_to(demo.folder)
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    command = command.replace("http://127.0.0.1:8000", demo.url)
    printed = run_command(
        ["bash", "-c", command], tmp_path, {**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert json.loads(printed) == json.loads(answer)


def test_the_commands_of_the_quickstart_are_answered_as_it_says(
    demo: Process, tmp_path: Path
) -> None:
    blocks = _FENCE.findall((ROOT / "docs" / "quickstart.md").read_text("utf-8"))
    commands = "".join(code for kind, code in blocks if kind == "sh")
    (tmp_path / ".demo").symlink_to(demo.folder)
    port = demo.url.rpartition(":")[2]
    printed = run_command(["bash", "-c", commands], tmp_path, {**os.environ, "PORT": port})
    states = set(re.findall(r'"state": "(\w+)"', printed))
    assert states >= {"ANSWERED", "DENIED", "WITHHELD", "UNAVAILABLE"}
    assert set(re.findall(r'"code": "(\w+)"', printed)) >= {"FORBIDDEN", "SOURCE_UNAVAILABLE"}
    assert len(list((demo.folder / "databases").glob("*.sqlite"))) == 7


def partner(demo: Process) -> dict[str, str]:
    """Return the environment of a partner who asks about somebody."""
    number = demo.tagged("blocked_asset")
    born = next(persona["birthDate"] for persona in demo.personas if persona["id"] == number)
    return {**os.environ, "TOKEN": demo.tokens["partner"], "ID": number, "BORN": born}


def run_command(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    completed = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (completed.returncode, completed.stderr) == (0, ""), completed.stdout
    return completed.stdout


def test_curl_gets_an_answer(demo: Process, tmp_path: Path) -> None:
    command = ["bash", "-c", block(demo, "call-an-operation.md", "sh")]
    body = json.loads(run_command(command, tmp_path, partner(demo)))
    assert body["data"]["person"]["notary"]["preventiveInfos"]["source"]["state"] == "ANSWERED"
    assert "errors" not in body


def test_python_gets_the_same_answer(demo: Process, tmp_path: Path) -> None:
    (tmp_path / "call.py").write_text(block(demo, "call-an-operation.md", "python"), "utf-8")
    shutil.copy(ROOT / "clients" / "python" / "complete_list.py", tmp_path)
    output = run_command([sys.executable, "call.py"], tmp_path, partner(demo))
    assert re.fullmatch(r"\d+ blocks on the person( [A-Z_]+)*\n", output)


@pytest.mark.services
def test_typescript_compiles_strictly_and_gets_the_same_answer(
    demo: Process, tmp_path: Path
) -> None:
    if shutil.which("node") is None or not NODE_MODULES.is_dir():
        if os.environ.get("REQUIRE_SERVICES"):
            pytest.fail("node or the packages of tests/acceptance/typescript are missing")
        pytest.skip("node or the packages of tests/acceptance/typescript are missing")
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    (tmp_path / "package.json").write_text('{"type": "module"}', "utf-8")
    (tmp_path / "call.ts").write_text(block(demo, "call-an-operation.md", "typescript"), "utf-8")
    for file in ("typescript/complete-list.ts", "python/complete_list.py"):
        shutil.copy(ROOT / "clients" / file, tmp_path)
    run_command(
        ["node", "node_modules/typescript/bin/tsc", *_STRICT, "call.ts"], tmp_path, {**os.environ}
    )
    (tmp_path / "call.py").write_text(block(demo, "call-an-operation.md", "python"), "utf-8")
    by_python = run_command([sys.executable, "call.py"], tmp_path, partner(demo))
    assert run_command(["node", "call.js"], tmp_path, partner(demo)) == by_python


def test_the_operation_of_the_reviewers_guide_passes_its_check(
    demo: Process, tmp_path: Path
) -> None:
    page = "publish-an-operation.md"
    for folder in ("review", "operations"):
        (tmp_path / folder).mkdir()
    (tmp_path / "review" / "debtor-cases.graphql").write_text(
        block(demo, page, "text") + "\n" + block(demo, page, "graphql"), "utf-8"
    )
    shutil.copy(demo.folder / "gateway.toml", tmp_path)
    command = block(demo, page, "sh").split()
    command = [sys.executable, "-m", "gateway", *command[1:]]
    output = run_command(
        command, tmp_path, {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    )
    assert "debtor-cases.v1" in output
    assert "lends     civil_enforcement:read" in output
    assert output.endswith("1 published, 0 refused\n")
