"""Findings of national runs are no register: synthetic people are not in them."""

from __future__ import annotations

from pathlib import Path

from connectors.population import DATABASE as POPULATION
from connectors.reconciliation import DATABASE as RECONCILIATION
from connectors.synthetic import PopulationOptions, write
from connectors.synthetic.synthetic_databases import is_synthetic


def test_no_file_says_that_a_run_found_nothing(tmp_path: Path) -> None:
    paths = {each.name: tmp_path / f"{each.name}.sqlite" for each in (POPULATION, RECONCILIATION)}
    write((POPULATION, RECONCILIATION), paths, PopulationOptions(people=3))
    assert [path.exists() for path in paths.values()] == [True, False]
    assert is_synthetic(POPULATION)
    assert not is_synthetic(RECONCILIATION)
