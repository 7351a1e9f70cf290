"""Clients in TypeScript, compiled strictly."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLIENTS = ROOT / "clients" / "typescript"
NODE_MODULES = ROOT / "tests" / "acceptance" / "typescript" / "node_modules"
#: TypeScript's own declarations are not checked again and again: that takes longer than all else.
_STRICT = (
    "--strict", "--skipLibCheck", "--module", "esnext", "--target", "es2022",
    "--moduleResolution", "bundler",
)  # fmt: skip


def require_typescript() -> None:
    """Skip where Node.js or TypeScript is missing; fail if REQUIRE_SERVICES says so."""
    if shutil.which("node") is None or not (NODE_MODULES / "typescript").is_dir():
        if os.environ.get("REQUIRE_SERVICES"):
            pytest.fail("node or the packages of tests/acceptance/typescript are missing")
        pytest.skip("node or the packages of tests/acceptance/typescript are missing")


def compile_client(folder: Path, name: str, *options: str) -> None:
    """Compile the client ``name`` into ``folder``, as a module of JavaScript.

    ``options``: further ones for the compiler. Fails with what the compiler says.
    """
    (folder / "node_modules").symlink_to(NODE_MODULES)
    (folder / "package.json").write_text('{"type": "module"}', "utf-8")
    shutil.copy(CLIENTS / name, folder)
    compiler = ("node", "node_modules/typescript/bin/tsc", *_STRICT, *options, name)
    compiled = subprocess.run(compiler, cwd=folder, capture_output=True, text=True, check=False)
    assert compiled.returncode == 0, compiled.stdout
