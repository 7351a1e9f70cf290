"""How the commands end: exit statuses, and messages that show neither passwords nor people."""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path

import typer

#: What `pip install justice-gateway[reconcile]` brings, by the name of the import.
EXTRA = frozenset(
    {"adbc_driver_manager", "adbc_driver_postgresql", "adbc_driver_sqlite", "duckdb", "pyarrow"}
)
#: Engines and linkage that are extras or parts of their own.
OTHER_EXTRAS = {"pyspark": "spark", "splink": "reconcile"}
_NUMBER = re.compile(r"\d{9,}")
_ROOT = Path(__file__).parents[2]


class ExitStatus(IntEnum):
    """Exit statuses of the commands; ``docs/reference/reconcile.md`` has them for operators."""

    DONE = 0
    FAULT = 1
    USAGE = 2
    UNCHECKED = 3
    STOPPED = 4
    LOCKED = 5
    #: EX_UNAVAILABLE of sysexits.h, as with other commands whose packages are missing.
    NOT_INSTALLED = 69


def end(status: ExitStatus, message: str) -> typer.Exit:
    """Print why a command ends on standard error, and return what to raise.

    Nine digits and more in a row are left out: they could be a person's number.
    """
    sys.stderr.write(_NUMBER.sub("…", message).rstrip("\n") + "\n")
    return typer.Exit(status)


@contextmanager
def exit_statuses() -> Iterator[None]:
    """Turn what a command raises into its exit status and a message.

    The message of an exception that nobody expected could hold a row: its type and place are
    shown instead.
    """
    try:
        yield
    except (typer.Exit, typer.Abort, typer.BadParameter):
        raise
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        extra = "reconcile" if package in EXTRA else OTHER_EXTRAS.get(package)
        if extra is None:
            raise _fault(error) from None
        raise end(
            ExitStatus.NOT_INSTALLED,
            f"{package} is not installed: install justice-gateway[{extra}] "
            "(docs/how-to/install-in-production.md)",
        ) from None
    except Exception as error:  # a traceback could show people
        raise _fault(error) from None


def _fault(error: Exception) -> typer.Exit:
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    places = [f"  {_place(frame.filename)}:{frame.lineno} in {frame.name}" for frame in frames]
    lines = [f"this is a fault of the program: {type(error).__name__}", *places]
    return end(ExitStatus.FAULT, "\n".join(lines))


def _place(file: str) -> str:
    path = Path(file)
    return str(path.relative_to(_ROOT)) if path.is_relative_to(_ROOT) else path.name
