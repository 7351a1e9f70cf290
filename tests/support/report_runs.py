"""Folders of national runs with generated findings and extracts, for tests of the report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq

from reconcile.layout import FINDINGS, ReconcileFolder, RunFolder, versioned
from reconcile.manifest import ExtractProgress, Manifest, write_manifest
from reconcile.report.needs import report_needs
from reconcile.settings import ReconcileSettings
from rules.registry import RULES
from rules.rule import ConflictRule

HASH_KEY = b"h" * 32
SETTINGS = ReconcileSettings(memory=200_000_000, threads=1)
DIGEST = "rules of the test"
BY_NAME = {rule.name: rule for rule in RULES}
Record = tuple[str, str]
Extract = Sequence[Mapping[str, str | None]]


def records_read(rules: Iterable[ConflictRule] = RULES) -> list[str]:
    """Return every record that the rules read, as names of extracts."""
    names = {
        f"{side.row.record.database}.{side.row.record.name}"
        for rule in rules
        for case in rule.cases
        for side in case.sides
    }
    return sorted({*names, "population.residences"})


@dataclass(frozen=True)
class PlantedFinding:
    """A finding of a case of a rule; the same ``number`` is the same finding in each run."""

    rule: str
    number: int
    case: int = 0
    province: str | None = "01"
    former_province: str | None = "01"
    year: int | None = 2020

    @property
    def rows(self) -> list[str]:
        sides = BY_NAME[self.rule].cases[self.case].sides
        return [_hash(f"row {self.rule} {self.number} {place}") for place in range(len(sides))]

    def as_row(self) -> dict[str, object]:
        rule = BY_NAME[self.rule]
        sides = [
            {"database": side.row.record.database, "record": side.row.record.name, "row": row}
            for side, row in zip(rule.cases[self.case].sides, self.rows, strict=True)
        ]
        return {
            "finding": _hash(f"{self.rule} {self.case} {self.number}"),
            "rule": self.rule,
            "severity": rule.severity.name,
            "case": self.case,
            "person": _hash(f"person {self.number}"),
            "sides": sides,
            "prevails": rule.cases[self.case].prevails,
            "province": self.province,
            "former_province": self.former_province,
            "registration_year": self.year,
        }


@dataclass
class RunBuilder:
    """Builds runs in a folder, one after the other."""

    folder: ReconcileFolder
    runs: int = 0
    extracts: dict[Record, Extract] = field(default_factory=dict)

    @classmethod
    def at(cls, path: Path) -> RunBuilder:
        folder = ReconcileFolder(path)
        path.mkdir(parents=True, exist_ok=True)
        folder.hash_key.write_bytes(HASH_KEY)
        return cls(folder)

    def add(
        self,
        findings: Iterable[PlantedFinding],
        progress: Mapping[str, ExtractProgress | None] | None = None,
        digest: str = DIGEST,
    ) -> RunFolder:
        """Write a finished run; ``progress``: of single extracts, None for those that are not."""
        self.runs += 1
        name = f"20261130T00000{self.runs}Z"
        run = self.folder.run(name)
        run.path.mkdir(parents=True)
        rows = {
            f"{database}.{record}": len(each) for (database, record), each in self.extracts.items()
        }
        extracts: dict[str, ExtractProgress] = {
            record: ExtractProgress(parts=1, rows=rows.get(record, 100), complete=True)
            for record in records_read()
        }
        for record, each in (progress or {}).items():
            extracts.pop(record)
            if each is not None:
                extracts[record] = each
        manifest = Manifest(
            run=name,
            started="2026-11-30T01:00:00+00:00",
            day="2026-11-30",
            rules=digest,
            databases=("population", "civil_status", "legal_aid", "notary"),
            engine="duckdb",
            extracts=extracts,
            finished="2026-11-30T03:00:00+00:00",
        )
        write_manifest(run.manifest, manifest)
        for (database, record), texts in self.extracts.items():
            path = run.extract(database, record)
            path.mkdir(parents=True)
            pq.write_table(_texts(texts), path / "part-00000.parquet")
        table = pa.Table.from_pylist(
            [planted.as_row() for planted in findings], versioned(FINDINGS)
        )
        pq.write_table(table.sort_by("finding"), run.findings)
        return run


def draw_findings(rng: Random, count: int, first: int = 0) -> list[PlantedFinding]:
    """Return findings of all rules, some of them rare, over places and years."""
    weights = [rng.choice([0.02, 0.2, 1, 4]) for _ in RULES]
    findings = []
    for number in range(first, first + count):
        (rule,) = rng.choices(RULES, weights)
        place = rng.choice(["01/01", "01/01", "24/24", "24/27", "79/74", "79/79", "46/46", None])
        province, former = (None, None) if place is None else place.split("/")
        if rng.random() < 0.1:
            former = None
        findings.append(
            PlantedFinding(
                rule.name,
                number,
                rng.randrange(len(rule.cases)),
                province,
                former,
                rng.choice([None, 1990, *range(2010, 2027)]),
            )
        )
    return findings


def draw_births(rng: Random, count: int) -> Extract:
    """Return births as an extract has them: some without numbers, parents or dates."""
    rows = []
    for number in range(count):
        born = date(2017, 1, 1) + timedelta(days=rng.randrange(3000))
        days = rng.choice([5, 20, 59, 60, 61, 400])
        rows.append(
            {
                "citizen_id": f"001217{number:06d}" if rng.random() < 0.9 else None,
                "status": rng.choice(["VALID"] * 8 + ["AMENDED", "SUPERSEDED"]),
                "registration_kind": rng.choice(["ON_TIME", "LATE", "DIGITISED", None]),
                "birth_date": born.isoformat() if rng.random() < 0.9 else str(born.year),
                "registration_date": (born + timedelta(days=days)).isoformat(),
                "mother_name": "Nguyễn Thị A" if rng.random() < 0.95 else None,
                "mother_citizen_id": "001187000001" if rng.random() < 0.7 else None,
                "father_name": "Trần Văn B" if rng.random() < 0.8 else None,
                "father_citizen_id": "001087000001" if rng.random() < 0.6 else "",
            }
        )
    return rows


def draw_rows(rng: Random, record: Record, count: int) -> Extract:
    """Return rows of a record with the columns that the report needs."""
    if record == ("civil_status", "births"):
        return draw_births(rng, count)
    columns = report_needs().get(record, ("citizen_id",))
    values = {
        "status": ["VALID"],
        "registration_kind": ["ON_TIME", "DIGITISED"],
        "death_date": ["2020-01-01", "2020-01-20", "2020"],
        "registration_date": ["2020-01-25"],
        "death_kind": ["NATURAL_DEATH", "DECLARED_DEAD_BY_COURT"],
    }
    return [
        {name: rng.choice(values.get(name, [f"001087{number:06d}"])) for name in columns}
        for number in range(count)
    ]


def unreadable(progress: ExtractProgress, **columns: int) -> ExtractProgress:
    """Return progress with values that could not be read."""
    return replace(progress, unreadable=columns)


def _texts(rows: Extract) -> pa.Table:
    names = list(rows[0])
    schema = pa.schema([pa.field(name, pa.string()) for name in names])
    return pa.Table.from_pylist([dict(row) for row in rows], schema)


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:32]
