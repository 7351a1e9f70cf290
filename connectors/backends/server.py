"""How a database server is reached: address, credentials, TLS, limits; the same for every make."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import sqlalchemy as sa

from connectors.backends.base import SourceRefused
from connectors.backends.statement import LookupStatement

Tls = Literal["off", "require", "verify"]

#: How servers write whole numbers: at most the digits of the largest of 64 bits.
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,19}")
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """What settings say of a server beside its URL. Times in seconds.

    ``password``: returns the password, called at every connect, so that a change needs no restart.
    ``tls``: ``require`` encrypts, ``verify`` also authenticates the server, by ``tls_ca`` or else
    the machine's own authorities; None: ``verify``, and ``off`` to this machine itself.
    ``statement_timeout``: when the server itself ends a statement. ``transaction_pooling``: a
    pooler (PgBouncer) stands between, which assigns connections by the transaction.
    """

    password: Callable[[], str] | None = field(default=None, repr=False)
    tls: Tls | None = None
    tls_ca: Path | None = None
    connect_timeout: float = 2.0
    statement_timeout: float = 1.5
    transaction_pooling: bool = False


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is, and the gateway's user there."""

    host: str
    port: int
    user: str
    database: str

    @property
    def local(self) -> bool:
        """Whether this is the machine itself."""
        return self.host in _LOOPBACK


def address(url: sa.URL, port: int) -> Address:
    """Return the address in ``url``; ``port`` is the default of the make.

    Raises ValueError, without the URL, for one that says too little or too much.
    """
    if not url.host or not url.username or not url.database:
        raise ValueError("a server's URL is scheme://user@host:port/database")
    if url.password is not None:
        raise ValueError("a server's URL must not hold a password: that is a setting of its own")
    if url.query:
        raise ValueError("a server's URL ends with the database's name: nothing after a ?")
    return Address(url.host, url.port or port, url.username, url.database)


def tls_context(options: ServerOptions, to: Address) -> ssl.SSLContext | None:
    """Return the TLS context of connections to ``to``, None for unencrypted ones.

    Raises ValueError for a ``tls_ca`` that cannot be used.
    """
    tls = options.tls or ("off" if to.local else "verify")
    if tls == "off":
        return None
    try:
        context = ssl.create_default_context(cafile=options.tls_ca)
    except OSError as error:  # SSLError is one
        raise ValueError(f"tls_ca cannot be read ({type(error).__name__})") from None
    if tls == "require":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def refuse_lost_zeros(lookup: LookupStatement) -> None:
    """Refuse whole-number columns for numbers of people or enterprises.

    Such columns have lost leading zeros, so a missing row would prove nothing. Raises
    SourceRefused.
    """
    if not lookup.whole:
        raise SourceRefused("a column of whole numbers is to hold numbers that begin with 0")


def whole_number(key: str) -> int | None:
    """Return the whole number that is written exactly like ``key``, None where there is none."""
    if not _WHOLE.fullmatch(key):
        return None
    return int(key)
