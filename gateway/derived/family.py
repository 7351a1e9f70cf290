"""The family of a person, on a day: parents, children, siblings, spouses and grandparents.

Law on Civil Status 60/2014/QH13 Art. 14, 17, 24-25 and Law on Marriage and Family 52/2014/QH13 Art.
3(16)-(19): kin as births, recognitions and marriages are registered. Births are left out of the
books, and marriages of before 1987 or in undigitised books too (domain.md 2.0, 5), so each group
says why there may be more: where the population database (Law 26/2023/QH15 Art. 9(15)) names
somebody whom the book does not, where a birth or a number is missing, or where somebody could have
married before the books were electronic. No group says "none" unless that is known.

The walk goes one generation up and back down, and up once more, whatever records say, so that it
ends. Citizens see who stands in their own records: no siblings, no grandparents.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

from connectors.description import Coded, Text
from connectors.values import PersonNumber
from gateway.derived.kin import (
    BIRTH_LISTS,
    CHILDREN,
    RECOGNITIONS,
    REGISTERED_FAMILY,
    NamedGroup,
    NamedRelative,
    children_in,
    look_up,
    parents_in,
    recognised_children,
    registered_kin,
)
from gateway.derived.marital_status import (
    CONFIRMATIONS,
    MaritalState,
    could_have_married_on_paper,
    marital_status,
)
from gateway.derived.marriages import ANNULLED, DIVORCES, MARRIAGES, BookMarriage, marriages_of
from gateway.derived.registers import BIRTHS, DEATHS, IDENTITY, NOTES, has_come
from gateway.derived.view import (
    PERSON,
    Basis,
    Conclusion,
    DerivedView,
    Evidence,
    LaterReads,
    RelatedPerson,
    UnknownReason,
)

#: As many people as one group may have.
_MOST = 100


class Kinship(Coded):
    """What somebody is to a person."""

    MOTHER = "mẹ", "mother"
    FATHER = "cha", "father"
    CHILD = "con", "child"
    FULL_SIBLING = "anh, chị, em cùng cha cùng mẹ", "sibling by both parents"
    HALF_SIBLING = "anh, chị, em cùng cha hoặc cùng mẹ", "sibling by one parent"
    SPOUSE = "vợ/chồng", "spouse"
    FORMER_SPOUSE = "vợ/chồng trước đây", "former spouse"
    MATERNAL_GRANDMOTHER = "bà ngoại", "mother's mother"
    MATERNAL_GRANDFATHER = "ông ngoại", "mother's father"
    PATERNAL_GRANDMOTHER = "bà nội", "father's mother"
    PATERNAL_GRANDFATHER = "ông nội", "father's father"


@dataclass(frozen=True, slots=True)
class Relative:
    """Người thân / Somebody's relative."""

    kinship: Annotated[Kinship, Text("quan hệ", "what they are to the person")]
    citizen_id: Annotated[PersonNumber | None, Text("số định danh hiện tại", "present number")]
    name: Annotated[str | None, Text("họ, chữ đệm và tên như ghi", "name as recorded")]


@dataclass(frozen=True, slots=True)
class KinGroup:
    """Một nhóm người thân / Relatives of one kind."""

    items: Annotated[
        list[Relative] | None, Text("những người được biết", "those who are known; [] is none")
    ]
    reason: Annotated[
        UnknownReason | None,
        Text("vì sao có thể còn người khác", "why there may be more; null: there are not"),
    ]


@dataclass(frozen=True, slots=True)
class PersonFamily:
    """Gia đình / The family of a person."""

    parents: Annotated[KinGroup, Text("cha mẹ", "parents")]
    children: Annotated[KinGroup, Text("con", "children")]
    siblings: Annotated[KinGroup, Text("anh, chị, em", "siblings, by one parent too")]
    spouses: Annotated[KinGroup, Text("vợ/chồng, kể cả trước đây", "spouses, now and before")]
    grandparents: Annotated[KinGroup, Text("ông bà", "grandparents")]


#: Kinships that give way to a closer one: of both parents, or married to each other again.
_SUPERSEDED_BY_CLOSER = frozenset({Kinship.HALF_SIBLING, Kinship.FORMER_SPOUSE})


