"""The digest of the rules: the same for the same rules, in any process; another for others."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

from reconcile.engines.digest import rules_digest
from rules.registry import RULES
from rules.rule import ConflictSeverity
from rules.statements import RuleStatements, rule_statements
from tests.support.run_extracts import STATEMENTS

_PROGRAM = (
    "from reconcile.engines.digest import rules_digest; from rules.registry import RULES; "
    "from rules.statements import rule_statements; "
    "print(rules_digest(rule_statements(RULES, with_registration_dates=True)))"
)


def test_another_process_has_the_same_digest() -> None:
    result = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        env={"PYTHONHASHSEED": "7", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.strip() == rules_digest(STATEMENTS)


def test_other_rules_have_another_digest() -> None:
    digests = {
        rules_digest(STATEMENTS),
        rules_digest(rule_statements(RULES)),
        rules_digest(rule_statements(RULES[1:], with_registration_dates=True)),
        rules_digest(RuleStatements(STATEMENTS.preparation[:-1], STATEMENTS.cases)),
        rules_digest(RuleStatements(STATEMENTS.preparation, STATEMENTS.cases[::-1])),
    }
    assert len(digests) == 5


def test_the_severity_is_in_the_digest_and_the_advice_is_not() -> None:
    first = STATEMENTS.cases[0]

    def digest_with(**changes: Any) -> str:
        case = replace(first, rule=replace(first.rule, **changes))
        return rules_digest(RuleStatements(STATEMENTS.preparation, (case, *STATEMENTS.cases[1:])))

    assert digest_with(severity=ConflictSeverity.LOW) != rules_digest(STATEMENTS)
    assert digest_with(legal_basis="other") == rules_digest(STATEMENTS)
