"""Records without numbers are linked to the right people, and protected people to none.

``make linkage`` runs the measures over ``LINKAGE_PEOPLE`` people and prints them.

Covers ``reconcile.linkage.proposals``, ``reconcile.linkage.proposals_file``,
``reconcile.linkage.clear_rows``, ``reconcile.linkage.scoring``, ``reconcile.linkage.exclusions``,
``reconcile.linkage.backend``, ``reconcile.linkage.clerk_list``,
``reconcile.linkage.duckdb_backend`` and ``reconcile.linkage.preparation``.
"""

from __future__ import annotations

import os
import re
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors.synthetic.options import PopulationOptions
from reconcile.layout import PROPOSALS, RunFolder
from reconcile.linkage.clear_rows import clear_rows
from reconcile.linkage.clerk_list import page_of_proposals, read_proposals, write_clerk_list
from reconcile.linkage.duckdb_backend import DuckDBLinkage
from reconcile.linkage.exclusions import Exclusions
from reconcile.linkage.linking import (
    ExtractsIncomplete,
    LinkageSummary,
    link_records,
    require_extracts,
)
from reconcile.linkage.model import load_model
from reconcile.linkage.needs import LINKED_RECORDS, linkage_needs
from reconcile.linkage.preparation import prepare
from reconcile.linkage.proposals import CANDIDATES, SURE_PROBABILITY, LinkageCandidate, candidates
from reconcile.manifest import ExtractProgress, Manifest
from tests.support.linkage_people import LinkagePeople, PlainHasher, write_people
from tests.support.linkage_quality import linked_keys, measure, table

PEOPLE = int(os.environ.get("LINKAGE_PEOPLE", "5000"))
RATE = 0.4 if PEOPLE < 50_000 else 0.1
MEMORY = 400_000_000 if PEOPLE < 50_000 else 1_200_000_000
HASHER = PlainHasher()


@dataclass(frozen=True, slots=True)
class _Linked:
    folder: RunFolder
    people: LinkagePeople
    backend: DuckDBLinkage
    summary: LinkageSummary
    candidates: list[LinkageCandidate]


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Linked]:
    """People of whom 5% are not in the population database, linked."""
    folder = RunFolder(tmp_path_factory.mktemp("linkage"))
    people = write_people(
        folder, PopulationOptions(people=PEOPLE, seed=77, unnumbered_rate=RATE), absent_rate=0.05
    )
    backend = DuckDBLinkage(folder.prepared / "linkage", MEMORY, threads=2)
    started = time.monotonic()
    summary = link_records(backend, folder, people.exclusions, load_model(), HASHER)
    seconds = time.monotonic() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(f"\n{people.people:,} people: {seconds:.0f} s, {peak:.0f} MiB at most\n")
    found = list(candidates(backend, load_model()))
    yield _Linked(folder, people, backend, summary, found)
    backend.close()


def test_precision_and_recall_of_sure_proposals(linked: _Linked) -> None:
    keys = linked_keys(linked.backend)
    measures = measure(keys, linked.candidates, linked.people)
    sys.stdout.write(table(measures) + "\n")
    total = measures[-1]
    (sure,) = [at for at in total.by_threshold if at.threshold == SURE_PROBABILITY]
    assert total.linkable > 1_000
    assert sure.precision >= 0.995  # 0.98 with brothers and sisters of who is absent
    assert sure.recall >= 0.98
    assert total.bound >= total.listed - 0.01  # few records say too little to tell people apart


def test_candidates_are_few_and_in_order_and_their_parts_make_the_weight(linked: _Linked) -> None:
    by_record: dict[tuple[str, str, str | None], list[LinkageCandidate]] = defaultdict(list)
    for item in linked.candidates:
        by_record[item.record, item.record_id, item.role].append(item)
    for of in by_record.values():
        assert len(of) <= CANDIDATES
        assert [item.rank for item in of] == list(range(1, len(of) + 1))
        assert len({item.number for item in of}) == len(of)
        assert sum(item.probability for item in of) <= 1 + 1e-9
        assert sorted((item.weight for item in of), reverse=True) == pytest.approx(
            [item.weight for item in of]
        )
        for item in of:
            level = {part.name: part.level for part in item.comparisons}
            assert level["given"] == 3 or level["birth"] > 0  # else a brother or sister
        before = {round(i.weight - sum(part.weight for part in i.comparisons), 6) for i in of}
        assert len(before) == 1  # what is known before comparing


