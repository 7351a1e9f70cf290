"""The bundle for a closed network contains everything that is pinned."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from gateway.cli.command_host import CommandHost
from reconcile.cli.commands import reconcile_command
from tools.bundle import ROOT, SUMS, main

UNIT = (ROOT / "deploy" / "justice-gateway.service").read_text("utf-8")


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-reconcile.lock"])
def test_the_bundle_lists_every_pinned_package_with_its_hashes(tmp_path: Path, name: str) -> None:
    main(tmp_path, name)
    components = json.loads((tmp_path / "sbom.json").read_text("utf-8"))["components"]
    lock = (ROOT / name).read_text("utf-8")
    pinned = re.findall(r"^(\S+)==(\S+)", lock, re.MULTILINE)
    assert [(component["name"], component["version"]) for component in components] == pinned
    assert sum(len(component["hashes"]) for component in components) == lock.count("--hash=sha256:")


def test_the_bundle_names_the_images_of_the_topology(tmp_path: Path) -> None:
    main(tmp_path)
    images = (tmp_path / "images.txt").read_text("utf-8").splitlines()
    assert "justice-gateway" in images
    assert {image.partition(":")[0] for image in images} >= {
        "nginx",
        "postgres",
        "mariadb",
        "redis",
    }


def test_a_file_that_was_changed_on_the_way_does_not_fit_its_checksum(tmp_path: Path) -> None:
    wheel = tmp_path / "wheels" / "a.whl"
    wheel.parent.mkdir()
    wheel.write_bytes(b"content")
    main(tmp_path)
    assert _check(tmp_path) == 0
    wheel.write_bytes(b"other")
    assert _check(tmp_path) != 0


def test_the_unit_starts_the_command_that_the_package_installs() -> None:
    (command,) = re.findall(r"^ExecStart=(\S+) serve$", UNIT, re.MULTILINE)
    scripts = (ROOT / "pyproject.toml").read_text("utf-8")
    assert f'{Path(command).name} = "gateway.cli.main:main"' in scripts


def test_the_unit_of_runs_calls_a_command_with_options_that_it_has() -> None:
    unit = (ROOT / "deploy" / "justice-gateway-reconcile.service").read_text("utf-8")
    line = re.search(r"^ExecStart=\S+ reconcile (.+?)(?<!\\)$", unit, re.MULTILINE | re.DOTALL)
    assert line is not None
    name, *options = shlex.split(line[1].replace("\\\n", " "))
    command = typer.main.get_command(reconcile_command(CommandHost()))
    assert isinstance(command, TyperGroup)
    context = command.commands[name].make_context(name, options)
    assert (context.params["or_resume"], context.params["dry_run"]) == (True, False)
    assert context.params["settings"] == Path("/etc/justice-gateway/reconcile.toml")


def test_the_unit_and_the_guide_name_the_same_places() -> None:
    guide = (ROOT / "docs/how-to/install-in-production.md").read_text("utf-8")
    for place in ("/opt/justice-gateway/current", "/etc/justice-gateway/gateway.toml"):
        assert place in UNIT
        assert place in guide


def _check(folder: Path) -> int:
    command = ["sha256sum", "--check", "--quiet", SUMS]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode
