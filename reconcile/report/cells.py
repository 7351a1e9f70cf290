"""The cells of a report and the lines by which they add up, for disclosure control.

A line is here for every sum that a reader can make. What anybody can know to be zero is no cell: a
rule that was not checked has no findings, and one that was checked for everybody leaves nothing
"not checked this time". To take such a cell for a secret would be to hide a number behind nothing.
Two cells that are always equal are one, so that they are not rounded in two ways.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from disclosure.cells import Cell, Equation
from reconcile.report.case_checks import CaseScope, CheckScope
from reconcile.report.comparison import FindingChange
from reconcile.report.count_queries import CountRow
from reconcile.report.needs import MEASURES
from reconcile.report.provinces import UNKNOWN, provinces
from rules.rule import ConflictRule

#: Years of registration that stand by themselves; earlier ones are together.
YEARS = 20
EARLIER = "EARLIER"
TOTAL: Cell = (("findings",), ("",))
EARLIER_TOTAL: Cell = (("earlier",), ("",))
PEOPLE: Cell = (("people",), ("",))


def rule_cell(rule: str) -> Cell:
    """Return the cell of the findings of a rule."""
    return ("findings", "rule"), ("", rule)


def earlier_cell(rule: str) -> Cell:
    """Return the cell of the findings of a rule in the run that is compared with."""
    return ("earlier", "rule"), ("", rule)


def change_cell(change: FindingChange, rule: str = "") -> Cell:
    """Return the cell of what became of the findings of a rule, or of all."""
    return ("change", "rule"), (change.value, rule)


def finding_cell(dimension: str, value: str) -> Cell:
    """Return a cell by severity, database, province, former province or year."""
    return ("findings", dimension), ("", value)


def former_cell(province: str, former: str) -> Cell:
    """Return the cell of a former province, or of what a province has without one."""
    return finding_cell("former_province", f"{province}/{former}")


def record_cell(database: str, record: str, measure: str) -> Cell:
    """Return the cell of a measure of a record."""
    return ("records", "measure"), (f"{database}.{record}", measure)


@dataclass(slots=True)
class ReportCells:
    """Cells with their counts, and lines. ``same``: cells that are always another one."""

    counts: dict[Cell, int] = field(default_factory=dict)
    lines: list[Equation] = field(default_factory=list)
    same: dict[Cell, Cell] = field(default_factory=dict)

    def resolve(self, cell: Cell) -> Cell:
        """Return the cell that stands for ``cell``."""
        while cell in self.same:
            cell = self.same[cell]
        return cell

    def add(self, cell: Cell, count: int) -> None:
        """Add a cell."""
        self.counts[cell] = count

    def add_sum(self, total: Cell, parts: Iterable[Cell]) -> None:
        """Add a cell that is the sum of others, which are there."""
        cells = tuple(self.resolve(part) for part in parts)
        if len(cells) == 1 and cells[0] != total:
            self.same[total] = cells[0]
        elif cells:
            self.counts[total] = sum(self.counts[part] for part in cells)
            self.lines.append(Equation(total, cells))

    def add_line(self, total: Cell, parts: Mapping[Cell, int]) -> None:
        """Add cells that add up to one that is there; some of them may be there already."""
        total = self.resolve(total)
        new_parts = {
            part: n
            for part, n in parts.items()
            if part not in self.counts.keys() | self.same.keys()
        }
        if len(parts) == 1 and new_parts:
            self.same[next(iter(parts))] = total
        elif parts:
            self.counts |= new_parts
            self.lines.append(Equation(total, tuple(self.resolve(part) for part in parts)))


@dataclass(frozen=True, slots=True)
class RuleChecks:
    """Cases of a rule by whom they were checked for, in this run and in the earlier one."""

    present: Counter[CheckScope]
    earlier: Counter[CheckScope]

    def is_possible(self, change: FindingChange) -> bool:
        """Whether findings of the rule can have changed in this way, as anybody can tell."""
        now = {scope for scope, cases in self.present.items() if cases}
        before = {scope for scope, cases in self.earlier.items() if cases}
        match change:
            case FindingChange.NEW:
                return now != {CheckScope.NOBODY} and CheckScope.EVERYBODY in before
            case FindingChange.UNCHECKED_BEFORE:
                return now != {CheckScope.NOBODY} and before != {CheckScope.EVERYBODY}
            case FindingChange.REMAINING:
                return now != {CheckScope.NOBODY} and before != {CheckScope.NOBODY}
            case FindingChange.GONE:
                return now != {CheckScope.NOBODY} and before != {CheckScope.NOBODY}
            case FindingChange.UNCHECKED_NOW:
                return now != {CheckScope.EVERYBODY} and before != {CheckScope.NOBODY}

    def is_none(self, change: FindingChange) -> bool:
        """Whether it is certain, from whom was checked, that no finding changed in this way."""
        match change:
            case FindingChange.UNCHECKED_BEFORE:
                return set(self.earlier) == {CheckScope.EVERYBODY}
            case FindingChange.UNCHECKED_NOW:
                return set(self.present) == {CheckScope.EVERYBODY}
            case _:
                return False


def build_cells(
    rows: Sequence[CountRow],
    rules: Sequence[ConflictRule],
    checks: Mapping[tuple[str, int], CaseScope],
    year: int,
    *,
    is_compared: bool,
) -> ReportCells:
    """Return the cells of a report. ``year``: the last that stands by itself.

    Raises ValueError for findings of a rule that is not among ``rules``.
    """
    cells = ReportCells()
    names = {rule.name for rule in rules}
    unknown_rules = {row.rule for row in rows if row.rule is not None} - names
    if unknown_rules:
        raise ValueError(f"these counts are of other rules: {', '.join(sorted(unknown_rules))}")
    _add_rules(cells, rows, rules, checks)
    if TOTAL in cells.counts or TOTAL in cells.same:
        people = sum(row.count for row in rows if row.measure == "findings.people")
        cells.add(PEOPLE, people)
        _add_places(cells, rows)
        _add_years(cells, rows, year)
    if is_compared:
        _add_changes(cells, rows, rules, checks)
    _add_records(cells, rows)
    return cells


def _add_rules(
    cells: ReportCells,
    rows: Sequence[CountRow],
    rules: Sequence[ConflictRule],
    checks: Mapping[tuple[str, int], CaseScope],
) -> None:
    """Add findings by rule, and what is a sum of those: all, by severity, by database."""
    counts = Counter(
        {
            (row.rule or "", row.database or ""): row.count
            for row in rows
            if row.measure == "findings.databases"
        }
    )
    severities, databases = defaultdict(list), defaultdict(list)
    present = []
    for rule in rules:
        kinds = _kinds(rule, checks)
        kinds |= {kind for name, kind in counts if name == rule.name}
        if not kinds:
            continue
        cell = rule_cell(rule.name)
        by_kind = {kind: _kind_cell(rule.name, kind) for kind in sorted(kinds)}
        cells.add(cell, sum(counts[rule.name, kind] for kind in kinds))
        cells.add_line(cell, {by_kind[kind]: counts[rule.name, kind] for kind in by_kind})
        present.append(cell)
        severities[rule.severity.name].append(cell)
        for kind, part in by_kind.items():
            for database in kind.split("+"):
                databases[database].append(part)
    cells.add_sum(TOTAL, present)
    for severity, parts in severities.items():
        cells.add_sum(finding_cell("severity", severity), parts)
    for database, parts in databases.items():
        cells.add_sum(finding_cell("database", database), parts)


def _kind_cell(rule: str, kind: str) -> Cell:
    return ("findings", "rule", "databases"), ("", rule, kind)


def _kinds(rule: ConflictRule, checks: Mapping[tuple[str, int], CaseScope]) -> set[str]:
    """Return between which databases a rule can have found something."""
    return {
        "+".join(sorted({side.row.record.database for side in case.sides}))
        for place, case in enumerate(rule.cases)
        if checks[rule.name, place].scope is not CheckScope.NOBODY
    }


def _add_places(cells: ReportCells, rows: Sequence[CountRow]) -> None:
    all_provinces = provinces()
    counts: Counter[tuple[str, str]] = Counter()
    for row in rows:
        if row.measure == "findings.place":
            counts[all_provinces.place(row.province, row.former_province)] += row.count
    parts = {finding_cell("province", code): 0 for code in (*all_provinces.present, UNKNOWN)}
    for (province, _), count in counts.items():
        parts[finding_cell("province", province)] += count
    cells.add_line(TOTAL, parts)
    for province in all_provinces.present:
        former = [
            code for code, present in all_provinces.present_code.items() if present == province
        ]
        cells.add_line(
            finding_cell("province", province),
            {former_cell(province, code): counts[province, code] for code in (*former, UNKNOWN)},
        )


def _add_years(cells: ReportCells, rows: Sequence[CountRow], last: int) -> None:
    parts = {finding_cell("year", value): 0 for value in year_values(last)}
    for row in rows:
        if row.measure == "findings.year":
            parts[finding_cell("year", _year_value(row.year, last))] += row.count
    cells.add_line(TOTAL, parts)


def year_values(last: int) -> tuple[str, ...]:
    """Return the values by which findings are counted over years, in the order of display."""
    return (EARLIER, *(str(year) for year in range(last - YEARS + 1, last + 1)), UNKNOWN)


def _year_value(year: int | None, last: int) -> str:
    if year is None or year > last:
        return UNKNOWN
    return str(year) if year > last - YEARS else EARLIER


def rule_checks(
    rows: Sequence[CountRow], rule: ConflictRule, checks: Mapping[tuple[str, int], CaseScope]
) -> RuleChecks:
    """Return for whom the cases of a rule were checked, now and in the earlier run."""
    present = Counter(checks[rule.name, place].scope for place in range(len(rule.cases)))
    earlier: Counter[CheckScope] = Counter()
    for row in rows:
        if row.rule == rule.name and row.measure.startswith("earlier."):
            earlier[CheckScope[row.measure.partition(".")[2]]] += row.count
    return RuleChecks(present, earlier)


def _add_changes(
    cells: ReportCells,
    rows: Sequence[CountRow],
    rules: Sequence[ConflictRule],
    checks: Mapping[tuple[str, int], CaseScope],
) -> None:
    """Add what became of findings, whose sums are the findings of this run and of the earlier."""
    counts = Counter(
        {(row.measure, row.rule): row.count for row in rows if row.measure.startswith("change.")}
    )
    totals: dict[FindingChange, list[Cell]] = defaultdict(list)
    before = []
    for rule in rules:
        of_rule = rule_checks(rows, rule, checks)
        parts = {
            change: change_cell(change, rule.name)
            for change in FindingChange
            if of_rule.is_possible(change) or counts[change.value, rule.name]
        }
        numbers = {change: counts[change.value, rule.name] for change in parts}
        earlier = [change for change in parts if change in _EARLIER]
        if earlier:
            cell = earlier_cell(rule.name)
            cells.add(cell, sum(numbers[change] for change in earlier))
            cells.add_line(cell, {parts[change]: numbers[change] for change in earlier})
            before.append(cell)
        present = [change for change in parts if change in _PRESENT]
        if present:
            cells.add_line(
                rule_cell(rule.name), {parts[change]: numbers[change] for change in present}
            )
        for change, cell in parts.items():
            totals[change].append(cell)
    cells.add_sum(EARLIER_TOTAL, before)
    for change, count in totals.items():
        cells.add_sum(change_cell(change), count)


_PRESENT = (FindingChange.REMAINING, FindingChange.NEW, FindingChange.UNCHECKED_BEFORE)
_EARLIER = (FindingChange.REMAINING, FindingChange.GONE, FindingChange.UNCHECKED_NOW)

#: The measures of a record that add up to another, with the one that is the rest.
RECORD_LINES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("rows", ("records",), "rows.other"),
    ("records", ("records.numbered",), "records.unnumbered"),
    (
        "records",
        ("parents.named.both", "parents.named.mother", "parents.named.father"),
        "parents.named.neither",
    ),
    (
        "records",
        ("parents.numbered.both", "parents.numbered.mother", "parents.numbered.father"),
        "parents.numbered.neither",
    ),
    ("records", ("kind.digitised", "kind.missing"), "kind.registered"),
    ("records", ("term.late", "term.on_time"), "term.untold"),
)


def _add_records(cells: ReportCells, rows: Sequence[CountRow]) -> None:
    records: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for row in rows:
        if row.database is not None and row.record is not None:
            records[row.database, row.record][row.measure] = row.count
    for (database, record), counts in records.items():
        cells.add(record_cell(database, record, "rows"), counts["rows"])
        if (measures := MEASURES.get((database, record))) and measures.status is None:
            in_force = record_cell(database, record, "records")
            cells.same[in_force] = record_cell(database, record, "rows")
        for total, parts, rest in RECORD_LINES:
            if record_cell(database, record, parts[0]) in cells.same:
                continue
            if all(part in counts for part in (total, *parts)):
                values = {part: counts[part] for part in parts}
                values[rest] = counts[total] - sum(values.values())
                cells.add_line(
                    record_cell(database, record, total),
                    {record_cell(database, record, part): n for part, n in values.items()},
                )