def test_protected_and_adopted_people_and_unreadable_rows_are_left_out(linked: _Linked) -> None:
    """Whoever would be proposed is not, once protected; nor the adopted for a birth.

    A row with a value that could not be read may have a number: it is not compared.
    """
    first = [i for i in linked.candidates if i.record == "births" and i.rank == 1]
    births = first[:20]
    adopted = {item.number for item in births}
    unread, compared = [item for item in first[20:] if item.number not in adopted][:2]
    sparing = {unread.number, compared.number}
    others = [
        i
        for i in linked.candidates
        if i.record != "births" and i.rank == 1 and i.number not in sparing
    ][:20]
    exclusions = Exclusions(
        linked.people.exclusions.protected | {item.number for item in others},
        linked.people.exclusions.adopted | adopted,
    )
    folder = linked.folder
    unreadable = folder.extract("civil_status", "births") / "unreadable.parquet"
    rows = {"column": ["citizen_id"], "identity": [unread.record_id], "number": [None]}
    pq.write_table(pa.table(rows), unreadable)
    backend = DuckDBLinkage(folder.prepared / "protected", MEMORY, threads=2)
    try:
        prepare(backend, folder, exclusions)
        again = list(candidates(backend, load_model()))
        (kin,) = [
            batch.column(0)[0].as_py()
            for batch in backend.batches(
                "select count(*) as n from kin k join protected p on p.citizen_id = k.member_id"
            )
        ]
    finally:
        backend.close()
        unreadable.unlink()
    linked_again = {item.record_id for item in again}
    assert unread.record_id not in linked_again
    assert compared.record_id in linked_again
    assert kin == 0
    assert again
    assert not {item.number for item in again} & exclusions.protected
    born = {item.number for item in again if item.record == "births"}
    assert not born & exclusions.adopted
    assert not {item.number for item in linked.candidates} & linked.people.exclusions.protected


def test_what_was_replaced_or_revoked_is_not_linked(linked: _Linked) -> None:
    for record in LINKED_RECORDS:
        query = f"""select s.status, count(*) as n from records_{record} r
            join source_{record} s on s.event_id = r.row_id group by s.status"""
        statuses = {row["status"] for b in linked.backend.batches(query) for row in b.to_pylist()}
        assert statuses <= {"VALID", "AMENDED"}


def test_the_file_has_hashes_and_not_the_order_of_the_records(linked: _Linked) -> None:
    content = pq.read_table(linked.folder.proposals)
    assert content.schema.equals(PROPOSALS)
    assert linked.folder.proposals.stat().st_mode & 0o777 == 0o600
    rows = content.to_pylist()
    expected = {
        (
            i.record,
            HASHER.row("civil_status", i.record, i.record_id),
            i.role,
            HASHER.person(i.number),
        )
        for i in linked.candidates
    }
    assert {(r["record"], r["record_row"], r["role"], r["person"]) for r in rows} == expected
    assert len(rows) == len(linked.candidates)
    hashes = [row["record_row"] for row in rows if row["record"] == "births"]
    for part in "0123456789abcdef":
        of = [value for value in hashes if value[0] == part]
        assert of == sorted(of)
    text = linked.folder.proposals.read_bytes()
    assert not any(item.number.encode() in text for item in linked.candidates[:200])
    first = [row for row in linked.candidates if row.rank == 1]
    for record, count in linked.summary.counts.items():
        assert count.with_candidate == sum(item.record == record for item in first)
        assert 0 < count.sure <= count.with_candidate <= count.unnumbered


def test_the_clerks_list_shows_hashes_or_is_in_clear_for_its_owner(
    linked: _Linked, tmp_path: Path
) -> None:
    shown, total = page_of_proposals(linked.folder.proposals, skip=1, records=3)
    assert shown == list(read_proposals(linked.folder.proposals))[1:4]
    page = tmp_path / "list.html"
    write_clerk_list(page, "run", shown, 1, total, {})
    text = page.read_text("utf-8")
    numbers = {item.number for item in linked.candidates}
    assert not [word for word in re.findall(r"\d{9,}", text) if word in numbers]
    assert f"3 of {total} records" in text
    assert text.count("<svg") == sum(len(item.people) for item in shown)
    assert shown[0].record_row[:12] in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")

    clear = clear_rows(linked.backend, HASHER, shown)
    write_clerk_list(page, "run", shown, 1, total, clear)
    text = page.read_text("utf-8")
    assert page.stat().st_mode & 0o777 == 0o600
    people = {HASHER.person(number): number for number in numbers}
    assert all(people[of.person] in text for item in shown for of in item.people)


def test_extracts_that_are_not_complete_or_not_there_are_refused(tmp_path: Path) -> None:
    complete = {
        f"{database}.{record}": ExtractProgress(complete=True)
        for database, record in linkage_needs()
    }
    manifest = Manifest("r", "", "2026-11-30", "", ("population",), "duckdb", extracts=complete)
    folder = RunFolder(tmp_path)
    with pytest.raises(ExtractsIncomplete, match="were removed"):
        require_extracts(manifest, folder)
    for database, record in linkage_needs():
        folder.extract(database, record).mkdir(parents=True)
    require_extracts(manifest, folder)
    failed = ExtractProgress(complete=True, failure="no answer")
    with pytest.raises(ExtractsIncomplete, match=r"population\.family"):
        require_extracts(
            replace(manifest, extracts={**complete, "population.family": failed}), folder
        )
    del complete["civil_status.deaths"]
    with pytest.raises(ExtractsIncomplete, match=r"civil_status\.deaths"):
        require_extracts(replace(manifest, extracts=complete), folder)
