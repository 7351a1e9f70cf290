"""Adding people to a cluster: with a number, a name, a day of death."""

from __future__ import annotations

from datetime import date, timedelta

from connectors.synthetic import demography, names
from connectors.synthetic.draw import add_years, birthday, later, pick
from connectors.synthetic.model import Citizen, Family
from connectors.synthetic.names import Name
from connectors.synthetic.places import Home


def add_person(
    family: Family,
    sex: str,
    born: date,
    group: str,
    home: Home,
    *,
    name: Name | None = None,
    at_least: float = 0.0,
) -> Citizen:
    """Add somebody with a number, a name and a day of death to the cluster."""
    rng = family.rng
    if name is None:
        surname = names.family_name(rng, group, home.province.southern)
        name = names.name(rng, surname, sex, born.year)
    died = demography.death_day(rng, born, sex, at_least)
    number = family.numbers.citizen_id(home.province.number_prefix(born), sex, born)
    person = Citizen(
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


def _disappear(family: Family, person: Citizen) -> None:
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


def newcomer(family: Family, person: Citizen, day: date) -> Citizen:
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
