"""The commands in files for contributors agree with the Makefile."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import yaml

from tools.architecture_picture import layers

ROOT = Path(__file__).parents[3]


def recipe(target: str) -> list[str]:
    """Return the commands of a target of the Makefile, with the folder of its programs."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    match = re.search(rf"^{target}:[^\n]*\n((?:\t[^\n]*\n)+)", makefile, re.MULTILINE)
    assert match is not None
    return [line.strip().replace("$(BIN)", ".venv/bin") for line in match[1].splitlines()]


def test_pre_commit_runs_the_commands_of_make_lint() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    (repository,) = config["repos"]
    assert repository["repo"] == "local", "hooks of other repositories would be downloaded"
    assert [hook["entry"] for hook in repository["hooks"]] == recipe("lint")
    for hook in repository["hooks"]:
        assert hook["language"] == "system"
        assert hook["always_run"]
        assert not hook["pass_filenames"]


def test_every_target_that_a_page_names_is_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    named_targets = {
        target
        for page in pages
        for target in re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text("utf-8"), re.MULTILINE)
    }
    assert named_targets - targets == set()
    assert {"demo", "test", "lint"} <= named_targets


def test_the_architecture_lists_every_package_of_the_gateway() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    table = page.partition("| package | |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE)
    listed = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    files = (ROOT / "gateway").iterdir()
    packages = {
        path.stem for path in files if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    assert sorted(listed) == sorted(packages - {"__init__", "__main__"})


def test_contributors_are_told_the_layers_of_the_contract() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    sentence = text.partition("Top first:")[2].partition("`connectors`")[0]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    rows = [sorted(row) for row in layers(project)]
    layer_texts = re.split(r";|and at the bottom", sentence)
    named_layers = [sorted(re.findall(r"`(\w+)`", part)) for part in layer_texts]
    assert [row for row in named_layers if row] == rows
