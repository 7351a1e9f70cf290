"""The findings of a run: a file a unit of work, and in the end one file, sorted by finding.

A unit's file replaces itself, so that a unit that is done again doubles nothing. Numbers and values
are in a second file of the same form, encrypted, where the operator gave a key; without a key they
are written nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from reconcile.engines.engine import RawFinding
from reconcile.findings.hashes import KeyedHashes
from reconcile.findings.parquet_files import GROUP_ROWS, count_rows, read_range, write_table
from reconcile.layout import FINDINGS, NUMBERS, RunFolder, versioned
from rules.statements import RuleStatements

#: Findings that are sorted in memory at once where the units are joined.
_RANGE_ROWS = 100_000
_SORTED_BY = "finding"


class FindingsFiles:
    """Writes the findings of a run. ``numbers_key``: of the operator; None: no numbers."""

    def __init__(
        self,
        folder: RunFolder,
        statements: RuleStatements,
        hashes: KeyedHashes,
        numbers_key: bytes | None,
    ) -> None:
        self._folder = folder
        self._cases = statements.cases
        self._hashes = hashes
        self._key = numbers_key
        rules = [case.rule for case in statements.cases]
        #: The place of each case in its rule.
        self._places = [rules[:place].count(rule) for place, rule in enumerate(rules)]

    def write_unit(self, unit: str, findings: Iterable[RawFinding]) -> int:
        """Write the findings of a unit, sorted; returns their number. Raises OSError.

        They are in memory as Arrow has them, some 500 bytes each.
        """
        self._folder.cases.mkdir(mode=0o700, exist_ok=True)
        hashed, numbers = [FINDINGS.empty_table()], [NUMBERS.empty_table()]
        rows = self._rows(findings)
        while batch := list(islice(rows, GROUP_ROWS)):
            hashed.append(pa.Table.from_pylist([row for row, _ in batch], FINDINGS))
            if self._key is not None:
                numbers.append(pa.Table.from_pylist([row for _, row in batch], NUMBERS))
        # The numbers first: a unit with findings and without their numbers is never there.
        if self._key is None:
            self._numbers(unit).unlink(missing_ok=True)
        else:
            write_table(self._numbers(unit), NUMBERS, [_sorted(numbers)], self._key)
        return write_table(self._findings(unit), FINDINGS, [_sorted(hashed)])

    def join(self, units: Sequence[str]) -> int:
        """Write the file of all findings from those of the units; returns their number.

        Range by range of hashes, so that memory does not grow with the findings. Raises OSError,
        KeyRefused where a unit's numbers are under another key.
        """
        count = self._join([self._findings(unit) for unit in units], FINDINGS, None)
        if self._key is None:
            self._folder.numbers.unlink(missing_ok=True)
        else:
            self._join([self._numbers(unit) for unit in units], NUMBERS, self._key)
        return count

    def _join(self, files: Sequence[Path], schema: pa.Schema, key: bytes | None) -> int:
        target = self._folder.findings if schema is FINDINGS else self._folder.numbers
        total = sum(count_rows(file, key) for file in files)
        tables = (
            _sorted(_between(files, schema, key, *bounds))
            for bounds in _ranges(total // _RANGE_ROWS + 1)
        )
        return write_table(target, schema, tables, key)

    def _findings(self, unit: str) -> Path:
        return self._folder.cases / f"{unit}.parquet"

    def _numbers(self, unit: str) -> Path:
        return self._folder.cases / f"{unit}.numbers.parquet"

    def _rows(
        self, findings: Iterable[RawFinding]
    ) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """Yield the rows of both files for each finding, once."""
        written_findings: set[str] = set()
        for raw in findings:
            case = self._cases[raw.case]
            rows = [
                (side.row.record.database, side.row.record.name, identity)
                for side, identity in zip(case.case.sides, raw.record_ids, strict=True)
            ]
            place = self._places[raw.case]
            finding = self._hashes.finding(case.rule.name, place, raw.number, rows)
            if finding in written_findings:  # a source that has two rows with one identity
                continue
            written_findings.add(finding)
            hashes = [self._hashes.row(*row) for row in rows]
            sides = [
                {"database": row[0], "record": row[1], "row": hashed}
                for row, hashed in zip(rows, hashes, strict=True)
            ]
            shown = [
                {"row": hashed, "values": list(values)}
                for hashed, values in zip(hashes, raw.values, strict=True)
            ]
            yield (
                {
                    "finding": finding,
                    "rule": case.rule.name,
                    "severity": case.rule.severity.name,
                    "case": place,
                    "person": self._hashes.person(raw.number),
                    "sides": sides,
                    "prevails": case.case.prevails,
                    "province": raw.province,
                    "former_province": raw.former_province,
                    "registration_year": raw.registration_year,
                },
                {"finding": finding, "number": raw.number, "sides": shown},
            )


def _between(
    files: Sequence[Path], schema: pa.Schema, key: bytes | None, begin: str, end: str | None
) -> Iterator[pa.Table]:
    yield versioned(schema).empty_table()
    for file in files:
        yield from read_range(file, _SORTED_BY, begin, end, key)


def _sorted(tables: Iterable[pa.Table]) -> pa.Table:
    return pa.concat_tables(tables).sort_by(_SORTED_BY)


def _ranges(count: int) -> Iterator[tuple[str, str | None]]:
    """Yield the bounds of ``count`` ranges that part all hashes evenly."""
    bounds = [f"{place * 16**8 // count:08x}" for place in range(1, count)]
    yield from zip(["", *bounds], [*bounds, None], strict=True)
