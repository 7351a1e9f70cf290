# ruff: noqa: S311 - these numbers are test data, not secrets
"""The simulation: founder couples, their children, and whom these marry, day by day until today.

A heap of wishes drives it: on the day somebody wants to marry, a partner is looked for in the
cluster (not kin within three generations, Law on Marriage and Family 52/2014 Art. 5(2)(d) and 3(18);
of legal age, Art. 8) and, failing that, moves in from outside. Days of death are drawn at birth, so
that nothing happens to anybody after theirs. Since every event is handled in the order of its day,
marriages of a person cannot overlap and parents exist before their children.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from datetime import date, timedelta

from connectors.synthetic import demography, names, places
from connectors.synthetic.draw import add_years, age_on, between, birthday, later, pick, stream
from connectors.synthetic.model import Family, Person, Union
from connectors.synthetic.names import Name
from connectors.synthetic.numbers import Numbers
from connectors.synthetic.options import Options
from connectors.synthetic.places import Home

_COUPLES = (3, 6)
_FOUNDED = (1940, 1968)
_NEWCOMER_RATE = 0.9
_LONE_BIRTH_RATE = 0.035


@dataclass(slots=True)
class _Market:
    """Who wants to marry, in the order of the days, and what else is due."""

    family: Family
    heap: list[tuple[date, int, str, Person]] = field(default_factory=list)
    waiting: dict[int, date] = field(default_factory=dict)

    def push(self, day: date | None, what: str, person: Person) -> None:
        """Put something on the calendar, unless the person will not live to see it."""
        if day is None or day >= min(person.gone, self.family.options.today):
            return
        if what == "MARRY":
            self.waiting[person.index] = day
        heapq.heappush(self.heap, (day, person.index, what, person))


def simulate(options: Options, index: int) -> Family:
    """Return cluster ``index``: who was born, married, divorced and died until today."""
    rng = stream(options.seed, index, "family")
    family = Family(index, options, rng, Numbers(options.seed, index, places.prefixes()))
    base = places.province(rng)
    family.homes = [places.home(rng, base) for _ in range(4)]
    family.homes.append(places.home(rng, places.province(rng)))
    market = _Market(family)
    group = names.ethnicity(rng)
    year = between(rng, *_FOUNDED)
    for _ in range(between(rng, *_COUPLES)):
        _found(market, year + between(rng, -5, 5), group)
    while market.heap:
        day, _, what, person = heapq.heappop(market.heap)
        if what == "BIRTH":
            _lone_birth(market, person, day)
        elif market.waiting.get(person.index) == day:
            _marry(market, person, day)
    return family


def add_person(
    family: Family,
    sex: str,
    born: date,
    group: str,
    home: Home,
    *,
    name: Name | None = None,
    at_least: float = 0.0,
) -> Person:
    """Add somebody with a number, a name and a day of death to the cluster."""
    rng = family.rng
    if name is None:
        surname = names.family_name(rng, group, home.province.southern)
        name = names.name(rng, surname, sex, born.year)
    died = demography.death_day(rng, born, sex, at_least)
    number = family.numbers.citizen_id(home.province.number_prefix(born), sex, born)
    person = Person(
        index=len(family.people),
        number=number,
        sex=sex,
        born=born,
        name=name,
        group=group,
        religion=names.religion(rng),
        birth_home=home,
        home=home,
        gone=died,
        died=died if died < family.options.today else None,
    )
    family.people.append(person)
    _disappear(family, person)
    return person


def _disappear(family: Family, person: Person) -> None:
    """Let a few adults disappear; a court declares them missing, later perhaps dead.

    Civil Code 2015 Art. 68 (after two years) and 71 (three years after that, or five without news);
    Art. 73: who returns has the declaration revoked.
    """
    rng, today = family.rng, family.options.today
    if rng.random() > 0.004:
        return
    day = add_years(person.born, rng.uniform(24, 60))
    declared = later(rng, day, 760, 1300)
    if declared >= today or day >= person.gone:
        return
    person.missing = person.gone = day
    person.declared_missing, person.died = declared, None
    if rng.random() < 0.5:
        dead = later(rng, declared, 1100, 2600)
        if dead < today:
            person.declared_dead = person.died = dead
            back = later(rng, dead, 200, 2500)
            if rng.random() < 0.3 and back < today:
                person.returned, person.died = back, None


def _found(market: _Market, year: int, group: str) -> None:
    """Add a founder couple and their marriage."""
    family, rng = market.family, market.family.rng
    born = later(rng, date(year, 1, 1), 0, 364)
    wife_born = later(rng, date(year + demography.age_gap(rng), 1, 1), 0, 364)
    home = pick(rng, family.homes)
    husband = add_person(family, "MALE", born, group, home, at_least=38)
    wife = add_person(family, "FEMALE", wife_born, group, home, at_least=38)
    husband.founder = wife.founder = True
    day = demography.wish_to_marry(rng, born, "MALE") or add_years(born, 25.0)
    day = max(day, later(rng, birthday(wife_born, 18), 20, 400))
    if day < min(husband.gone, wife.gone):
        wed(market, husband, wife, day)


def _marry(market: _Market, person: Person, day: date) -> None:
    """Find a partner for somebody, in the cluster or from outside."""
    family, rng = market.family, market.family.rng
    del market.waiting[person.index]
    wanted = [
        other
        for other in (family.people[i] for i in market.waiting)
        if _suits(market, person, other, day)
    ]
    if wanted:
        partner = pick(rng, wanted)
        del market.waiting[partner.index]
    elif rng.random() < _NEWCOMER_RATE:
        partner = _newcomer(family, person, day)
    else:
        return
    male = person.sex == "MALE"
    wed(market, person if male else partner, partner if male else person, day)


def _suits(market: _Market, person: Person, other: Person, day: date) -> bool:
    """Whether two people may and would marry."""
    if other.sex == person.sex or day >= other.gone or other.union_on(day) is not None:
        return False
    if market.waiting[other.index] > add_years(day, 4):
        return False
    husband, wife = (person, other) if person.sex == "MALE" else (other, person)
    gap = wife.born.year - husband.born.year
    if not -3 <= gap <= 9 or not _of_age(husband, day) or not _of_age(wife, day):
        return False
    return not akin(person, other)


def _of_age(person: Person, day: date) -> bool:
    return birthday(person.born, demography.LEGAL_AGE[person.sex]) <= day


def akin(one: Person, other: Person) -> bool:
    """Whether two people may not marry: kin within three generations, or a parent's spouse."""
    if _lineage(one) & _lineage(other):
        return True
    return any(
        union.spouse(parent) is child
        for child, elder in ((one, other), (other, one))
        for parent in (elder.mother, elder.father)
        if parent is not None
        for union in parent.unions
    )


