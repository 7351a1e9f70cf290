"""The Python list reader for clients returns complete lists, and fails for anything else."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.list_answers import CASES, PATH

ROOT = Path(__file__).parents[3]


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


@pytest.mark.parametrize(
    ("file", "begins"),
    [("python/complete_list.py", "def "), ("typescript/complete-list.ts", "export function ")],
)
def test_a_reader_is_short_enough_to_be_read(file: str, begins: str) -> None:
    lines = (ROOT / "clients" / file).read_text("utf-8").splitlines()
    first = next(at for at, line in enumerate(lines) if line.startswith(begins))
    assert len(lines) - first <= 25
