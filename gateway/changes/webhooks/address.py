"""Where the gateway may send events: URLs as they are written, and addresses as they are called.

A client names a URL, and the gateway calls it: without a policy, anybody with a token could reach
what only the gateway reaches (server-side request forgery, CWE-918). A URL is read strictly, and
every address is judged when it is connected to (``gateway.changes.webhooks.connection``): a name
may lead elsewhere by then. Special-purpose addresses: RFC 6890 and IANA's registries of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from urllib.parse import urlsplit

from gateway.settings import WebhookSettings, is_loopback

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_LONGEST_URL = 2_000
#: The characters of a URL (RFC 3986), without those of a fragment or of userinfo.
_URL = re.compile(r"https?://[A-Za-z0-9._~:/?\[\]!$&'()*+,;=%-]+")
_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
#: What a host ends in that some resolvers read as an IPv4 address: 2130706433, 0x7f.1, 0177.1.
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")
#: IPv4 addresses that are not public, or that are passed on to others.
_SPECIAL = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
#: Global unicast addresses of IPv6. All others are refused, among them those that hold an IPv4
#: address (::ffff:0:0/96, 64:ff9b::/96, 64:ff9b:1::/48).
_GLOBAL = IPv6Network("2000::/3")
#: Global unicast addresses that are not public, or hold an IPv4 address (2002::/16 is 6to4,
#: 2001::/32 Teredo).
_SPECIAL_6 = tuple(
    IPv6Network(network)
    for network in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)
#: ISATAP (RFC 5214): the lower half of an address that holds an IPv4 address.
_ISATAP = frozenset({0x0000_5EFE, 0x0200_5EFE})


class UrlRefused(Exception):
    """The gateway does not send to such a URL. The text says why, for the client."""


class AddressRefused(OSError):
    """The gateway does not connect to such an address, or there is none. It says no more."""


@dataclass(frozen=True, slots=True)
class WebhookUrl:
    """A URL to which events may be sent, if its host leads to addresses that may be called.

    ``text``: normalised, as it is sent and signed. ``host``: a name in lower case, or an address.
    """

    text: str
    host: str
    port: int
    is_plain: bool


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """Which addresses may be called.

    ``networks``: that are not public, and allowed all the same. ``ports``: of public addresses.
    ``plain_http``: without TLS, on this machine.
    """

    networks: tuple[Network, ...]
    ports: frozenset[int]
    plain_http: bool

    @classmethod
    def from_settings(cls, settings: WebhookSettings) -> AddressPolicy:
        """Return the policy of ``settings``."""
        networks = tuple(ip_network(network) for network in settings.allowed_networks)
        return cls(networks, frozenset(settings.ports), settings.plain_http)

    def permits(self, address: Address, port: int) -> bool:
        """Return whether an address may be connected to on this port."""
        is_named = any(
            address.version == network.version and address in network for network in self.networks
        )
        return is_named or (is_public(address) and port in self.ports)

    def read_url(self, text: str) -> WebhookUrl:
        """Return the URL that a client wrote; raises UrlRefused. Resolves no name.

        Refused: other schemes than https, userinfo, fragments, white space and other characters
        than those of RFC 3986, hosts that are neither names nor addresses in their usual form.
        """
        if len(text) > _LONGEST_URL or not _URL.fullmatch(text):
            raise UrlRefused("it must be an https URL, with no user, no fragment, and no spaces")
        try:
            parsed = urlsplit(text)
            host, port = parsed.hostname or "", parsed.port
        except ValueError:
            raise UrlRefused("its host or port cannot be read") from None
        is_plain = parsed.scheme == "http"
        port = port or (80 if is_plain else 443)
        address = _address(host)
        if address is None:
            _require_name(host)
        elif not self.permits(address, port):
            raise UrlRefused("its address is not public, or its port is not allowed")
        if is_plain and not (self.plain_http and is_loopback(host)):
            raise UrlRefused("events are sent over https only")
        written = f"[{host}]" if ":" in host else host
        default = 80 if is_plain else 443
        authority = written if port == default else f"{written}:{port}"
        query = f"?{parsed.query}" if parsed.query else ""
        path = f"{parsed.scheme}://{authority}{parsed.path or '/'}{query}"
        return WebhookUrl(path, host, port, is_plain)


def is_public(address: Address) -> bool:
    """Return whether an address is one of the public Internet, and holds no other address."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL)
    if address not in _GLOBAL or any(address in network for network in _SPECIAL_6):
        return False
    return (int(address) >> 32) & 0xFFFF_FFFF not in _ISATAP


def _address(host: str) -> Address | None:
    """Return the address that a host is, in its usual form; None for a name."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        raise UrlRefused("an address must have no zone")
    return address


def _require_name(host: str) -> None:
    labels = host.split(".")
    is_name = len(host) <= 253 and all(_NAME.fullmatch(label) for label in labels)
    if not is_name or _NUMERIC_LABEL.fullmatch(labels[-1]):
        raise UrlRefused("its host is neither a name nor an address in its usual form")
