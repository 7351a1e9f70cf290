"""The simulation: founder couples, their children, and whom these marry, day by day until today.

A heap of wishes drives it: on the day somebody wants to marry, a partner is looked for in the
cluster (not kin within three generations, Law on Marriage and Family 52/2014 Art. 5(2)(d) and
3(18); of legal age, Art. 8) and, failing that, moves in from outside. Days of death are drawn at
birth, so that nothing happens to anybody after theirs. Since every event is handled in the order of
its day, marriages of a person cannot overlap and parents exist before their children.
"""

from __future__ import annotations

import heapq
from datetime import date

from connectors.synthetic import demography, names, places
from connectors.synthetic.draw import (
    add_years,
    age_on,
    between,
    birthday,
    later,
    pick,
    stream,
    workday,
)
from connectors.synthetic.kinship import akin, could_be_parent
from connectors.synthetic.lives import add_person, newcomer
from connectors.synthetic.market import Market, suits
from connectors.synthetic.model import Citizen, Family, Union
from connectors.synthetic.numbers import NumberGenerator
from connectors.synthetic.options import PopulationOptions
from connectors.synthetic.places import Home

_COUPLES = (3, 6)
_FOUNDED = (1940, 1968)
_NEWCOMER_RATE = 0.9
_LONE_BIRTH_RATE = 0.08
_FOUNDLING_RATE = 0.12


def simulate(options: PopulationOptions, index: int) -> Family:
    """Return cluster ``index``: who was born, married, divorced and died until today."""
    rng = stream(options.seed, index, "family")
    family = Family(index, options, rng, NumberGenerator(options.seed, index, places.prefixes()))
    base = places.province(rng)
    family.homes = [places.home(rng, base) for _ in range(4)]
    family.homes.append(places.home(rng, places.province(rng)))
    market = Market(family)
    group = names.ethnicity(rng)
    year = between(rng, *_FOUNDED)
    for _ in range(between(rng, *_COUPLES)):
        _add_founders(market, year + between(rng, -5, 5), group)
    while market.heap:
        day, _, event, person = heapq.heappop(market.heap)
        if event == "BIRTH":
            _lone_birth(market, person, day)
        elif market.waiting.get(person.index) == day:
            _marry(market, person, day)
    return family


def _add_founders(market: Market, year: int, group: str) -> None:
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


def _marry(market: Market, person: Citizen, day: date) -> None:
    """Find a partner for somebody, in the cluster or from outside."""
    family, rng = market.family, market.family.rng
    del market.waiting[person.index]
    partners = [
        other
        for other in (family.people[i] for i in market.waiting)
        if suits(market, person, other, day)
    ]
    if partners:
        partner = pick(rng, partners)
        del market.waiting[partner.index]
    elif rng.random() < _NEWCOMER_RATE:
        partner = newcomer(family, person, day)
    else:
        return
    male = person.sex == "MALE"
    wed(market, person if male else partner, partner if male else person, day)


def wed(market: Market, husband: Citizen, wife: Citizen, day: date) -> Union:
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


def _end(market: Market, union: Union) -> None:
    """Decide how and when a marriage ends, and who marries again."""
    rng, today = market.family.rng, market.family.options.today
    ends = [
        (spouse.died, "DECLARED_DEAD" if spouse.declared_dead else "DEATH_OF_SPOUSE")
        for spouse in (union.husband, union.wife)
        if spouse.died is not None and spouse.returned is None
    ]
    divorced = demography.divorce_day(rng, union.start)
    if divorced is not None and divorced < min(today, union.husband.gone, union.wife.gone):
        ends.append((divorced, "DIVORCE"))
    elif rng.random() < 0.002:
        ends.append((later(rng, union.start, 200, 900), "ANNULMENT"))
    end, reason = min(ends, default=(today, ""))
    if end >= today or reason == "":
        return None
    if reason == "ANNULMENT" and end >= min(union.husband.gone, union.wife.gone):
        return _end(market, union)
    union.end, union.reason = end, reason
    for spouse in (union.husband, union.wife):
        if spouse.alive_on(end) and (spouse.died is None or spouse.died > end):
            again = demography.remarriage_day(rng, end, age_on(spouse.born, end), reason)
            market.push(again, "MARRY", spouse)
    return None


def _children(market: Market, union: Union) -> None:
    """Draw the children of a marriage."""
    family, rng, wife = market.family, market.family.rng, union.wife
    number = demography.number_of_children(rng, wife.born)
    if rng.random() < (_FOUNDLING_RATE if number == 0 else _FOUNDLING_RATE / 50):
        _foundling(market, union)
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


def _foundling(market: Market, union: Union) -> None:
    """Let a couple, mostly one without children, adopt a child whose parents nobody knows."""
    family, rng = market.family, market.family.rng
    born = later(rng, union.start, 400, 2500)
    day = workday(later(rng, born, 60, 1500))
    last = min(union.end or family.options.today, union.husband.gone, union.wife.gone)
    if max(day, birthday(union.wife.born, 21), birthday(union.husband.born, 21)) >= last:
        return
    if not all(could_be_parent(spouse, born) for spouse in (union.husband, union.wife)):
        return
    sex = demography.sex_at_birth(rng)
    child = add_person(family, sex, born, union.husband.group, pick(rng, family.homes))
    if not child.alive_on(day):
        child.founder = True  # died or disappeared first: somebody of whom no kin is known
        return
    child.abandoned, child.founder = True, False
    child.mother, child.father = union.wife, union.husband
    child.former_name, child.renamed = child.name, day
    child.name = names.build(union.husband.name.family, child.name.middle, child.name.given_name)
    for parent in (union.wife, union.husband):
        parent.children.append(child)
        parent.adopted.append(child)
    _grow_up(market, child)


def _grow_up(market: Market, child: Citizen) -> None:
    """Put what a child will want one day on the calendar."""
    rng = market.family.rng
    market.push(demography.wish_to_marry(rng, child.born, child.sex), "MARRY", child)
    if child.sex == "FEMALE" and rng.random() < _LONE_BIRTH_RATE:
        market.push(later(rng, birthday(child.born, 19), 0, 3600), "BIRTH", child)


def bear(market: Market, mother: Citizen, father: Citizen | None, day: date, home: Home) -> Citizen:
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
    _grow_up(market, child)
    return child


def _lone_birth(market: Market, mother: Citizen, day: date) -> None:
    """Let an unmarried woman have a child; of half of them the father is known one day."""
    if mother.union_on(day) is not None or any(
        abs((child.born - day).days) < 300 for child in mother.children
    ):
        return
    rng = market.family.rng
    men = [
        person
        for person in market.family.people
        if person.sex == "MALE"
        and person.alive_on(day)
        and 19 <= age_on(person.born, day) <= 45
        and person.union_on(day) is None
        and not akin(person, mother)
    ]
    father: Citizen | None = None
    if rng.random() < 0.55:
        father = pick(rng, men) if men else newcomer(market.family, mother, day)
    bear(market, mother, father, day, mother.home)
