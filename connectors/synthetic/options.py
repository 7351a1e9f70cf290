"""What may be chosen about a synthetic population."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

#: The day as of which the demo data are made.
TODAY = date(2026, 11, 23)


@dataclass(frozen=True, slots=True)
class PopulationOptions:
    """How many people, from which seed, as of which day, and how faulty the registers are.

    ``people`` is reached by whole clusters, so that a few dozen people more may come out. The other
    defaults are the rates of ``domain.md`` section 5 (late and missing registrations) or
    assumptions of this project (disagreements, rows under earlier numbers, sharing of numbers).
    """

    people: int
    seed: int = 2026
    today: date = TODAY
    disagreement_rate: float = 0.02
    earlier_number_rate: float = 0.05
    late_birth_rate: float = 0.151
    unregistered_birth_rate: float = 0.034
    late_death_rate: float = 0.307
    unregistered_death_rate: float = 0.04
    missing_divorce_note_rate: float = 0.12
    marriage_end_noted_rate: float = 0.8
    contradiction_rate: float = 0.0
    unnumbered_rate: float = 0.0

    def __post_init__(self) -> None:
        """Refuse rates that are none, and a number of people below one."""
        if self.people < 1:
            raise ValueError("people must be at least 1")
        for name in self.__slots__:
            value = getattr(self, name)
            if name.endswith("_rate") and not 0 <= value <= 1:
                raise ValueError(f"{name} must lie between 0 and 1")
