"""The way to each database, as settings say: SQL or X-Road."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from connectors.backends.base import Backend
from connectors.backends.record_maps import map_records
from connectors.backends.server import ServerOptions
from connectors.backends.sql import SqlBackend
from connectors.description import Database
from connectors.xroad.backend import XroadBackend, XroadOptions
from connectors.xroad.identifiers import identifier
from gateway.settings import DatabaseSettings, Settings, Xroad


def make_backend(database: Database, settings: Settings, own: DatabaseSettings) -> Backend | None:
    """Return the way to ``database``, None where settings name none.

    A relative SQLite file is relative to the settings file. Raises ValueError that begins with the
    setting that is wrong.
    """
    if own.xroad is not None:
        return _xroad(database, settings, own, own.xroad)
    maps = {name: one.as_map() for name, one in own.records.items()}
    if own.url is None:
        # A wrong mapping is an error even before there is a URL.
        map_records(database, maps, own.zone)
        return None
    parsed, url = None, own.url
    with suppress(ArgumentError):  # the backend refuses it, without repeating it
        parsed = make_url(url)
    if parsed is not None and parsed.get_backend_name() == "sqlite" and parsed.database:
        parsed = parsed.set(database=str(settings.path(Path(parsed.database)).absolute()))
        url = parsed.render_as_string(hide_password=False)
    try:
        return SqlBackend(
            database,
            url,
            pool_size=own.calls_in_flight,
            server=server_options(settings, own),
            maps=maps,
            zone=own.zone,
        )
    except ValueError as error:
        here = f"databases.{database.name}"
        text = str(error)
        if text.startswith(here):
            raise
        setting = "tls_ca" if text.startswith("tls_ca") else "url"
        raise ValueError(f"{here}.{setting}: {text}") from None


def _xroad(database: Database, settings: Settings, own: DatabaseSettings, xroad: Xroad) -> Backend:
    def path(file: Path | None) -> Path | None:
        return None if file is None else settings.path(file)

    server = xroad.security_server
    options = XroadOptions(
        server=xroad.server,
        client=identifier(xroad.client, (3, 4)),
        service=identifier(xroad.service, (5,)),
        security_server=None if server is None else identifier(server, (4,)),
        shared=xroad.shared,
        timeout=own.timeout + 0.5,
        connect_timeout=own.connect_timeout,
        connections=own.calls_in_flight,
        tls_ca=path(xroad.tls_ca),
        tls_certificate=path(xroad.tls_certificate),
        tls_key=path(xroad.tls_key),
    )
    try:
        return XroadBackend(database, options)
    except ValueError as error:
        raise ValueError(f"databases.{database.name}.xroad: {error}") from None


def server_options(settings: Settings, own: DatabaseSettings) -> ServerOptions:
    """Return how the server of a database is reached, beside its URL."""
    secret, file = own.password, own.password_file

    def password() -> str:
        if secret is not None:
            return secret.get_secret_value()
        return "" if file is None else settings.path(file).read_text("utf-8").rstrip("\r\n")

    return ServerOptions(
        password=password,
        tls=own.tls,
        tls_ca=None if own.tls_ca is None else settings.path(own.tls_ca),
        connect_timeout=own.connect_timeout,
        # After the caller's own timeout, which says TIMED_OUT: this is for when it cannot.
        statement_timeout=own.timeout + 0.5,
        transaction_pooling=own.transaction_pooling,
    )
