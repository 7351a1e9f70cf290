"""A few cases of the rules for tests of engines: how a case is run follows from its lists.

What a case compares (names, dates, places) does not matter to that, yet each takes an engine
milliseconds to plan, and the forms of names that it compares take more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable
from dataclasses import replace

from reconcile.engines.places import shows_residence
from rules.expression import forms_of
from rules.registry import RULES
from rules.rule import Case, ConflictRule


def rules_with(is_chosen: Callable[[ConflictRule, Case], bool]) -> tuple[ConflictRule, ...]:
    """Return the rules with the cases that are chosen alone, in the order of all."""
    rules = (
        replace(rule, cases=tuple(case for case in rule.cases if is_chosen(rule, case)))
        for rule in RULES
    )
    return tuple(rule for rule in rules if rule.cases)


def rules_of_all_shapes(preferred: Collection[Case] = ()) -> tuple[ConflictRule, ...]:
    """Return rules with one case of each shape.

    Of several it is one that compares the fewest forms, and if it can be a preferred one.
    """
    cases = [case for rule in RULES for case in rule.cases]
    cases.sort(key=lambda case: (len(list(forms_of(case.where))), case not in preferred))
    chosen: dict[Hashable, Case] = {}
    for case in cases:
        chosen.setdefault(_shape(case), case)
    return rules_with(lambda _, case: case is chosen[_shape(case)])


def _shape(case: Case) -> Hashable:
    """Return what decides when a case is run, and for whom."""
    says_somebody_else = "same=False" in repr(case.where)
    return case.reads, case.complete_reads, says_somebody_else, shows_residence(case)
