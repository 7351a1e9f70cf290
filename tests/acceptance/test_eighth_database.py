"""The tutorial "an eighth database in four steps", followed literally."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.process import demo_process

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial-eighth-database.md"
ROOT = TUTORIAL.parents[1]


def blocks(language: str) -> list[str]:
    code_blocks = re.findall(rf"```{language}\n(.*?)```", TUTORIAL.read_text("utf-8"), re.DOTALL)
    return [str(code_block) for code_block in code_blocks]


def write_files(folder: Path) -> None:
    """Write each python and toml block to the file that its first line names."""
    for block in (*blocks("python"), *blocks("toml")):
        path = folder / block.splitlines()[0].removeprefix("# ")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block, "utf-8")


def make_environment(folder: Path) -> Path:
    """Make ``.venv/bin`` of commands that install into, and see, a folder of the test's own."""
    packages = folder / "packages"
    binaries = folder / ".venv" / "bin"
    binaries.mkdir(parents=True)
    export_path = f'export PYTHONPATH="{packages}:{ROOT}"'
    for name, command in {
        "pip": f'"{sys.executable}" -m pip "$1" --quiet --target "{packages}" "${{@:2}}"',
        "justice-gateway": f'"{sys.executable}" -m gateway "$@"',
        "python": f'"{sys.executable}" "$@"',
    }.items():
        path = binaries / name
        path.write_text(f"#!/usr/bin/env bash\n{export_path}\nexec {command}\n")
        path.chmod(0o755)
    return packages


def run(script: str, folder: Path) -> None:
    subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=folder, check=True, timeout=120)


@pytest.mark.long
def test_the_tutorial_leads_to_an_answer_and_touches_nothing_in_the_gateway(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with demo_process(tmp_path / ".demo"):
        pass  # make demo has run once
    packages = make_environment(tmp_path)
    write_files(tmp_path)
    install, data = blocks("sh")
    run(install, tmp_path)
    run(data, tmp_path)
    monkeypatch.setenv("PYTHONPATH", f"{packages}:{ROOT}")
    (query,) = blocks("gql")
    with demo_process(tmp_path / ".demo") as demo:
        body = demo.ask(query, None, "citizen")
        catalogue = demo.ask("{ databases { name live { state } } }")
        officer = demo.ask(
            "query($id: PersonNumber!) { person(id: $id) { judicialExpertise { "
            "expertises { items { expertiseNo } source { state } } } } }",
            {"id": demo.personas[0]["id"]},
        )
    expertises = body["data"]["me"]["judicialExpertise"]["expertises"]
    assert expertises == {
        "items": [
            {
                "expertiseNo": "GĐ-1",
                "orderedOn": "2026-03-01",
                "status": "CONCLUDED",
                "conclusion": "chữ ký thật",
            }
        ],
        "source": {"state": "ANSWERED"},
    }
    assert body["data"]["me"]["timeline"] == {
        "edges": [{"node": {"kind": "EXPERTISE_ORDERED", "date": "2026-03-01"}}],
        "gaps": [],
    }
    live = {
        database["name"]: database["live"]["state"] for database in catalogue["data"]["databases"]
    }
    assert live["judicial_expertise"] == "ANSWERED"
    expertise_list = officer["data"]["person"]["judicialExpertise"]["expertises"]
    assert expertise_list == {"items": None, "source": {"state": "DENIED"}}
