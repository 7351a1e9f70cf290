"""A queue of cases: what both executors make of the arguments of ``checkProcedures``.

Each case has a number of its own, and is checked and written to the journal as if it stood alone.
What is wrong with one costs that case only; what is wrong with all of them, the whole field.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.access.case_number import parse_case_number
from gateway.catalogue.checks import MOST_CASES, CheckBinding
from gateway.errors import GatewayError
from gateway.execution.checking import ProcedureCheck, require_check, role_numbers
from gateway.execution.decisions import RecordRules
from gateway.execution.operation import CaseResult
from gateway.execution.state import ExecutionState
from gateway.plan.check_arguments import (
    CheckArguments,
    find_check,
    numbers_named,
    parse_check_arguments,
)
from gateway.shape.response import render_problem


@dataclass(frozen=True, slots=True)
class QueuedCase:
    """A case of a queue.

    ``shown_number``: its number as the answer shows it; ``case_number``: as the journal has it,
    None for a text that is no case number. ``numbers``: those of the people whom the case names.
    ``arguments``: what is checked, or the error for which the case is refused.
    """

    shown_number: str
    case_number: str | None
    numbers: Sequence[str]
    arguments: CheckArguments | GatewayError


@dataclass(frozen=True, slots=True)
class CaseCheck:
    """What the check of a case of a queue comes to. ``check`` None: the case is refused."""

    case_number: str
    check: ProcedureCheck | None


def parse_queue(
    rules: RecordRules, checks: Mapping[str, CheckBinding], arguments: Mapping[str, object]
) -> list[QueuedCase]:
    """Return the cases of a queue; ``arguments`` as the schema names and coerces them.

    Raises GatewayError for what concerns all of them: INVALID_VALUE for too many cases and a day
    out of bounds, PROCEDURE_UNKNOWN, and what ``require_check`` raises. The cases that share a
    number are refused: nobody could tell afterwards which of them was looked up.
    """
    cases = arguments["cases"]
    assert isinstance(cases, list)
    if len(cases) > MOST_CASES:
        raise GatewayError("INVALID_VALUE", f"at most {MOST_CASES} cases")
    binding, _ = find_check(checks, arguments, rules.today)
    require_check(rules, binding)
    numbers = [_parse_number(case) for case in cases]
    counts = Counter(number for number in numbers if isinstance(number, str))
    queue = []
    for case, number in zip(cases, numbers, strict=True):
        parsed: CheckArguments | GatewayError
        if isinstance(number, GatewayError):
            parsed = number
        elif counts[number] > 1:
            parsed = GatewayError("INVALID_VALUE", "several cases have this case number")
        else:
            parsed = _parse_case(rules, checks, {**arguments, **case})
        case_number = number if isinstance(number, str) else None
        shown_number = case_number or str(case["caseNumber"])
        queue.append(QueuedCase(shown_number, case_number, numbers_named(checks, case), parsed))
    return queue


def _parse_number(case: Mapping[str, object]) -> str | GatewayError:
    try:
        return parse_case_number(str(case["caseNumber"]))
    except GatewayError as error:
        return error


def _parse_case(
    rules: RecordRules, checks: Mapping[str, CheckBinding], values: Mapping[str, object]
) -> CheckArguments | GatewayError:
    try:
        arguments = parse_check_arguments(checks, values, rules.today)
        role_numbers(arguments)
    except GatewayError as error:
        return error
    return arguments


def results_of_cases(state: ExecutionState) -> tuple[CaseResult, ...]:
    """Return what is to be written of each case, in their order."""
    return tuple(
        CaseResult(
            case_number,
            tuple(render_problem(problem) for problem in case.problems),
            case.trail,
            case.states,
        )
        for case_number, case in state.cases
    )
