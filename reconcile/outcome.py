"""What a run did not read or check: that is never "none"."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from reconcile.engines.engine import UncheckedCase
from reconcile.manifest import Manifest
from rules.statements import CaseStatement

#: Why a case was not checked of everybody, for people.
_REASONS = {
    "NOT_EXTRACTED": "a record was not read",
    "INCOMPLETE": "a record was not read to its end",
    "UNREADABLE": "rows cannot be read",
}


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """``unchecked``: a line for all that was not read or not checked.

    The lines have no counts: how many people something concerns is said in the report, under
    disclosure control.
    """

    unchecked: tuple[str, ...]


def outcome_of(
    manifest: Manifest,
    declared: Iterable[str],
    cases: Sequence[CaseStatement],
    unchecked: Sequence[UncheckedCase],
) -> RunOutcome:
    """Return the outcome of a run.

    ``declared``: names of all databases. ``unchecked``: as its engine says, of ``cases``.
    """
    skipped = [name for name in declared if name not in manifest.databases]
    lines = (
        *(f"{name}: the database was not chosen" for name in skipped),
        *_unread(manifest),
        *_unchecked(cases, unchecked),
    )
    return RunOutcome(lines)


def _unread(manifest: Manifest) -> Iterator[str]:
    """Yield what was not extracted of the databases that were chosen."""
    for name, extract in manifest.extracts.items():
        if extract.failure is not None:
            yield f"{name}: {extract.failure}"
        elif not extract.complete:
            yield f"{name}: it was not read to its end"
        columns = [column for column, count in extract.unreadable.items() if count]
        if columns:
            yield f"{name}: values of {', '.join(columns)} cannot be read"


def _unchecked(cases: Sequence[CaseStatement], unchecked: Sequence[UncheckedCase]) -> Iterator[str]:
    """Yield a line for each rule of which a case was not checked of everybody."""
    by_rule: dict[str, list[UncheckedCase]] = {}
    for item in unchecked:
        if item.people != 0:
            by_rule.setdefault(cases[item.case].rule.name, []).append(item)
    for rule, items in by_rule.items():
        reasons = ", ".join(dict.fromkeys(_REASONS[item.reason.value] for item in items))
        whom = "for anybody" if any(item.people is None for item in items) else "for everybody"
        count = "1 case" if len(items) == 1 else f"{len(items)} cases"
        yield f"rule {rule}: {count} not checked {whom} ({reasons})"
