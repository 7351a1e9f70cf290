"""The TypeScript list reader for clients returns complete lists, and fails for anything else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.list_answers import CASES

ROOT = Path(__file__).parents[3]

NODE_MODULES = ROOT / "tests" / "acceptance" / "typescript" / "node_modules"

_STRICT = ("--strict", "--module", "esnext", "--target", "es2022", "--moduleResolution", "bundler")

SCRIPT = """
import { readFileSync } from "node:fs";
import { completeList, NotKnown } from "./complete-list.js";
const said = {};
for (const [name, [body]] of Object.entries(JSON.parse(readFileSync(0)))) {
  try {
    said[name] = completeList(body, "persons", 1, "notary", "assets");
  } catch (error) {
    if (!(error instanceof NotKnown)) throw error;
    said[name] = error.message;
  }
}
console.log(JSON.stringify(said));
"""


@pytest.mark.services
def test_typescript_compiles_strictly_and_reads_whole_lists_only(tmp_path: Path) -> None:
    if shutil.which("node") is None or not NODE_MODULES.is_dir():
        if os.environ.get("REQUIRE_SERVICES"):
            pytest.fail("node or the packages of tests/acceptance/typescript are missing")
        pytest.skip("node or the packages of tests/acceptance/typescript are missing")
    shutil.copy(ROOT / "clients" / "typescript" / "complete-list.ts", tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}', "utf-8")
    (tmp_path / "read.js").write_text(SCRIPT, "utf-8")
    compiler = NODE_MODULES / "typescript" / "bin" / "tsc"
    command = ["node", str(compiler), *_STRICT, "complete-list.ts"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=120)
    completed = subprocess.run(
        ["node", "read.js"],
        cwd=tmp_path,
        input=json.dumps(CASES),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    output = json.loads(completed.stdout)
    assert output == json.loads(
        json.dumps({name: expected for name, (_, expected) in CASES.items()})
    )
