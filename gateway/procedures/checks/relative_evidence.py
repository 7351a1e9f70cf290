"""Evidence of a relative, for facts that are asked of whoever a record of somebody names.

Lists of a relative are read in later waves: a check that uses this declares them in ``later``. What
is read stands in the journal as read of kin, and rules that use it are concealed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.answer import Identification
from gateway.derived.view import Evidence, Facts, Question, RelatedPerson


@dataclass(frozen=True, slots=True)
class RelativeEvidence:
    """What is known of ``relative``, read through ``subject`` (``gateway.derived.view.Evidence``).

    A question of the subject's family is never the relative's own view.
    """

    subject: Evidence
    relative: RelatedPerson

    @property
    def question(self) -> Question:
        """What is asked."""
        return self.subject.question

    @property
    def numbers(self) -> tuple[str, ...]:
        """The relative's numbers, the present one first."""
        return self.relative.numbers

    @property
    def identification(self) -> Identification:
        """Whether the relative is identified."""
        return self.relative.identification

    @property
    def is_own_view(self) -> bool:
        """Never the relative's own view."""
        return False

    def list(self, name: str) -> Facts:
        """Return a list under the relative's numbers."""
        return self.subject.under(name, self.relative.numbers, self.relative)

    def under(self, name: str, keys: Sequence[str], of: RelatedPerson | None = None) -> Facts:
        """Return a list under other keys."""
        return self.subject.under(name, keys, of)

    def person(self, number: str) -> RelatedPerson | None:
        """Return whose ``number`` is; None until that is known."""
        return self.subject.person(number)

    def may_show(self, name: str, column: str) -> bool:
        """Nothing of a relative is shown."""
        return False
