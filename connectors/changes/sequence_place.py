"""How far an outbox was read by its ids, and up to where nothing more is to be expected. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import NamedTuple

from connectors.changes.outbox_rows import micros

_CHECKPOINT = re.compile(":".join([r"([0-9]{1,19})"] * 6))
#: How old a mark has to be: MariaDB shows transactions as they were up to 0.1 s before.
_SETTLING = timedelta(seconds=1)


class SequencePlace(NamedTuple):
    """How far was read. Up to ``floor`` all is read for good; then ``number`` rows up to ``top``.

    ``written``: when the row at the top was written, in microseconds, to know it again. ``mark``:
    an id that had been read at the microsecond ``marked``; 0: none.
    """

    floor: int
    top: int
    number: int
    written: int
    mark: int = 0
    marked: int = 0

    @classmethod
    def parse(cls, checkpoint: str) -> SequencePlace:
        """Read a checkpoint; raises ValueError for what is none."""
        match = _CHECKPOINT.fullmatch(checkpoint)
        if match is None:
            raise ValueError("no checkpoint of an outbox")
        return cls(*(int(part) for part in match.groups()))

    def checkpoint(self) -> str:
        """Return it as text."""
        return ":".join(map(str, self))


class OpenTransactions(NamedTuple):
    """The clock of the server, and since when its oldest open transaction runs; None: none does."""

    now: datetime
    oldest: datetime | None


def settle(
    place: SequencePlace, top: int, transactions: OpenTransactions
) -> tuple[int, SequencePlace]:
    """Return up to which id nothing is to be expected any more, and the place with its mark.

    ``top``: the greatest id that had been read before it was asked for ``transactions``. It is
    marked, and is the floor once all open transactions began after that: whoever has written a
    lower id, had begun before.
    """
    if top <= place.floor:
        return place.floor, place
    now = micros(transactions.now)
    oldest = now if transactions.oldest is None else micros(transactions.oldest)
    is_old_enough = now - place.marked >= _SETTLING // timedelta(microseconds=1)
    if not place.marked:
        return place.floor, place._replace(mark=top, marked=now)
    if oldest > place.marked and is_old_enough:
        return max(place.floor, place.mark), place._replace(mark=top, marked=now)
    return place.floor, place
