"""Commands whose code the wheel leaves out: they run in a checkout only.

The wheel that a site installs holds neither the synthetic population nor the X-Road stand-in
(decision 48).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

#: What ``[tool.hatch.build.targets.wheel]`` in pyproject.toml excludes.
LEFT_OUT = ("connectors.synthetic", "connectors.xroad.stand_in")
#: EX_UNAVAILABLE of sysexits.h: a support program or file is not there.
NEEDS_CHECKOUT = os.EX_UNAVAILABLE

_console = Console(stderr=True)


@contextmanager
def needs_checkout(command: str) -> Iterator[None]:
    """Import what ``command`` needs within this block.

    Where it is not installed, prints how to get it and exits with status 69. Other modules that
    are missing raise ModuleNotFoundError as ever.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in LEFT_OUT:
            raise
        _console.print(
            f"{command} needs a checkout of the repository: the installed package does not hold "
            f"{error.name}. Run it there, after `make install`.",
            style="red",
            markup=False,
        )
        raise typer.Exit(NEEDS_CHECKOUT) from None
