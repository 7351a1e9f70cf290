"""``report.html``: the report of a run for who decides, in one file.

It loads nothing and runs nothing, which its policy also forbids. Everything that is put into the
template is escaped; the style sheet alone is not, since it is of this package.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from connectors.description import Database, Text
from reconcile.manifest import ExtractProgress
from reconcile.report.bars import BarPicture, draw_bars, draw_columns, ticks
from reconcile.report.case_checks import ENGINE, CaseScope, CheckScope
from reconcile.report.cells import (
    EARLIER,
    EARLIER_TOTAL,
    PEOPLE,
    TOTAL,
    YEARS,
    earlier_cell,
    finding_cell,
    former_cell,
    rule_cell,
    year_values,
)
from reconcile.report.comparison import Comparability, FindingChange
from reconcile.report.completeness import CompletenessMeasure, measures_of
from reconcile.report.figures import Figure, FigureState, ReportFigures, RuleCheckResult
from reconcile.report.phrases import (
    CHANGES,
    COMPARABILITIES,
    EXTRACT_STATES,
    MEASURE_TITLES,
    PHRASES,
    REASONS,
    SCOPES,
    STATES,
)
from reconcile.report.provinces import UNKNOWN, provinces
from reconcile.report.summary import (
    extract_state,
    failure_text,
    records_of,
    rows_figure,
    unreadable_columns,
)
from rules.rule import ConflictRule, ConflictSeverity

_FOLDER = Path(__file__).parent / "templates"
_VIETNAM = timezone(timedelta(hours=7))
#: Separates thousands: in neither language is it a decimal sign (ISO 80000-1).
_THIN = "\u202f"
#: Letters of a label in a chart, for a window of 390 pixels.
_LONGEST = 46


@dataclass(frozen=True, slots=True)
class ReportChart:
    """A chart with its name in the page, its title, and what it shows in words."""

    name: str
    title: Text
    summary: Text
    picture: BarPicture


@dataclass(frozen=True, slots=True)
class RuleGap:
    """Cases of a rule that were not checked wholly for the same reason. ``places``: from 1."""

    rule: ConflictRule
    places: tuple[int, ...]
    scope: CheckScope
    reasons: tuple[tuple[Text, Text], ...]
    people: int | Text


def render_report(figures: ReportFigures, databases: Sequence[Database]) -> str:
    """Return the report as HTML. ``databases``: for the titles of databases and records."""
    titles = _Titles(databases)
    style = (_FOLDER / "report.css").read_text("utf-8")
    results = figures.results
    scopes = Counter(result.scope for result in results)
    is_whole = set(scopes) == {CheckScope.EVERYBODY} and all(
        extract_state(figures.manifest.extracts.get(name)) == "COMPLETE"
        for name in records_of(figures)
    )
    page: str = (
        _environment()
        .get_template("report.html")
        .render(
            phrases=PHRASES,
            states=STATES,
            scopes=SCOPES,
            extract_states=EXTRACT_STATES,
            number=number,
            moment=_moment,
            style=Markup(style),  # noqa: S704 (a file of this package)
            policy=_policy(style),
            manifest=figures.manifest,
            day=f"{date.fromisoformat(figures.manifest.day):%d/%m/%Y}",
            is_whole=is_whole,
            numbers_of_rules={scope.value: scopes[scope] for scope in CheckScope},
            gaps=list(_gaps(figures, titles)),
            records=[_record(figures, titles, name) for name in records_of(figures)],
            **_tables(figures, titles),
            **_changes(figures),
        )
    )
    return page


def number(count: int) -> str:
    """Return a number with its thousands apart."""
    return f"{count:,}".replace(",", _THIN)


class _Titles:
    """The titles of databases and records; their names where they are not declared."""

    def __init__(self, databases: Sequence[Database]) -> None:
        self._databases = {database.name: database for database in databases}

    def database(self, name: str) -> Text:
        database = self._databases.get(name)
        return Text(name, name) if database is None else database.title

    def record(self, database: str, name: str) -> Text:
        declared = self._databases.get(database)
        record = None if declared is None else declared.by_name.get(name)
        return Text(name, name) if record is None else record.title

    def both(self, name: str) -> Text:
        """Return the title of ``<database>.<record>``."""
        database, _, record = name.partition(".")
        first, second = self.database(database), self.record(database, record)
        return Text(f"{first.vi}: {second.vi}", f"{first.en}: {second.en}")


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _policy(style: str) -> str:
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _moment(text: str) -> str:
    """Return a moment of the manifest by the clock of Viet Nam; as it is, if it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return f"{moment.astimezone(_VIETNAM):%H:%M %d/%m/%Y} (UTC+7)"


