"""Counts of refusals, in place of an entry for each.

A caller without a valid token can send as many requests as the rate limits allow, and so can a
client beyond its limit. An entry for each would fill the disk, and a full disk refuses everybody.
So refusals are counted by code and source, and the journal gets one entry a minute with the counts.
It names nobody: the numbers in a stranger's request prove nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
from datetime import datetime

from gateway.audit.entry import RequestOutcome
from gateway.audit.journal.journal import Journal
from gateway.errors import GatewayError
from gateway.runtime.clock import Clock
from gateway.telemetry.redaction import redact

#: Seconds for which refusals are counted towards one entry.
WINDOW = 60.0
#: Sources that an entry tells apart, and its counts, of some 80 bytes each. Further ones are
#: counted under ``OTHERS``.
_SOURCES, _COUNTS = 12, 16
_LONGEST = 64
OTHERS = "others"


class RefusalCounts:
    """Counts refusals, and writes the counts to ``journal`` every ``window`` seconds.

    Used from one event loop. A process that is killed loses the counts of its last window; one that
    is stopped writes them (``close``).
    """

    def __init__(self, journal: Journal, clock: Clock, window: float = WINDOW) -> None:
        self._journal = journal
        self._clock = clock
        self._window = window
        self._counts: dict[tuple[str, str], int] = {}
        self._since: datetime | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._writing: set[asyncio.Task[None]] = set()

    def count(self, code: str, source: str) -> None:
        """Count a refusal with ``code``; ``source``: a client, or ``network_of`` its address.

        Costs about a microsecond.
        """
        self._add(code, redact(source[:_LONGEST]), 1)
        if self._since is None:
            self._since = self._clock.now()
        self._start_timer()

    def _add(self, code: str, source: str, number: int) -> None:
        key = (code, source)
        if key not in self._counts and len(self._counts) >= _SOURCES:
            key = (code, OTHERS)
            if key not in self._counts and len(self._counts) >= _COUNTS:
                key = (OTHERS, OTHERS)
        self._counts[key] = self._counts.get(key, 0) + number

    async def write(self) -> None:
        """Write the counts so far, if there are any.

        Counts that cannot be written are kept: the journal reports its failure by itself.
        """
        counts, since = self._counts, self._since
        if since is None:
            return
        self._counts, self._since = {}, None
        try:
            await self._journal.append(_build_entry(counts, since, self._clock.now()))
        except GatewayError:
            for (code, source), number in counts.items():
                self._add(code, source, number)
            self._since = since
            self._start_timer()

    async def close(self) -> None:
        """Write what is left; close the journal afterwards."""
        if self._timer is not None:
            self._timer.cancel()
        await asyncio.gather(*self._writing)
        await self.write()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _start_timer(self) -> None:
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._window, self._window_ended)

    def _window_ended(self) -> None:
        self._timer = None
        writing = asyncio.create_task(self.write())
        self._writing.add(writing)
        writing.add_done_callback(self._writing.discard)


def network_of(host: str | None) -> str:
    """Return the network of an address: the first 24 bits of IPv4, 48 of IPv6.

    It shows where an attack comes from, not who sent it. None, or no address: ``unknown``.
    """
    try:
        address = ipaddress.ip_address((host or "").partition("%")[0])
    except ValueError:
        return "unknown"
    address = getattr(address, "ipv4_mapped", None) or address
    bits = 24 if address.version == 4 else 48
    return str(ipaddress.ip_network((address, bits), strict=False))


def _build_entry(
    counts: dict[tuple[str, str], int], since: datetime, until: datetime
) -> dict[str, object]:
    """Return the entry of one window; at most 2 kB."""
    return {
        "id": secrets.token_hex(8),
        "at": until.isoformat(),
        "since": since.isoformat(),
        "result": RequestOutcome.REFUSED.name,
        "persons": [],
        "sections": {},
        "codes": sorted({code for code, _ in counts}),
        "refusals": [
            {"code": code, "source": source, "count": number}
            for (code, source), number in sorted(counts.items())
        ],
    }
