"""Simulates who owns what: a cluster's homes, vehicles, securities and debts over time.

Wishes are drawn for every adult, put on a heap and fulfilled in the order of their days, as far as
law and life allow: nobody acts under age or after death, nobody sells another's asset, blocked
assets are not transacted. Rates are assumptions of this project, set so that the stock comes out in
proportion to ``domain.md`` section 5 ("Adjacent volumes", all but those of enforcement unverified):
about 35% of adults have a notarised transaction, 10% are in the security register and 7% are or
were debtors.
"""

from __future__ import annotations

from datetime import date
from random import Random

from connectors.synthetic import debts, securities, succession
from connectors.synthetic.deals import (
    agree,
    authorise,
    buy_home,
    buy_vehicle,
    give,
    lease,
    mortgage,
    sell,
    warn,
)
from connectors.synthetic.draw import Weighted, add_years, birthday, stream
from connectors.synthetic.model import Family
from connectors.synthetic.property_model import Estate, Handler

#: From when on provinces' notarial databases have transactions (assumption).
NOTARY_SINCE = date(2010, 1, 4)

# Wishes per adult and year (assumption).
_WISHES: tuple[tuple[Handler, float], ...] = (
    (buy_home, 0.0058),
    (sell, 0.0016),
    (buy_vehicle, 0.0068),
    (mortgage, 0.0046),
    (give, 0.0030),
    (authorise, 0.0028),
    (lease, 0.0008),
    (agree, 0.0012),
    (succession.make_will, 0.0050),
    (securities.do_business, 0.0016),
    (securities.lend, 0.0012),
    (warn, 0.0004),
)
_RATE = sum(rate for _, rate in _WISHES)
_WISH = Weighted(_WISHES)


def build_estate(family: Family) -> Estate:
    """Simulate the property of a cluster until today: deals, loans, debts, wills, successions."""
    rng = stream(family.options.seed, family.index, "property")
    estate = Estate(family, rng, family.options.today)
    for person in family.people:
        start = max(NOTARY_SINCE, birthday(person.born, 20))
        end = min(person.gone, estate.today)
        _wish(estate, rng, start, end, person.index)
        if person.died == person.gone and person.died >= NOTARY_SINCE:
            succession.plan_successions(estate, person)
        debts.plan_debts(estate, person)
    for union in family.unions:
        if union.reason in ("DIVORCE", "ANNULMENT"):
            succession.plan_division(estate, union)
    debts.plan_maintenance(estate)
    estate.run()
    succession.open_wills(estate)
    return estate


def _wish(estate: Estate, rng: Random, start: date, end: date, index: int) -> None:
    """Draw somebody's wishes between two days, and put them on the heap."""
    day = add_years(start, rng.expovariate(_RATE)) if start < end else end
    while day < end:
        estate.push(day, _WISH.draw(rng), estate.family.people[index])
        day = add_years(day, rng.expovariate(_RATE))
