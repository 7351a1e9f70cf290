"""The command that links the records of a run.

Covers ``reconcile.linkage.command`` and ``reconcile.linkage.exclusions``.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from connectors.backends.record_maps import RecordMap
from connectors.backends.server import ServerOptions
from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.description import Database
from connectors.population import DATABASE as POPULATION
from connectors.synthetic import PopulationOptions, write
from reconcile.cli.commands import reconcile_command
from reconcile.cli.exit_status import ExitStatus
from reconcile.findings.hashes import KeyedHashes
from reconcile.findings.key_files import open_hash_key
from reconcile.host import DatabaseAccess
from reconcile.layout import ReconcileFolder
from reconcile.linkage.exclusions import read_exclusions
from reconcile.linkage.model import load_model
from reconcile.linkage.needs import linkage_needs
from reconcile.manifest import ExtractProgress, Manifest, write_manifest
from reconcile.settings import ReconcileSettings
from tests.support.linkage_people import LinkagePeople, write_people

OPTIONS = PopulationOptions(people=1_300, unnumbered_rate=0.6)
RUN = "20261130T010000Z-abcd"
EXTRACTS = {
    f"{database}.{record}": ExtractProgress(complete=True) for database, record in linkage_needs()
}
MANIFEST = Manifest(
    RUN, "2026-11-30T01:00:00Z", "2026-11-30", "0", ("population", "civil_status"), "duckdb",
    extracts=EXTRACTS,
)  # fmt: skip


@dataclass(frozen=True)
class _Access:
    database: Database
    url: str | None
    behind_xroad: bool = False
    server: ServerOptions = field(default_factory=ServerOptions)
    maps: Mapping[str, RecordMap] = field(default_factory=dict)
    zone: str | None = None


@dataclass
class _Host:
    """Databases in files of ``folder``, or none; a journal in memory."""

    folder: Path | None
    entries: list[Mapping[str, object]] = field(default_factory=list)

    def databases(self, config: Path | None) -> Sequence[DatabaseAccess]:
        assert self.entries, "the journal comes first"
        return [_Access(database, self._url(database)) for database in (POPULATION, CIVIL_STATUS)]

    def _url(self, database: Database) -> str | None:
        return None if self.folder is None else f"sqlite:///{self.folder / database.name}.sqlite"

    def record(self, config: Path | None, folder: Path, entry: Mapping[str, object]) -> None:
        self.entries.append(entry)


@dataclass(frozen=True, slots=True)
class _Site:
    folder: ReconcileFolder
    sources: Path
    people: LinkagePeople

    def call(self, host: _Host, *arguments: str) -> Result:
        options = ["--folder", str(self.folder.path), "--reason", "a test"]
        return CliRunner().invoke(reconcile_command(host), ["link", *options, *arguments])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> _Site:
    """A run with extracts, and the databases that it read."""
    path = tmp_path_factory.mktemp("site")
    folder = ReconcileFolder(path / "runs-folder")
    people = write_people(folder.run(RUN), OPTIONS)
    write_manifest(folder.run(RUN).manifest, MANIFEST)
    paths = {name: path / f"{name}.sqlite" for name in ("population", "civil_status")}
    write((POPULATION, CIVIL_STATUS), paths, replace(OPTIONS, people=people.people))
    return _Site(folder, path, people)


def test_a_run_is_linked_and_the_journal_says_so_first(site: _Site, tmp_path: Path) -> None:
    host, page = _Host(site.sources), tmp_path / "list.html"
    result = site.call(host, "--page", str(page), "--records", "5", "--with-numbers")
    assert result.exit_code == ExitStatus.DONE, result.output
    assert "births: " in result.output
    (entry,) = host.entries
    assert (entry["command"], entry["run"], entry["reason"]) == ("reconcile link", RUN, "a test")
    assert entry["withNumbers"] is True
    run = site.folder.run(RUN)
    rows = pq.read_table(run.proposals).to_pylist()
    hashes = KeyedHashes(open_hash_key(site.folder.hash_key))
    truth = {(i.record_id, hashes.person(i.person_id)) for i in site.people.records}
    known = {hashes.row("civil_status", i.record, i.record_id): i for i in site.people.records}
    right = sum((known[r["record_row"]].record_id, r["person"]) in truth for r in rows)
    assert right > 0.8 * len({(r["record_row"], r["role"]) for r in rows})
    protected = {hashes.person(number) for number in site.people.exclusions.protected}
    assert protected
    assert not protected & {row["person"] for row in rows}
    assert page.stat().st_mode & 0o777 == 0o600
    assert not list(run.prepared.rglob("*.duckdb"))
    assert not run.findings.exists()


def test_exclusions_are_those_of_the_sources(site: _Site) -> None:
    host = _Host(site.sources, [{}])
    exclusions = read_exclusions(host.databases(None), ReconcileSettings())
    assert exclusions == site.people.exclusions
    assert exclusions.protected
    assert exclusions.adopted


def test_nothing_is_linked_where_it_is_unknown_who_is_protected(site: _Site) -> None:
    before = site.folder.run(RUN).proposals
    before.unlink(missing_ok=True)
    result = site.call(_Host(None))
    assert result.exit_code == ExitStatus.USAGE
    assert "nothing is linked: settings name no URL of population" in result.output
    assert not before.exists()


def test_a_run_without_its_extracts_or_without_a_name_is_refused(
    site: _Site, tmp_path: Path
) -> None:
    folder = ReconcileFolder(tmp_path)
    bare = replace(site, folder=folder)
    assert "has no run" in bare.call(_Host(site.sources)).output
    run = folder.run(RUN)
    run.path.mkdir(parents=True)
    failed = {**EXTRACTS, "population.identity": ExtractProgress(failure="no answer")}
    write_manifest(run.manifest, replace(MANIFEST, extracts=failed))
    host = _Host(site.sources)
    result = bare.call(host)
    assert result.exit_code == ExitStatus.USAGE
    assert "not extracted to the end: population.identity" in result.output
    assert not host.entries
    write_manifest(run.manifest, MANIFEST)  # the extracts were removed when the run had finished
    assert "population.identity" in bare.call(host).output
    shutil.rmtree(run.path)


def test_numbers_need_a_page(site: _Site) -> None:
    assert site.call(_Host(None), "--with-numbers").exit_code == ExitStatus.USAGE


def test_a_model_is_taken_from_a_file(site: _Site, tmp_path: Path) -> None:
    file = tmp_path / "model.json"
    file.write_text("{}", "utf-8")
    assert load_model().learned
    result = site.call(_Host(site.sources), "--model", str(file))
    assert result.exit_code == ExitStatus.USAGE
    assert "it is no model of version 1" in result.output
