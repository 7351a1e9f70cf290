"""How the gateway reaches a database: the contract that every backend keeps.

A backend fetches stored rows by key and decodes them. It knows no caller, no cache, no deadline and
no breaker: those are the gateway's (``gateway.fetch``), wrapped around these few calls. What the
words here promise is proved, for every backend alike, by ``tests/integration/connectors/backends``.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Protocol

from connectors.codec import Unreadable, decode
from connectors.description import Lookup, Record, Row


class Scope(enum.Enum):
    """Within what bounds the gateway may share work.

    PROCESS: between all callers. CALLER: only within one caller's request, because the messages to
    the source name the caller (X-Road carries user, case and represented party).
    """

    PROCESS = "process"
    CALLER = "caller"


@dataclass(frozen=True, slots=True)
class Asker:
    """For whom a source is asked, where its messages say so (``Scope.CALLER``).

    ``client``: the system that asks. ``user``: the token's subject. ``case``: the number of the
    case. ``represented``: on behalf of whom a representative asks.
    """

    client: str | None = None
    user: str | None = None
    case: str | None = None
    represented: str | None = None


#: Nobody in particular: the gateway itself.
NOBODY = Asker()


@dataclass(frozen=True, slots=True)
class MessageEvidence:
    """What proves that a message was exchanged (X-Road message protocol for REST, 4.3).

    ``id``: the gateway's own; ``request_id`` and ``request_hash``: those of the security servers,
    which have them in their signed logs.
    """

    id: str
    request_id: str
    request_hash: str


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a backend can do.

    ``batch_scope``: whose keys may be put together into one ``fetch``.
    ``cache_scope``: who may be given rows fetched earlier.
    """

    batch_scope: Scope
    cache_scope: Scope


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one key.

    ``rows``: the readable rows, newest first. ``unreadable``: the number of rows that could not be
    decoded. ``truncated``: whether there were more rows than ``record.fetch_limit``. ``faults``:
    why rows were unreadable, for logs: names of columns, never values.
    """

    rows: tuple[Row, ...] = ()
    unreadable: int = 0
    truncated: bool = False
    faults: frozenset[str] = field(default=frozenset(), compare=False)


def read_rows(record: Record, raws: Collection[Sequence[object]]) -> Rows:
    """Decode what was found for one key, and cut it at ``record.fetch_limit``.

    ``found`` holds raw values in the order of ``record.columns``, in the order in which the rows
    are to be given; ``record.fetch_limit + 1`` of them are enough. Never raises; costs some
    microseconds a row.
    """
    rows: list[Row] = []
    faults: list[str] = []
    for raw in islice(raws, record.fetch_limit):
        try:
            rows.append(decode(record, raw))
        except Unreadable as error:
            faults.append(str(error))
    return Rows(tuple(rows), len(faults), len(raws) > record.fetch_limit, frozenset(faults))


@dataclass(frozen=True, slots=True)
class Batch:
    """The answer to one ``fetch``.

    ``by_key``: an entry for every key that was answered, with empty ``Rows`` where nothing was
    found. ``failed``: why the others were not, for logs; a key stands in one of the two.
    ``evidence``: by key, where the source gives any.
    ``as_of``: the source's own statement of how fresh it is (in UTC), None when it makes none;
    never invented. ``origin``: what stands for the server, file or tables that the rows came from:
    rows of another origin are not this source's any more. None: the source has nothing of the kind.
    """

    by_key: Mapping[str, Rows]
    as_of: datetime | None = None
    failed: Mapping[str, str] = field(default_factory=dict)
    evidence: Mapping[str, MessageEvidence] = field(default_factory=dict)
    origin: str | None = field(default=None, compare=False)


def merge_batches(batches: Sequence[Batch]) -> Batch:
    """Make one batch of several; its ``as_of`` is the oldest, None where one says nothing.

    Batches of several origins have none together.
    """
    origins = {batch.origin for batch in batches if batch.by_key}
    stated = [batch.as_of for batch in batches if batch.by_key]
    moments = [moment for moment in stated if moment is not None]
    return Batch(
        {key: rows for batch in batches for key, rows in batch.by_key.items()},
        min(moments) if moments and len(moments) == len(stated) else None,
        {key: reason for batch in batches for key, reason in batch.failed.items()},
        {key: proof for batch in batches for key, proof in batch.evidence.items()},
        origins.pop() if len(origins) == 1 else None,
    )


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a source that its operator should know.

    ``topic``: what of the source, a word. ``text``: what is so; ``advice``: what to do.
    ``setting``: where settings speak of it, below those of the database. Names of tables, roles and
    settings stand in it, values and passwords never; it is not for clients.
    """

    topic: str
    text: str
    advice: str
    setting: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Examination:
    """What was seen of a source.

    ``server``: make and version. ``clock_ahead``: by how many seconds its clock is ahead of the
    gateway's. ``latency``: of looking up one key, in seconds, the median and the 99th percentile.
    ``records``: whose tables are there. None: not looked at, or it has none. ``reached``: whether
    it answered at all.
    """

    findings: tuple[Finding, ...] = ()
    server: str | None = None
    encoding: str | None = None
    clock_ahead: float | None = None
    latency: tuple[float, float] | None = None
    records: frozenset[str] | None = None
    reached: bool = True