def _gaps(figures: ReportFigures, titles: _Titles) -> Iterator[RuleGap]:
    """Yield what was not checked, cases with the same reason together."""
    for result in figures.results:
        cases = [case for case in result.cases if case.scope is not CheckScope.EVERYBODY]
        for same, group in groupby(cases, lambda case: (case.scope, case.reasons, case.people)):
            places = tuple(case.place + 1 for case in group)
            case = result.cases[places[0] - 1]
            scope, reasons, _ = same
            yield RuleGap(
                result.rule,
                places,
                scope,
                tuple((_source(titles, record), REASONS[reason]) for record, reason in reasons),
                _people(figures, result.rule.name, case),
            )


def _source(titles: _Titles, record: str) -> Text:
    return PHRASES["engine_says"] if record == ENGINE else titles.both(record)


def _people(figures: ReportFigures, rule: str, case: CaseScope) -> int | Text:
    if case.scope is CheckScope.NOBODY:
        return PHRASES["people_all"]
    if case.people is None:
        return PHRASES["people_untold"]
    figure = figures.amount(f"unchecked.{rule}.{case.place}", case.people)
    return PHRASES["some"] if figure.count is None else figure.count


def _record(figures: ReportFigures, titles: _Titles, name: str) -> dict[str, Any]:
    database, _, record = name.partition(".")
    progress = figures.manifest.extracts.get(name)
    state = extract_state(progress)
    progress = progress or ExtractProgress()
    return {
        "database": titles.database(database),
        "title": titles.record(database, record),
        "state": state,
        "failure": failure_text(progress),
        "rows": rows_figure(figures, name),
        "unreadable": list(unreadable_columns(figures, name, progress)),
    }


def _tables(figures: ReportFigures, titles: _Titles) -> dict[str, Any]:
    """Return the tables and charts of findings, and of completeness."""
    rules = [(result, figures.figure(rule_cell(result.rule.name))) for result in figures.results]
    databases = [
        (titles.database(name), figures.figure(finding_cell("database", name)))
        for name in _databases(figures.results)
    ]
    places = _places(figures)
    years = [
        (_year_title(value, figures.year), figures.figure(finding_cell("year", value)))
        for value in year_values(figures.year)
    ]
    return {
        "total": figures.figure(TOTAL),
        "people": figures.figure(PEOPLE),
        "severities": [
            (severity, figures.figure(finding_cell("severity", severity.name)))
            for severity in ConflictSeverity
        ],
        "rules": rules,
        "databases": databases,
        "provinces": places,
        "years": years,
        "measures": [_measures(titles, group) for group in _groups(figures)],
        "charts": {
            "rule": _rows("rule", [(result.rule.code.title, figure) for result, figure in rules]),
            "database": _rows("database", databases),
            "province": _rows("province", [(_text(name), figure) for name, figure, _ in places]),
            "year": _columns(years),
            "change": _rows(
                "comparison",
                [(CHANGES[change], figures.change(change)) for change in FindingChange],
            ),
        },
    }


def _databases(results: Sequence[RuleCheckResult]) -> list[str]:
    return sorted(
        {
            side.row.record.database
            for result in results
            for case in result.rule.cases
            for side in case.sides
        }
    )


def _places(
    figures: ReportFigures,
) -> list[tuple[str | Text, Figure, list[tuple[str | Text, Figure]]]]:
    """Return each province with the former ones within it."""
    all_provinces = provinces()
    rows: list[tuple[str | Text, Figure, list[tuple[str | Text, Figure]]]] = []
    for code, name in all_provinces.present.items():
        former: list[tuple[str | Text, Figure]] = [
            (all_provinces.former[former_code], figures.figure(former_cell(code, former_code)))
            for former_code, present in all_provinces.present_code.items()
            if present == code
        ]
        former.append((PHRASES["former_unknown"], figures.figure(former_cell(code, UNKNOWN))))
        rows.append((name, figures.figure(finding_cell("province", code)), former))
    unknown = figures.figure(finding_cell("province", UNKNOWN))
    return [*rows, (PHRASES["unknown"], unknown, [])]


def _year_title(value: str, last: int) -> str | Text:
    if value == UNKNOWN:
        return PHRASES["unknown"]
    if value == EARLIER:
        before, first = PHRASES["earlier"], last - YEARS + 1
        return Text(f"{before.vi} {first}", f"{before.en} {first}")
    return value


def _text(name: str | Text) -> Text:
    return name if isinstance(name, Text) else Text(name, name)


