"""Life spans, ages at marriage, numbers of children: ``domain.md`` section 5.

The figures there are for the country today; those of earlier cohorts are an assumption of this
project, chosen so that today's stock comes out (age structure, marital status).
"""

from __future__ import annotations

from datetime import date
from random import Random

from connectors.synthetic.draw import Weighted, add_years, between, birthday, later

#: Law on Marriage and Family 52/2014 Art. 8(1)(a).
LEGAL_AGE = {"MALE": 20, "FEMALE": 18}
#: Boys per girls at birth: 111 to 100 (unverified), as a share.
_BOYS = 111 / 211

# Mean and deviation of the age at first marriage, by the year before which somebody was born.
_FIRST_MARRIAGE = {
    "MALE": ((1970, 25.0, 3.5), (1985, 26.5, 4.0), (1995, 28.5, 4.6), (9999, 29.4, 4.8)),
    "FEMALE": ((1970, 22.3, 3.2), (1985, 23.6, 3.7), (1995, 25.2, 4.2), (9999, 25.4, 4.3)),
}
_NEVER_MARRY = {"MALE": 0.04, "FEMALE": 0.05}
_CHILDREN = (
    (1962, Weighted([(1, 5), (2, 24), (3, 38), (4, 22), (5, 8)])),
    (1975, Weighted([(0, 3), (1, 11), (2, 46), (3, 30), (4, 10)])),
    (1988, Weighted([(0, 5), (1, 19), (2, 53), (3, 19), (4, 4)])),
    (9999, Weighted([(0, 8), (1, 27), (2, 51), (3, 12), (4, 2)])),
)
_DIVORCE = ((1985, 0.02), (1995, 0.04), (2005, 0.08), (9999, 0.25))
#: Years by which the husband is older: same age 12%, husband older 72%, wife older 16%.
_AGE_GAP = Weighted([(0, 12), (1, 11), (2, 11), (3, 11), (4, 10), (5, 9), (6, 7), (7, 5), (8, 4),
                     (10, 4), (-1, 8), (-2, 5), (-3, 3)])  # fmt: skip


def sex_at_birth(rng: Random) -> str:
    """Draw the sex of a new-born."""
    return "MALE" if rng.random() < _BOYS else "FEMALE"


def death_day(rng: Random, born: date, sex: str, at_least: float = 0.0) -> date:
    """Draw the day of death of somebody who lives to ``at_least`` (life expectancy about 74.5)."""
    while True:
        chance = rng.random()
        if chance < 0.014:
            years = rng.random() ** 3 * 5
        elif chance < 0.075:
            years = rng.uniform(5, 58)
        else:
            years = rng.gauss(76.0 if sex == "MALE" else 81.5, 10.5)
        if at_least <= years < 107 and years > 0:
            return add_years(born, years)


def wish_to_marry(rng: Random, born: date, sex: str) -> date | None:
    """Draw the day from which somebody would marry for the first time; None for never."""
    if rng.random() < _NEVER_MARRY[sex]:
        return None
    for before, mean, deviation in _FIRST_MARRIAGE[sex]:
        if born.year < before:
            years = rng.gauss(mean, deviation)
            day = add_years(born, min(years, 50.0))
            return max(day, later(rng, birthday(born, LEGAL_AGE[sex]), 10, 500))
    raise AssertionError("the last row of the table holds for every year")


def age_gap(rng: Random) -> int:
    """Draw by how many years a husband is older than his wife."""
    return _AGE_GAP.draw(rng)


def number_of_children(rng: Random, mother_born: date) -> int:
    """Draw how many children a woman would have in an undisturbed marriage."""
    for before, weights in _CHILDREN:
        if mother_born.year < before:
            return weights.draw(rng)
    raise AssertionError("the last row of the table holds for every year")


def divorce_day(rng: Random, married: date) -> date | None:
    """Draw the day on which a divorce would take effect: after 8 to 10 years on average."""
    for before, share in _DIVORCE:
        if married.year < before:
            if rng.random() >= share:
                return None
            return later(rng, add_years(married, rng.gammavariate(2.2, 4.0)), 300, 420)
    raise AssertionError("the last row of the table holds for every year")


def next_child(rng: Random, married: date, last: date | None) -> date:
    """Draw the day of the next birth, the first a year or two after the marriage."""
    if last is None:
        return later(rng, married, 240, 900)
    return later(rng, last, 480, 1700) if rng.random() > 0.008 else last  # twins


def remarriage_day(rng: Random, ended: date, age: int, reason: str) -> date | None:
    """Draw the day of a new marriage after divorce (about a quarter and more) or a death."""
    share = (0.5 if age < 45 else 0.25) if reason == "DIVORCE" else (0.3 if age < 50 else 0.03)
    return later(rng, ended, 300, 365 * between(rng, 2, 8)) if rng.random() < share else None
