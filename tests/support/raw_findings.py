"""Findings in clear as an engine yields them, made up, with the statements of their cases."""

from __future__ import annotations

from collections.abc import Iterator

from reconcile.engines.engine import RawFinding
from rules.registry import RULES
from rules.statements import rule_statements

STATEMENTS = rule_statements(RULES, with_registration_dates=True)


def raw_findings(count: int, first: int = 0) -> Iterator[RawFinding]:
    """Yield findings about as many people, of all cases in turn."""
    for number in range(first, first + count):
        case = number % len(STATEMENTS.cases)
        sides = STATEMENTS.cases[case].case.sides
        yield RawFinding(
            case=case,
            number=f"{number:012d}",
            record_ids=tuple(f"row-{number}-{place}" for place in range(len(sides))),
            values=tuple(
                tuple(f"value {number}" if place else None for place in range(len(side.columns)))
                for side in sides
            ),
            province="79" if number % 3 else None,
            former_province=None,
            registration_year=1990 + number % 30,
        )
