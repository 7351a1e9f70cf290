"""Connections to the endpoints of webhooks: to addresses that were checked, and to no others.

A name is resolved once for each connection, all its addresses are judged, and the connection goes
to one of those: the name is not resolved again, so that it cannot lead elsewhere in between (DNS
rebinding). The certificate is verified for the name. There is no proxy.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import ip_address

from httpcore2 import AnyIOBackend, AsyncNetworkBackend, AsyncNetworkStream, ConnectError

from gateway.changes.webhooks.address import Address, AddressPolicy, AddressRefused

#: Returns the addresses of a host; raises OSError where there are none.
Resolve = Callable[[str, int], Awaitable[Sequence[Address]]]
#: Addresses of a host that are tried, at most.
_MOST_ADDRESSES = 4


#: Names are resolved in threads of their own: a name server that hangs holds nothing else.
_RESOLVERS = ThreadPoolExecutor(16, "webhook-names")


async def resolve_host(host: str, port: int) -> Sequence[Address]:
    """Return the addresses of a host, as the system resolves it; raises OSError."""
    find = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    entries = await asyncio.get_running_loop().run_in_executor(_RESOLVERS, find)
    return [ip_address(entry[4][0]) for entry in entries]


class CheckedBackend(AsyncNetworkBackend):
    """Connects to addresses that ``policy`` permits, for httpcore."""

    def __init__(self, policy: AddressPolicy, resolve: Resolve = resolve_host) -> None:
        self._policy = policy
        self._resolve = resolve
        self._backend = AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface of httpcore
        local_address: str | None = None,
        socket_options: Iterable[object] | None = None,
    ) -> AsyncNetworkStream:
        """Connect to an address of ``host``.

        Raises AddressRefused unless each address may be called, or where there is none; and
        httpcore's ConnectError and ConnectTimeout.
        """
        failure: Exception = AddressRefused("no address")
        for address in await self._addresses(host, port):
            try:
                stream = await self._backend.connect_tcp(str(address), port, timeout=timeout)
            except ConnectError as error:
                failure = error
                continue
            await _require_peer(stream, address)
            return stream
        raise failure

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface of httpcore
        socket_options: Iterable[object] | None = None,
    ) -> AsyncNetworkStream:
        """Raise AddressRefused: endpoints are not files of this machine."""
        raise AddressRefused("no socket of this machine")

    async def sleep(self, seconds: float) -> None:
        """Sleep between the attempts of httpcore."""
        await asyncio.sleep(seconds)

    async def _addresses(self, host: str, port: int) -> Sequence[Address]:
        """Return the addresses of a host: all may be called. Raises AddressRefused."""
        try:
            addresses = [*dict.fromkeys(await self._resolve(host, port))]
        except (OSError, ValueError):  # UnicodeError too: a label that is too long
            raise AddressRefused("no address") from None
        if not addresses or not all(self._policy.permits(address, port) for address in addresses):
            raise AddressRefused("an address that may not be called")
        return addresses[:_MOST_ADDRESSES]


async def _require_peer(stream: AsyncNetworkStream, address: Address) -> None:
    """Raise AddressRefused unless the connection leads to ``address``."""
    peer = stream.get_extra_info("server_addr")
    if not peer or ip_address(peer[0]) != address:
        await stream.aclose()
        raise AddressRefused("the connection leads elsewhere")
