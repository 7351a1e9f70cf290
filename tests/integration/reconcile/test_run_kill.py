"""A run that is killed at random moments and resumed loses and doubles nothing.

Covers ``reconcile.stages.*``.
"""

from __future__ import annotations

import os
import random
import secrets
import signal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe
import pytest

from connectors.synthetic import PopulationOptions
from tests.support.national_runs import RunSite, run_site

#: ``RECONCILE_KILLS`` and ``RECONCILE_PEOPLE``: of a longer test.
KILLS = int(os.environ.get("RECONCILE_KILLS", "5"))
PEOPLE = int(os.environ.get("RECONCILE_PEOPLE", "400"))
SETTINGS = "buckets = 6\nthreads = 1\n[source]\npart_rows = 150\n"
DAY = ("--day", "2026-11-23", "--every", "0")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> RunSite:
    options = PopulationOptions(people=PEOPLE, contradiction_rate=0.4, disagreement_rate=0.05)
    site = run_site(tmp_path_factory.mktemp("site"), options, SETTINGS)
    key = site.path / "numbers.key"
    key.write_bytes(bytes(range(32)))
    key.chmod(0o600)
    return site


def _numbers(site: RunSite, file: Path) -> pa.Table:
    properties = pe.create_decryption_properties((site.path / "numbers.key").read_bytes())
    return pq.read_table(file, decryption_properties=properties)


def _kill_at(site: RunSite, command: str, options: tuple[str, ...], moment: int | str) -> bool:
    """Kill a run at a line of its progress, by number or beginning; returns whether it was."""
    with site.start(command, *options) as process:
        assert process.stderr is not None
        for number, line in enumerate(process.stderr, 1):
            if number == moment or (isinstance(moment, str) and line.startswith(moment)):
                process.send_signal(signal.SIGKILL)
        return process.wait() == -signal.SIGKILL


@pytest.mark.long
def test_killed_at_random_moments_it_finds_the_same(
    site: RunSite, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = ("--with-numbers", str(site.path / "numbers.key"))
    with site.start("run", *DAY, *numbers) as process:
        assert process.stderr is not None
        lines = len(list(process.stderr))
        assert process.wait() == 0
    undisturbed, progress = site.run, site.manifest
    assert progress.units
    assert sum(progress.units.values()) > 50
    assert not (undisturbed.path / "extract").exists()

    seed = int(os.environ.get("RECONCILE_SEED", secrets.randbelow(2**32)))
    with capsys.disabled():
        print(f"RECONCILE_SEED={seed}")
    draw = random.Random(seed)
    moments = [draw.randint(1, lines // KILLS) for _ in range(KILLS - 1)]
    assert _kill_at(site, "run", (*DAY, *numbers), moments[0])
    assert len(site.folder.runs()) == 2
    later: list[int | str] = [*moments[1:], "results: begins"]
    for moment in later:
        assert _kill_at(site, "resume", ("--every", "0"), moment)
        assert site.manifest.finished is None
    result = site.call("resume")
    assert result.returncode == 0, result.stderr

    killed, manifest = site.run, site.manifest
    assert killed.path != undisturbed.path
    assert {name: each.rows for name, each in manifest.extracts.items()} == {
        name: each.rows for name, each in progress.extracts.items()
    }
    assert manifest.units == progress.units
    assert killed.findings.read_bytes() == undisturbed.findings.read_bytes()
    assert _numbers(site, killed.numbers).equals(_numbers(site, undisturbed.numbers))
    assert sorted(path.name for path in killed.path.iterdir()) == sorted(
        path.name for path in undisturbed.path.iterdir()
    )
    events = [entry["event"] for entry in site.entries()]
    # A kill may come before the entry of a beginning, when nothing was read, and between that of
    # the end and the manifest, which makes a second end.
    assert events[:2] == ["begins", "ends"]
    assert events[2:].count("begins") <= 1
    assert 1 <= events[2:].count("resumes") <= KILLS
    assert set(events[2:]) <= {"begins", "resumes", "ends"}
    assert events[-1] == "ends"
