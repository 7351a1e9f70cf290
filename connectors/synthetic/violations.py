"""Sanctions: an act, a decision, how it was carried out, and until when it counts.

Law 15/2012/QH13: nobody is sanctioned below 14, nobody fined below 16, those of 16 and 17 pay half
at most (Art. 5, 134-135); decisions follow the record within 7 days (Art. 66), are carried out
within 10 days (Art. 73) and lapse one year after they were made (Art. 74); a warning counts for six
months, anything else for one year from completion or from that lapse, without recidivism (Art. 7).
Recidivism is doing the same act while it counts (Art. 2(5)): here a further act always comes later.
``domain.md`` section 5 knows of several million decisions a year, without a figure; that about one
grown person in fourteen has one here is an assumption.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from connectors.synthetic.draw import Weighted, age_on, birthday, later, workday
from connectors.synthetic.model import Citizen
from connectors.synthetic.offences import Offence, offences

SINCE = date(2020, 1, 2)
#: Up to this fine, in thousand dong, an individual may be sanctioned on the spot (Art. 56).
ON_THE_SPOT = 250
_POSTPONED_FROM = 2_000  # Art. 76
_INSTALMENTS_FROM = 15_000  # Art. 79
_OUTCOMES = Weighted([
    ("PAID", 74), ("LATE", 8), ("UNPAID", 8), ("COERCED", 4), ("APPEALED", 1), ("REDUCED", 1),
    ("POSTPONED", 4),
])  # fmt: skip


@dataclass(slots=True)
class Step:
    """One step of the execution; ``amount`` in dong."""

    kind: str | None
    on: date | None
    amount: int | None = None
    completed: date | None = None
    expired: date | None = None


@dataclass(slots=True)
class Violation:
    """One act with its decision. ``fine`` in dong, None for a warning."""

    offence: Offence
    on: date
    decided: date
    fine: int | None
    on_spot: bool
    status: str = "ISSUED"
    steps: list[Step] = field(default_factory=list)

    @property
    def completed(self) -> date | None:
        """The day on which the decision was carried out in full."""
        return next((step.completed for step in self.steps if step.completed), None)

    @property
    def lapsed(self) -> date | None:
        """The day from which it could no longer be carried out."""
        return next((step.expired for step in self.steps if step.expired), None)

    @property
    def counts_until(self) -> date | None:
        """The last day of the period of Art. 7; None while it has not begun."""
        since = self.completed or self.lapsed
        if since is None:
            return None
        return months_later(since, 6 if self.fine is None else 12)


def months_later(day: date, months: int) -> date:
    """Return the same day ``months`` (6, 12 or 24) later, or the last one of that month."""
    year, month = divmod(day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(day.year + year, month + 1, last)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


def violate(
    rng: Random, first: date, gone: date, today: date, person: Citizen | None
) -> Violation | None:
    """Draw an act between ``first`` and today; None if there is no room, or none fits the age.

    ``person`` is None for a company. Recent days are drawn more often than old ones.
    """
    last = min(today - timedelta(days=12), gone - timedelta(days=12))
    room = (last - first).days
    if room < 1:
        return None
    on = last - timedelta(days=int(room * rng.random() ** 1.6))
    kind = "COMPANY" if person is None else _kind(age_on(person.born, on))
    choice = list(offences(on, kind))
    if not choice:
        return None
    offence = Weighted(choice).draw(rng)
    fine = _fine(rng, offence, kind)
    spot = (
        person is not None and (fine is None or fine <= ON_THE_SPOT * 1000) and rng.random() < 0.8
    )
    violation = Violation(offence, on, on if spot else workday(later(rng, on, 1, 5)), fine, spot)
    _execute(rng, violation, gone, today)
    until = violation.counts_until
    if until is not None and abs((until - today).days) <= 3:
        return None  # nothing that hangs on how the last day is counted
    return violation


def _kind(age: int) -> str:
    return "CHILD" if age < 16 else "YOUNG" if age < 18 else "ADULT"


def _fine(rng: Random, offence: Offence, kind: str) -> int | None:
    """Draw the fine in dong, None for a warning; twice as much for organisations."""
    if kind == "CHILD" or rng.random() < offence.warned:
        return None
    thousands = round(rng.triangular(offence.low, offence.high) / 50) * 50
    return thousands * {"COMPANY": 2_000, "YOUNG": 500, "ADULT": 1_000}[kind]


def _execute(rng: Random, violation: Violation, gone: date, today: date) -> None:
    """Draw how a decision is carried out; steps later than today are left out."""
    fine, decided = violation.fine, violation.decided
    if fine is None:
        violation.steps, violation.status = [Step(None, decided, completed=decided)], "EXECUTED"
        return
    steps, status = _steps(rng, _OUTCOMES.draw(rng), fine, decided)
    if steps and (steps[-1].on or steps[-1].expired or decided) >= gone:  # Art. 75
        steps, status = [Step("SUSPENDED", later(rng, gone, 5, 60))], "ISSUED"
    happened = [step for step in steps if (step.on or step.expired or today) < today]
    if len(happened) < len(steps):
        status = "PARTLY" if any(step.amount for step in happened) else "ISSUED"
    violation.steps, violation.status = happened, status


def _steps(rng: Random, outcome: str, fine: int, decided: date) -> tuple[list[Step], str]:
    """Return what would happen after a decision, and the status that it would then have."""
    prompt, late = later(rng, decided, 1, 9), later(rng, decided, 25, 200)
    if outcome == "UNPAID":
        return [Step(None, None, expired=months_later(decided, 12))], "EXPIRED"
    if outcome == "APPEALED" and rng.random() < 0.5:
        return [], "APPEALED"
    if fine >= _INSTALMENTS_FROM * 1000 and outcome == "LATE":
        third = fine // 3
        days = [later(rng, decided, 5 + 55 * n, 50 + 55 * n) for n in range(3)]
        parts = [Step("INSTALLMENT", day, third) for day in days]
        parts[-1].amount, parts[-1].completed = fine - 2 * third, days[-1]
        return parts, "EXECUTED"
    if outcome in ("POSTPONED", "REDUCED") and fine >= _POSTPONED_FROM * 1000:
        left = fine if outcome == "POSTPONED" else fine // 2
        return [Step(outcome, prompt), _paid(late, left)], "EXECUTED"
    if outcome == "COERCED":
        return [Step("COERCED", late, fine, late)], "EXECUTED"
    return [_paid(late if outcome in ("LATE", "APPEALED") else prompt, fine)], "EXECUTED"


def _paid(on: date, amount: int) -> Step:
    return Step("PAID", on, amount, on)


def first_day(person: Citizen) -> date:
    """Return the first day on which somebody can be sanctioned: from 14 on."""
    return max(SINCE, birthday(person.born, 14))
