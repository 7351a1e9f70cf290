"""The backend of each database, by settings: SQL or X-Road."""

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
from connectors.xroad.backend import XroadBackend
from connectors.xroad.exchange import XroadOptions
from connectors.xroad.identifiers import identifier
from gateway.settings import DatabaseSettings, Settings, Xroad


def make_backend(
    database: Database, settings: Settings, database_settings: DatabaseSettings
) -> Backend | None:
    """Return the backend of ``database``, None where settings name none.

    A relative SQLite file is relative to the settings file. Raises ValueError that begins with the
    setting that is wrong.
    """
    if database_settings.xroad is not None:
        return _xroad(database, settings, database_settings, database_settings.xroad)
    maps = {name: record.as_map() for name, record in database_settings.records.items()}
    if database_settings.url is None:
        # A wrong mapping is an error even before there is a URL.
        map_records(database, maps, database_settings.zone)
        return None
    url = absolute_url(settings, database_settings) or ""
    try:
        return SqlBackend(
            database,
            url,
            pool_size=database_settings.calls_in_flight,
            server=server_options(settings, database_settings),
            maps=maps,
            zone=database_settings.zone,
        )
    except ValueError as error:
        setting_path = f"databases.{database.name}"
        text = str(error)
        if text.startswith(setting_path):
            raise
        setting = "tls_ca" if text.startswith("tls_ca") else "url"
        raise ValueError(f"{setting_path}.{setting}: {text}") from None


def _xroad(
    database: Database, settings: Settings, database_settings: DatabaseSettings, xroad: Xroad
) -> Backend:
    try:
        return XroadBackend(database, xroad_options(settings, database_settings, xroad))
    except ValueError as error:
        raise ValueError(f"databases.{database.name}.xroad: {error}") from None


def xroad_options(
    settings: Settings, database_settings: DatabaseSettings, xroad: Xroad, service: str = ""
) -> XroadOptions:
    """Return how a service over X-Road is reached; ``service``: another of the same provider."""

    def path(file: Path | None) -> Path | None:
        return None if file is None else settings.path(file)

    server = xroad.security_server
    return XroadOptions(
        server=xroad.server,
        client=identifier(xroad.client, (3, 4)),
        service=identifier(service or xroad.service, (5,)),
        security_server=None if server is None else identifier(server, (4,)),
        shared=xroad.shared,
        timeout=database_settings.timeout + 0.5,
        connect_timeout=database_settings.connect_timeout,
        connections=database_settings.calls_in_flight,
        tls_ca=path(xroad.tls_ca),
        tls_certificate=path(xroad.tls_certificate),
        tls_key=path(xroad.tls_key),
    )


def absolute_url(settings: Settings, database_settings: DatabaseSettings) -> str | None:
    """Return the URL of a database, a relative SQLite file made absolute; None without a URL.

    A text that is no URL is returned as it is: the backend refuses it, without repeating it.
    """
    url = database_settings.url
    if url is None:
        return None
    with suppress(ArgumentError):
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            parsed = parsed.set(database=str(settings.path(Path(parsed.database)).absolute()))
            return parsed.render_as_string(hide_password=False)
    return url


def server_options(settings: Settings, database_settings: DatabaseSettings) -> ServerOptions:
    """Return the options of a connection to a database server, beside its URL."""
    secret, file = database_settings.password, database_settings.password_file

    def password() -> str:
        if secret is not None:
            return secret.get_secret_value()
        return "" if file is None else settings.path(file).read_text("utf-8").rstrip("\r\n")

    return ServerOptions(
        password=password,
        tls=database_settings.tls,
        tls_ca=None
        if database_settings.tls_ca is None
        else settings.path(database_settings.tls_ca),
        connect_timeout=database_settings.connect_timeout,
        # Later than the gateway's own timeout, which answers TIMED_OUT: for when that fails.
        statement_timeout=database_settings.timeout + 0.5,
        transaction_pooling=database_settings.transaction_pooling,
    )
