"""Who somebody's parents are, by law and by blood, as rules about close relatives need it.

Law on Marriage and Family 52/2014/QH13 Art. 5(2)(d) bars marriages between relatives by blood, and
between people whom an adoption binds or bound. After an adoption the birth is entered anew and no
longer names the parents by blood; the replaced entry and the adoption do (Law on Adoption
52/2010/QH12 Art. 24). Both are read past protection (``CheckDefinition.unprotected``), and nothing
of them may show in an answer. For what everybody may see there is ``gateway.derived.kin``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.description import Row
from gateway.derived.kin import RECOGNITIONS, recognised_parents
from gateway.derived.registers import BIRTHS, in_force
from gateway.derived.view import Facts

ADOPTIONS = "civil_status.adoptions"
#: The lists that name somebody's parents.
PARENTAGE_LISTS = (BIRTHS, ADOPTIONS, RECOGNITIONS)
_ROLES = ("mother", "father")
_REPLACED, _CANCELLED = "SUPERSEDED", "REVOKED"


@dataclass(frozen=True, slots=True)
class Parentage:
    """The numbers of somebody's parents, as written.

    ``legal``: of a birth in force or a recognition. ``former``: of a replaced birth, or as parents
    by blood in an adoption. ``adopters``: who adopted the person; ``former_adopters``: until that
    was terminated. ``doubtful``: adopters in an adoption that was cancelled, or whose status is not
    recorded. ``is_known``: nobody is missing, neither by law nor by blood.
    """

    legal: frozenset[str]
    former: frozenset[str]
    adopters: frozenset[str]
    former_adopters: frozenset[str]
    doubtful: frozenset[str]
    is_known: bool

    @property
    def ancestors(self) -> frozenset[str]:
        """The parents by a birth, in force or replaced: whose relatives are the person's."""
        return self.legal | self.former


@dataclass(frozen=True, slots=True)
class _Adopters:
    """The adopters of one person, by what became of the adoption."""

    present: frozenset[str]
    former: frozenset[str]
    doubtful: frozenset[str]

    @property
    def all(self) -> frozenset[str]:
        return self.present | self.former | self.doubtful


def parentage_of(
    births: Facts, adoptions: Facts, recognitions: Facts, numbers: Sequence[str]
) -> Parentage:
    """Return the parents of the person with ``numbers``; the lists are that person's."""
    by_law = {role: set[str]() for role in _ROLES}
    by_blood = {role: set[str]() for role in _ROLES}
    rows = [row for row in births.rows if births.code(row, "status") != _CANCELLED]
    entered = [row for row in rows if births.code(row, "status") != _REPLACED]
    parents_of_entries = {tuple(_number(births, row, role) for role in _ROLES) for row in entered}
    is_certain = len(parents_of_entries) == 1 and all(in_force(births, row) for row in entered)
    adopters = _adopters(adoptions, numbers)
    for row in entered if is_certain else ():
        for role in _ROLES:
            number = _number(births, row, role)
            _add(by_law[role], number)
            _add(by_blood[role], None if number in adopters.all else number)
    former: set[str] = set()
    for role, number in _former_parents(births, adoptions, numbers):
        _add(by_blood[role], number)
        _add(former, number)
    roles_recorded = [*_add_recognised(recognitions, numbers, by_law, by_blood, former)]
    is_known = (
        is_certain
        and all(roles_recorded)
        and all(by_law.values())
        and all(by_blood.values())
        and all(facts.reason is None for facts in (births, adoptions, recognitions))
        and all(in_force(recognitions, row) is not None for row in recognitions.rows)
    )
    legal = frozenset().union(*by_law.values())
    return Parentage(
        legal,
        frozenset(former - legal),
        adopters.present,
        adopters.former,
        adopters.doubtful,
        is_known,
    )


def _number(facts: Facts, row: Row, role: str) -> str | None:
    number = facts.value(row, f"{role}_citizen_id")
    return None if number is None else str(number)


def _add(numbers: set[str], number: str | None) -> None:
    if number is not None:
        numbers.add(number)


def _former_parents(
    births: Facts, adoptions: Facts, numbers: Sequence[str]
) -> Iterator[tuple[str, str | None]]:
    """Yield role and number of each parent whom a replaced birth or an adoption names."""
    for row in births.rows:
        if births.code(row, "status") == _REPLACED:
            for role in _ROLES:
                yield role, _number(births, row, role)
    for row in adoptions.rows:
        if adoptions.value(row, "child_id") in numbers:
            for role in _ROLES:
                yield role, _number(adoptions, row, f"biological_{role}")


def _add_recognised(
    recognitions: Facts,
    numbers: Sequence[str],
    by_law: dict[str, set[str]],
    by_blood: dict[str, set[str]],
    former: set[str],
) -> Iterator[bool]:
    """Add recognised parents; yields whether it is recorded of each who recognises whom.

    Where a birth names another parent the recognition was before an adoption.
    """
    for parent, _ in recognised_parents(recognitions, numbers):
        if not parent.role:
            _add(former, parent.number)
            yield False
            continue
        _add(by_blood[parent.role], parent.number)
        if by_law[parent.role]:
            _add(former, parent.number)
        else:
            _add(by_law[parent.role], parent.number)
        yield True


def _adopters(adoptions: Facts, numbers: Sequence[str]) -> _Adopters:
    present, former, doubtful = set[str](), set[str](), set[str]()
    for row in adoptions.rows:
        if adoptions.value(row, "child_id") not in numbers:
            continue
        adopters = {str(number) for number in adopters_in(adoptions, row)}
        if is_doubtful_adoption(adoptions, row):
            doubtful |= adopters
        elif adoptions.value(row, "termination_date") is not None:
            former |= adopters
        else:
            present |= adopters
    return _Adopters(frozenset(present), frozenset(former), frozenset(doubtful))


def adopters_in(adoptions: Facts, row: Row) -> tuple[Any, ...]:
    """Return the numbers of the adopters in an adoption."""
    numbers = (adoptions.value(row, f"adopter_{role}_id") for role in _ROLES)
    return tuple(number for number in numbers if number is not None)


def is_doubtful_adoption(adoptions: Facts, row: Row) -> bool:
    """Say whether an adoption was cancelled, or its status is not recorded."""
    return adoptions.code(row, "status") in {_CANCELLED, None}