def _rows(phrase: str, rows: Sequence[tuple[Text, Figure]]) -> ReportChart:
    """Return a chart of bars, one below the other."""
    title = PHRASES["comparison" if phrase == "comparison" else f"by_{phrase}"]
    names = [(_clip(text.vi), figure) for text, figure in rows]
    picture = draw_bars(names, [_label(figure) for _, figure in rows])
    return ReportChart(phrase, title, _summary(rows), picture)


def _columns(years: Sequence[tuple[str | Text, Figure]]) -> ReportChart:
    """Return a chart of columns: years that stand by themselves."""
    single = [(name, figure) for name, figure in years if isinstance(name, str)]
    highest = max((figure.count or 0 for _, figure in single), default=0)
    labels = {value: number(value) for value in ticks(highest)}
    picture = draw_columns([(f"’{name[-2:]}", figure) for name, figure in single], labels)
    summary = _summary([(Text(name, name), figure) for name, figure in single])
    return ReportChart("year", PHRASES["by_year"], summary, picture)


def _clip(label: str) -> str:
    return label if len(label) <= _LONGEST else f"{label[: _LONGEST - 1].rstrip()}…"


def _label(figure: Figure) -> str:
    return STATES[figure.state].vi if figure.count is None else number(figure.count)


def _summary(rows: Sequence[tuple[Text, Figure]]) -> Text:
    """Return in words what a chart shows: its largest bar, and how many have none."""
    shown = [(figure.count, text) for text, figure in rows if figure.count is not None]
    states = Counter(figure.state for _, figure in rows)
    if shown:
        count, text = max(shown, key=lambda pair: pair[0])
        largest = PHRASES["largest"]
        parts = [
            Text(
                f"{largest.vi}: {text.vi}, {number(count)}",
                f"{largest.en}: {text.en}, {number(count)}",
            )
        ]
    else:
        parts = [PHRASES["no_shown"]]
    for state in (FigureState.HIDDEN, FigureState.NOT_CHECKED):
        if states[state]:
            words = STATES[state]
            parts.append(Text(f"{words.vi}: {states[state]}", f"{words.en}: {states[state]}"))
    return Text("; ".join(part.vi for part in parts), "; ".join(part.en for part in parts))


def _groups(figures: ReportFigures) -> Iterator[list[CompletenessMeasure]]:
    for _, group in groupby(
        measures_of(figures), lambda measure: (measure.database, measure.record)
    ):
        yield list(group)


def _measures(titles: _Titles, group: Sequence[CompletenessMeasure]) -> dict[str, Any]:
    first = group[0]
    lines = [(MEASURE_TITLES[figure.name], figure, _share(figure)) for figure in group]
    rows = [(title, figure.figure) for title, figure, _ in lines]
    name = f"measures-{first.database}-{first.record}"
    picture = draw_bars(
        [(_clip(title.vi), figure) for title, figure in rows],
        [share for _, _, share in lines],
        first.base.count,
    )
    title = titles.both(f"{first.database}.{first.record}")
    return {
        "database": titles.database(first.database),
        "title": titles.record(first.database, first.record),
        "is_partial": first.is_partial,
        "has_unreadable": first.has_unreadable,
        "base": first.base,
        "lines": lines,
        "chart": ReportChart(name, title, _summary(rows), picture),
    }


def _share(measure: CompletenessMeasure) -> str:
    share = measure.share
    if share is None:
        is_hidden = measure.figure.count is not None
        return STATES[FigureState.HIDDEN if is_hidden else measure.figure.state].vi
    # Figures are rounded: neither all nor none follows from them.
    if share > 99 or share < 1:
        return f"> 99{_THIN}%" if share > 99 else f"< 1{_THIN}%"
    return f"{share:.0f}{_THIN}%"


def _changes(figures: ReportFigures) -> Mapping[str, Any]:
    """Return the table of what changed, all rules first; none where nothing is compared."""
    shared = {
        "earlier": figures.earlier,
        "not_compared": COMPARABILITIES[figures.comparability],
        "change_titles": [CHANGES[change] for change in FindingChange],
    }
    if figures.comparability is not Comparability.COMPARED:
        return {**shared, "changes": []}
    total = (
        PHRASES["all_rules"],
        figures.figure(EARLIER_TOTAL),
        [figures.change(change) for change in FindingChange],
        figures.figure(TOTAL),
    )
    rows = [
        (
            result.rule.code.title,
            figures.figure(earlier_cell(result.rule.name)),
            [figures.change(change, result) for change in FindingChange],
            figures.figure(rule_cell(result.rule.name)),
        )
        for result in figures.results
    ]
    return {**shared, "changes": [total, *rows]}
