"""Who follows the events of the citizen, as ``/me`` shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.changes.event import LifeEventKind
from gateway.pages.languages import Language
from gateway.pages.person.ask import JoinedAnswer
from gateway.pages.person.documents import INTERESTS
from gateway.pages.person.view import NONE, UNKNOWN
from gateway.pages.phrases.person import PERSON


@dataclass(frozen=True, slots=True)
class InterestView:
    """An interest in words."""

    agency: str
    purpose: str
    case_number: str
    kinds: tuple[str, ...]
    since: str
    until: str


@dataclass(frozen=True, slots=True)
class InterestsView:
    """Who follows the events of the citizen. ``sentence``: where there is nobody to name."""

    shape: str
    sentence: str
    interests: tuple[InterestView, ...]

    @property
    def has_failed(self) -> bool:
        """Whether it is not known who does."""
        return self.shape == UNKNOWN


def view_interests(answer: JoinedAnswer, language: Language) -> InterestsView:
    """Return the interests of an answer; it says "nobody" only where that is known."""
    choose, interests = language.choose, answer.person.get(INTERESTS)
    if interests is None:
        return InterestsView(UNKNOWN, choose(PERSON["interests_unknown"]), ())
    if not interests:
        return InterestsView(NONE, choose(PERSON["nobody_follows"]), ())
    return InterestsView("ANSWERED", "", tuple(_view(interest, language) for interest in interests))


def _view(interest: Mapping[str, Any], language: Language) -> InterestView:
    title, choose = interest["purposeTitle"], language.choose
    purpose = choose(title) if title else interest["purpose"] or ""
    return InterestView(
        interest["agency"] or choose(PERSON["agency_not_named"]),
        purpose[:1].upper() + purpose[1:],
        interest["caseNumber"] or "",
        tuple(choose(LifeEventKind[name].title) for name in interest["kinds"]),
        language.moment(interest["registeredAt"]),
        language.moment(interest["until"]),
    )
