"""The clerk's list: a page with the candidates of records, their pictures, and boxes to decide.

It is made of ``proposals.parquet``, so records and people are the beginnings of keyed hashes. In
clear it is for the operator's eyes only: the file can be read by its owner alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from connectors.description import Text
from reconcile.layout import require_version
from reconcile.linkage.proposals import ComparisonWeight
from reconcile.linkage.waterfall import STYLE, waterfall

#: Signs of a hash that are shown: enough for a clerk to tell a page's rows apart.
_SHOWN_HASH = 12
_RECORDS = {
    "births": Text("Khai sinh", "Birth"),
    "marriages": Text("Kết hôn", "Marriage"),
    "deaths": Text("Khai tử", "Death"),
}
_ROLES = {"husband": Text("chồng", "husband"), "wife": Text("vợ", "wife")}
_PAGE_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;
background:#fff;color:#1b1b1b}article,fieldset{border:1px solid #8a8a8a;border-radius:6px;
padding:.5rem 1rem;margin:1rem 0}code{overflow-wrap:anywhere}[lang=en]{opacity:.85}
label{display:block}dl{display:grid;grid-template-columns:auto 1fr;gap:0 1rem}dd{margin:0}
@media(prefers-color-scheme:dark){body{background:#161616;color:#ececec}}
@media print{article{break-inside:avoid}}
"""

#: Columns and values of a row in clear, by its keyed hash.
ClearRows = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class ProposedPerson:
    """A candidate as the file has it."""

    person: str
    weight: float
    probability: float
    comparisons: tuple[ComparisonWeight, ...]


@dataclass(frozen=True, slots=True)
class ProposedRecord:
    """A record, or a spouse in it, and who may be meant, the most probable first."""

    record: str
    record_row: str
    role: str | None
    people: tuple[ProposedPerson, ...]


def read_proposals(file: Path) -> Iterator[ProposedRecord]:
    """Yield the records of a file in its order; raises OtherVersion, OSError."""
    with pq.ParquetFile(file) as parquet:
        require_version(parquet.schema_arrow, file)
        rows = (row for batch in parquet.iter_batches(10_000) for row in batch.to_pylist())
        for (record, identity, role), of in groupby(
            rows, lambda row: (row["record"], row["record_row"], row["role"])
        ):
            yield ProposedRecord(record, identity, role, tuple(map(_person, of)))


def _person(row: dict[str, Any]) -> ProposedPerson:
    parts = tuple(ComparisonWeight(**part) for part in row["comparisons"])
    return ProposedPerson(row["person"], row["weight"], row["probability"], parts)


def page_of_proposals(file: Path, skip: int, records: int) -> tuple[list[ProposedRecord], int]:
    """Return so many records after the first ``skip``, and how many the file has."""
    shown: list[ProposedRecord] = []
    total = 0
    for total, proposed in enumerate(read_proposals(file), start=1):
        if skip < total <= skip + records:
            shown.append(proposed)
    return shown, total


def write_clerk_list(
    target: Path, run: str, shown: Sequence[ProposedRecord], skip: int, total: int, clear: ClearRows
) -> None:
    """Write a page of records; ``clear`` empty: hashes only. Raises OSError.

    The file is replaced when it is complete, and is its owner's only.
    """
    temporary = target.with_name(f".{target.name}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as page:
            page.write(_head(run, len(shown), skip, total, bool(clear)))
            for place, proposed in enumerate(shown, start=skip + 1):
                page.write(_article(proposed, place, clear))
            page.write("</main></body></html>\n")
        temporary.chmod(0o600)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _both(text: Text, tag: str = "span") -> str:
    return f'{escape(text.vi)} <{tag} lang="en">· {escape(text.en)}</{tag}>'


def _head(run: str, shown: int, skip: int, total: int, in_clear: bool) -> str:
    title = Text("Đề xuất liên kết hồ sơ không có số", "Proposals for records without a number")
    notes = [
        Text(
            "Đây là đề xuất để cán bộ quyết định, không phải kết luận, không phải mâu thuẫn.",
            "These are proposals for a clerk to decide on: neither facts nor conflicts.",
        ),
        Text(
            f"Trang này có {shown} trên tổng số {total} hồ sơ có đề xuất, sau {skip} hồ sơ đầu.",
            f"This page has {shown} of {total} records with proposals, after the first {skip}.",
        ),
        Text(
            "Không có đề xuất không có nghĩa là không có người: người được bảo vệ không được so"
            " sánh, và hồ sơ có thể ghi quá ít.",
            "No proposal does not mean nobody: protected people are not compared, and a record may"
            " say too little.",
        ),
    ]
    if in_clear:
        notes.append(
            Text(
                "Có số định danh: chỉ dành cho người vận hành.",
                "With numbers: for the operator's eyes only.",
            )
        )
    paragraphs = "".join(f"<p>{_both(note)}</p>" for note in notes)
    return (
        f'<!doctype html><html lang="vi"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{title.vi}</title>'
        f"<style>{_PAGE_STYLE}{STYLE}</style></head><body><main><h1>{_both(title)}</h1>"
        f"<p>{escape(run)}</p>{paragraphs}"
    )


def _article(proposed: ProposedRecord, place: int, clear: ClearRows) -> str:
    role = "" if proposed.role is None else f": {_both(_ROLES[proposed.role])}"
    heading = f"{place}. {_both(_RECORDS[proposed.record])}{role}"
    people = "".join(
        _candidate(proposed, number, person, f"p{place}-{number}", clear)
        for number, person in enumerate(proposed.people, start=1)
    )
    none = Text("không phải ai trong số này", "none of these")
    unclear = Text("chưa đủ căn cứ", "not enough to decide")
    boxes = "".join(
        f'<label><input type="radio" name="d{place}" value="{value}"> {_both(text)}</label>'
        for value, text in (("none", none), ("unclear", unclear))
    )
    return (
        f"<article><h2>{heading}</h2>{_row(proposed.record_row, clear)}{people}"
        f"<fieldset><legend>{_both(Text('Quyết định', 'Decision'))}</legend>{boxes}"
        "</fieldset></article>"
    )


def _candidate(
    proposed: ProposedRecord, number: int, person: ProposedPerson, identity: str, clear: ClearRows
) -> str:
    place = identity.partition("-")[0].removeprefix("p")
    same = _both(Text("là người này", "is this person"))
    probability = f"{person.probability:.1%}" if person.probability < 0.9995 else "> 99,9%"
    heading = (
        f"{_both(Text('Ứng viên', 'Candidate'))} {number}: "
        f"{_both(Text('xác suất', 'probability'))} {probability}"
    )
    picture = waterfall(proposed.record, person.weight, person.comparisons, identity)
    return (
        f"<h3>{heading}</h3>{_row(person.person, clear)}{picture}"
        f'<label><input type="radio" name="d{place}" value="{number}"> {same}</label>'
    )


def _row(identity: str, clear: ClearRows) -> str:
    if identity not in clear:
        return f"<p><code>{escape(identity[:_SHOWN_HASH])}…</code></p>"
    parts = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>"
        for name, value in clear[identity].items()
    )
    return f"<dl>{parts}</dl>"
