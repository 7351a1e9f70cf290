"""The way of a run, by its command: what it finds, records, leaves, and how it ends.

Covers ``reconcile.run``, ``reconcile.national_run``, ``reconcile.run_needs``,
``reconcile.cli.run``, ``reconcile.cli.resume``, ``reconcile.cli.running``.
"""

from __future__ import annotations

import signal
import stat
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from connectors.synthetic import PopulationOptions, clusters
from connectors.synthetic.options import TODAY
from gateway.cli.audit import audit_app
from reconcile.findings.hashes import KeyedHashes
from reconcile.manifest import write_manifest
from reconcile.sources.pace import VIETNAM
from rules.registry import NUMBER_RULES, RULES
from rules.row_program import RowProgram
from tests.support.national_runs import RunSite, run_site
from tests.support.rule_people import findings_of

OPTIONS = PopulationOptions(people=300, contradiction_rate=0.4, disagreement_rate=0.05)
SETTINGS = "buckets = 3\nthreads = 1\n[source]\npart_rows = 200\n"
#: Of runs about whose buckets nothing is said: the statements of each are planned again.
ONE_BUCKET = SETTINGS.replace("buckets = 3", "buckets = 1")
DAY = ("--day", TODAY.isoformat())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> RunSite:
    """Return databases over which one run was done."""
    site = run_site(tmp_path_factory.mktemp("site"), OPTIONS, SETTINGS)
    result = site.invoke("run", *DAY, "--operator", "An", "--case-number", "12/QĐ-BTP")
    assert result.exit_code == 0, result.output
    assert "is finished" in result.stdout
    return site


@pytest.fixture
def fresh(site: RunSite, tmp_path: Path) -> RunSite:
    """Return the same databases with a folder of their own, for runs in one bucket."""
    for file in (*site.path.glob("*.sqlite"), site.config, site.path / "reconcile.toml"):
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / "keys").symlink_to(site.path / "keys")
    other = RunSite(tmp_path)
    text = site.config.read_text()
    for name in ("gateway.toml", "reconcile.toml"):
        (tmp_path / name).unlink()
    other.config.write_text(text)
    (tmp_path / "reconcile.toml").write_text(f'folder = "reconcile"\n{ONE_BUCKET}')
    return other


def test_findings_are_those_of_each_single_person(site: RunSite) -> None:
    """The bulk execution and the one that serves ``Person.conflicts`` agree, by hashes."""
    tables: dict[tuple[str, str], list[Mapping[str, object]]] = defaultdict(list)
    for cluster in clusters(OPTIONS):
        for key, rows in cluster.rows.items():
            tables[key] += rows
    hashes = KeyedHashes(site.folder.hash_key.read_bytes())
    expected = set()
    for number, finding in findings_of(RowProgram(RULES), tables, TODAY):
        sides = [
            (side.row.record.database, side.row.record.name, identity)
            for side, identity in zip(finding.case.sides, finding.record_ids(), strict=True)
        ]
        place = finding.rule.cases.index(finding.case)
        expected.add(
            (
                hashes.finding(finding.rule.name, place, number, sides),
                hashes.person(number),
                finding.rule.name,
                place,
                tuple(hashes.row(*side) for side in sides),
            )
        )
    found = [
        (
            row["finding"],
            row["person"],
            row["rule"],
            row["case"],
            tuple(side["row"] for side in row["sides"]),
        )
        for row in pq.read_table(site.run.findings).to_pylist()
        if row["rule"] not in {rule.name for rule in NUMBER_RULES}  # they are about nobody
    ]
    assert len(found) == len(set(found)) > 50
    assert set(found) == expected


def test_a_finished_run_leaves_no_extract_and_nobodys_number(site: RunSite) -> None:
    assert sorted(path.name for path in site.run.path.iterdir()) == [
        "counts.parquet",
        "findings.parquet",
        "report.html",
        "run.json",
        "summary.json",
    ]
    engine = sa.create_engine(f"sqlite:///{site.path / 'population.sqlite'}")
    with engine.connect() as connection:
        numbers = connection.exec_driver_sql("SELECT citizen_id FROM identity").scalars().all()
    engine.dispose()
    assert len(numbers) > 300
    for file in site.folder.path.rglob("*"):
        content = file.read_bytes() if file.is_file() else b""
        assert not [number for number in numbers if str(number).encode() in content], file


def test_all_files_are_their_owners_only(site: RunSite) -> None:
    modes = {
        file: stat.S_IMODE(file.stat().st_mode)
        for file in (site.folder.path, *site.folder.path.rglob("*"))
    }
    assert not [file for file, mode in modes.items() if mode & 0o077]


