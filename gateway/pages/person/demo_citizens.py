"""The demo citizens that ``/me`` offers: a handful, each with what there is to see of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from gateway.access.caller import Caller
from gateway.pages.languages import Language
from gateway.pages.page_caller import PageCaller

#: For each tag the next persona that has it is offered.
_TAGS = (
    "conflicting_data", "conflicting_data", "married", "blocked_asset", "legal_aid", "divorced",
    "protected",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DemoCitizen:
    """A demo citizen. ``name``: of the caller; ``story``: what there is to see, in words."""

    name: str
    full_name: str
    story: str


@dataclass(slots=True)
class DemoCitizens:
    """Chooses the citizens that are offered; ``find_page_caller`` asks it of each demo caller.

    ``folder``: of the demo. Reads its file of personas once, none where there is no such file.
    """

    folder: Path
    _stories: dict[str, str] = field(init=False)
    _offered: list[str] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        """Read the personas."""
        try:
            personas = orjson.loads((self.folder / "personas.json").read_bytes())
        except FileNotFoundError:
            personas = []
        self._stories = _choose(personas)

    def may_use(self, caller: Caller) -> bool:
        """Return whether ``caller`` is a citizen who is offered; without personas, any citizen."""
        number = caller.citizen
        if number is None or (self._stories and number not in self._stories):
            return False
        self._offered.append(number)
        return True

    def tell(self, caller: PageCaller, language: Language) -> tuple[DemoCitizen, ...]:
        """Return who is offered, most interesting first."""
        names = {
            number: choice.name
            for choice, number in zip(caller.choices, self._offered, strict=False)
        }
        order = [number for number in self._stories if number in names] or [*names]
        return tuple(self._tell(number, names[number], language) for number in order)

    def tell_numbers(self, language: Language) -> tuple[tuple[str, DemoCitizen], ...]:
        """Return the numbers of the same people, for an officer of the demo to look up."""
        return tuple((number, self._tell(number, "", language)) for number in self._stories)

    def _tell(self, number: str, caller: str, language: Language) -> DemoCitizen:
        vi, _, en = self._stories.get(number, "").partition(" / ")
        name, _, story = (en if language.code == "en" else vi).partition(": ")
        return DemoCitizen(caller, name or caller, story)


def _choose(personas: list[dict[str, Any]]) -> dict[str, str]:
    """Return the stories of the personas that are offered, by number."""
    chosen: dict[str, str] = {}
    for tag in _TAGS:
        for persona in personas:
            tags = {*persona["tags"]}
            is_adult = tags.isdisjoint({"minor", "deceased"})
            if tag in tags and is_adult and persona["id"] not in chosen:
                chosen[persona["id"]] = persona["story"]
                break
    return chosen
