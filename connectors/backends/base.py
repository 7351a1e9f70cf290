"""The contract of all backends: how the gateway reads a database.

A backend fetches stored rows by key and decodes them. It knows no cache, no deadline and no circuit
breaker: ``gateway.fetch`` wraps these around its calls. One suite of tests runs over every backend
alike (``tests/integration/connectors/backends/test_base.py``).
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import NamedTuple, Protocol, cast

from connectors.description import Lookup, Record, Row
from connectors.row_decoder import rows_decoder
from connectors.row_template import RowTemplate


class Scope(enum.Enum):
    """Between whom the gateway may share work.

    PROCESS: between all callers. CALLER: within the request of one caller only, because messages to
    the source name the caller (X-Road carries user, case and represented party).
    """

    PROCESS = "process"
    CALLER = "caller"


@dataclass(frozen=True, slots=True)
class Asker:
    """On whose behalf a source is read, where its messages say so (``Scope.CALLER``).

    ``client``: the calling system. ``user``: the subject of the token. ``case``: the number of the
    case. ``represented``: the number of the person whom the user represents.
    """

    client: str | None = None
    user: str | None = None
    case: str | None = None
    represented: str | None = None


#: Nobody in particular: the gateway itself.
NOBODY = Asker()


@dataclass(frozen=True, slots=True)
class MessageEvidence:
    """Proof that a message was exchanged (X-Road message protocol for REST, 4.3).

    ``id``: given by the gateway. ``request_id`` and ``request_hash``: given by the security
    servers, which keep them in their signed logs.
    """

    id: str
    request_id: str
    request_hash: str


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What sharing a backend allows.

    ``batch_scope``: whose keys may share one ``fetch``. ``cache_scope``: who may get rows that were
    fetched before. ``merges``: several lookups may be one call (``MergingBackend``). ``renders``:
    its source writes rows as JSON (``RenderingBackend``).
    """

    batch_scope: Scope
    cache_scope: Scope
    merges: bool = False
    renders: bool = False


class LookupKeys(NamedTuple):
    """A lookup of a record, and the keys to find by it, each once."""

    record: Record
    lookup: Lookup
    keys: Sequence[str]


@dataclass(slots=True, unsafe_hash=True)
class Rows:
    """The rows of one key; never changed.

    ``rows``: the readable rows, newest first. ``unreadable``: the number of rows that could not be
    decoded. ``truncated``: whether there were more rows than ``record.fetch_limit``. ``faults``:
    why rows were unreadable, for logs: names of columns, never values. (Not frozen: that takes four
    times as long to make.)
    """

    rows: tuple[Row, ...] = ()
    unreadable: int = 0
    truncated: bool = False
    faults: frozenset[str] = field(default=frozenset(), compare=False)


#: The rows of a key that has none. Always the same object, so that what is worked out for one such
#: key holds for all.
NO_ROWS = Rows()
#: The rows of a key that a source does not write as JSON: they have to be fetched.
NOT_RENDERED = Rows((), 1)


def read_rows(record: Record, raws: Collection[Sequence[object]]) -> Rows:
    """Decode the rows of one key, and cut them at ``record.fetch_limit``.

    ``raws``: rows of raw values in the order of ``record.columns``, in the order of the result;
    ``record.fetch_limit + 1`` rows are enough. Never raises; costs about a microsecond a row.
    """
    if not raws:
        return NO_ROWS
    limit = record.fetch_limit
    decoded = rows_decoder(record)(raws if len(raws) <= limit else islice(raws, limit))
    return rows_of(decoded, len(raws) > limit)


def rows_of(decoded: Sequence[Row | str], truncated: bool = False) -> Rows:
    """Return the decoded rows of one key: those that are readable, and why others are not."""
    faults = [fault for fault in decoded if type(fault) is str]
    if not faults:
        return Rows(cast("tuple[Row, ...]", tuple(decoded)), 0, truncated)
    rows = tuple([row for row in decoded if type(row) is tuple])
    return Rows(rows, len(faults), truncated, frozenset(faults))


@dataclass(frozen=True, slots=True)
class Batch:
    """The result of one ``fetch``.

    ``by_key``: the rows of every key that could be read, empty ``Rows`` where there are none.
    ``failed``: by key, why it could not be read, for logs; each key is in exactly one of the two.
    ``evidence``: by key, where the source gives any. ``as_of``: how fresh the source says its data
    is (UTC); None where it does not say, never guessed. ``origin``: identifies the server, file or
    tables that the rows came from; rows of another origin no longer belong to this source. None:
    the source has no such identity.
    """

    by_key: Mapping[str, Rows]
    as_of: datetime | None = None
    failed: Mapping[str, str] = field(default_factory=dict)
    evidence: Mapping[str, MessageEvidence] = field(default_factory=dict)
    origin: str | None = field(default=None, compare=False)


def merge_batches(batches: Sequence[Batch]) -> Batch:
    """Merge batches into one.

    ``as_of`` is the oldest, None where any batch with rows has none. Batches of different origins
    merge into one without origin.
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

    ``topic``: one word, e.g. ``tls``. ``text``: the fact; ``advice``: what to do. ``setting``: the
    path of the setting concerned, below that of the database. Names of tables, roles and settings
    may occur, values and passwords never. Findings are not for clients.
    """

    topic: str
    text: str
    advice: str
    setting: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Examination:
    """What an examination of a source found.

    ``server``: make and version. ``clock_ahead``: seconds by which its clock is ahead of the
    gateway's. ``latency``: of a lookup of one key, in seconds: median and 99th percentile.
    ``records``: names of the records whose tables exist. None: not examined, or not applicable.
    ``reached``: whether the source answered at all. ``serves``: whether it lets the gateway read.
    """

    findings: tuple[Finding, ...] = ()
    server: str | None = None
    encoding: str | None = None
    clock_ahead: float | None = None
    latency: tuple[float, float] | None = None
    records: frozenset[str] | None = None
    reached: bool = True
    serves: bool = True


