"""The state of a list about a person, by whether the person is identified.

Absent and unknown are never the same (design section 6.1). An empty list says "none", so it takes a
person whom the population database knows, every number of theirs looked under, and an answer with
nothing missing. Decision 0034 has the reasons.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.answer import Answer, Identification, State
from gateway.errors import GatewayError, Location, Path


def state_for(state: State, identification: Identification, has_rows: bool) -> State:
    """Return the state of a list about a person, after protection and before arguments.

    ``state``: of the database's answer. ``has_rows``: whether the caller is shown any. Denials,
    protection and failures keep their state.
    """
    if state is not State.ANSWERED or identification.is_complete:
        return state
    if identification is Identification.NOT_IDENTIFIED and not has_rows:
        return State.NOT_IDENTIFIED
    return State.INCOMPLETE


def says_none(answer: Answer) -> bool:
    """Say whether ``answer`` without rows truthfully says "none": nothing is missing from it."""
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

    def add(self, other: Shortfall) -> None:
        """Add the lists of ``other``, which is of the same person or thing."""
        for reason, names in other.lists.items():
            self.lists.setdefault(reason, {}).update(names)

    def errors(self) -> list[GatewayError]:
        """Return one error for each reason."""
        return [
            GatewayError(reason, details={"lists": sorted(names)})
            for reason, names in self.lists.items()
        ]