def test_the_journal_says_who_and_why_and_is_verified(site: RunSite) -> None:
    begins, ends = site.entries()
    assert (begins["event"], begins["people"], begins["rows"]) == ("begins", None, None)
    assert (ends["event"], ends["reason"]) == ("ends", "a test")
    assert (ends["operator"], ends["caseNumber"]) == ("An", "12/QĐ-BTP")
    assert ends["people"] == site.manifest.extracts["population.identity"].rows
    assert ends["rows"] == sum(each.rows for each in site.manifest.extracts.values())
    folder = ("--folder", str(site.folder.audit))
    result = CliRunner().invoke(audit_app, ["verify", "--config", str(site.config), *folder])
    assert result.exit_code == 0, result.output


def test_what_was_not_chosen_is_said_and_is_no_success(fresh: RunSite) -> None:
    chosen = ("--database", "population", "--database", "civil_status")
    result = fresh.invoke("run", *DAY, *chosen)
    assert result.exit_code == 3
    assert "not checked wholly: notary: the database was not chosen" in result.stdout
    assert "not checked for anybody (a record was not read)" in result.stdout
    assert fresh.manifest.databases == ("civil_status", "population")
    assert not [name for name in fresh.manifest.extracts if name.startswith("notary.")]


def test_a_database_without_a_url_is_not_read_and_said(fresh: RunSite) -> None:
    text = fresh.config.read_text()
    fresh.config.write_text(text.replace('url = "sqlite:///notary.sqlite"', ""))
    result = fresh.invoke("run", *DAY)
    assert result.exit_code == 3
    assert "settings name no URL of notary" in result.stdout
    assert fresh.manifest.extracts["notary.transactions"].failure is not None


def test_a_dry_run_writes_nothing(fresh: RunSite) -> None:
    result = fresh.invoke("run", "--dry-run")
    assert result.exit_code == 0, result.output
    assert "population.identity: 3" in result.stdout
    assert "together: " in result.stdout
    assert not fresh.folder.path.exists()
    result = fresh.invoke("run", "--dry-run", "--database", "population")
    assert result.exit_code == 3
    assert "civil_status.births: would not be read: the database was not chosen" in result.stdout
    assert not fresh.folder.path.exists()


def test_without_a_journal_there_is_no_run(fresh: RunSite) -> None:
    fresh.folder.path.mkdir(mode=0o700)
    fresh.folder.audit.write_text("a file in place of the folder")
    result = fresh.invoke("run", *DAY)
    assert result.exit_code == 4
    assert "nothing was read: " in result.stderr
    assert fresh.folder.runs() == []
    assert list((fresh.folder.path / "runs").iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--database", "prisons"), "nobody declares prisons"),
        (("--database", "notary"), "population must be chosen"),
        (("--with-numbers", "nowhere.key"), "nowhere.key"),
        (("--engine", "oracle"), "oracle"),
        (("--day", "yesterday"), "yesterday"),
        (("--reason", ""), "reason"),
    ],
)
def test_wrong_options_are_refused_before_there_is_a_run(
    fresh: RunSite, options: tuple[str, ...], message: str
) -> None:
    result = fresh.invoke("run", *options)
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert fresh.folder.runs() == []


def test_there_is_nothing_to_resume(fresh: RunSite) -> None:
    result = fresh.invoke("resume")
    assert (result.exit_code, "is unfinished" in result.stderr) == (2, True)


@pytest.mark.long
def test_a_signal_stops_a_run_and_a_second_process_is_kept_out(fresh: RunSite) -> None:
    """A rate keeps the run from its end until the signal has come."""
    slow = fresh.path / "reconcile.toml"
    slow.write_text(slow.read_text() + "rows_per_second = 100\n")
    with fresh.start("run", *DAY, "--every", "0") as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("run ")
        while "population." not in process.stderr.readline():
            pass
        second = fresh.invoke("run", *DAY)
        assert second.exit_code == 5
        assert f"process {process.pid} runs in {fresh.folder.path} since" in second.stderr
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()
        assert process.wait() == 4
    assert "stopped: it was stopped by SIGTERM" in rest
    assert "`justice-gateway reconcile resume` goes on where it was" in rest
    assert fresh.manifest.finished is None
    slow.write_text(f'folder = "reconcile"\n{ONE_BUCKET}')
    result = fresh.invoke("run", *DAY, "--or-resume")
    assert result.exit_code == 0, result.output
    assert len(fresh.folder.runs()) == 1
    assert [entry["event"] for entry in fresh.entries()] == ["begins", "stops", "resumes", "ends"]


def _stopped(fresh: RunSite) -> None:
    """Stop a run after its first part."""
    database = fresh.path / "civil_status.sqlite"
    database.unlink()
    database.write_text("no database")
    result = fresh.invoke("run", *DAY)
    assert result.exit_code == 4, result.output


