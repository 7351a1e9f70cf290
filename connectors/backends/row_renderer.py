"""Which lists a source writes as JSON, and what is done where it cannot.

A server keeps a megabyte of each statement on each connection, and clients choose what they select,
so that only so many templates are in use at a time. A lookup of whose keys many are not written is
left alone for a while: those keys are read twice.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import cast

from cachetools import LRUCache

from connectors.backends.base import NOT_RENDERED, Batch, DataFault
from connectors.backends.calls import SourceCalls
from connectors.backends.rendering_statement import NotRenderable, may_be_rendered
from connectors.backends.row_groups import sort_renderings
from connectors.backends.session import LookupPart, Provenance, RenderingSession, Session
from connectors.backends.statement import LookupStatement
from connectors.row_template import RowTemplate

#: Templates that are in use at a time, and seconds after which one is no longer in use.
_MOST, _IN_USE = 16, 60.0
#: Where so many keys of a call are not written, a quarter at least, none is for so many seconds.
_MANY, _QUARTER, _REFUSED = 4, 4, 60.0
#: Templates of which it is remembered that they are not written.
_REMEMBERED = 256

_Writing = tuple[LookupStatement, RowTemplate]


class RowRenderer:
    """Has rows written by a source, with ``calls``. Belongs to one event loop.

    ``provenance`` reads, with a connection, the state of the source. ``monotonic``: the clock, in
    seconds.
    """

    def __init__(
        self,
        calls: SourceCalls,
        provenance: Callable[[Session], Awaitable[Provenance]],
        monotonic: Callable[[], float],
    ) -> None:
        self._calls = calls
        self._provenance = provenance
        self._monotonic = monotonic
        self._used: OrderedDict[_Writing, float] = OrderedDict()
        self._refused_until: LRUCache[_Writing, float] = LRUCache(_REMEMBERED)

    def renders(self, statement: LookupStatement, template: RowTemplate) -> bool:
        """Say whether rows of a lookup may be written."""
        writing, now = (statement, template), self._monotonic()
        until = self._refused_until.get(writing)
        if until is not None and now < until:
            return False
        if writing in self._used:
            return True
        if not may_be_rendered(statement, template):
            self._refused_until[writing] = float("inf")
            return False
        return len(self._used) < _MOST or now - next(iter(self._used.values())) >= _IN_USE

    async def render(
        self, statement: LookupStatement, keys: Sequence[str], template: RowTemplate, most: int
    ) -> Batch:
        """Return the rows of ``keys``, of which there may be ``most`` together, as JSON.

        See ``RenderingBackend.render``.
        """
        writing = (statement, template)
        self._used[writing] = self._monotonic()
        self._used.move_to_end(writing)
        if len(self._used) > _MOST:
            self._used.popitem(last=False)
        part = LookupPart(statement, keys, most)

        async def find(session: Session) -> tuple[Sequence[Sequence[object]], Provenance]:
            provenance = await self._provenance(session)
            rendering: RenderingSession = cast("RenderingSession", session)
            return await rendering.find_rendered(part, template), provenance

        try:
            rows, provenance = await self._calls.run(find)
        except (DataFault, NotRenderable):
            return self._refuse(writing, keys)
        if len(rows) >= most:
            return self._refuse(writing, keys)
        by_key = sort_renderings(statement, keys, rows)
        unwritten = sum([rendering is NOT_RENDERED for rendering in by_key.values()])
        if unwritten >= _MANY and unwritten * _QUARTER >= len(keys):
            self._refused_until[writing] = self._monotonic() + _REFUSED
        return Batch(by_key, provenance.as_of, origin=provenance.origin or None)

    def _refuse(self, writing: _Writing, keys: Sequence[str]) -> Batch:
        self._refused_until[writing] = self._monotonic() + _REFUSED
        return Batch(dict.fromkeys(keys, NOT_RENDERED))
