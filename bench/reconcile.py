"""What the national run costs over a real PostgreSQL, by the number of people, and what it finds.

    python -m bench.reconcile --server postgresql://postgres@127.0.0.1:5432 --people 100000 1000000

For each number of people: seven databases on the server, loaded once with contradictions (about
five minutes for a million people; they stay for the next run), then ``justice-gateway reconcile
run`` as a process of its own. Measured are its time, its CPU, the most memory that it and its
children held together (looked at four times a second), and the size of each Parquet file. Findings
are held against what was planted: precision and recall of each rule.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import itertools
import json
import os
import secrets
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import orjson
import pyarrow.compute as pc
import sqlalchemy as sa

from bench.measure import Figures
from bench.report import save, show, surroundings
from connectors.backends.server import ServerOptions
from connectors.description import Database
from connectors.registry import installed_databases
from connectors.synthetic import PopulationOptions
from connectors.synthetic.loading import NotLoaded, ServerTarget, load
from connectors.synthetic.loading.files import CONTRADICTIONS
from connectors.synthetic.options import TODAY
from reconcile.findings.hashes import KeyedHashes
from reconcile.findings.key_files import open_hash_key, read_key
from reconcile.findings.parquet_files import open_file
from reconcile.layout import RunFolder

FOLDER = Path(".bench/reconcile")
SIZES = (100_000, 250_000, 500_000, 1_000_000)
#: Share of people in whose records a contradiction is planted.
RATE = 0.05
_LOOK = 0.25  # seconds
_ROWS = 10_000
#: What the registers of the ministry hold: 401 million civil-status records (domain.md).
NATION = 401_000_000


@dataclass(frozen=True, slots=True)
class Site:
    """Databases on a server with so many people, and the folder that knows of them."""

    people: int
    folder: Path
    server: sa.URL

    @property
    def config(self) -> Path:
        """The settings of a gateway over them."""
        return self.folder / "gateway.toml"

    def url(self, name: str) -> sa.URL:
        """Return the URL of a database."""
        return self.server.set(database=f"reconcile_{self.people}_{name}")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process used: seconds, bytes."""

    seconds: float
    cpu: float
    memory: int


def declared_databases() -> list[Database]:
    """Return the databases whose people are generated."""
    generated = {
        "population", "civil_status", "security_measures", "legal_aid", "civil_enforcement",
        "administrative_violations", "notary",
    }  # fmt: skip
    return [database for database in installed_databases() if database.name in generated]


async def prepare(site: Site) -> None:
    """Create and load the databases of a site; those that are complete stay as they are."""
    site.folder.mkdir(parents=True, exist_ok=True)
    databases = declared_databases()
    admin = site.server.set(database="postgres")
    connection = await asyncpg.connect(admin.render_as_string(hide_password=False))
    try:
        for database in databases:
            with suppress(asyncpg.DuplicateDatabaseError):
                await connection.execute(f"CREATE DATABASE {site.url(database.name).database}")
    finally:
        await connection.close()
    user = site.server.username or ""
    targets = [
        ServerTarget(database, site.url(database.name), ServerOptions(), user)
        for database in databases
    ]
    options = PopulationOptions(people=site.people, contradiction_rate=RATE)
    if not (site.folder / CONTRADICTIONS).is_file():
        try:
            await load(targets, options, site.folder / "truth.jsonl", replace=True)
        except NotLoaded as error:
            raise SystemExit(f"{site.people:,} people cannot be loaded: {error}") from None
    lines = [
        f'[databases.{database.name}]\nurl = "{site.url(database.name)}"' for database in databases
    ]
    site.config.write_text("\n".join(["demo = true", *lines, ""]), "utf-8")


def run(site: Site, engine: str, buckets: int) -> tuple[Usage, Path]:
    """Run the national run over a site; returns what it used, and the folder of the run."""
    folder = site.folder / engine / secrets.token_hex(4)
    settings = site.folder / "reconcile.toml"
    settings.write_text(f"buckets = {buckets}\n", "utf-8")
    key = site.folder / "numbers.key"
    open_hash_key(key)
    hash_key = site.folder / "hash.key"
    open_hash_key(hash_key)
    folder.mkdir(parents=True, mode=0o700)
    shutil.copy(hash_key, folder / hash_key.name)  # hashes of all runs over a site compare
    command = [
        sys.executable, "-m", "gateway", "reconcile", "run", "--config", str(site.config),
        "--folder", str(folder), "--day", TODAY.isoformat(), "--reason", "bench",
        "--with-numbers", str(key),
        "--settings", str(settings), "--engine", engine,
        *(part for database in declared_databases() for part in ("--database", database.name)),
    ]  # fmt: skip
    began = time.monotonic()
    process = subprocess.Popen(command, start_new_session=True)
    peak = _PeakMemory(process.pid)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - began
    peak.end()
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"the run ended with {os.waitstatus_to_exitcode(status)}")
    [run_folder] = (folder / "runs").iterdir()
    return Usage(seconds, usage.ru_utime + usage.ru_stime, peak.bytes), run_folder


