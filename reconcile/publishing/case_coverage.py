"""Which cases a run has checked, and for whom: what the absence of a finding means.

A finding that a run does not find is corrected only where the run checked its case for its person.
A database that was not chosen, a source that failed, a row that could not be read: each leaves
unknown what it might have said.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from connectors.reconciliation import RuleCoverage
from reconcile.manifest import ExtractProgress, Manifest
from rules.expression import ListRead
from rules.row_program import RuleLists
from rules.rule import Case, ConflictRule

#: Whose number each is: without them no case is checked of anybody.
_NUMBERS = {
    "population.identity": ("citizen_id",),
    "population.earlier_numbers": ("citizen_id", "number"),
}


@dataclass(frozen=True, slots=True)
class CaseCoverage:
    """What a run has checked of a case.

    ``people_unchecked``: keyed hashes of those for whom it was not checked; None: it cannot be told
    of whom, so it counts as unchecked for everybody. ``unread``: records (``database.record``) that
    were not read, or not wholly.
    """

    rule: str
    case: int
    people_unchecked: Collection[str] | None
    unread: tuple[str, ...]

    @property
    def coverage(self) -> RuleCoverage:
        """For whom the case was checked."""
        if self.people_unchecked is None:
            return RuleCoverage.NOBODY
        return RuleCoverage.NOT_EVERYBODY if self.people_unchecked else RuleCoverage.EVERYBODY


@dataclass(frozen=True, slots=True)
class RuleCoverageOfRun:
    """What a run has checked of a rule; ``coverage`` is that of its cases together."""

    rule: str
    coverage: RuleCoverage
    unread: tuple[str, ...]


def case_coverage(
    manifest: Manifest,
    rules: Sequence[ConflictRule],
    unchecked: Mapping[str, Collection[str]] | None = None,
) -> tuple[CaseCoverage, ...]:
    """Return what a finished run has checked of each case of ``rules``.

    ``unchecked``: by record, the people (keyed hashes) of whom a row may be missing or unreadable.
    Of a record with unreadable rows that is not in it nobody knows whose they are.
    """
    lists = RuleLists(rules)
    places = {case: place for rule in rules for place, case in enumerate(rule.cases)}
    return tuple(
        _coverage(manifest, rule, places[case], _columns(lists, case), unchecked or {})
        for rule, case in lists.cases
    )


def rule_coverage(cases: Iterable[CaseCoverage]) -> tuple[RuleCoverageOfRun, ...]:
    """Return what was checked of each rule, in the order of ``cases``."""
    by_rule: dict[str, list[CaseCoverage]] = {}
    for case in cases:
        by_rule.setdefault(case.rule, []).append(case)
    return tuple(_of_rule(rule, of_rule) for rule, of_rule in by_rule.items())


def _of_rule(rule: str, cases: Sequence[CaseCoverage]) -> RuleCoverageOfRun:
    levels = {case.coverage for case in cases}
    level = levels.pop() if len(levels) == 1 else RuleCoverage.NOT_EVERYBODY
    unread = dict.fromkeys(name for case in cases for name in case.unread)
    return RuleCoverageOfRun(rule, level, tuple(unread))


def _columns(lists: RuleLists, case: Case) -> dict[str, set[str]]:
    """Return the records that a case reads, as extracts are named, with the columns it rests on."""
    columns: dict[str, set[str]] = {name: set(keys) for name, keys in _NUMBERS.items()}
    for read in case.reads:
        record = lists.records[read]
        of_record = columns.setdefault(f"{read.database}.{record.name}", {record.identity})
        (lookup,) = (lookup for lookup in record.lookups if lookup.name == read.lookup)
        if lookup.through is None:
            of_record |= {*lookup.by}
        else:
            link, shared = lookup.through
            of_record.add(shared)
            columns.setdefault(f"{read.database}.{link}", set()).update((*lookup.by, shared))
        if read.hung is not None:
            columns.setdefault(_parent(lists, read), set()).add(read.hung[1])
    for read, column in case.columns_read():
        columns[f"{read.database}.{lists.records[read].name}"].add(column)
    return columns


def _parent(lists: RuleLists, read: ListRead) -> str:
    """Return the record on whose rows a list hangs."""
    assert read.hung is not None
    parent = lists.records[ListRead(read.database, read.hung[0])]
    return f"{read.database}.{parent.name}"


def _coverage(
    manifest: Manifest,
    rule: ConflictRule,
    place: int,
    columns: Mapping[str, Collection[str]],
    unchecked: Mapping[str, Collection[str]],
) -> CaseCoverage:
    people: set[str] = set()
    is_known = True
    unread = []
    for record, of_record in sorted(columns.items()):
        progress = _progress(manifest, record)
        if progress is None:
            is_known = False
        elif any(progress.unreadable.get(name) for name in of_record):
            is_known &= record in unchecked
            people |= set(unchecked.get(record, ()))
        else:
            continue
        unread.append(record)
    return CaseCoverage(rule.name, place, people if is_known else None, tuple(unread))


def _progress(manifest: Manifest, record: str) -> ExtractProgress | None:
    """Return how far a record was extracted; None: not to its end."""
    progress = manifest.extracts.get(record)
    if record.partition(".")[0] not in manifest.databases or progress is None:
        return None
    return progress if progress.complete and progress.failure is None else None
