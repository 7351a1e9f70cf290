"""How far an outbox was read, and what has to be so still when it is read on."""

from __future__ import annotations

from typing import NamedTuple

_MARK = "#"
_STATED = "stated"


class OutboxCheckpoint(NamedTuple):
    """``place``: in the order of the outbox. ``mark``: of its triggers; "": there are to be none.

    ``is_stated``: whether the source said how fresh it is.
    """

    place: str
    mark: str = ""
    is_stated: bool = False

    @classmethod
    def parse(cls, text: str) -> OutboxCheckpoint:
        """Read a checkpoint; raises ValueError for what is none. Does not look at the place."""
        place, _, rest = text.partition(_MARK)
        mark, _, statement = rest.partition(_MARK)
        if statement not in {"", _STATED}:
            raise ValueError("no checkpoint of an outbox")
        return cls(place, mark, bool(statement))

    def text(self) -> str:
        """Return it as text."""
        parts = (self.place, self.mark, _STATED if self.is_stated else "")
        return _MARK.join(parts).rstrip(_MARK)
