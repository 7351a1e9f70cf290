"""The database of published findings, as the commands that use it are given it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from connectors.backends.server import ServerOptions
from reconcile.cli.exit_status import ExitStatus, end

if TYPE_CHECKING:
    import sqlalchemy as sa

_T = TypeVar("_T")

Url = Annotated[
    str,
    typer.Option(
        "--url",
        help="The database of findings, without a password: postgresql://user@host/name, "
        "mariadb://..., sqlite:////path. Its user may write.",
    ),
]
PasswordFile = Annotated[
    Path | None, typer.Option("--password-file", help="A file with the password of the user.")
]
TlsCa = Annotated[
    Path | None, typer.Option("--tls-ca", help="The authority that vouches for the server.")
]


def run_in_findings_database(
    url: str,
    password_file: Path | None,
    tls_ca: Path | None,
    work: Callable[[sa.Connection], _T],
) -> _T:
    """Run ``work`` with a connection to the database.

    Raises typer.BadParameter for a URL or file that cannot be used, and ends with STOPPED where the
    database fails: what its messages hold is left out, since it could be a row.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from reconcile.publishing.connection import InvalidUrl, run_in_database

    try:
        password = None if password_file is None else password_file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise typer.BadParameter(f"{password_file} cannot be read") from None
    options = ServerOptions(
        password=None if password is None else lambda: password, tls_ca=tls_ca, connect_timeout=10
    )
    try:
        return asyncio.run(run_in_database(url, options, work))
    except InvalidUrl as error:
        raise typer.BadParameter(f"--url: {error}") from None
    except (SQLAlchemyError, OSError) as error:
        raise end(ExitStatus.STOPPED, f"the database failed: {type(error).__name__}") from None
