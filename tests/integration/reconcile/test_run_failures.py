"""What fails under a run on a real machine: the disk, and a server. It stops, and is resumed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.registry import installed_databases
from connectors.synthetic import PopulationOptions
from connectors.synthetic.loading import load
from tests.support.loaded import PASSWORD, Site, site
from tests.support.national_runs import RunSite, run_site
from tests.support.server_processes import ServerProcess, postgresql_process
from tests.support.servers import Server
from tests.support.small_disk import small_disk

OPTIONS = PopulationOptions(people=200, contradiction_rate=0.4)
SETTINGS = "buckets = 3\nthreads = 1\n"
DAY = ("--day", "2026-11-23")


@pytest.mark.long
def test_a_full_disk_stops_a_run_that_goes_on_when_there_is_room(tmp_path: Path) -> None:
    local = run_site(tmp_path / "site", OPTIONS, SETTINGS)
    with small_disk(tmp_path / "disk", 8 * 2**20) as disk:
        folder = ("--folder", str(disk / "reconcile"))
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(7 * 2**20 + 700_000))
        result = local.invoke("run", *DAY, *folder)
        assert result.exit_code == 4, result.output
        assert "the disk is full" in result.stderr
        assert "resume` goes on where it was" in result.stderr
        ballast.unlink()
        result = local.invoke("resume", *folder)
        assert result.exit_code == 0, result.output


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    process = postgresql_process(tmp_path_factory.mktemp("server") / "postgresql")
    process.start()
    yield process
    process.kill()


@pytest.fixture(scope="module")
def loaded(server: ServerProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Load civil status into the server."""
    administrator = Server("postgresql", server.port, "postgres", "postgres")
    with site(administrator, ["civil_status"]) as loaded_site:
        targets = loaded_site.targets(installed_databases())
        truth = tmp_path_factory.mktemp("truth") / "truth.jsonl"
        asyncio.run(load(targets, OPTIONS, truth, processes=1))
        yield loaded_site


@pytest.fixture
def mixed(loaded: Site, tmp_path: Path) -> RunSite:
    """Return databases of which civil status is on the server, and is read slowly."""
    url = f'url = "{loaded.url("civil_status")}"\npassword = "{PASSWORD}"'
    slow = "[sources.civil_status]\nrows_per_second = 40\npart_rows = 20\n"
    return run_site(tmp_path / "site", OPTIONS, SETTINGS + slow, {"civil_status": url})


@pytest.mark.long
def test_a_server_that_goes_away_stops_a_run_that_goes_on_when_it_is_back(
    mixed: RunSite, server: ServerProcess
) -> None:
    with mixed.start("run", *DAY, "--every", "0") as process:
        assert process.stderr is not None
        while "civil_status.births" not in process.stderr.readline():
            pass
        server.kill()
        rest = process.stderr.read()
        assert process.wait() == 4, rest
    try:
        assert "stopped: civil_status.births: " in rest
        assert PASSWORD not in rest
        births = mixed.manifest.extracts["civil_status.births"]
        assert births.parts
        assert not births.complete
        still = mixed.invoke("resume")
        assert still.exit_code == 4
        assert mixed.manifest.extracts["civil_status.births"] == births
    finally:
        server.start()
    (mixed.path / "reconcile.toml").write_text(f'folder = "reconcile"\n{SETTINGS}')
    result = mixed.invoke("resume")
    assert result.exit_code == 0, result.output
    assert [entry["event"] for entry in mixed.entries()] == [
        *("begins", "fails", "resumes", "fails", "resumes", "ends")
    ]
    findings = mixed.run.findings.read_bytes()
    assert mixed.invoke("run", *DAY).exit_code == 0
    assert mixed.run.findings.read_bytes() == findings
