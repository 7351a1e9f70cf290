"""The TypeScript list reader for clients returns complete lists, and fails for anything else."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.list_answers import CASES
from tests.support.typescript import compile_client, require_typescript

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
    require_typescript()
    compile_client(tmp_path, "complete-list.ts")
    (tmp_path / "read.js").write_text(SCRIPT, "utf-8")
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