def _lineage(person: Person) -> set[int]:
    """Return somebody, their parents and grandparents; by birth and by adoption."""
    found = {person.index}
    generation = [person]
    for _ in range(2):
        generation = [
            parent
            for one in generation
            for parent in (one.mother, one.father, one.birth_mother, one.birth_father)
            if parent is not None
        ]
        found.update(one.index for one in generation)
    return found


def _newcomer(family: Family, person: Person, day: date) -> Person:
    """Add a partner from outside the cluster, of whose parents nothing is known."""
    rng = family.rng
    gap = demography.age_gap(rng)
    sex = "FEMALE" if person.sex == "MALE" else "MALE"
    year = person.born.year + (gap if sex == "FEMALE" else -gap)
    limit = birthday(day, -demography.LEGAL_AGE[sex]) - timedelta(days=2)
    born = min(later(rng, date(year, 1, 1), 0, 364), limit)
    group = person.group if rng.random() < 0.9 else names.ethnicity(rng)
    home = pick(rng, family.homes)
    partner = add_person(
        family, sex, born, group, home, at_least=(day - born).days / 365.2425 + 0.1
    )
    if partner.gone <= day:  # one who would have disappeared before
        partner.gone = later(rng, day, 4000, 20000)
        partner.missing = partner.declared_missing = partner.declared_dead = partner.returned = None
        partner.died = partner.gone if partner.gone < family.options.today else None
    partner.founder = True
    return partner


