"""Which source a database is, and why some are not read."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.backends.record_maps import RecordMap
from connectors.backends.server import ServerOptions
from reconcile.sources.extract import OnFailure
from reconcile.sources.failures import NotReadInBulk
from reconcile.sources.mariadb import MariadbRecords
from reconcile.sources.open_source import open_source
from reconcile.sources.parquet import ParquetRecords
from reconcile.sources.postgresql import PostgresqlRecords, _uri
from reconcile.sources.sqlite import SqliteRecords
from tests.support.backend_samples import DATABASE
from tests.support.extracts import Access, extract


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("postgresql://reader@db:5433/sample", PostgresqlRecords),
        ("mysql://reader@localhost/sample", MariadbRecords),
        ("mariadb://reader@localhost/sample", MariadbRecords),
        ("sqlite:////srv/sample.sqlite", SqliteRecords),
        ("parquet:/srv/sample", ParquetRecords),
    ],
)
def test_the_url_says_which_source_it_is(url: str, kind: type) -> None:
    assert type(open_source(Access(DATABASE, url))) is kind


@pytest.mark.parametrize(
    ("access", "reason"),
    [
        (Access(DATABASE, None), "settings name no URL of sample"),
        (Access(DATABASE, None, behind_xroad=True), "sample is behind X-Road"),
        (
            Access(DATABASE, "oracle://reader@db/sample"),
            "sample: there is no bulk reading of oracle",
        ),
    ],
)
def test_a_database_without_bulk_reading_is_refused_by_name(access: Access, reason: str) -> None:
    with pytest.raises(NotReadInBulk, match=reason):
        open_source(access)


@pytest.mark.parametrize(
    "url", ["no url of reader:secret", "postgresql://reader:secret@db/sample", "sqlite://"]
)
def test_a_url_that_cannot_be_used_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises((ValueError, NotReadInBulk)) as caught:
        open_source(Access(DATABASE, url))
    assert "secret" not in str(caught.value)


def test_a_record_that_settings_say_is_not_kept_is_not_read(tmp_path: Path) -> None:
    access = Access(
        DATABASE, "sqlite:////srv/none.sqlite", maps={"things": RecordMap(mapped=False)}
    )
    choices: tuple[OnFailure, ...] = ("stop", "continue")
    for on_failure in choices:
        (progress,) = extract(access, "things", ("thing_id",), tmp_path, on_failure=on_failure)
        assert progress.failure == "sample does not keep things, settings say"
        assert not progress.complete


def test_a_password_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    def password() -> str:
        raise FileNotFoundError("no such file")

    options = ServerOptions(password=password)
    access = Access(DATABASE, "postgresql://reader@localhost:1/sample", server=options)
    (progress,) = extract(access, "things", ("thing_id",), tmp_path)
    assert progress.failure == "its password cannot be read (FileNotFoundError)"


@pytest.mark.parametrize(
    ("host", "tls", "mode"),
    [
        ("db", None, "verify-full"),
        ("localhost", None, "disable"),
        ("db", "require", "require"),
        ("db", "off", "disable"),
        ("localhost", "verify", "verify-full"),
    ],
)
def test_postgresql_is_reached_as_settings_say(host: str, tls: str | None, mode: str) -> None:
    source = open_source(Access(DATABASE, f"postgresql://tên@{host}/sample"))
    assert isinstance(source, PostgresqlRecords)
    options = ServerOptions(
        password=lambda: "p@ß/ :",
        tls=tls,  # type: ignore[arg-type]
        tls_ca=Path("/etc/a b.pem"),
    )
    uri = _uri(options, source._address)
    assert uri.startswith(f"postgresql://t%C3%AAn:p%40%C3%9F%2F%20%3A@{host}:5432/sample?")
    assert f"sslmode={mode}" in uri
    assert ("sslrootcert=%2Fetc%2Fa%20b.pem" in uri or "sslrootcert=/etc/a%20b.pem" in uri) == (
        mode == "verify-full"
    )
