"""All rules, in the order in which findings are shown."""

from __future__ import annotations

from rules.conflicts import (
    birth_date,
    death_date,
    different_name,
    duplicate_birth,
    duplicate_death,
    event_after_death,
    implausible_date,
    incomplete_name,
    life_state,
    marital_status,
    name_form,
    overlapping_marriages,
    parents,
    self_as_relative,
    self_marriage,
    sex,
    shared_number,
    unended_marriage,
    unreadable_name,
)
from rules.rule import ConflictRule

RULES: tuple[ConflictRule, ...] = (
    shared_number.RULE,
    life_state.RULE,
    death_date.RULE,
    event_after_death.RULE,
    birth_date.RULE,
    sex.RULE,
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
    duplicate_death.RULE,
    implausible_date.RULE,
)