class _PeakMemory:
    """Looks at the memory of all processes of a session until it ends."""

    def __init__(self, session: int) -> None:
        self.bytes = 0
        self._session = session
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stop looking."""
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(_LOOK):
            self.bytes = max(self.bytes, sum(_resident(self._session)))


def _resident(session: int) -> Iterator[int]:
    """Yield the memory of each process of a session that no other process shares, in bytes."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            fields = (process / "stat").read_text("utf-8").rpartition(")")[2].split()
            if int(fields[3]) == session:
                pages = (process / "statm").read_text("utf-8").split()
                yield (int(pages[1]) - int(pages[2])) * os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class RuleQuality:
    """How a rule's findings compare to what was planted."""

    planted: int
    reported: int
    correct: int

    @property
    def precision(self) -> float:
        """Share of the findings that were planted."""
        return self.correct / self.reported if self.reported else 1.0

    @property
    def recall(self) -> float:
        """Share of what was planted that is among the findings."""
        return self.correct / self.planted if self.planted else 1.0


_Planted = tuple[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ClearFinding:
    """A finding with the number of the person. ``sides``: database, record, hash of the row."""

    rule: str
    number: str
    sides: tuple[tuple[str, str, str], ...]


def quality(site: Site, run_folder: Path) -> dict[str, RuleQuality]:
    """Return the quality of each rule; what was planted is in memory."""
    planted: dict[str, set[_Planted]] = defaultdict(set)
    by_person: dict[tuple[str, str], list[tuple[str, ...]]] = defaultdict(list)
    with (site.folder / CONTRADICTIONS).open(encoding="utf-8") as lines:
        for line in lines:
            item = json.loads(line)
            rows = tuple(item["record_ids"])
            planted[item["rule"]].add((item["person_id"], rows))
            by_person[item["rule"], item["person_id"]].append(rows)
    hashes = KeyedHashes(open_hash_key(run_folder.parents[1] / "hash.key"))
    reported, correct = Counter[str](), defaultdict[str, set[_Planted]](set)
    for finding in findings_in_clear(run_folder, site.folder / "numbers.key"):
        reported[finding.rule] += 1
        for rows in by_person[finding.rule, finding.number]:
            if _is_of(finding, rows, hashes):
                correct[finding.rule].add((finding.number, rows))
    return {
        rule: RuleQuality(len(planted[rule]), reported[rule], len(correct[rule]))
        for rule in sorted(planted.keys() | reported.keys())
    }


def _is_of(finding: ClearFinding, rows: Sequence[str], hashes: KeyedHashes) -> bool:
    return len(rows) == len(finding.sides) and all(
        hashes.row(database, record, identity) == row
        for (database, record, row), identity in zip(finding.sides, rows, strict=True)
    )


def findings_in_clear(run_folder: Path, key_file: Path) -> Iterator[ClearFinding]:
    """Yield the findings of a run; each is there once, and numbered."""
    files = RunFolder(run_folder)
    with (
        open_file(files.findings) as findings,
        open_file(files.numbers, read_key(key_file)) as numbers,
    ):
        hashed = findings.read(columns=["finding", "rule", "sides"])
        shown = numbers.read(columns=["finding", "number"])
    assert hashed.column("finding").equals(shown.column("finding"))
    assert len(pc.unique(hashed.column("finding"))) == hashed.num_rows
    for rule, sides, number in zip(
        hashed.column("rule").to_pylist(),
        hashed.column("sides").to_pylist(),
        shown.column("number").to_pylist(),
        strict=True,
    ):
        places = tuple((side["database"], side["record"], side["row"]) for side in sides)
        yield ClearFinding(rule, number, places)


def digest(run_folder: Path) -> str:
    """Return the SHA-256 of the findings, row by row as they are sorted, values in clear."""
    table = open_file(RunFolder(run_folder).findings).read()
    rows = hashlib.sha256()
    for batch in table.to_batches(max_chunksize=_ROWS):
        rows.update(orjson.dumps(batch.to_pylist(), option=orjson.OPT_SORT_KEYS, default=str))
    return rows.hexdigest()


def sizes(run_folder: Path) -> dict[str, int]:
    """Return the bytes of each Parquet file of results."""
    return {file.name: file.stat().st_size for file in sorted(run_folder.glob("*.parquet"))}


def picture(points: Mapping[int, float]) -> str:
    """Return an SVG of seconds by people, with the line through the origin and the last point."""
    width, height, left, bottom = 640, 300, 60, 40
    most_people, most_seconds = max(points), max(points.values()) * 1.15

    def place(people: float, seconds: float) -> tuple[float, float]:
        across = left + (width - left - 20) * people / most_people
        return across, height - bottom - (height - bottom - 20) * seconds / most_seconds

    end = place(most_people, points[most_people])
    start = place(0, 0)
    dots, labels = [], []
    for people, seconds in points.items():
        x, y = place(people, seconds)
        dots.append(f'<circle cx="{x:.0f}" cy="{y:.0f}" r="4" fill="#1f5fa8"/>')
        labels.append(
            f'<text x="{x:.0f}" y="{y - 10:.0f}" text-anchor="end">{seconds:,.0f} s</text>'
            f'<text x="{x:.0f}" y="{height - 16}" text-anchor="middle">{people:,}</text>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        'font-family="sans-serif" font-size="12" fill="#1b1b1b">'
        "<title>Seconds of a national run by the number of people</title>"
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
        f'<path d="M{left} 20V{height - bottom}H{width - 20}" fill="none" stroke="#767676"/>'
        f'<path d="M{start[0]:.0f} {start[1]:.0f}L{end[0]:.0f} {end[1]:.0f}" fill="none" '
        'stroke="#9a9a9a" stroke-dasharray="4 4"/>'
        f"{''.join(dots)}{''.join(labels)}</svg>\n"
    )


def show_sizes(usages: Mapping[int, Usage], files: Mapping[int, Mapping[str, int]]) -> None:
    """Print what runs cost, and what that makes for the nation."""
    show(
        "national run",
        ("people", "seconds", "CPU s", "MiB", "people/s", *next(iter(files.values()))),
        [
            (
                f"{people:,}", f"{usage.seconds:.1f}", f"{usage.cpu:.1f}",
                f"{usage.memory / 2**20:,.0f}", f"{people / usage.seconds:,.0f}",
                *(f"{size:,}" for size in files[people].values()),
            )
            for people, usage in usages.items()
        ],
    )  # fmt: skip


def show_quality(people: int, rules: Mapping[str, RuleQuality]) -> None:
    """Print precision and recall of each rule."""
    show(
        f"rules, {people:,} people",
        ("rule", "planted", "reported", "precision", "recall"),
        [
            (name, of.planted, of.reported, f"{of.precision:.4f}", f"{of.recall:.4f}")
            for name, of in rules.items()
        ],
    )


def show_engines(figures: Figures) -> None:
    """Print seconds by engine and units of work, and whether all wrote the same findings."""
    show(
        "engines",
        ("people/engine/buckets", "seconds", "CPU s", "MiB", "SHA-256 of the findings"),
        [
            (
                name, of["seconds"], of["cpu_seconds"], f"{of['memory_bytes'] / 2**20:,.0f}",
                of["digest"][:16],
            )
            for name, of in figures.items()
            if isinstance(of, dict) and "digest" in of
        ],
    )  # fmt: skip


def _figures(usage: Usage, files: Mapping[str, int], rules: Mapping[str, RuleQuality]) -> Figures:
    return {
        "seconds": round(usage.seconds, 1),
        "cpu_seconds": round(usage.cpu, 1),
        "memory_bytes": usage.memory,
        "parquet_bytes": dict(files),
        "rules": {
            name: {
                "planted": of.planted,
                "reported": of.reported,
                "precision": round(of.precision, 4),
                "recall": round(of.recall, 4),
            }
            for name, of in rules.items()
        },
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Prepare, run and measure each number of people."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--server", required=True, help="URL of PostgreSQL, as an administrator")
    parser.add_argument("--people", type=int, nargs="+", default=list(SIZES))
    engines = ("duckdb", "spark")
    parser.add_argument("--engine", choices=engines, nargs="+", default=["duckdb"])
    parser.add_argument("--buckets", type=int, nargs="+", default=[8], help="units of work")
    parser.add_argument("--picture", type=Path, help="write an SVG of seconds by people here")
    parser.add_argument("--name", default="reconcile", help="name of the file of results")
    chosen = parser.parse_args(arguments)
    usages: dict[int, Usage] = {}
    files: dict[int, Mapping[str, int]] = {}
    figures: Figures = {"surroundings": surroundings(), "engines": chosen.engine}
    for people in sorted(chosen.people):
        site = Site(people, FOLDER / str(people), sa.make_url(chosen.server))
        asyncio.run(prepare(site))
        keys = [sys.executable, "-m", "gateway", "keys", "--config", str(site.config)]
        subprocess.run(keys, check=True, stdout=subprocess.DEVNULL)
        for engine, buckets in itertools.product(chosen.engine, chosen.buckets):
            usages[people], run_folder = run(site, engine, buckets)
            files[people] = sizes(run_folder)
            rules = quality(site, run_folder)
            show_quality(people, rules)
            result = _figures(usages[people], files[people], rules)
            figures[f"{people}/{engine}/{buckets}"] = {**result, "digest": digest(run_folder)}
            save(chosen.name, figures)
            show_sizes(usages, files)
        show_engines(figures)
    if chosen.picture is not None:
        points = {people: usage.seconds for people, usage in usages.items()}
        chosen.picture.write_text(picture(points), "utf-8")


if __name__ == "__main__":
    main()