def report_unreachable(error: SourceUnavailable) -> Examination:
    """Return what there is to say of a source that does not answer."""
    advice = (
        "see that it runs, that it can be reached from here, and that user and password are right"
    )
    return Examination((Finding("server", f"it does not answer: {error}", advice),), reached=False)


class SourceUnavailable(Exception):
    """The source did not answer. The message is the reason, for logs only: never show it.

    It names no key and no value, so that no personal data reaches a log by it.
    """


class SourceRefused(SourceUnavailable):
    """The source answered, and will not serve the gateway: access or configuration is wrong.

    Asking again does not help, and the source is not down.
    """


class DataFault(SourceUnavailable):
    """The source answers, and fails at a value of some row, for all who are asked for with it.

    It says nothing against the source, and the other rows can be read without that one.
    """


class SourceMaintenance(SourceUnavailable):
    """The source says that it is under maintenance. Asking again at once does not help."""


class NotMapped(Exception):
    """The source answers, but has no table for this record. The message is for logs only."""


class Backend(Protocol):
    """A way to one database.

    A backend belongs to one event loop and serves any number of calls at once. Nothing it raises
    but SourceUnavailable (with its kinds) and NotMapped is expected; anything else is a defect.
    Cancelling a call at any moment leaks nothing and leaves the backend fit for the next.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What the backend can do; constant, read at start-up."""
        ...

    async def open(self) -> None:
        """Make ready (pools, sessions). Called once at start-up, before any other call.

        Succeeds whether or not the source can be reached: a database that is down does not keep
        the gateway from starting.
        """
        ...

    async def close(self) -> None:
        """Let go of everything held, once the calls in flight have ended.

        Called at shutdown, and when settings take the database away. Calls that come later raise
        SourceUnavailable; closing again, or closing what was never opened, does nothing.
        """
        ...

    async def ping(self) -> None:
        """Ask the source whether it answers, at the price of one small statement.

        Called by health pages, by ``justice-gateway doctor`` and by an open circuit breaker that
        wants to know whether it may close. Raises SourceUnavailable when it does not answer.
        """
        ...

    async def examine(self, *, thoroughly: bool = False) -> Examination:
        """Look whether the source is set up as it should be: only read, and bound in time.

        Called at start-up, and ``thoroughly`` by ``justice-gateway doctor``, which also reads some
        of the rows and measures how long a look-up takes. Never raises for what the source does:
        that it does not answer is a finding as well.
        """
        ...

    async def fetch(
        self, record: Record, lookup: Lookup, keys: Sequence[str], asker: Asker = NOBODY
    ) -> Batch:
        """Return the rows of ``record`` in which a column of ``lookup.by`` equals one of ``keys``.

        Called for every list of records that is not answered from a cache, with all the keys that
        came together. Costs one statement to the source: none for no keys, a few for very many
        keys, now and then one more for the source's ``as_of``.

        A row belongs to each key that one of its columns holds, and once only to one key. The rows
        of a key are ordered by ``record.date`` as stored, newest first and unknown dates last, then
        by ``record.identity``. The first ``record.fetch_limit`` are returned; ``truncated`` says
        whether there were more. A row that cannot be decoded costs only itself: it is counted as
        ``unreadable`` for its keys. Keys may repeat. A fault of one key costs that key only
        (``Batch.failed``). ``asker`` matters where ``capabilities`` say CALLER.

        Raises SourceUnavailable when the source does not answer, NotMapped when it has no table
        for the record.
        """
        ...
