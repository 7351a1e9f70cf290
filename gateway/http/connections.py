"""Limits on the connections of a process: their number, and how long each waits for its client.

A connection that waits for its client is in one queue, ordered by when it began to wait. Overdue
connections are at the head. Where there are too many connections, the one that has waited longest
is closed. A new connection is refused only where none waits.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Iterator
from typing import Protocol

from prometheus_client import Counter, Gauge

from gateway.settings import ConnectionLimits

OPEN = Gauge("justice_gateway_connections", "Connections that are open")
CLOSED = Counter(
    "justice_gateway_connections_closed",
    "Connections that the gateway closed before their time, by reason",
    ["reason"],
)

#: Connections that one sweep closes at most: the event loop must not stand still for them.
_SWEEP = 8
#: Seconds between two sweeps, at most.
_INTERVAL = 0.05
#: Seconds that a half-sent request has left once the process stops.
_STOPPING = 1.0
#: Seconds for a client to read a refusal that it got while it was still sending.
_LINGER = 1.0


class Waiter(Protocol):
    """The part of a connection that the limits use."""

    queue: Queue | None
    address: str | None

    def time_out(self) -> None:
        """Close the connection: its client took too long."""

    def evict(self, reason: str) -> None:
        """Close the connection to make room for another."""


class Queue:
    """Connections that wait for the same thing, the longest wait first.

    ``seconds``: how long a connection may wait; None: without a limit.
    """

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds
        self._since: dict[Waiter, float] = {}

    def __len__(self) -> int:
        return len(self._since)

    def __iter__(self) -> Iterator[Waiter]:
        return iter(self._since)

    def add(self, waiter: Waiter, now: float) -> None:
        """Put a connection at the end."""
        self._since[waiter] = now

    def remove(self, waiter: Waiter) -> None:
        """Take a connection out."""
        self._since.pop(waiter, None)

    def overdue(self, now: float, most: int) -> list[Waiter]:
        """Return up to ``most`` connections whose time is up."""
        if self.seconds is None:
            return []
        late: list[Waiter] = []
        for waiter, since in self._since.items():
            if since + self.seconds > now or len(late) >= most:
                break
            late.append(waiter)
        return late


class Connections:
    """The connections of one server process, and the queues that they wait in.

    ``headers``, ``bodies``: of a request, from its first byte on; the first also for the first
    request of a new connection. ``answers``: for the client to take what was sent. ``lingering``:
    refused, and read on without looking, since a reset would take the refusal from the client.
    ``idle``: between two requests; uvicorn itself ends those (``timeout_keep_alive``).

    Costs about a microsecond a request, and 50 a new connection of an address that has too many.
    """

    def __init__(self, limits: ConnectionLimits, body_bytes: int) -> None:
        self.limits = limits
        self.body_bytes = body_bytes
        self.headers = Queue(limits.header_timeout)
        self.bodies = Queue(limits.body_timeout)
        self.answers = Queue(limits.answer_timeout)
        self.lingering = Queue(_LINGER)
        self.idle = Queue(None)
        self.stopping = False
        self._proxies = [ipaddress.ip_network(proxy) for proxy in limits.proxies]
        self._open: set[Waiter] = set()
        self._of_address: dict[str, set[Waiter]] = {}
        self._sweeper: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None  # finding it takes a system call

    def admit(self, connection: Waiter, host: str | None) -> bool:
        """Count a new connection from ``host``; return whether there is room for it.

        Proxies, and what comes by a Unix socket (None), count for all connections only.
        """
        address = None if host is None or self._is_proxy(host) else network(host)
        same = self._of_address.get(address, set()) if address is not None else set()
        if len(same) >= self.limits.per_address and not self._make_room(same, "address"):
            return False
        if len(self._open) >= self.limits.total and not self._make_room(None, "total"):
            return False
        connection.address = address
        self._open.add(connection)
        if address is not None:
            self._of_address.setdefault(address, set()).add(connection)
        OPEN.set(len(self._open))
        self._start_sweeping()
        return True

    def forget(self, connection: Waiter) -> None:
        """Stop counting a connection; it may still wait for its client to read the last bytes."""
        if connection not in self._open:
            return
        self._open.remove(connection)
        OPEN.set(len(self._open))
        if connection.address is not None:
            same = self._of_address[connection.address]
            same.remove(connection)
            if not same:
                del self._of_address[connection.address]

    def wait_in(self, connection: Waiter, queue: Queue | None) -> None:
        """Put a connection into ``queue``; None: it waits for nothing.

        In a queue where it waits already, its time goes on: sending slowly gains no time.
        """
        if connection.queue is queue:
            return
        if connection.queue is not None:
            connection.queue.remove(connection)
        connection.queue = queue
        if queue is None:
            return
        loop = self._loop = self._loop or asyncio.get_running_loop()
        queue.add(connection, loop.time())
        if queue is self.bodies and len(queue) > self.limits.unfinished_bodies:
            next(iter(queue)).evict("bodies")

    def stop(self) -> None:
        """Give half-sent requests one more second, since the process stops."""
        self.stopping = True
        for queue in (self.headers, self.bodies):
            queue.seconds = min(queue.seconds or _STOPPING, _STOPPING)

    def _make_room(self, among: set[Waiter] | None, reason: str) -> bool:
        """Close the connection that has waited longest, half-sent requests before idle ones."""
        for queue in (self.lingering, self.headers, self.bodies, self.idle, self.answers):
            for waiter in queue:
                if waiter in (self._open if among is None else among):
                    waiter.evict(reason)
                    return True
        return False

    def _is_proxy(self, host: str) -> bool:
        address = _address(host)
        return address is not None and any(address in proxy for proxy in self._proxies)

    def _start_sweeping(self) -> None:
        if self._sweeper is None:
            self._sweep_in(self._interval)

    @property
    def _interval(self) -> float:
        times = (self.headers.seconds, self.bodies.seconds, self.answers.seconds)
        return min(_INTERVAL, *(seconds / 4 for seconds in times if seconds is not None))

    def _sweep_in(self, seconds: float) -> None:
        self._sweeper = asyncio.get_running_loop().call_later(seconds, self._sweep)

    def _sweep(self) -> None:
        """Close overdue connections; sweep again while any is open."""
        self._sweeper = None
        now, most = asyncio.get_running_loop().time(), _SWEEP
        for queue in (self.headers, self.bodies, self.answers, self.lingering):
            late = queue.overdue(now, most)
            most -= len(late)
            for waiter in late:
                waiter.time_out()
        if self._open or len(self.answers):
            self._sweep_in(self._interval if most else 0.01)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def network(host: str) -> str:
    """Return what counts as one address: of IPv6 the first 64 bits, which one machine may have."""
    address = _address(host)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))
    return host if address is None else str(address)
