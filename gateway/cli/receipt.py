"""The commands ``justice-gateway receipt verify`` and ``receipt select``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, NoReturn

import httpx2
import typer

from connectors.description import Text
from connectors.values import person_number
from gateway.cli.token import Config, load_settings
from gateway.keys.keyring import load_signing
from gateway.receipts.describe import describe_receipt, describe_timestamp
from gateway.receipts.keys import ReceiptKeys
from gateway.receipts.timestamps import load_roots, verify_timestamp
from gateway.receipts.verify import (
    Confirmation,
    ReceiptRefused,
    VerifiedReceipt,
    select_disclosures,
    verify_receipt,
)

receipt_app = typer.Typer(no_args_is_help=True, help="Verify receipts of checks.")

#: Exit statuses: the receipt does not verify; it does, and is not about who was named.
_REFUSED, _NOT_CONFIRMED = 1, 3
#: How long the address of keys may take to answer, in seconds.
_TIMEOUT = 10.0

_File = Annotated[str, typer.Argument(help="The file of the receipt; - reads standard input.")]


@receipt_app.command("verify")
def receipt_verify(
    file: _File,
    person: Annotated[
        list[str] | None,
        typer.Option(help="ROLE=NUMBER: somebody whom it must be about; repeat."),
    ] = None,
    case: Annotated[str | None, typer.Option(help="The case that it must be of.")] = None,
    keys: Annotated[
        str | None,
        typer.Option(help="A JWK set: a file, or the address of /keys. None: those of settings."),
    ] = None,
    timestamp: Annotated[
        Path | None, typer.Option(help="The file of its time stamp (DER), which must fit.")
    ] = None,
    roots: Annotated[
        Path | None, typer.Option(help="A PEM file: whose certificates may stamp.")
    ] = None,
    config: Config = None,
) -> None:
    """Say what a receipt states. Status 1: it does not verify; 3: it is not about who is named.

    With a file of keys no network is needed.
    """
    expected = [_parse_person(person) for person in person or ()]
    if (timestamp is None) is not (roots is None):
        raise typer.BadParameter("--timestamp and --roots need each other")
    text = _read(file)
    try:
        receipt = verify_receipt(text, _load_keys(keys, config))
        stamped = None if timestamp is None or roots is None else _stamped(text, timestamp, roots)
    except ReceiptRefused as refused:
        _refuse(refused)
    message = Text("Biên nhận hợp lệ.", "The receipt verifies.")
    for line in (message, *describe_receipt(receipt)):
        _print(line)
    if stamped is not None:
        _print(describe_timestamp(stamped))
    confirmations = list(_confirm(receipt, expected, case))
    for subject, confirmation in confirmations:
        title = confirmation.title
        _print(Text(f"{subject}: {title.vi}", f"{subject}: {title.en}"))
    if any(confirmation is not Confirmation.CONFIRMED for _, confirmation in confirmations):
        raise typer.Exit(_NOT_CONFIRMED)


@receipt_app.command("select")
def receipt_select(
    file: _File,
    show: Annotated[
        list[str] | None,
        typer.Option(help="A claim to disclose: case, person.ROLE, input.FIELD; repeat."),
    ] = None,
    evidence: Annotated[bool, typer.Option("--evidence", help="The records too.")] = False,
) -> None:
    """Print the receipt with some of its disclosures alone, for somebody who needs no others."""
    try:
        selected = select_disclosures(_read(file), show or (), evidence=evidence)
    except ReceiptRefused as refused:
        _refuse(refused)
    except KeyError as missing:
        raise typer.BadParameter(f"the receipt does not disclose {missing.args[0]}") from None
    sys.stdout.write(selected + "\n")


def _confirm(
    receipt: VerifiedReceipt, people: list[tuple[str, str]], case: str | None
) -> Iterator[tuple[str, Confirmation]]:
    for role, number in people:
        yield role, receipt.confirm_person(role, number)
    if case is not None:
        yield "case", receipt.confirm_case(case)


def _parse_person(text: str) -> tuple[str, str]:
    role, _, number = text.partition("=")
    try:
        return role, person_number(number)
    except ValueError:
        raise typer.BadParameter("--person takes ROLE=NUMBER: groom=001090012345") from None


def _read(file: str) -> str:
    """Return a receipt; a line end behind it, which editors add, is no part of it."""
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return content.decode("ascii").removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise typer.BadParameter(f"{file} is no receipt: it is not ASCII") from None


def _stamped(receipt: str, timestamp: Path, roots: Path) -> datetime:
    """Return when an authority saw a receipt; raises ReceiptRefused."""
    try:
        return verify_timestamp(timestamp.read_bytes(), receipt, load_roots(roots))
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"no time stamp from {timestamp} and {roots}: {error}") from None


def _load_keys(keys: str | None, config: Path | None) -> ReceiptKeys:
    """Return the keys of a file or an address, else those of the settings."""
    try:
        if keys is None:
            return ReceiptKeys.of_ring(load_signing(load_settings(config), "receipt_sign"))
        return ReceiptKeys.of_jwks(json.loads(_read_keys(keys)))
    except (OSError, ValueError, RecursionError, httpx2.HTTPError) as error:
        source = "the settings (or name a JWK set with --keys)" if keys is None else keys
        raise typer.BadParameter(f"no keys from {source}: {error}") from None


def _read_keys(source: str) -> bytes:
    if source.startswith(("https://", "http://")):
        return httpx2.get(source, timeout=_TIMEOUT).raise_for_status().content
    return Path(source).read_bytes()


def _refuse(refused: ReceiptRefused) -> NoReturn:
    message = refused.message
    for line in (f"Biên nhận không hợp lệ: {message.vi}.", f"It does not verify: {message.en}."):
        sys.stderr.write(line + "\n")
    raise typer.Exit(_REFUSED)


def _print(text: Text) -> None:
    """Print a line in Vietnamese, and beneath it in English where that differs."""
    sys.stdout.write(f"{text.vi}\n")
    if text.en != text.vi:
        sys.stdout.write(f"  {text.en}\n")
