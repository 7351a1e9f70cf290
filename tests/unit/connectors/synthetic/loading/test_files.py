"""Files are complete when they appear, and hold the rows of the stream.

Covers ``connectors.synthetic.personas``.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from connectors.administrative_violations import DATABASE as VIOLATIONS
from connectors.civil_enforcement import DATABASE as ENFORCEMENT
from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.codec import decode, encode_text
from connectors.legal_aid import DATABASE as LEGAL_AID
from connectors.notary import DATABASE as NOTARY
from connectors.population import DATABASE as POPULATION
from connectors.security_measures import DATABASE as SECURITY_MEASURES
from connectors.synthetic import PopulationOptions, Summary, clusters, personas, write

OPTIONS = PopulationOptions(people=300)
SOURCES = (
    POPULATION,
    CIVIL_STATUS,
    SECURITY_MEASURES,
    LEGAL_AID,
    ENFORCEMENT,
    VIOLATIONS,
    NOTARY,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("synthetic")


@pytest.fixture(scope="module")
def paths(folder: Path) -> dict[str, Path]:
    return {source.name: folder / "deep" / f"{source.name}.sqlite" for source in SOURCES}


@pytest.fixture(scope="module")
def summary(folder: Path, paths: dict[str, Path]) -> Summary:
    return write(SOURCES, paths, OPTIONS, folder / "truth.jsonl")


def test_every_row_of_the_stream_is_in_the_files(summary: Summary, paths: dict[str, Path]) -> None:
    expected: dict[tuple[str, str], set[tuple[object, ...]]] = {}
    by_name = {database_source.name: database_source for database_source in SOURCES}
    for cluster in clusters(OPTIONS):
        for (database, name), rows in cluster.rows.items():
            record = by_name[database].by_name[name]
            stored_rows = expected.setdefault((database, name), set())
            for row in rows:
                stored_rows.add(tuple(encode_text(row.get(c.name)) for c in record.columns))
    for source in SOURCES:
        with closing(sqlite3.connect(paths[source.name])) as connection:
            for record in source.records:
                columns = ", ".join(f'"{c.name}"' for c in record.columns)
                rows = connection.execute(f"SELECT {columns} FROM {record.table}").fetchall()
                key = source.name, record.name
                assert len(rows) == summary.rows[key]
                assert {decode(record, row) for row in rows} == {
                    decode(record, row) for row in expected.get(key, set())
                }


def test_the_source_states_how_fresh_it_is_and_keys_are_indexed(
    summary: Summary, paths: dict[str, Path]
) -> None:
    for source in SOURCES:
        with closing(sqlite3.connect(paths[source.name])) as connection:
            as_of = connection.execute("SELECT as_of FROM source_statement").fetchall()
            assert as_of == [("2026-11-22T22:00:00+00:00",)]
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            indexes = connection.execute("SELECT name FROM sqlite_master WHERE type='index'")
            assert len(indexes.fetchall()) >= len(source.records)


def test_the_truth_is_one_json_line_per_person(summary: Summary, folder: Path) -> None:
    lines = (folder / "truth.jsonl").read_text(encoding="utf-8").splitlines()
    truth = [person for cluster in clusters(OPTIONS) for person in cluster.truth]
    assert len(lines) == summary.people == len(truth)
    for line, person in zip(lines, truth, strict=True):
        read = json.loads(line)
        assert read["id"] == person.id
        assert read["birth_date"] == person.birth_date.isoformat()
        assert [spell["spouse_id"] for spell in read["marital_history"]] == [
            spell.spouse_id for spell in person.marital_history
        ]
        assert [conflict["what"] for conflict in read["conflicts"]] == [
            c.what for c in person.conflicts
        ]


def test_a_file_is_replaced_whole_and_readers_keep_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "population.sqlite"
    write([POPULATION], {"population": path}, PopulationOptions(people=60))
    with closing(sqlite3.connect(path)) as reader:
        before = reader.execute("SELECT count(*) FROM identity").fetchone()
        write([POPULATION], {"population": path}, PopulationOptions(people=200))
        assert reader.execute("SELECT count(*) FROM identity").fetchone() == before
    with closing(sqlite3.connect(path)) as reader:
        assert reader.execute("SELECT count(*) FROM identity").fetchone() > before


def test_what_fails_half_way_leaves_the_old_files_and_nothing_else(tmp_path: Path) -> None:
    paths = {name: tmp_path / f"{name}.sqlite" for name in ("population", "civil_status")}
    for path in paths.values():
        path.write_bytes(b"old")

    def stop(people: int) -> None:
        if people > 100:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(
            [POPULATION, CIVIL_STATUS],
            paths,
            PopulationOptions(people=300),
            tmp_path / "truth.jsonl",
            progress=stop,
        )
    assert sorted(tmp_path.iterdir()) == sorted(paths.values())
    assert all(path.read_bytes() == b"old" for path in paths.values())


def test_progress_counts_the_people(tmp_path: Path) -> None:
    counts: list[int] = []
    summary = write(
        [POPULATION],
        {"population": tmp_path / "p.sqlite"},
        PopulationOptions(people=150),
        None,
        counts.append,
    )
    assert counts == sorted(counts)
    assert counts[-1] == summary.people
    assert summary.rows_per_second > 0


def test_databases_without_a_path_are_left_out(tmp_path: Path) -> None:
    summary = write(
        [POPULATION, CIVIL_STATUS],
        {"population": tmp_path / "p.sqlite"},
        PopulationOptions(people=60),
    )
    assert {database for database, _ in summary.rows} == {"population"}


def test_the_demo_has_a_face_for_every_tag() -> None:
    truth = {p.id: p for c in clusters(PopulationOptions(people=2_000)) for p in c.truth}
    cast = personas(truth.values())
    assert 20 <= len(cast) <= 40
    assert len({str(persona["id"]) for persona in cast}) == len(cast)
    first = truth[str(cast[0]["id"])]
    assert (first.life_state, first.marital_status) == ("ALIVE", "MARRIED")
    assert len(first.children) >= 2
    adults: set[str] = set()
    tags: set[str] = set()
    for persona in cast:
        person = truth[str(persona["id"])]
        assert persona["tags"] == list(person.tags)
        assert str(persona["story"]).count(" / ") == 1
        tags.update(person.tags)
        if person.life_state == "ALIVE" and person.birth_date.year <= 2008:
            adults.update(person.tags)
    anybody = {"deceased", "minor"}
    everybody = {
        "married",
        "divorced",
        "widowed",
        "adopted",
        "old_number",
        "conflicting_data",
        "bereaved",
        "legal_aid",
        "fined",
        "fined_expired",
        "protected",
    }
    assert tags >= anybody | everybody
    assert adults >= everybody
