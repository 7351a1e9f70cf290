"""Synthetic people as the extracts of a run, and who is behind their records without numbers."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import chain
from multiprocessing import get_context

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.codec import encode_text
from connectors.synthetic.clusters import make
from connectors.synthetic.options import PopulationOptions
from connectors.synthetic.unnumbered_records import UnnumberedRecord
from reconcile.layout import RunFolder
from reconcile.linkage.exclusions import Exclusions
from reconcile.linkage.needs import linkage_needs

#: Clusters in one part of the extracts, and about how many people are in each.
_CLUSTERS, _CLUSTER_PEOPLE = 30, 45
_Rows = Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class LinkagePeople:
    """The truth of extracts. ``absent``: people who were left out of the population's."""

    people: int
    records: tuple[UnnumberedRecord, ...]
    absent: frozenset[str]
    exclusions: Exclusions


def is_absent(number: str, absent_rate: float) -> bool:
    """Whether a person is left out of the population's extract, the same each time."""
    return zlib.crc32(number.encode()) % 10_000 < absent_rate * 10_000


def write_extract(
    folder: RunFolder, database: str, record: str, rows: _Rows, part: int = 0
) -> None:
    """Write a part of an extract: the columns of linkage, as text."""
    columns = linkage_needs()[database, record]
    path = folder.extract(database, record)
    path.mkdir(parents=True, exist_ok=True)
    texts = {
        name: pa.array([_text(row.get(name)) for row in rows], pa.string()) for name in columns
    }
    pq.write_table(pa.table(texts), path / f"part-{part:05d}.parquet")


def _text(value: object) -> str | None:
    return None if value is None else str(encode_text(value))


def write_people(
    folder: RunFolder, options: PopulationOptions, absent_rate: float = 0.0, processes: int = 1
) -> LinkagePeople:
    """Write the extracts of about ``options.people`` people; return their truth."""
    parts = list(_parts(folder, options, absent_rate, processes))
    return LinkagePeople(
        sum(part.people for part in parts),
        tuple(chain.from_iterable(part.records for part in parts)),
        frozenset(chain.from_iterable(part.absent for part in parts)),
        Exclusions(
            frozenset(chain.from_iterable(part.exclusions.protected for part in parts)),
            frozenset(chain.from_iterable(part.exclusions.adopted for part in parts)),
        ),
    )


def _parts(
    folder: RunFolder, options: PopulationOptions, absent_rate: float, processes: int
) -> Iterator[LinkagePeople]:
    count = -(-options.people // (_CLUSTERS * _CLUSTER_PEOPLE))
    arguments = [(folder, options, part, absent_rate) for part in range(count)]
    if processes == 1:
        yield from (_write_part(*of) for of in arguments)
        return
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        yield from pool.map(_write_part, *zip(*arguments, strict=True))


def _write_part(
    folder: RunFolder, options: PopulationOptions, part: int, absent_rate: float
) -> LinkagePeople:
    clusters = [make(options, part * _CLUSTERS + place) for place in range(_CLUSTERS)]
    numbers = [person.id for cluster in clusters for person in cluster.truth]
    absent = {number for number in numbers if is_absent(number, absent_rate)}

    def rows(database: str, record: str) -> list[Mapping[str, object]]:
        found = chain.from_iterable(c.rows.get((database, record), ()) for c in clusters)
        return [
            row for row in found if row.get("citizen_id") not in absent or database != "population"
        ]

    for database, record in linkage_needs():
        write_extract(folder, database, record, rows(database, record), part)
    return LinkagePeople(
        len(numbers),
        tuple(chain.from_iterable(cluster.unnumbered for cluster in clusters)),
        frozenset(absent),
        Exclusions(
            _numbers(rows("population", "protection_orders"), "citizen_id"),
            _numbers(rows("civil_status", "adoptions"), "child_id"),
        ),
    )


def _numbers(rows: Iterable[Mapping[str, object]], column: str) -> frozenset[str]:
    return frozenset(str(row[column]) for row in rows)


class PlainHasher:
    """Hashes without a key, which are enough for tests."""

    def person(self, number: str) -> str:
        return hashlib.sha256(number.encode()).hexdigest()

    def row(self, database: str, record: str, identity: str) -> str:
        return hashlib.sha256(f"{database}/{record}/{identity}".encode()).hexdigest()