def wed(market: _Market, husband: Person, wife: Person, day: date) -> Union:
    """Marry two people: the days of all their children, and the end if there is one, are drawn."""
    family, rng = market.family, market.family.rng
    union = Union(husband, wife, day, husband.home, consensual=rng.random() < 0.7)
    family.unions.append(union)
    husband.unions.append(union)
    wife.unions.append(union)
    if wife.home is not husband.home:
        wife.home, wife.moved = husband.home, day
    _end(market, union)
    _children(market, union)
    return union


def _end(market: _Market, union: Union) -> None:
    """Decide how and when a marriage ends, and who marries again."""
    rng, today = market.family.rng, market.family.options.today
    ends: list[tuple[date, str]] = []
    for one in (union.husband, union.wife):
        if one.died is not None and one.returned is None:
            ends.append((one.died, "DECLARED_DEAD" if one.declared_dead else "DEATH_OF_SPOUSE"))
    divorced = demography.divorce_day(rng, union.start)
    if divorced is not None and divorced < min(today, union.husband.gone, union.wife.gone):
        ends.append((divorced, "DIVORCE"))
    elif rng.random() < 0.002:
        ends.append((later(rng, union.start, 200, 900), "ANNULMENT"))
    end, reason = min(ends, default=(today, ""))
    if end >= today or reason == "":
        return
    if reason == "ANNULMENT" and end >= min(union.husband.gone, union.wife.gone):
        return _end(market, union)
    union.end, union.reason = end, reason
    for one in (union.husband, union.wife):
        if one.alive_on(end) and (one.died is None or one.died > end):
            again = demography.remarriage_day(rng, end, age_on(one.born, end), reason)
            market.push(again, "MARRY", one)
    return None


def _children(market: _Market, union: Union) -> None:
    """Draw the children of a marriage."""
    family, rng, wife = market.family, market.family.rng, union.wife
    number = demography.number_of_children(rng, wife.born)
    if len(wife.unions) + len(union.husband.unions) > 2:
        number = min(number, 1 + (rng.random() < 0.3))
    last = min(
        family.options.today,
        wife.gone,
        union.husband.gone,
        union.end or family.options.today,
        add_years(wife.born, 44.0),
    )
    born: date | None = None
    for _ in range(number):
        day = demography.next_child(rng, union.start, born)
        if day >= last:
            return
        born = day
        union.children.append(bear(market, wife, union.husband, day, union.home))


def bear(market: _Market, mother: Person, father: Person | None, day: date, home: Home) -> Person:
    """Add a child, which will want to marry one day."""
    family, rng = market.family, market.family.rng
    sex = demography.sex_at_birth(rng)
    line = father or mother
    name = names.name(rng, line.name.family, sex, day.year)
    child = add_person(family, sex, day, line.group, home, name=name)
    child.religion = line.religion
    child.mother, child.father = mother, father
    child.birth_mother, child.birth_father = mother, father
    for parent in (mother, father):
        if parent is not None:
            parent.children.append(child)
    market.push(demography.wish_to_marry(rng, day, sex), "MARRY", child)
    if sex == "FEMALE" and rng.random() < _LONE_BIRTH_RATE:
        market.push(later(rng, birthday(day, 19), 0, 5500), "BIRTH", child)
    return child


def _lone_birth(market: _Market, mother: Person, day: date) -> None:
    """Let an unmarried woman have a child; of half of them the father is known one day."""
    if mother.union_on(day) is not None or any(
        abs((child.born - day).days) < 300 for child in mother.children
    ):
        return
    rng = market.family.rng
    men = [
        one
        for one in market.family.people
        if one.sex == "MALE"
        and one.alive_on(day)
        and 19 <= age_on(one.born, day) <= 45
        and one.union_on(day) is None
        and not akin(one, mother)
    ]
    father = pick(rng, men) if men and rng.random() < 0.55 else None
    bear(market, mother, father, day, mother.home)
