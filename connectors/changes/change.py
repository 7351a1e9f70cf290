"""The contract of all change sources: how the gateway learns that rows of a database changed.

A change source reads the changes of one database in the order in which it reports them, page by
page, from a checkpoint. It knows no event log, no lease and no cache: ``gateway.changes`` publishes
what it reads. One suite of tests runs over every source alike.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from connectors.description import Record, Row


class ChangeOperation(enum.Enum):
    """What happened to a row; the values are those of Debezium's envelope (``op``).

    WRITE: created or updated, and the source cannot tell which (watermark polling).
    """

    CREATE = "c"
    UPDATE = "u"
    DELETE = "d"
    WRITE = "w"


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one row.

    ``before`` and ``after``: the decoded row in the order of ``record.columns``; None where the
    row did not exist, or the source does not say. ``identity``: the value of ``record.identity``,
    which a deletion has too. ``position``: where the source has it. ``committed_at``: when it was
    committed, in UTC, as the source says; None where it does not say. The same change has the same
    of both each time that it is read. ``creation``: where the source may report one creation
    at several positions, what all changes of a row share since then; else None. ``may_be_update``:
    whether a row that was created may have been changed since, and may have been reported before.
    """

    record: Record
    operation: ChangeOperation
    identity: str
    before: Row | None
    after: Row | None
    position: str
    committed_at: datetime | None
    creation: str | None = None
    may_be_update: bool = False


@dataclass(frozen=True, slots=True)
class UnreadableChange:
    """A change that could not be decoded: somebody's row of ``record`` changed, unknown whose.

    ``fault``: why, for logs: names of columns, never values.
    """

    record: Record
    position: str
    fault: str


@dataclass(frozen=True, slots=True)
class ChangePage:
    """A page of changes.

    ``checkpoint``: where the next page begins; opaque. ``complete_until``: every change that was
    committed before that moment (UTC) is on this page or on one before it; None: not known.
    ``has_more``: more changes are there already.
    """

    changes: Sequence[Change | UnreadableChange]
    checkpoint: str
    complete_until: datetime | None
    has_more: bool


class CheckpointLost(Exception):
    """The source no longer has what came after the checkpoint: changes may have been missed.

    Also raised by a source that went backwards: an older copy was restored.
    """


@dataclass(frozen=True, slots=True)
class ChangePromise:
    """What a change source can promise; shown in the catalogue and by ``completeUntil``.

    ``interval``: seconds between two looks, where it looks; None where changes arrive by
    themselves. ``overlap``: seconds that each look reads again, for transactions that commit late.
    ``sees_deletions``, ``sees_before``: whether deletions and former values are reported.
    ``tells_creations``: whether creations are told from updates, of all records whose events
    depend on it.
    """

    interval: float | None
    overlap: float | None
    sees_deletions: bool
    sees_before: bool
    tells_creations: bool = True

    @property
    def reads_present_rows(self) -> bool:
        """Whether the source reads present rows only, and no record of what happened to them."""
        return not (self.sees_deletions or self.sees_before)


class ChangeSource(Protocol):
    """The changes of one database.

    A source belongs to one event loop and to one reader. Every method raises SourceUnavailable
    (``connectors.backends.base``) where the database does not answer.
    """

    @property
    def promise(self) -> ChangePromise:
        """What the source can promise; constant."""
        ...

    async def open(self) -> None:
        """Prepare connections. Succeeds whether or not the database can be reached."""
        ...

    async def close(self) -> None:
        """Release all resources; closing twice does nothing."""
        ...

    async def start(self) -> str:
        """Return the checkpoint of now: what changes later comes after it."""
        ...

    async def read(self, checkpoint: str, limit: int) -> ChangePage:
        """Return at most ``limit`` changes after ``checkpoint``, in the order of the source.

        The same page may be read again. Raises CheckpointLost, ValueError for a checkpoint that is
        none of this source.
        """
        ...

    async def wait(self, seconds: float) -> None:
        """Return when there may be changes, or it is time to look, after ``seconds`` at most."""
        ...
