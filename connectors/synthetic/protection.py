"""Protected people: an order in the population database, a substitute address everywhere else.

An assumption of design section 7. Whoever is protected lives where nobody else of the population
does; only the order says where. What every record shows is an address in the commune in which they
were registered before, in the form of anyone's. The rate is an assumption too (``domain.md`` has no
figure): high enough for a demo of 2,000 people to show one.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from random import Random

from connectors.synthetic.book import Rows
from connectors.synthetic.dealings import ProtectedAddress, Protection
from connectors.synthetic.draw import Weighted, age_on, between, later, pick, stream, workday
from connectors.synthetic.model import Citizen, Family
from connectors.synthetic.places import Columns, Home, home, place, province

_RATE = 0.002
#: One cluster in so many (1,200 people) has a protected adult for sure.
_EVERY = 24
_GROUNDS = Weighted(
    [("WITNESS", 5.0), ("DOMESTIC_VIOLENCE", 3.0), ("TRAFFICKING", 1.0), ("OTHER", 1.0)]
)
_LONGEST = 1500


def protect(family: Family) -> None:
    """Give some adults an order and a substitute address, before any row is written."""
    rng, today = stream(family.options.seed, family.index, "protected"), family.options.today
    adults = [
        person
        for person in family.people
        if person.alive_on(today)
        and age_on(person.born, today) >= 18
        and (today - (person.moved or person.born)).days > 2 * _LONGEST
    ]
    chosen = [person for person in adults if rng.random() < _RATE]
    if not chosen and adults and family.index % _EVERY == _EVERY // 2:
        chosen = [pick(rng, adults)]
    for number, person in enumerate(chosen, start=1):
        person.protection = _order(family, rng, number)
        person.home = _substitute(rng, person.home)


def _order(family: Family, rng: Random, number: int) -> Protection:
    today = family.options.today
    issued = workday(later(rng, today, -_LONGEST, -10))
    where = _secret(rng)
    name = where.province.new_name
    return Protection(
        order_no=f"{family.index:05d}{number:02d}/{issued.year}/QĐ-BVNO",
        issued_on=issued,
        issuer=f"Cơ quan Cảnh sát điều tra Công an {name[0].lower()}{name[1:]}",
        ground=_GROUNDS.draw(rng),
        true_home=where,
        valid_from=issued,
        valid_until=later(rng, today, 60, 1200) if rng.random() < 0.5 else None,
    )


def _secret(rng: Random) -> Home:
    """Return a place where nobody else lives: house numbers with two parts are given only here."""
    while True:
        at = home(rng, province(rng))
        number, comma, street = at.street.partition(",")
        if comma:
            return replace(at, street=f"{number}/{between(rng, 1, 98)},{street}")


def _substitute(rng: Random, at: Home) -> Home:
    """Return an address in the same commune that differs in its number only."""
    while True:
        number = between(rng, 1, 14 if at.street.startswith("thôn") else 320)
        if at.street.startswith("thôn"):
            street = f"thôn {number}"
        else:
            street = f"số {number},{at.street.partition(',')[2]}"
        if street != at.street:
            return replace(at, street=street)


def orders(family: Family, rows: Rows) -> None:
    """Write the orders of a cluster: the only rows that hold a true address."""
    for person in family.people:
        if person.protection is not None:
            row = _row(person, person.protection)
            rows.setdefault(("population", "protection_orders"), []).append(row)


def _row(person: Citizen, order: Protection) -> Columns:
    row: Columns = {
        "order_no": order.order_no,
        "citizen_id": person.number,
        "issued_on": order.issued_on,
        "issuer": order.issuer,
        "ground": order.ground,
        "valid_from": order.valid_from,
    }
    if order.valid_until is not None:
        row["valid_until"] = order.valid_until
    return row | place("true_address", order.true_home, order.issued_on, street=True)


def protected_address(person: Citizen, today: date) -> ProtectedAddress | None:
    """Return both addresses of a protected person as written in the order and on ``today``."""
    order = person.protection
    if order is None:
        return None
    true = place("at", order.true_home, order.issued_on, street=True)
    substitute = place("at", person.home, today, street=True)
    return ProtectedAddress(
        order.order_no, str(true["at_as_recorded"]), str(substitute["at_as_recorded"])
    )
