"""All rules, in the order in which findings are shown.

``RULES`` are checked of a person; ``NUMBER_RULES`` of numbers, in whole databases only, where
``BULK_RULES`` are checked: both.
"""

from __future__ import annotations

from rules.conflicts import (
    birth_date,
    cancelled_number,
    death_date,
    different_name,
    duplicate_birth,
    duplicate_death,
    duplicate_marriage,
    event_after_death,
    implausible_date,
    incomplete_name,
    life_state,
    marital_status,
    name_form,
    nationality,
    number_structure,
    overlapping_marriages,
    parents,
    place,
    place_form,
    residence,
    self_as_relative,
    self_marriage,
    sex,
    shared_number,
    unended_marriage,
    unknown_number,
    unreadable_name,
)
from rules.rule import ConflictRule

RULES: tuple[ConflictRule, ...] = (
    shared_number.RULE,
    cancelled_number.RULE,
    number_structure.RULE,
    life_state.RULE,
    death_date.RULE,
    event_after_death.RULE,
    birth_date.RULE,
    sex.RULE,
    nationality.RULE,
    place.RULE,
    place_form.RULE,
    residence.RULE,
    different_name.RULE,
    incomplete_name.RULE,
    name_form.RULE,
    unreadable_name.RULE,
    parents.RULE,
    self_as_relative.RULE,
    marital_status.RULE,
    overlapping_marriages.RULE,
    unended_marriage.RULE,
    self_marriage.RULE,
    duplicate_birth.RULE,
    duplicate_marriage.RULE,
    duplicate_death.RULE,
    implausible_date.RULE,
)

NUMBER_RULES: tuple[ConflictRule, ...] = (unknown_number.RULE,)
BULK_RULES: tuple[ConflictRule, ...] = (*RULES, *NUMBER_RULES)