def test_a_run_with_a_file_of_another_version_is_refused(fresh: RunSite) -> None:
    _stopped(fresh)
    part = next(fresh.run.path.glob("extract/population.*/part-00000.parquet"))
    name = part.parent.name
    progress = fresh.manifest.extracts[name]
    assert progress.complete
    last = fresh.run.extract(*name.split(".")) / f"part-{progress.parts - 1:05d}.parquet"
    pq.write_table(pq.read_table(last).replace_schema_metadata({}), last)
    unfinished = replace(progress, complete=False)
    write_manifest(fresh.run.manifest, fresh.manifest.with_extract(name, unfinished))
    result = fresh.invoke("resume")
    assert result.exit_code == 2, result.output
    assert "it has no version, this program reads version 1" in result.stderr


def test_a_run_under_other_rules_is_refused(fresh: RunSite) -> None:
    _stopped(fresh)
    text = fresh.run.manifest.read_text()
    fresh.run.manifest.write_text(text.replace(fresh.manifest.rules, "0" * 64))
    result = fresh.invoke("resume")
    assert result.exit_code == 2
    assert "the rules were changed since" in result.stderr
    assert "reconcile discard" in result.stderr


def test_a_source_that_fails_is_left_out_where_the_run_goes_on(fresh: RunSite) -> None:
    database = fresh.path / "civil_status.sqlite"
    database.unlink()
    database.write_text("no database")
    result = fresh.invoke("run", *DAY, "--on-failure", "continue")
    assert result.exit_code == 3, result.output
    assert "not checked wholly: civil_status.births: " in result.stdout
    assert fresh.manifest.finished is not None


def test_a_row_that_cannot_be_read_stops_a_run_or_is_left_out_and_said(fresh: RunSite) -> None:
    file = fresh.path / "population.sqlite"
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(content)
    engine = sa.create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE identity SET birth_date = '1990-13-77' WHERE rowid = "
            "(SELECT min(rowid) FROM identity)"
        )
    engine.dispose()
    stopped = fresh.invoke("run", *DAY)
    assert stopped.exit_code == 4
    assert "population.identity: birth_date of row " in stopped.stderr
    assert "1990-13-77" not in stopped.output
    again = fresh.invoke("resume")
    assert again.exit_code == 4
    result = fresh.invoke("resume", "--on-failure", "continue")
    assert result.exit_code == 3, result.output
    assert (
        "not checked wholly: population.identity: values of birth_date cannot be read"
    ) in result.stdout
    assert "rule BIRTH_DATE: " in result.stdout
    assert "not checked for everybody (rows cannot be read)" in result.stdout
    assert fresh.manifest.options["on_failure"] == "continue"


@pytest.mark.long
def test_a_run_waits_for_the_hours_of_a_source_and_says_so(fresh: RunSite) -> None:
    closed = (datetime.now(VIETNAM) + timedelta(hours=6)).time().replace(microsecond=0)
    until = (datetime.now(VIETNAM) + timedelta(hours=7)).time().replace(microsecond=0)
    settings = fresh.path / "reconcile.toml"
    settings.write_text(
        settings.read_text() + f"[sources.notary]\nbegins = {closed}\nends = {until}\n"
    )
    with fresh.start("run", *DAY, "--every", "0") as process:
        assert process.stderr is not None
        line = next(line for line in process.stderr if "may be read again" in line)
        assert line.startswith(
            ("notary may be read again in 5 h", "notary may be read again in 6 h")
        )
        process.send_signal(signal.SIGTERM)
        assert "stopped: it was stopped by SIGTERM" in process.stderr.read()
        assert process.wait() == 4
    assert fresh.manifest.extracts["legal_aid.cases"].complete


@pytest.mark.long
def test_what_a_run_left_that_was_killed_while_it_cleaned_up_goes_with_the_next(
    fresh: RunSite,
) -> None:
    assert fresh.invoke("run", *DAY).exit_code == 0
    left = fresh.run.path / "extract" / "population.identity"
    left.mkdir(parents=True)
    (left / "part-00000.parquet").write_text("personal data")
    assert fresh.invoke("resume").exit_code == 2
    assert not left.exists()


@pytest.mark.long
def test_extracts_stay_where_the_operator_says_so(fresh: RunSite) -> None:
    assert fresh.invoke("run", *DAY, "--keep-extracts").exit_code == 0
    names = {path.name for path in (fresh.run.path / "extract").iterdir()}
    assert "population.identity" in names
    births = pq.read_schema(fresh.run.extract("civil_status", "births") / "part-00000.parquet")
    assert "birth_place_as_recorded" in births.names  # linkage reads it, no rule does
    assert not fresh.run.prepared.exists()
    assert not fresh.run.cases.exists()
