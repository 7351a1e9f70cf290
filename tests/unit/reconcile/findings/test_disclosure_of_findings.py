"""What findings must not tell: adoptions, replaced births, wills, where the protected live.

Over generated people, from extracts to files. Covers ``reconcile.findings.findings_files``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors.synthetic.options import TODAY
from reconcile.engines.choice import open_engine
from reconcile.findings.findings_files import FindingsFiles
from reconcile.findings.hashes import KeyedHashes
from reconcile.findings.parquet_files import open_file
from reconcile.layout import RunFolder
from reconcile.settings import ReconcileSettings
from tests.support.rule_people import Tables
from tests.support.run_extracts import STATEMENTS, generated_tables, write_extracts

PEOPLE = 400
KEY = b"k" * 32
HASHES = KeyedHashes(b"h" * 32)
#: Rows by which a column says what is secret.
SECRET_ROWS = (
    (("civil_status", "births"), "status", {"SUPERSEDED"}),
    (("civil_status", "court_notes"), "event_type", {"ADOPTION", "ADOPTION_TERMINATION"}),
    (("notary", "transactions"), "kind", {"WILL"}),
)


def run(path: Path, tables: Tables, buckets: int = 1) -> RunFolder:
    """Write the findings about generated people, with their numbers."""
    folder = RunFolder(path)
    engine = open_engine(ReconcileSettings(buckets=buckets, memory=400_000_000))
    engine.prepare(folder, write_extracts(folder, tables), STATEMENTS)
    files = FindingsFiles(folder, STATEMENTS, HASHES, KEY)
    for unit in engine.units():
        files.write_unit(unit, engine.findings(unit))
    files.join(engine.units())
    engine.close()
    return folder


def rows_of(folder: RunFolder) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    with open_file(folder.findings) as findings, open_file(folder.numbers, KEY) as numbers:
        return findings.read().to_pylist(), numbers.read().to_pylist()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return run(tmp_path_factory.mktemp("whole"), generated_tables(PEOPLE), buckets=2)


def test_without_adoptions_replaced_births_and_wills_the_findings_are_the_same(
    whole: RunFolder, tmp_path: Path
) -> None:
    tables: dict[tuple[str, str], Any] = dict(generated_tables(PEOPLE))
    hidden = 0
    for key, column, values in SECRET_ROWS:
        rows = [row for row in tables[key] if row.get(column) not in values]
        hidden += len(tables[key]) - len(rows)
        tables[key] = rows
    hidden += len(tables.pop(("civil_status", "adoptions"), ()))
    hidden += len(tables.pop(("notary", "wills"), ()))
    assert hidden
    assert rows_of(run(tmp_path, tables)) == rows_of(whole)


def test_the_protected_have_findings_and_no_place_in_any_file(
    whole: RunFolder, tmp_path: Path
) -> None:
    findings, numbers = rows_of(whole)
    by_finding = {row["finding"]: row for row in findings}
    chosen = next(row for row in numbers if by_finding[row["finding"]]["former_province"])
    number, person = chosen["number"], HASHES.person(chosen["number"])
    order = {
        "order_no": "1/2026/QĐ-BVNO",
        "citizen_id": number,
        "true_address_as_recorded": "Nơi ở bí mật",
        "true_address_province_code": "04",
        "valid_from": TODAY,
    }
    key = "population", "protection_orders"
    tables = generated_tables(PEOPLE)
    protected = run(tmp_path, {**tables, key: [*tables.get(key, ()), order]})
    without_places = [
        {**row, "province": None, "former_province": None} if row["person"] == person else row
        for row in findings
    ]
    assert rows_of(protected) == (without_places, numbers)


def test_no_file_of_findings_holds_a_number_an_identity_or_a_name(whole: RunFolder) -> None:
    tables = generated_tables(PEOPLE)
    names = {str(row["full_name"]) for row in tables["population", "identity"]}
    secrets = {str(row["citizen_id"]) for row in tables["population", "identity"]} | names
    secrets |= {str(row["event_id"]) for row in tables["civil_status", "births"]}
    files = [whole.findings, whole.numbers, *whole.cases.iterdir()]
    assert len(files) == 6
    for file in files:
        content = file.read_bytes()
        assert not [text for text in secrets if text.encode() in content], file
    shown = pq.read_table(whole.findings).to_pylist()
    assert not secrets & {str(value) for row in shown for value in _values(row)}


def _values(value: object) -> list[object]:
    if isinstance(value, Mapping):
        return [leaf for item in value.values() for leaf in _values(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in _values(item)]
    return [value]
