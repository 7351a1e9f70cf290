"""Extracts of the synthetic population are what the tests of rules feed to their statements."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from connectors.codec import encode_text
from connectors.synthetic import PopulationOptions, clusters
from connectors.synthetic.loading import write
from reconcile.needs import run_needs
from rules.registry import RULES
from tests.support.extracts import Access, TextRow, extract, extracted_rows
from tests.support.rule_people import DATABASES

_OPTIONS = PopulationOptions(120, contradiction_rate=0.2, unnumbered_rate=0.1)


def test_extracts_are_the_rows_of_the_population(tmp_path: Path) -> None:
    databases = tuple(DATABASES.values())
    paths = {database.name: tmp_path / f"{database.name}.sqlite" for database in databases}
    write(databases, paths, _OPTIONS)
    rows: dict[tuple[str, str], list[dict[str, object]]] = defaultdict(list)
    for cluster in clusters(_OPTIONS):
        for key, of_cluster in cluster.rows.items():
            rows[key] += map(dict, of_cluster)
    needs = run_needs(databases, RULES)
    assert sum(len(rows[key]) for key in needs) > 500
    for (name, record), columns in needs.items():
        folder = tmp_path / f"{name}.{record}"
        access = Access(DATABASES[name], f"sqlite:///{paths[name]}")
        (*_, last) = extract(access, record, columns, folder, 50)
        expected = [_stored(row, columns) for row in rows[name, record]]
        assert sorted(extracted_rows(folder), key=repr) == sorted(expected, key=repr)
        assert (last.complete, last.unreadable) == (True, {})


def _stored(row: dict[str, object], columns: tuple[str, ...]) -> TextRow:
    values = (row.get(name) for name in columns)
    return tuple(None if value is None else str(encode_text(value)) for value in values)
