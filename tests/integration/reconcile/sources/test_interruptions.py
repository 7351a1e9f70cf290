"""Servers that die while they are read, and disks that are full: no row is lost, none is double."""

from __future__ import annotations

import asyncio
import errno
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from connectors.backends.server import ServerOptions
from reconcile.manifest import ExtractProgress
from reconcile.settings import SourceRate
from reconcile.sources.extract import OnFailure, extract_record
from reconcile.sources.failures import SourceFailed
from reconcile.sources.open_source import open_source
from reconcile.sources.pace import SourcePace
from tests.support.backend_samples import AN, DATABASE, EMPTY, thing, write_file
from tests.support.extracts import Access, FakeTime, extract, extracted_rows, pace
from tests.support.server_processes import ServerProcess, mariadb_process, postgresql_process
from tests.support.servers import Server, run_in_thread
from tests.support.small_disk import small_disk

COLUMNS = ("thing_id", "owner_id", "title")
#: More than what the buffers between a server and its client hold.
ROWS, PART_ROWS = 180_000, 90_000
_MAKES: dict[str, tuple[Callable[[Path], ServerProcess], str, str]] = {
    "postgresql": (
        postgresql_process,
        "postgres",
        f"SELECT 't' || lpad(g::text, 7, '0'), '{AN}', repeat('x', 250) "
        f"FROM generate_series(1, {ROWS}) g",
    ),
    "mariadb": (
        mariadb_process,
        "root",
        f"SELECT concat('t', lpad(seq, 7, '0')), '{AN}', repeat('x', 250) FROM seq_1_to_{ROWS}",
    ),
}


@dataclass
class Killable:
    """A server that a test kills, with its database."""

    process: ServerProcess
    server: Server

    def access(self) -> Access:
        options = ServerOptions(connect_timeout=20)
        return Access(DATABASE, self.server.url, server=options)


@pytest.fixture(scope="module", params=_MAKES)
def killable(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Killable]:
    make_process, user, rows = _MAKES[request.param]
    folder = tmp_path_factory.mktemp("killable")
    process = make_process(folder / "server")
    try:
        process.start()
        server = Server(request.param, process.port, user, "sample")
        run_in_thread(server.execute("CREATE DATABASE sample", database=""))
        columns = ", ".join(
            f"{c.name} varchar(255)"
            for c in DATABASE.by_name["things"].columns
            if c.name != "select"
        )
        run_in_thread(
            server.execute(
                f"CREATE TABLE things ({columns})",
                f"INSERT INTO things (thing_id, owner_id, title) {rows}",
                "CREATE UNIQUE INDEX by_thing ON things (thing_id)",
            )
        )
        yield Killable(process, server)
    finally:
        process.kill()
        shutil.rmtree(folder / "server", ignore_errors=True)


@dataclass
class KillingTime(FakeTime):
    """Kills a server when somebody has waited for so many seconds."""

    process: ServerProcess | None = None
    moment: float = 0

    def _wait(self, seconds: float) -> None:
        super()._wait(seconds)
        if self.seconds >= self.moment and self.process is not None:
            self.process.kill()


def _extract_until_killed(
    killable: Killable, folder: Path, rows: int, on_failure: OnFailure
) -> list[ExtractProgress]:
    """Extract, and kill the server after so many rows."""
    time = KillingTime(process=killable.process, moment=rows / 10_000 - 0.5)
    rate = SourceRate(rows_per_second=10_000, part_rows=PART_ROWS)
    source = open_source(killable.access())
    pace = SourcePace(rate, time.clock())
    return list(extract_record(source, "things", COLUMNS, folder, pace, None, on_failure))


@pytest.mark.long
@pytest.mark.services
@pytest.mark.parametrize("rows", [10_000, 100_000])
def test_a_server_that_dies_costs_no_row_and_doubles_none(
    killable: Killable, tmp_path: Path, rows: int
) -> None:
    *steps, failed = _extract_until_killed(killable, tmp_path, rows, "continue")
    killable.process.start()
    assert len(steps) == rows // PART_ROWS
    assert failed.failure is not None
    assert AN not in failed.failure
    before = ExtractProgress() if not steps else steps[-1]
    assert failed == replace(before, failure=failed.failure)
    (*_, last) = extract(killable.access(), "things", COLUMNS, tmp_path, PART_ROWS, before)
    assert (last.complete, last.rows) == (True, ROWS)
    identities = [row[0] for row in extracted_rows(tmp_path)]
    assert identities == [f"t{number:07d}" for number in range(1, ROWS + 1)]


