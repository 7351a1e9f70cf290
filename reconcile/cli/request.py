"""The command ``justice-gateway reconcile request``."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from reconcile.cli.exit_status import ExitStatus, end, exit_statuses
from reconcile.cli.findings_database import PasswordFile, TlsCa, Url, run_in_findings_database


def request(
    findings: Annotated[list[str], typer.Argument(help="The ids of findings, in full.")],
    reference: Annotated[
        str, typer.Option(help="Of the letter to the agency; without names and numbers of people.")
    ],
    url: Url,
    password_file: PasswordFile = None,
    tls_ca: TlsCa = None,
) -> None:
    """Note that the agencies concerned were requested to correct findings.

    All of them or none: status 4 where one is not published, corrected, or under another reference.
    """
    with exit_statuses():
        from reconcile.publishing.request import RequestRefused, request_correction

        now = datetime.now(UTC)
        try:
            count = run_in_findings_database(
                url,
                password_file,
                tls_ca,
                lambda connection: request_correction(connection, findings, reference, now),
            )
        except RequestRefused as error:
            raise end(ExitStatus.STOPPED, f"nothing was noted:\n{error}") from None
    sys.stdout.write(f"{count:,} noted as requested under {reference}\n")
