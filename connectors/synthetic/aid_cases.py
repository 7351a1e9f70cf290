"""Requests for legal aid and what became of them (Law 11/2017/QH14 Art. 29-39, ``domain.md`` 2.3).

One to two people in a hundred have a case: higher than reality (35-45 thousand cases a year,
``domain.md`` section 5), so that a demo shows them. The system has been in use since 2019.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from connectors.synthetic.aid_providers import Provider, providers
from connectors.synthetic.circumstances import Circumstances
from connectors.synthetic.draw import Weighted, age_on, later, pick, workday
from connectors.synthetic.model import Citizen, Family

SINCE = date(2019, 1, 2)
#: How likely it is that somebody asks once on the ground of a category, by what they meet.
_ASKING = {
    "CHILD": 0.015,
    "ETHNIC_MINORITY_SPECIAL_AREA": 0.1,
    "POOR_HOUSEHOLD": 0.11,
    "ACCUSED_16_18": 0.06,
    "VICTIM_16_18": 0.2,
    "ACCUSED_NEAR_POOR": 0.05,
    "MERITORIOUS": 0.1,
    "ELDERLY": 0.1,
    "DISABLED": 0.12,
    "DOMESTIC_VIOLENCE_VICTIM": 0.5,
}
_OTHERWISE = 0.15
_CRIMINAL_ONLY = {"ACCUSED_16_18", "VICTIM_16_18", "ACCUSED_NEAR_POOR", "TRAFFICKING_VICTIM"}
_FIELDS = Weighted([
    ("CRIMINAL", 30), ("CIVIL", 22), ("LAND", 22), ("ADMINISTRATIVE", 8), ("LABOUR", 5),
    ("MARRIAGE_FAMILY", 10), ("OTHER", 3),
])  # fmt: skip
_CHILD_FIELDS = Weighted([("CRIMINAL", 60), ("CIVIL", 20), ("MARRIAGE_FAMILY", 20)])
_FORMS = Weighted([("LITIGATION", 62), ("CONSULTATION", 33), ("OUT_OF_COURT_REPRESENTATION", 5)])
_REFUSALS = (
    "yêu cầu thuộc lĩnh vực kinh doanh, thương mại",
    "yêu cầu không có căn cứ, trái quy định của pháp luật",
    "vụ việc đang được một tổ chức thực hiện trợ giúp pháp lý khác thụ lý, thực hiện",
)
_REFUSED_RATE, _MOVED_RATE, _STOPPED_RATE, _AGAIN_RATE = 0.05, 0.03, 0.04, 0.1


@dataclass(slots=True)
class AidRequest:
    """One case with its dates, in order; None for what has not happened."""

    person: Citizen
    category: str
    proof: str
    requested: date
    provider: Provider
    province_code: str
    field_of_law: str
    form: str
    accepted: date | None = None
    refused: date | None = None
    refusal: str | None = None
    assigned: date | None = None
    assignee: dict[str, object] = field(default_factory=dict)
    ended: date | None = None
    status: str | None = None

    @property
    def acceptance(self) -> str:
        """Whether the request was accepted."""
        if self.refused is not None:
            return "REFUSED"
        return "PENDING_DOCS" if self.accepted is None else "ACCEPTED"


def cases_of(
    family: Family, rng: Random, facts: Circumstances, person: Citizen
) -> list[AidRequest]:
    """Draw the cases of a person: mostly none, sometimes two, the second after the first."""
    today = family.options.today
    cases: list[AidRequest] = []
    first = max(SINCE, person.born + timedelta(days=200))
    if person.adoption is not None:  # nothing that would tell of the time before
        first = max(first, person.adoption.handover + timedelta(days=1))
    last = min(today - timedelta(days=1), person.gone - timedelta(days=15))
    while first < last:
        day = workday(later(rng, first, 0, (last - first).days))
        if day >= last:
            break
        ground = _ground(rng, facts, person, day) if not cases else _any(rng, facts, person, day)
        if ground is None:
            break
        case = _case(rng, person, day, ground, today)
        cases.append(case)
        if case.ended is None or rng.random() >= _AGAIN_RATE:
            break
        first = case.ended + timedelta(days=30)
    return cases


def _ground(
    rng: Random, facts: Circumstances, person: Citizen, day: date
) -> tuple[str, str] | None:
    """Draw whether somebody asks for aid on ``day``, and on which of the grounds they meet."""
    for category, proof in facts.categories(person, day):
        if rng.random() < _ASKING.get(category, _OTHERWISE):
            return category, proof
    return None


def _any(rng: Random, facts: Circumstances, person: Citizen, day: date) -> tuple[str, str] | None:
    grounds = list(facts.categories(person, day))
    return pick(rng, grounds) if grounds else None


def _case(
    rng: Random, person: Citizen, day: date, ground: tuple[str, str], today: date
) -> AidRequest:
    """Return a case asked for on ``day`` where the beneficiary resides (Art. 26)."""
    code = person.home_on(day).province.new_code
    field_of_law = _field(rng, person, ground[0], day)
    form = "LITIGATION" if field_of_law == "CRIMINAL" else _FORMS.draw(rng)
    offices = providers(code)
    chance = rng.random()
    provider = offices[0] if chance < 0.7 else offices[1] if chance < 0.85 else offices[2]
    case = AidRequest(person, *ground, day, provider, code, field_of_law, form)
    _take_up(rng, case, today)
    return case


def _field(rng: Random, person: Citizen, category: str, day: date) -> str:
    """Return the field of law, never business (Art. 27); family law for who has a family."""
    if category in _CRIMINAL_ONLY:
        return "CRIMINAL"
    if category == "DOMESTIC_VIOLENCE_VICTIM":
        return "MARRIAGE_FAMILY"
    if age_on(person.born, day) < 16:
        return _CHILD_FIELDS.draw(rng)
    field = _FIELDS.draw(rng)
    return "CIVIL" if field == "MARRIAGE_FAMILY" and not person.unions else field


def _take_up(rng: Random, case: AidRequest, today: date) -> None:
    """Accept a request or refuse it; dates later than yesterday are left open."""
    decision_day = workday(later(rng, case.requested, 0, 4))
    if decision_day >= today:
        return
    if rng.random() < _REFUSED_RATE:
        case.refused, case.refusal = decision_day, pick(rng, _REFUSALS)
        return
    case.accepted, case.status = decision_day, "IN_PROGRESS"
    assigned = workday(later(rng, decision_day, 0, 1 if case.field_of_law == "CRIMINAL" else 3))
    if assigned >= today:
        return
    case.assigned, case.assignee = assigned, pick(rng, case.provider.people)
    longest = (60, 480) if case.form == "LITIGATION" else (3, 45)
    ended, status, chance = workday(later(rng, assigned, *longest)), "COMPLETED", rng.random()
    if chance < _MOVED_RATE + _STOPPED_RATE:
        status = "TRANSFERRED" if chance < _MOVED_RATE else "DISCONTINUED"
    if ended >= case.person.gone:  # Art. 37: not continued when the beneficiary has died
        status, ended = "DISCONTINUED", workday(later(rng, case.person.gone, 2, 20))
    if ended < today:
        case.ended, case.status = ended, status