@pytest.mark.services
def test_a_server_that_dies_stops_a_run_that_is_to_stop(killable: Killable, tmp_path: Path) -> None:
    with pytest.raises(SourceFailed, match=r"^sample\.things: \w+"):
        _extract_until_killed(killable, tmp_path, 10_000, "stop")
    killable.process.start()
    assert [file.name for file in tmp_path.iterdir()] == []


@pytest.mark.services
def test_a_statement_that_fails_in_the_middle_is_no_end(killable: Killable, tmp_path: Path) -> None:
    place = {
        "postgresql": "(1 / (right(thing_id, 7)::int - 100000))::text",
        "mariadb": "(SELECT v.x FROM (SELECT 'a' AS x UNION ALL SELECT 'b') v "
        "WHERE thing_id = 't0100000' OR v.x = 'a')",
    }[killable.server.make]
    rest = f"{place} AS title"
    run_in_thread(
        killable.server.execute(
            "ALTER TABLE things RENAME TO stored_things",
            f"CREATE VIEW things AS SELECT thing_id, owner_id, {rest} FROM stored_things",
        )
    )
    try:
        (progress,) = extract(killable.access(), "things", COLUMNS, tmp_path)
    finally:
        run_in_thread(
            killable.server.execute(
                "DROP VIEW things", "ALTER TABLE stored_things RENAME TO things"
            )
        )
    assert progress.failure is not None
    if killable.server.make == "postgresql":
        assert progress.failure == "the server ended the statement in the middle"
    assert (progress.complete, progress.rows, extracted_rows(tmp_path)) == (False, 0, [])


@pytest.mark.services
def test_who_leaves_in_the_middle_leaves_nothing_running(
    killable: Killable, tmp_path: Path
) -> None:
    source = open_source(killable.access())
    steps = extract_record(source, "things", COLUMNS, tmp_path, pace(10_000))
    next(steps)
    steps.close()  # type: ignore[attr-defined]  # it is a generator
    source.disconnect()
    counted = {
        "postgresql": "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY%' "
        "AND state = 'active'",
        "mariadb": "SELECT count(*) FROM information_schema.processlist "
        "WHERE info LIKE 'SELECT stored%'",
    }[killable.server.make]
    assert asyncio.run(killable.server.value(counted)) == 0


@pytest.mark.services
def test_a_full_disk_is_named_and_nothing_half_written_counts(tmp_path: Path) -> None:
    noise = random.Random(7)
    rows = [thing(f"t{n:05d}", AN, title=noise.randbytes(200).hex()) for n in range(8_000)]
    path = write_file(tmp_path / "sample.sqlite", {**EMPTY, "things": rows})
    access = Access(DATABASE, f"sqlite:///{path}")
    steps: list[ExtractProgress] = []
    with small_disk(tmp_path / "disk", 1_500_000) as disk:
        every = extract_record(open_source(access), "things", COLUMNS, disk / "out", pace(1_000))
        with pytest.raises(
            OSError, match=r"the extract of sample\.things cannot be written"
        ) as caught:
            steps += every
        steps_of = sorted(file.name for file in (disk / "out").glob("*"))
        assert caught.value.errno == errno.ENOSPC
        parts = len([name for name in steps_of if name.startswith("part-")])
        assert 0 < parts < 8
        assert not [name for name in steps_of if name.endswith(".tmp")]
        assert len(extracted_rows(disk / "out")) == parts * 1_000


@pytest.mark.services
def test_a_connection_that_ended_between_two_records_is_opened_anew(
    killable: Killable, tmp_path: Path
) -> None:
    source = open_source(killable.access())
    reading = source.reading("things", COLUMNS)
    assert source.boundary(reading, None, ROWS - 1) is not None
    killable.process.kill()
    killable.process.start()
    assert source.boundary(reading, None, ROWS - 1) is not None
    source.disconnect()
