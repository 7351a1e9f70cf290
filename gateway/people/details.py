"""Details of a person that a caller states beside the number."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.values import PartialDate


@dataclass(frozen=True, slots=True)
class Matching:
    """Details that must agree with the population database; None: not given."""

    name: str | None = None
    birth_date: PartialDate | None = None

    @property
    def says_something(self) -> bool:
        """Whether any detail is given."""
        return self.name is not None or self.birth_date is not None
