"""National runs over generated people in SQLite: the real command, as a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from connectors.registry import installed_databases
from connectors.synthetic import PopulationOptions, write
from gateway.cli.command_host import CommandHost
from gateway.keys.files import create_missing
from gateway.settings import load
from reconcile.cli.commands import reconcile_command
from reconcile.layout import ReconcileFolder, RunFolder
from reconcile.manifest import Manifest, read_manifest

#: The command without the rest of the command line, which takes seconds to import.
PROGRAM = """
from gateway.cli.command_host import CommandHost
from reconcile.cli.commands import reconcile_command
reconcile_command(CommandHost())()
"""


@dataclass(frozen=True)
class RunSite:
    """Databases, the gateway's settings and keys, and a folder of runs, below ``path``."""

    path: Path

    @property
    def config(self) -> Path:
        return self.path / "gateway.toml"

    @property
    def folder(self) -> ReconcileFolder:
        return ReconcileFolder(self.path / "reconcile")

    @property
    def run(self) -> RunFolder:
        """The last run."""
        return self.folder.runs()[-1]

    @property
    def manifest(self) -> Manifest:
        """The manifest of the last run."""
        return read_manifest(self.run.manifest)

    def entries(self) -> list[dict[str, Any]]:
        """Return the entries of the journal of runs."""
        lines = [
            json.loads(line)
            for file in sorted(self.folder.audit.glob("audit-*.jsonl"))
            for line in file.read_text().rstrip("\0").splitlines()
        ]
        return [line for line in lines if "event" in line]

    def invoke(self, name: str, *options: str) -> Result:
        """Run a command within this process."""
        mask = os.umask(0o022)
        try:
            arguments = [name, *self._settings(name), *options]
            return CliRunner().invoke(reconcile_command(CommandHost()), arguments)
        finally:
            os.umask(mask)

    def command(self, name: str, *options: str) -> list[str]:
        """Return the command line of ``reconcile <name>``."""
        return [sys.executable, "-c", PROGRAM, name, *self._settings(name), *options]

    def _settings(self, name: str) -> tuple[str, ...]:
        file = ("--settings", str(self.path / "reconcile.toml"))
        if name in {"run", "resume"}:
            return (*file, "--config", str(self.config), "--reason", "a test")
        return file

    def call(self, name: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            self.command(name, *options), capture_output=True, text=True, check=False
        )

    @contextmanager
    def start(self, name: str, *options: str) -> Iterator[subprocess.Popen[str]]:
        """Start a command, whose progress can be read; it is killed at the end of the block."""
        with subprocess.Popen(
            self.command(name, *options),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        ) as process:
            try:
                yield process
            finally:
                process.kill()


def run_site(
    path: Path,
    options: PopulationOptions,
    settings: str = "",
    urls: Mapping[str, str] | None = None,
) -> RunSite:
    """Generate people into SQLite files below ``path``, and write settings and keys.

    ``settings``: of ``reconcile.toml``, after the folder. ``urls``: tables of ``gateway.toml`` in
    place of the SQLite file, by database.
    """
    path.mkdir(exist_ok=True)
    databases = [database for database in installed_databases() if database.records]
    files = {database.name: path / f"{database.name}.sqlite" for database in databases}
    write(databases, files, options, path / "truth.jsonl", lambda _: None)
    lines = [
        f"[databases.{name}]\n" + (urls or {}).get(name, f'url = "sqlite:///{file.name}"')
        for name, file in files.items()
    ]
    site = RunSite(path)
    site.config.write_text("\n".join(lines))
    create_missing(load(site.config), demo=False)
    (path / "reconcile.toml").write_text(f'folder = "reconcile"\n{settings}')
    return site
