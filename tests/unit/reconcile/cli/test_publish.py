"""The commands that publish a run, note requests and count corrections.

Covers ``reconcile.cli.request``, ``reconcile.cli.follow``, ``reconcile.cli.findings_database``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from reconcile.cli.commands import reconcile_command
from reconcile.cli.exit_status import ExitStatus
from reconcile.findings.key_files import open_hash_key
from reconcile.findings.parquet_files import write_table
from reconcile.host import DatabaseAccess
from reconcile.layout import NUMBERS, ReconcileFolder
from reconcile.manifest import Manifest, write_manifest
from reconcile.publishing.run_findings import ReportedFinding
from tests.support.published_runs import (
    finding_of,
    manifest_of,
    number_table,
    with_extract,
    write_run,
)


@dataclass
class JournalHost:
    """A host with a journal in memory, or one whose disk is full."""

    is_full: bool = False
    entries: list[Mapping[str, object]] = field(default_factory=list)

    def databases(self, config: Path | None) -> Sequence[DatabaseAccess]:
        raise AssertionError("publishing reads no database")

    def record(self, config: Path | None, folder: Path, entry: Mapping[str, object]) -> None:
        if self.is_full:
            raise OSError("no space left")
        self.entries.append(entry)


@dataclass
class Site:
    """A folder of runs, a key, and a database of findings."""

    folder: Path
    host: JournalHost = field(default_factory=JournalHost)

    @property
    def key(self) -> Path:
        return self.folder / "numbers.key"

    @property
    def url(self) -> list[str]:
        return ["--url", f"sqlite:///{self.folder / 'findings.sqlite'}"]

    def add(self, manifest: Manifest, *findings: ReportedFinding) -> str:
        """Write a run with encrypted numbers."""
        run = ReconcileFolder(self.folder).run(manifest.run)
        write_run(run, findings)
        write_table(run.numbers, NUMBERS, [number_table(findings)], open_hash_key(self.key))
        write_manifest(run.manifest, manifest)
        return manifest.run

    def call(self, *arguments: str) -> Result:
        return CliRunner().invoke(reconcile_command(self.host), [*arguments, *self.url])

    def publish(self, run: str, **options: Path) -> Result:
        chosen = {"folder": self.folder, "key": self.key, **options}
        given = [text for name, path in chosen.items() for text in (f"--{name}", str(path))]
        return self.call("publish", run, *given)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_run_is_published_requested_and_followed(site: Site) -> None:
    first = site.add(manifest_of(1), finding_of("a"), finding_of("b"))
    done = site.publish(first)
    assert done.exit_code == 0, done.output
    assert done.output == (
        f"{first} is published: 2 findings are new, 0 known, 0 there again, 0 corrected\n"
    )
    assert [entry["event"] for entry in site.host.entries] == ["publishes"]
    assert "001090000001" not in json.dumps(site.host.entries)
    requested = site.call("request", "a", "--reference", "12/CV-BTP")
    assert requested.output == "1 noted as requested under 12/CV-BTP\n"
    second = site.add(manifest_of(2), finding_of("a"))
    assert "0 findings are new, 1 known, 0 there again, 1 corrected" in site.publish(second).output
    followed = site.call("follow")
    assert followed.exit_code == 0
    *lines, note = followed.output.splitlines()[2:]
    assert [line.split()[0] for line in lines] == ["REQUESTED", "CORRECTED"]
    # Three of the databases in which people have numbers were not chosen.
    assert note.startswith("UNKNOWN_NUMBER: the run checked it for some people only")
    *lines, note = site.call("follow", "--for-report").output.splitlines()[2:]
    assert [line.split()[-2:] for line in lines] == [["under", "10"]] * 2


def test_the_same_run_again_says_that_nothing_changed(site: Site) -> None:
    run = site.add(manifest_of(1), finding_of("a"))
    site.publish(run)
    again = site.publish(run)
    assert (again.exit_code, again.output) == (
        *(0, f"{run} is published already; nothing was changed\n"),
    )


def test_what_was_not_checked_is_said(site: Site) -> None:
    site.publish(site.add(manifest_of(1), finding_of("a")))
    failed = with_extract(manifest_of(2), "population.identity", complete=False, failure="gone")
    done = site.publish(site.add(failed))
    assert "1 were neither found nor checked in this run: unchanged" in done.output
    assert "the run checked it for nobody" in site.call("follow").output


def test_a_run_that_cannot_be_published_leaves_all_as_it_was(site: Site) -> None:
    site.publish(site.add(manifest_of(2), finding_of("a")))
    other_key = site.folder / "other.key"
    open_hash_key(other_key)
    later = site.add(manifest_of(4), finding_of("b"))
    bare = site.add(manifest_of(5))
    ReconcileFolder(site.folder).run(bare).numbers.unlink()
    for refused, reason in (
        (site.publish(site.add(manifest_of(1))), "is not after it"),
        (site.publish(site.add(replace(manifest_of(3), finished=None))), "is not finished"),
        (site.publish(later, key=other_key), "not under this key"),
        (site.publish(bare), "without --with-numbers"),
    ):
        assert refused.exit_code == ExitStatus.STOPPED, refused.output
        assert reason in refused.output
    assert site.publish("20200101T000000Z").exit_code == ExitStatus.USAGE
    assert site.call("follow").output.splitlines()[0].startswith("Findings after the run 20261202")


def test_no_numbers_go_into_a_database_without_an_entry_in_the_journal(site: Site) -> None:
    run = site.add(manifest_of(1), finding_of("a"))
    site.host.is_full = True
    assert site.publish(run).exit_code == ExitStatus.STOPPED
    assert site.call("follow").output == "no run is published in this database\n"


def test_a_request_that_is_refused_notes_nothing(site: Site) -> None:
    site.publish(site.add(manifest_of(1), finding_of("a")))
    refused = site.call("request", "a", "x", "--reference", "12/CV")
    assert refused.exit_code == ExitStatus.STOPPED
    assert refused.output == "nothing was noted:\nx: no such finding is published\n"


@pytest.mark.parametrize(
    ("url", "status", "text"),
    [
        ("oracle://user@host/name", ExitStatus.USAGE, "it must be PostgreSQL"),
        ("postgresql://user:secret@host/name", ExitStatus.USAGE, "must not hold a password"),
        ("sqlite://", ExitStatus.USAGE, "names a file"),
        ("nothing", ExitStatus.USAGE, "no URL"),
        ("sqlite:////nowhere/at/all.sqlite", ExitStatus.STOPPED, "the database failed"),
    ],
)
def test_a_database_that_cannot_be_used_is_said_without_its_url(
    site: Site, url: str, status: ExitStatus, text: str
) -> None:
    arguments = ["follow", "--url", url]
    result = CliRunner().invoke(reconcile_command(site.host), arguments, env={"COLUMNS": "200"})
    assert result.exit_code == status
    assert text in result.output
    assert "secret" not in result.output
