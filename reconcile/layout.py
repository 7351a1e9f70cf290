"""The files of a run, and the version of what is in them.

    <folder>/lock                             held by the process that runs
    <folder>/hash.key                         32 bytes: the key of all keyed hashes; owner only
    <folder>/audit/                           the journal of national runs
    <folder>/runs/<run>/run.json              the manifest: reconcile.manifest
    <folder>/runs/<run>/extract/<database>.<record>/part-00000.parquet
    <folder>/runs/<run>/prepared/             what the engine makes of them; removed at the end
    <folder>/runs/<run>/cases/                findings by unit of work, until they are joined
    <folder>/runs/<run>/findings.parquet      sorted by ``finding``
    <folder>/runs/<run>/numbers.parquet       numbers and values, under the operator's key
    <folder>/runs/<run>/counts.parquet        what the report counts
    <folder>/runs/<run>/proposals.parquet     of linkage
    <folder>/runs/<run>/summary.json, report.html

A Parquet file says its version in its metadata. A file of another version is refused, not guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

VERSION = 1
_VERSION_KEY = b"justice_gateway.reconcile.version"

_SIDE = pa.struct(
    [
        pa.field("database", pa.string(), nullable=False),
        pa.field("record", pa.string(), nullable=False),
        # Keyed hash of the identity of the row.
        pa.field("row", pa.string(), nullable=False),
    ]
)

#: A row for each finding. ``finding``: keyed hash of rule, case, person and rows, the same in each
#: run that finds it. ``person``: keyed hash of the present number; of the unknown number itself
#: where a rule is about numbers that nobody holds. ``case``: the place of the case in its rule,
#: from 0. ``prevails``: the place of the side that prevails by law. ``province``: code of
#: ``connectors/provinces.json`` of the person's residence (``reconcile.engines.places``), after the
#: mergers of 2025; ``former_province``: before them, where the record says. Both are null for
#: people in an order of protection. ``registration_year``: of the first side that has one.
FINDINGS = pa.schema(
    [
        pa.field("finding", pa.string(), nullable=False),
        pa.field("rule", pa.string(), nullable=False),
        pa.field("severity", pa.string(), nullable=False),
        pa.field("case", pa.int16(), nullable=False),
        pa.field("person", pa.string(), nullable=False),
        pa.field("sides", pa.list_(pa.field("side", _SIDE, nullable=False)), nullable=False),
        pa.field("prevails", pa.int16()),
        pa.field("province", pa.string()),
        pa.field("former_province", pa.string()),
        pa.field("registration_year", pa.int16()),
    ]
)

_SHOWN_SIDE = pa.struct(
    [
        pa.field("row", pa.string(), nullable=False),
        # In the order of ``Side.columns`` of the rule.
        pa.field("values", pa.list_(pa.string()), nullable=False),
    ]
)

#: Whom and what each finding is about, in clear: written with ``--with-numbers`` only, encrypted.
NUMBERS = pa.schema(
    [
        pa.field("finding", pa.string(), nullable=False),
        pa.field("number", pa.string(), nullable=False),
        pa.field("sides", pa.list_(pa.field("side", _SHOWN_SIDE, nullable=False)), nullable=False),
    ]
)

#: Proposals of linkage, for a clerk to decide on: never findings. ``record_row``, ``person``:
#: keyed hashes. ``role``: ``husband`` or ``wife`` of a marriage. ``weight``: match weight, log2 of
#: the Bayes factor and prior. ``probability``: as the record is of one person at most.
#: ``comparisons``: by name of comparison, its level and its weight (the waterfall).
PROPOSALS = pa.schema(
    [
        pa.field("database", pa.string(), nullable=False),
        pa.field("record", pa.string(), nullable=False),
        pa.field("record_row", pa.string(), nullable=False),
        pa.field("role", pa.string()),
        pa.field("person", pa.string(), nullable=False),
        pa.field("weight", pa.float64(), nullable=False),
        pa.field("probability", pa.float64(), nullable=False),
        pa.field(
            "comparisons",
            pa.list_(
                pa.struct(
                    [
                        pa.field("name", pa.string(), nullable=False),
                        pa.field("level", pa.int16(), nullable=False),
                        pa.field("weight", pa.float64(), nullable=False),
                    ]
                )
            ),
            nullable=False,
        ),
    ]
)

#: Counts for the report. ``measure``: what is counted, such as ``findings`` or ``records``; the
#: other columns say of what, null where the count is not by that.
COUNTS = pa.schema(
    [
        pa.field("measure", pa.string(), nullable=False),
        pa.field("rule", pa.string()),
        pa.field("database", pa.string()),
        pa.field("record", pa.string()),
        pa.field("province", pa.string()),
        pa.field("former_province", pa.string()),
        pa.field("year", pa.int16()),
        pa.field("count", pa.int64(), nullable=False),
    ]
)


class OtherVersion(ValueError):
    """A Parquet file of a run was written by another version of the run, or by something else."""


def versioned(schema: pa.Schema) -> pa.Schema:
    """Return ``schema`` with the version in its metadata."""
    return schema.with_metadata({**(schema.metadata or {}), _VERSION_KEY: str(VERSION).encode()})


def require_version(schema: pa.Schema, file: Path) -> None:
    """Raise OtherVersion unless a file with this schema is of the version of this module."""
    version = (schema.metadata or {}).get(_VERSION_KEY)
    if version != str(VERSION).encode():
        stored = (
            "no version" if version is None else f"version {version.decode('utf-8', 'replace')}"
        )
        raise OtherVersion(f"{file}: it has {stored}, this program reads version {VERSION}")


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The paths of one run."""

    path: Path

    @property
    def manifest(self) -> Path:
        """The manifest."""
        return self.path / "run.json"

    def extract(self, database: str, record: str) -> Path:
        """Return the folder with the Parquet files of a record: columns of text."""
        return self.path / "extract" / f"{database}.{record}"

    @property
    def prepared(self) -> Path:
        """What an engine makes of the extracts; of no use once the findings are there."""
        return self.path / "prepared"

    @property
    def cases(self) -> Path:
        """Findings by unit of work."""
        return self.path / "cases"

    @property
    def findings(self) -> Path:
        """All findings, sorted."""
        return self.path / "findings.parquet"

    @property
    def numbers(self) -> Path:
        """Numbers and values of the findings, encrypted."""
        return self.path / "numbers.parquet"

    @property
    def counts(self) -> Path:
        """What the report counts."""
        return self.path / "counts.parquet"

    @property
    def proposals(self) -> Path:
        """Proposals of linkage."""
        return self.path / "proposals.parquet"

    @property
    def summary(self) -> Path:
        """The summary, as JSON."""
        return self.path / "summary.json"

    @property
    def report(self) -> Path:
        """The report, one HTML file."""
        return self.path / "report.html"


@dataclass(frozen=True, slots=True)
class ReconcileFolder:
    """The folder of all runs."""

    path: Path

    @property
    def lock(self) -> Path:
        """Held by the process that runs."""
        return self.path / "lock"

    @property
    def hash_key(self) -> Path:
        """The key of all keyed hashes."""
        return self.path / "hash.key"

    @property
    def audit(self) -> Path:
        """The journal of national runs."""
        return self.path / "audit"

    def run(self, name: str) -> RunFolder:
        """Return the folder of a run."""
        return RunFolder(self.path / "runs" / name)

    def runs(self) -> list[RunFolder]:
        """Return the folders of all runs, the oldest first."""
        folder = self.path / "runs"
        paths = sorted(path for path in folder.iterdir()) if folder.is_dir() else []
        return [RunFolder(path) for path in paths if (path / "run.json").is_file()]
