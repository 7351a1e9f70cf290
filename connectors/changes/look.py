"""How far a source that polls has looked: its checkpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Look:
    """A look at all records, begun or to be begun.

    ``clock``: of the server at its start, or its statement of freshness, where that is earlier;
    ``is_stated``: whether there was one.
    ``since``: from which moment on rows are read.
    ``record``: which is being read; None: the look is to be begun. ``after``: moment and identity
    of the last row that was read of it, as stored. ``missing``: by record, how many rows without a
    moment were reported. ``tops``: by record, the newest moment that was seen. ``is_whole``:
    whether every record could be read so far.
    """

    clock: datetime
    since: datetime
    record: str | None = None
    after: tuple[str, str] | None = None
    missing: Mapping[str, int] = field(default_factory=dict)
    tops: Mapping[str, datetime] = field(default_factory=dict)
    is_whole: bool = True
    is_stated: bool = False

    def checkpoint(self) -> str:
        """Return it as text."""
        content = {
            "clock": self.clock.isoformat(),
            "since": self.since.isoformat(),
            "record": self.record,
            "after": self.after,
            "missing": dict(self.missing),
            "tops": {name: top.isoformat() for name, top in self.tops.items()},
            "whole": self.is_whole,
            "stated": self.is_stated,
        }
        return json.dumps(content)

    @classmethod
    def parse(cls, checkpoint: str) -> Look:
        """Read a checkpoint; raises ValueError for what is none."""
        try:
            content = json.loads(checkpoint)
            after = content["after"]
            return cls(
                _moment(content["clock"]),
                _moment(content["since"]),
                content["record"],
                None if after is None else (str(after[0]), str(after[1])),
                {str(name): int(number) for name, number in content["missing"].items()},
                {str(name): _moment(top) for name, top in content["tops"].items()},
                bool(content["whole"]),
                bool(content["stated"]),
            )
        except (ValueError, TypeError, KeyError, IndexError, AttributeError):
            raise ValueError("no checkpoint of a source that polls") from None


def _moment(text: Any) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError
    return moment.astimezone(UTC)
