"""What is known of a person, asked as of another day than today.

Facts of a check hold today. Some rules need those of a day before, such as whether a mother was
married when her child was born; the same lists answer them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from gateway.answer import Identification
from gateway.derived.view import Evidence, Facts, Question, RelatedPerson


@dataclass(frozen=True, slots=True)
class DatedEvidence:
    """The lists of ``evidence`` under another question (``gateway.derived.view.Evidence``)."""

    evidence: Evidence
    question: Question

    @property
    def numbers(self) -> tuple[str, ...]:
        """The person's numbers, the present one first."""
        return self.evidence.numbers

    @property
    def identification(self) -> Identification:
        """Whether the person is identified."""
        return self.evidence.identification

    @property
    def is_own_view(self) -> bool:
        """Whether it is the citizen's own view."""
        return self.evidence.is_own_view

    def list(self, name: str) -> Facts:
        """Return a list under the person's numbers."""
        return self.evidence.list(name)

    def under(self, name: str, keys: Sequence[str], of: RelatedPerson | None = None) -> Facts:
        """Return a list under other keys."""
        return self.evidence.under(name, keys, of)

    def person(self, number: str) -> RelatedPerson | None:
        """Return whose ``number`` is; None until that is known."""
        return self.evidence.person(number)

    def may_show(self, name: str, column: str) -> bool:
        """Say whether the caller may see a column of the person's list."""
        return self.evidence.may_show(name, column)


def evidence_on(evidence: Evidence, day: date) -> Evidence:
    """Return the evidence as of ``day``; of today, for a day that is still to come."""
    question = evidence.question
    return DatedEvidence(evidence, replace(question, valid_on=min(day, question.today)))
