"""Rules of a check: what one is, what it is given, and what it returns.

A rule is a small pure function over the records and facts of the people of a case. Its file says in
the docstring what it checks and by which law. It is called again whenever something that it asked
for has arrived, as the functions of derived views are (``gateway.derived.view``)::

    def is_alive(case: ProcedureCase, role: str) -> RuleResult:
        life = life_status(case.person(role))
        if life.reason is not None:
            return RuleResult.unknown(NOT_KNOWN, life.reason)
        ...

A rule never takes the absence of a record for "none" unless the list is complete: what is not known
is UNKNOWN, whatever else speaks for PASS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from connectors.description import Coded, Text
from gateway.derived.view import Basis, Evidence, Facts, UnknownReason


class RuleState(Coded):
    """What a rule comes to."""

    PASS = "đáp ứng", "met"
    FAIL = "không đáp ứng", "not met"
    UNKNOWN = "chưa xác định được", "not known from the databases"
    NEEDS_DOCUMENT = "cần giấy tờ", "a document has to show it"
    NEEDS_PERSON = "cần người trực tiếp thể hiện", "somebody has to consent, sign or be present"


class Outcome(Coded):
    """What a check comes to. It advises; the officer decides."""

    MET = "đủ điều kiện", "all conditions are met"
    NOT_MET = "không đủ điều kiện", "a condition is not met"
    UNKNOWN = "chưa xác định được", "a condition is not known from the databases"
    NEEDS_DOCUMENT = "cần bổ sung giấy tờ", "a document has to show a condition"
    NEEDS_PERSON = "cần người trực tiếp thể hiện", "somebody has to consent, sign or be present"


@dataclass(frozen=True, slots=True)
class RuleResult:
    """What a rule comes to. ``sentence``: why, as an officer reads it.

    ``reason``: of UNKNOWN. ``basis``: the rows that it rests on. No sentence names a relative, or
    tells what the rows of one say.
    """

    state: RuleState
    sentence: Text
    reason: UnknownReason | None = None
    basis: tuple[Basis, ...] = ()

    @staticmethod
    def passes(sentence: Text, *basis: tuple[Basis, ...]) -> RuleResult:
        """Return PASS."""
        return RuleResult(RuleState.PASS, sentence, None, _join(basis))

    @staticmethod
    def fails(sentence: Text, *basis: tuple[Basis, ...]) -> RuleResult:
        """Return FAIL."""
        return RuleResult(RuleState.FAIL, sentence, None, _join(basis))

    @staticmethod
    def unknown(sentence: Text, reason: UnknownReason) -> RuleResult:
        """Return UNKNOWN."""
        return RuleResult(RuleState.UNKNOWN, sentence, reason)

    @staticmethod
    def needs_document(sentence: Text) -> RuleResult:
        """Return NEEDS_DOCUMENT: no database holds it."""
        return RuleResult(RuleState.NEEDS_DOCUMENT, sentence)

    @staticmethod
    def needs_person(sentence: Text) -> RuleResult:
        """Return NEEDS_PERSON: consent, a signature, presence."""
        return RuleResult(RuleState.NEEDS_PERSON, sentence)


def _join(bases: Sequence[tuple[Basis, ...]]) -> tuple[Basis, ...]:
    return tuple(row for basis in bases for row in basis)


class ProcedureCase(Protocol):
    """The case that is checked: its input, its days, and what is known of its people.

    Facts hold now (``today``): nobody knows those of a later day. Ages and the law are those of the
    day of the procedure (``at``).
    """

    @property
    def input(self) -> Any:
        """The input: an instance of ``CheckDefinition.input``."""

    @property
    def at(self) -> date:
        """The day of the procedure."""

    @property
    def today(self) -> date:
        """The legal date."""

    @property
    def special_areas(self) -> frozenset[str]:
        """Communes of extreme difficulty, by settings; empty: nobody has said which they are."""

    def has(self, role: str) -> bool:
        """Say whether somebody stands in ``role``."""

    def person(self, role: str, place: int = 0) -> Evidence:
        """Return what is known of the person in ``role``; of the one at ``place``, of several."""

    def people(self, role: str) -> Sequence[Evidence]:
        """Return what is known of the people in ``role``."""

    @property
    def things(self) -> Evidence:
        """The way to lists by the keys of things: ``things.under(list, keys)``."""

    @property
    def keys(self) -> Mapping[str, tuple[str, ...]]:
        """The spellings of the keys and codes in the input, by field; none of what is left out."""

    def thing(self, name: str, field: str) -> Facts:
        """Return the list ``name`` under the key or code in a field of the input.

        Raises KeyError where the input leaves it out.
        """


#: A rule's function.
CheckRule = Callable[[ProcedureCase], RuleResult]


@dataclass(frozen=True, slots=True)
class ProcedureRule:
    """One rule of a procedure. ``code``: stable, in capitals. ``law``: where it comes from.

    ``is_concealed``: it reads what its caller may not see, or about relatives: its result has no
    basis and no reason, in the answer and in the receipt.
    """

    code: str
    title: Text
    law: Text
    check: CheckRule
    is_concealed: bool = False


@dataclass(frozen=True, slots=True)
class AllOf:
    """Rules that must all be met."""

    code: str
    title: Text
    rules: tuple[ProcedureRule | AnyOf | AllOf, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Rules of which one must be met."""

    code: str
    title: Text
    rules: tuple[ProcedureRule | AnyOf | AllOf, ...]


#: A condition of a procedure.
Condition = ProcedureRule | AllOf | AnyOf

#: What decides among states that are neither PASS nor FAIL: the first that there is.
_PRECEDENCE = (RuleState.UNKNOWN, RuleState.NEEDS_DOCUMENT, RuleState.NEEDS_PERSON)


def state_of_all(states: Sequence[RuleState]) -> RuleState:
    """Return the state of conditions that must all be met: any FAIL decides, then UNKNOWN."""
    for state in (RuleState.FAIL, *_PRECEDENCE):
        if state in states:
            return state
    return RuleState.PASS


def state_of_any(states: Sequence[RuleState]) -> RuleState:
    """Return the state of conditions of which one must be met: it fails only if all fail."""
    for state in (RuleState.PASS, *_PRECEDENCE):
        if state in states:
            return state
    return RuleState.FAIL


_OUTCOMES = {
    RuleState.PASS: Outcome.MET,
    RuleState.FAIL: Outcome.NOT_MET,
    RuleState.UNKNOWN: Outcome.UNKNOWN,
    RuleState.NEEDS_DOCUMENT: Outcome.NEEDS_DOCUMENT,
    RuleState.NEEDS_PERSON: Outcome.NEEDS_PERSON,
}


def outcome_of(states: Sequence[RuleState]) -> Outcome:
    """Return the outcome of a check with conditions in ``states``."""
    return _OUTCOMES[state_of_all(states)]
