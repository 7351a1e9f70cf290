"""Whether a person is identified, and what that makes of the state of a list about them.

Absent and unknown are never the same (design section 6.1). An empty list says "none", so it takes a
person whom the population database knows, every number of theirs looked under, and an answer with
nothing missing. Decision 0034 has the reasons.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from connectors.description import Coded
from gateway.answer import Answer, State
from gateway.errors import GatewayError, Location, Path


class Identification(Coded):
    """Whether the population database knows the person behind a number."""

    IDENTIFIED = "đã xác định được người", "the population database knows the person"
    NOT_IDENTIFIED = (
        "chưa xác định được người",
        "the population database knows nobody by this number",
    )
    UNDETERMINED = (
        "chưa kiểm tra được",
        "the population database could not say whose number it is, or under which others to look",
    )
    NOT_CHECKED = (
        "không đối chiếu theo cấu hình",
        "numbers are not checked here: the operator's settings say that they are final",
    )

    def __init__(self, *_: str) -> None:
        """Say whether all numbers under which records may be filed are known."""
        self.is_complete = self.name in {"IDENTIFIED", "NOT_CHECKED"}


def state_for(state: State, identification: Identification, has_rows: bool) -> State:
    """Return the state of a list about a person, after protection and before arguments.

    ``state``: what the database answered. ``has_rows``: whether the caller is shown any. Denials,
    protection and failures come first: they stay what they are.
    """
    if state is not State.ANSWERED or identification.is_complete:
        return state
    if identification is Identification.NOT_IDENTIFIED and not has_rows:
        return State.NOT_IDENTIFIED
    return State.INCOMPLETE


def says_none(answer: Answer) -> bool:
    """Say whether an empty list may be said of ``answer``: nothing is missing from it."""
    return answer.report.state is State.ANSWERED and not answer.truncated


@dataclass(slots=True, eq=False)
class Shortfall:
    """The lists of one person, or of one thing, that may lack rows, by the reason.

    ``path``: of the person or thing in the answer. Each reason becomes one error that names its
    lists, however many there are.
    """

    path: Path
    locations: tuple[Location, ...]
    lists: dict[str, dict[str, None]] = field(default_factory=dict)

    def note(self, reason: str, path: Path) -> None:
        """Note that the list at ``path`` may lack rows for ``reason``, an error code."""
        steps = path[len(self.path) :]
        name = ".".join(step for step in steps if isinstance(step, str))
        self.lists.setdefault(reason, {})[name] = None

    def errors(self) -> list[GatewayError]:
        """Return one error for each reason."""
        return [
            GatewayError(reason, details={"lists": sorted(names)})
            for reason, names in self.lists.items()
        ]
