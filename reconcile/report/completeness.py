"""How complete the records are, as shares of what may be shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reconcile.report.cells import record_cell
from reconcile.report.figures import Figure, ReportFigures
from reconcile.report.needs import MEASURES, RecordMeasures, report_needs


@dataclass(frozen=True, slots=True)
class CompletenessMeasure:
    """A measure of a record and what it is a share of; ``share``: of a hundred, None where hidden.

    ``is_partial``: the record was not read wholly; the measure is about the rows that were read.
    ``has_unreadable``: it rests on values of which some could not be read, and count as missing.
    """

    database: str
    record: str
    name: str
    figure: Figure
    base: Figure
    is_partial: bool
    has_unreadable: bool

    @property
    def share(self) -> float | None:
        """Return the share of the shown figures, so it is as inexact as they are."""
        if self.figure.count is None or not self.base.count:
            return None
        return min(100.0, 100 * self.figure.count / self.base.count)


def measures_of(figures: ReportFigures) -> Iterator[CompletenessMeasure]:
    """Yield the measures of each record, in the order of the declarations.

    Those of a record that was not read are there too, and not checked.
    """
    for (database, record), measures in MEASURES.items():
        progress = figures.manifest.extracts.get(f"{database}.{record}")
        base = figures.figure(record_cell(database, record, "records"))
        is_partial = progress is None or not progress.complete or progress.failure is not None
        unreadable = {} if progress is None else progress.unreadable
        has_unreadable = any(
            unreadable.get(name) for name in report_needs().get((database, record), ())
        )
        for name in measure_names(measures):
            figure = figures.figure(record_cell(database, record, name))
            yield CompletenessMeasure(
                database, record, name, figure, base, is_partial, has_unreadable
            )


def measure_names(measures: RecordMeasures) -> Iterator[str]:
    """Yield the measures of a record that are shown."""
    if measures.numbers:
        yield "records.numbered"
    if measures.has_parents:
        for part in ("named", "numbered"):
            yield from (
                f"parents.{part}.{parents}" for parents in ("both", "mother", "father", "neither")
            )
    if measures.kind is not None:
        yield from ("kind.digitised", "kind.registered", "kind.missing")
    if measures.event_date is not None:
        yield from ("term.on_time", "term.late", "term.untold")