def report_unreachable(error: SourceUnavailable) -> Examination:
    """Return the examination of a source that does not answer."""
    advice = (
        "see that it runs, that it can be reached from here, and that user and password are right"
    )
    return Examination((Finding("server", f"it does not answer: {error}", advice),), reached=False)


class SourceUnavailable(Exception):
    """The source did not answer. The message is the reason, for logs only.

    It names no key and no value, so that no personal data reaches a log.
    """


class SourceRefused(SourceUnavailable):
    """The source answered and refuses to serve the gateway: access or configuration is wrong.

    Retrying does not help, and the source is not down.
    """


class DataFault(SourceUnavailable):
    """The source answers, and a statement fails at a value of some row, for all of its keys.

    The source is healthy, and the other rows can be read without that row.
    """


class SourceMaintenance(SourceUnavailable):
    """The source says that it is under maintenance. An immediate retry does not help."""


class NotMapped(Exception):
    """The source answers, but has no table for this record. The message is for logs only."""


class Backend(Protocol):
    """A way to one database.

    A backend belongs to one event loop and serves any number of concurrent calls. It raises
    SourceUnavailable (with its subclasses) and NotMapped; any other exception is a defect.
    Cancelling a call at any moment leaks nothing and leaves the backend usable.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What sharing the backend allows; constant, read at start-up."""
        ...

    async def open(self) -> None:
        """Prepare pools and sessions. Called once at start-up, before any other call.

        Succeeds whether or not the source can be reached: a database that is down does not keep the
        gateway from starting.
        """
        ...

    async def close(self) -> None:
        """Release all resources, once the calls in flight have ended.

        Called at shutdown, and when a reload of settings removes the database. Later calls raise
        SourceUnavailable; closing twice, or closing what was never opened, does nothing.
        """
        ...

    async def ping(self) -> None:
        """Check whether the source answers, at the price of one small statement.

        Called by health pages, by ``justice-gateway doctor``, and by an open circuit breaker to
        find out whether it may close. Raises SourceUnavailable where the source does not answer.
        """
        ...

    async def examine(self, *, thoroughly: bool = False) -> Examination:
        """Examine whether the source is set up as it should be: reads only, and is bounded in time.

        Called at start-up, and ``thoroughly`` by ``justice-gateway doctor``, which also reads some
        of the rows and measures the latency of lookups. Never raises for what the source does: that
        it does not answer is a finding as well.
        """
        ...

    async def fetch(
        self, record: Record, lookup: Lookup, keys: Sequence[str], asker: Asker = NOBODY
    ) -> Batch:
        """Return the rows of ``record`` in which a column of ``lookup.by`` equals one of ``keys``.

        Called for every list of records that no cache answers, with all the keys that were batched.
        Costs one statement to the source: none for no keys, a few for very many keys, now and then
        one more for the source's ``as_of``.

        A row belongs to each key that one of its columns holds, and once only to one key. The rows
        of a key are ordered by ``record.date`` as stored, newest first and unknown dates last, then
        by ``record.identity``. The first ``record.fetch_limit`` are returned; ``truncated`` says
        whether there were more. A row that cannot be decoded costs only itself: it is counted as
        ``unreadable`` for its keys. Keys may repeat. A fault of one key costs that key only
        (``Batch.failed``). ``asker`` matters where ``capabilities`` say CALLER.

        Raises SourceUnavailable where the source does not answer, NotMapped where it has no table
        for the record.
        """
        ...


class MergingBackend(Backend, Protocol):
    """A backend that may find the rows of several lookups by one statement."""

    def group_lookups(self, lookups: Sequence[LookupKeys]) -> list[list[int]]:
        """Return which of ``lookups`` are to be fetched together, as places in it.

        Every place is in one group. Where one stands alone, it is for ``fetch``.
        """
        ...

    async def fetch_together(self, lookups: Sequence[LookupKeys]) -> list[Batch]:
        """Return what ``fetch`` returns for each of ``lookups``, by one statement.

        Raises SourceUnavailable or NotMapped where any of them fails. That says nothing of the
        others: each may be fetched alone.
        """
        ...


def merging_backend(backend: Backend) -> MergingBackend | None:
    """Return ``backend`` if its ``capabilities`` say that it merges lookups."""
    return cast("MergingBackend", backend) if backend.capabilities.merges else None


class RenderingBackend(Backend, Protocol):
    """A backend whose source writes rows as JSON, where it can."""

    def renders(self, record: Record, lookup: Lookup, template: RowTemplate) -> bool:
        """Say whether ``render`` is worth trying. About a microsecond."""
        ...

    async def render(
        self, record: Record, lookup: Lookup, keys: Sequence[str], template: RowTemplate
    ) -> Batch:
        """Return of each key what ``fetch`` returns, each row written as JSON.

        A row is a tuple of the JSON text, as the gateway itself would write it, and of the values
        that the template mentions. A key whose rows cannot be written, or only partly, has
        ``NOT_RENDERED`` in place of its rows: nothing is known of it. Costs one statement. Raises
        as ``fetch``.
        """
        ...


def rendering_backend(backend: Backend) -> RenderingBackend | None:
    """Return ``backend`` if its ``capabilities`` say that its source writes rows."""
    return cast("RenderingBackend", backend) if backend.capabilities.renders else None