@dataclass(slots=True)
class _Members:
    """The relatives of one group while they are found. ``reason``: why there may be more."""

    evidence: Evidence
    reason: UnknownReason | None = None
    by_number: dict[str, Relative] = field(default_factory=dict)
    unnumbered: list[Relative] = field(default_factory=list)

    def doubt(self, reason: UnknownReason | None) -> None:
        """Note why there may be more; the first reason is told."""
        self.reason = self.reason or reason

    def add(self, relative: NamedRelative, kinship: Kinship) -> str | None:
        """Add somebody; returns their present number, None where that is not known (yet)."""
        if relative.number is None:
            self.unnumbered.append(Relative(kinship, None, relative.name))
            return None
        person = self.evidence.person(relative.number)
        if person is None:
            return None
        if person.is_shared:
            self.doubt(UnknownReason.NUMBERS_INCOMPLETE)
            return None
        number = person.numbers[0]
        earlier = self.by_number.get(number)
        if earlier is None or earlier.kinship in _SUPERSEDED_BY_CLOSER:
            name = relative.name if earlier is None else earlier.name or relative.name
            self.by_number[number] = Relative(kinship, PersonNumber(number), name)
        return number

    def group(self) -> KinGroup:
        """Return the group as it is shown."""
        everybody = [*self.by_number.values(), *self.unnumbered]
        items = sorted(everybody, key=_order)
        return KinGroup(items if items or self.reason is None else None, self.reason)


def _order(relative: Relative) -> tuple[str, str, str]:
    return relative.kinship.name, relative.citizen_id or "", relative.name or ""


def family(evidence: Evidence) -> Conclusion:
    """Return the PersonFamily on the day of the question; each group says what is not known."""
    bases: list[Basis] = []
    births, recognitions = evidence.list(BIRTHS), evidence.list(RECOGNITIONS)
    named = parents_in(births, recognitions, evidence.numbers)
    parents, children = _Members(evidence, named.reason), _Members(evidence)
    for relative in named.relatives:
        parents.add(relative, Kinship[relative.role.upper()])
        bases += relative.basis
    _add_children(evidence, children, bases)
    spouses = _spouses(evidence, bases)
    siblings, grandparents = _Members(evidence), _Members(evidence)
    if evidence.is_own_view:
        siblings.doubt(UnknownReason.NOT_IN_OWN_RECORDS)
        grandparents.doubt(UnknownReason.NOT_IN_OWN_RECORDS)
    else:
        _walk_up(evidence, named, siblings, grandparents, bases)
    groups = (members.group() for members in (parents, children, siblings, spouses, grandparents))
    return Conclusion.of(PersonFamily(*groups), tuple(bases))


def _add_children(evidence: Evidence, children: _Members, bases: list[Basis]) -> None:
    """Add the children whom births name; recognitions and the population database may know more."""
    named = children_in(evidence.list(CHILDREN), evidence)
    children.doubt(named.reason)
    if len(named.relatives) > _MOST:
        children.doubt(UnknownReason.TOO_MANY_PEOPLE)
        return
    for child in named.relatives:
        children.add(child, Kinship.CHILD)
        bases += child.basis
        if child.number is None:
            children.doubt(UnknownReason.NOT_RECORDED)
    recognitions = evidence.list(RECOGNITIONS)
    children.doubt(recognitions.reason)
    other_children = recognised_children(recognitions, evidence.numbers)
    registered = evidence.list(REGISTERED_FAMILY)
    children.doubt(registered.reason)
    other_children += registered_kin(registered, "CHILD")
    _require_named(evidence, children, other_children, named.numbers)


def _require_named(
    evidence: Evidence, members: _Members, numbers: Sequence[str], named: Iterable[str | None]
) -> None:
    """Note that there may be more where another register names somebody whom the book does not.

    ``named``: whom the book names, of whatever day, by numbers as written.
    """
    everybody = {*named, *members.by_number, *evidence.numbers}
    for number in dict.fromkeys(numbers):
        if number not in everybody:
            person = evidence.person(number)
            if person is not None and not everybody.intersection(person.numbers):
                members.doubt(UnknownReason.NOT_COVERED)


def _spouses(evidence: Evidence, bases: list[Basis]) -> _Members:
    """Return the spouses, now and before; an annulled marriage made none."""
    members = _Members(evidence)
    unions, reason = marriages_of(evidence)
    members.doubt(reason)
    status = marital_status(evidence)
    day = evidence.question.valid_on
    open_unions: list[str | None] = []
    for union in unions:
        if union.end_reason == ANNULLED or has_come(union.start, day) is not True:
            continue
        kinship = _kinship_of(union, status, evidence)
        if kinship is None:
            members.doubt(status.reason or UnknownReason.NOT_COVERED)
            open_unions.append(union.spouse)
            continue
        if union.spouse is None:
            members.doubt(UnknownReason.NOT_RECORDED)
            continue
        members.add(NamedRelative(union.spouse, union.spouse_name, union.basis), kinship)
        bases += union.basis
    for number in open_unions:  # perhaps married to each other again
        person = None if number is None else evidence.person(number)
        if person is not None and not person.is_shared:
            members.by_number.pop(person.numbers[0], None)
    registered = evidence.list(REGISTERED_FAMILY)
    members.doubt(registered.reason)
    spouses = (union.spouse for union in unions)
    _require_named(evidence, members, registered_kin(registered, "SPOUSE"), spouses)
    if could_have_married_on_paper(evidence):
        members.doubt(UnknownReason.NOT_COVERED)
    return members


