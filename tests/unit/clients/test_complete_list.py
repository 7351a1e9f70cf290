"""The list readers that ship for clients: a whole list is read, anything else fails."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
NODE_MODULES = ROOT / "tests" / "acceptance" / "typescript" / "node_modules"
_STRICT = ("--strict", "--module", "esnext", "--target", "es2022", "--moduleResolution", "bundler")
PATH = ("persons", 1, "notary", "assets")


def answer(
    items: object = ({"kind": "LAND"},),
    state: str = "ANSWERED",
    truncated: bool | None = False,
    **beside: Any,
) -> dict[str, Any]:
    shown = {"items": items, "truncated": truncated, "source": {"state": state}}
    person = {"notices": [{"code": "DECEASED"}], "notary": {"assets": shown}}
    return {"data": {"persons": [None, person]}, **beside}


def error(code: str, *path: str | int, lists: list[str] | None = None) -> dict[str, Any]:
    extensions: dict[str, Any] = {"code": code}
    if lists is not None:
        extensions["lists"] = lists
    return {"message": "", "path": list(path), "extensions": extensions}


MIRRORED = {"path": ["persons", 1], "notices": [{"code": "UNDER_CORRECTION"}]}
SOMEBODY_ELSES = {"path": ["persons", 0], "notices": [{"code": "MISSING"}]}

#: What is answered, and what comes of it: records and notices, or why they are not known.
CASES: Mapping[str, tuple[dict[str, Any], tuple[Any, Any] | str]] = {
    "rows": (answer(), ([{"kind": "LAND"}], ["DECEASED"])),
    "none": (answer(()), ([], ["DECEASED"])),
    "mirrored notices": (
        answer((), extensions={"notices": [SOMEBODY_ELSES, MIRRORED]}),
        ([], ["UNDER_CORRECTION", "DECEASED"]),
    ),
    "cut": (answer(truncated=True), "TRUNCATED"),
    "not identified": (answer(None, "NOT_IDENTIFIED", None), "NOT_IDENTIFIED"),
    "withheld": (answer(None, "WITHHELD", None), "WITHHELD"),
    "incomplete": (answer(state="INCOMPLETE"), "INCOMPLETE"),
    "an error of the person that names the list": (
        answer(state="INCOMPLETE", errors=[
            error("NUMBERS_INCOMPLETE", "persons", 1, lists=["notary.assets"])
        ]),
        "NUMBERS_INCOMPLETE",
    ),
    "an error of the person that names another list": (
        answer(errors=[error("KEY_NOT_RECORDED", "persons", 1, lists=["notary.assets.items.x"])]),
        ([{"kind": "LAND"}], ["DECEASED"]),
    ),
    "an error of somebody else": (
        answer(errors=[error("NUMBER_CONFLICT", "persons", 0)]),
        ([{"kind": "LAND"}], ["DECEASED"]),
    ),
    "a field denied": (answer(errors=[error("FORBIDDEN", *PATH, "items", 0, "kind")]), "FORBIDDEN"),
    "a section refused": (answer(errors=[error("FORBIDDEN", *PATH[:3])]), "FORBIDDEN"),
    "refused as a whole": (
        {"errors": [{"message": "", "extensions": {"code": "RATE_LIMITED"}}]}, "RATE_LIMITED"
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def reader() -> ModuleType:
    file = ROOT / "clients" / "python" / "complete_list.py"
    spec = importlib.util.spec_from_file_location("complete_list", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("case", CASES)
def test_python_reads_whole_lists_only(reader: ModuleType, case: str) -> None:
    body, expected = json.loads(json.dumps(CASES[case]))
    if isinstance(expected, str):
        with pytest.raises(reader.NotKnown, match=f"^{expected}$"):
            reader.complete_list(body, *PATH)
    else:
        assert list(reader.complete_list(body, *PATH)) == expected


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
    done = subprocess.run(
        ["node", "read.js"],
        cwd=tmp_path,
        input=json.dumps(CASES),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    said = json.loads(done.stdout)
    assert said == json.loads(json.dumps({name: expected for name, (_, expected) in CASES.items()}))


@pytest.mark.parametrize(
    ("file", "begins"),
    [("python/complete_list.py", "def "), ("typescript/complete-list.ts", "export function ")],
)
def test_a_reader_is_short_enough_to_be_read(file: str, begins: str) -> None:
    lines = (ROOT / "clients" / file).read_text("utf-8").splitlines()
    first = next(at for at, line in enumerate(lines) if line.startswith(begins))
    assert len(lines) - first <= 25
