"""The findings of a run against those of the last finished one.

Fewer checks must never look like fewer conflicts: a finding that is not there any more is gone only
where its case was checked this time for whoever it was about. The same holds of what is new.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from enum import Enum
from pathlib import Path

import duckdb
import pyarrow as pa

from reconcile.engines.engine import UncheckedReason
from reconcile.report.case_checks import ENGINE, CaseScope, CheckScope
from reconcile.report.count_queries import CountRow


class FindingChange(Enum):
    """What became of a finding; the values are measures of ``counts.parquet``."""

    NEW = "change.new"
    #: Found this time; last time its case was not checked for everybody, so it may be older.
    UNCHECKED_BEFORE = "change.unchecked_before"
    REMAINING = "change.remaining"
    GONE = "change.gone"
    #: Found last time; this time its case was not checked for everybody, so it may still be there.
    UNCHECKED_NOW = "change.unchecked_now"


class Comparability(Enum):
    """Whether a run is compared with the last finished one."""

    COMPARED = "COMPARED"
    NO_EARLIER_RUN = "NO_EARLIER_RUN"
    #: The files of the earlier run are gone, or of another version.
    NO_EARLIER_FILES = "NO_EARLIER_FILES"
    #: The rules were changed in between.
    OTHER_RULES = "OTHER_RULES"
    #: Another key of keyed hashes: no finding can be recognised.
    OTHER_KEY = "OTHER_KEY"


_COMPARE = """
    WITH present AS (SELECT finding, rule, "case" FROM read_parquet($present)),
    earlier AS (SELECT finding, rule, "case" FROM read_parquet($earlier)),
    sides AS (SELECT finding, unnest(sides) AS side FROM read_parquet($earlier)),
    unread AS (
        SELECT DISTINCT finding FROM sides WHERE side.row IN (SELECT row_hash FROM unread_rows)
    )
    SELECT coalesce(present.rule, earlier.rule), coalesce(present."case", earlier."case"),
           present.finding IS NOT NULL, earlier.finding IS NOT NULL,
           unread.finding IS NOT NULL, count(*)
    FROM present
    FULL JOIN earlier ON present.finding = earlier.finding
    LEFT JOIN unread ON unread.finding = earlier.finding
    GROUP BY ALL
"""

Checks = Mapping[tuple[str, int], CaseScope]


def compare_findings(
    connection: duckdb.DuckDBPyConnection,
    present: tuple[Path, Checks],
    earlier: tuple[Path, Checks],
    unread_rows: Collection[str] | None,
) -> list[CountRow]:
    """Return how many findings of each rule are new, remain, or are gone.

    ``present``, ``earlier``: the findings of both runs, and whom their cases were checked for.
    ``unread_rows``: keyed hashes of the rows that could not be read wholly this time; None: it is
    not told which. Costs one join of both files.
    """
    hashes = pa.table({"row_hash": pa.array(sorted(unread_rows or ()), pa.string())})
    connection.register("unread_rows", hashes)
    rows = connection.execute(
        _COMPARE, {"present": str(present[0]), "earlier": str(earlier[0])}
    ).fetchall()
    connection.unregister("unread_rows")
    counts: Counter[tuple[str, FindingChange]] = Counter()
    for rule, place, is_present, was_present, is_unread, count in rows:
        case = rule, place
        if is_present and was_present:
            change = FindingChange.REMAINING
        elif is_present:
            change = _appearance(earlier[1].get(case))
        else:
            change = _disappearance(present[1].get(case), is_unread, unread_rows is not None)
        counts[rule, change] += count
    return [
        CountRow(change.value, count, rule=rule)
        for (rule, change), count in sorted(
            counts.items(), key=lambda item: (item[0][0], item[0][1].value)
        )
    ]


def _appearance(check: CaseScope | None) -> FindingChange:
    is_whole = check is not None and check.scope is CheckScope.EVERYBODY
    return FindingChange.NEW if is_whole else FindingChange.UNCHECKED_BEFORE


def _disappearance(
    check: CaseScope | None, is_unread: bool, are_rows_stated: bool
) -> FindingChange:
    """Return what became of a finding that is not there any more.

    A case that was checked for everybody but whoever a row could not be read of, was checked for
    the rows of this finding if they were readable; not so where it says that there is no row, which
    may be one of those.
    """
    if check is None or check.scope is CheckScope.NOBODY:
        return FindingChange.UNCHECKED_NOW
    if check.scope is CheckScope.EVERYBODY:
        return FindingChange.GONE
    is_by_rows_alone = all(
        reason is UncheckedReason.UNREADABLE and record != ENGINE
        for record, reason in check.reasons
    )
    if are_rows_stated and is_by_rows_alone and not check.lacks_rows and not is_unread:
        return FindingChange.GONE
    return FindingChange.UNCHECKED_NOW