def _kinship_of(union: BookMarriage, status: Conclusion, evidence: Evidence) -> Kinship | None:
    """Return what the spouse of a marriage is today; None: that is not known."""
    covers = union.covers(evidence.question.valid_on)
    if covers is False:
        return Kinship.FORMER_SPOUSE
    if status.value is not MaritalState.MARRIED or covers is None:
        return None
    # The population database says whose spouse the person is; where it differs, nobody is named.
    registered = registered_kin(evidence.list(REGISTERED_FAMILY), "SPOUSE")
    return Kinship.SPOUSE if not registered or _is_among(evidence, union, registered) else None


def _is_among(evidence: Evidence, union: BookMarriage, numbers: Sequence[str]) -> bool:
    if union.spouse in numbers or union.spouse is None:
        return True
    spouse = evidence.person(union.spouse)
    return spouse is None or bool({*spouse.numbers} & {*numbers})


def _walk_up(
    evidence: Evidence,
    named: NamedGroup,
    siblings: _Members,
    grandparents: _Members,
    bases: list[Basis],
) -> None:
    """Read the parents' own births for grandparents, and their children for siblings."""
    siblings.doubt(named.reason)
    grandparents.doubt(named.reason)
    parents: dict[str, RelatedPerson] = {}
    for parent in named.relatives:
        person = None if parent.number is None else look_up(evidence, parent.number, *BIRTH_LISTS)
        reason = UnknownReason.NOT_RECORDED if parent.number is None else None
        if person is not None and not person.is_shared:
            parents[parent.role] = person
        elif person is not None:
            reason = UnknownReason.NUMBERS_INCOMPLETE
        siblings.doubt(reason)
        grandparents.doubt(reason)
    for role, person in parents.items():
        births = evidence.under(BIRTHS, person.numbers, person)
        elders = parents_in(births, None, person.numbers)
        grandparents.doubt(elders.reason)
        for elder in elders.relatives:
            grandparents.add(elder, _GRANDPARENTS[role, elder.role])
            bases += elder.basis
        _add_siblings(evidence, siblings, person, parents, bases)


def _add_siblings(
    evidence: Evidence,
    siblings: _Members,
    parent: RelatedPerson,
    parents: Mapping[str, RelatedPerson],
    bases: list[Basis],
) -> None:
    """Add the other children of a parent."""
    named = children_in(evidence.under(CHILDREN, parent.numbers, parent), evidence)
    siblings.doubt(named.reason)
    if len(named.relatives) > _MOST:
        siblings.doubt(UnknownReason.TOO_MANY_PEOPLE)
        return
    for child in named.relatives:
        if child.number in evidence.numbers:
            continue
        if child.number is None:
            siblings.doubt(UnknownReason.NOT_RECORDED)
            continue
        (basis,) = child.basis
        shared = [
            role
            for role, person in parents.items()
            if basis.facts.value(basis.row, f"{role}_citizen_id") in person.numbers
        ]
        siblings.add(child, Kinship.FULL_SIBLING if len(shared) > 1 else Kinship.HALF_SIBLING)
        bases.append(basis)
    for number in {*siblings.by_number} & {*evidence.numbers}:
        del siblings.by_number[number]  # the person, under a number that was not known to be theirs
    registered = evidence.under(REGISTERED_FAMILY, parent.numbers, parent)
    siblings.doubt(registered.reason)
    _require_named(evidence, siblings, registered_kin(registered, "CHILD"), named.numbers)


_GRANDPARENTS = {
    ("mother", "mother"): Kinship.MATERNAL_GRANDMOTHER,
    ("mother", "father"): Kinship.MATERNAL_GRANDFATHER,
    ("father", "mother"): Kinship.PATERNAL_GRANDMOTHER,
    ("father", "father"): Kinship.PATERNAL_GRANDFATHER,
}

DERIVED = DerivedView(
    database=PERSON,
    name="family",
    type_name="FamilyFact",
    title=Text(
        "gia đình: cha mẹ, con, anh chị em, vợ chồng, ông bà",
        "parents, children, siblings, spouses and grandparents",
    ),
    value=PersonFamily,
    lists=(
        BIRTHS,
        CHILDREN,
        RECOGNITIONS,
        REGISTERED_FAMILY,
        MARRIAGES,
        DIVORCES,
        DEATHS,
        NOTES,
        CONFIRMATIONS,
        IDENTITY,
    ),
    later=(
        *(LaterReads(name, 2) for name in BIRTH_LISTS),
        LaterReads(DEATHS, 50),
        LaterReads(NOTES, 50),
    ),
    people=4 * _MOST,
    compute=family,
    needs_full_coverage=True,
)
