"""What the journal says of a run: who let it run, over what, and how it ended; nothing of anybody.

``Host.record`` adds an id and the moment, and replaces numbers of people in texts.
"""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from reconcile.manifest import ExtractProgress, Manifest

#: The record of the population: a row is a person.
_PEOPLE = "population.identity"


@dataclass(frozen=True, slots=True)
class RunOperator:
    """Who lets a run go, and why. ``name``: as they give it, None where they give none."""

    reason: str
    name: str | None = None
    case_number: str | None = None


def run_entry(event: str, manifest: Manifest, operator: RunOperator) -> dict[str, object]:
    """Return the entry of an event: ``begins``, ``resumes``, ``ends``, ``stops`` or ``fails``.

    ``people`` and ``rows``: extracted so far; None: not known yet, or not any more.
    """
    people = manifest.extracts.get(_PEOPLE)
    return {
        "command": "reconcile",
        "event": event,
        "run": manifest.run,
        "user": _user(),
        "host": socket.gethostname(),
        "operator": operator.name,
        "reason": operator.reason,
        "caseNumber": operator.case_number,
        "databases": list(manifest.databases),
        "day": manifest.day,
        "engine": manifest.engine,
        "rules": _grouped(manifest.rules),
        "withNumbers": manifest.options.get("numbers_key") is not None,
        "people": people.rows if people is not None and people.complete else None,
        "rows": _rows(manifest.extracts),
    }


def _grouped(digest: str) -> str:
    """Return hexadecimal digits in groups: nine decimal ones in a row would be masked."""
    return "-".join(digest[place : place + 8] for place in range(0, len(digest), 8))


def _rows(extracts: Mapping[str, ExtractProgress]) -> int | None:
    return sum(extract.rows for extract in extracts.values()) if extracts else None


def _user() -> str:
    """Return the user of the operating system; a user without a name is a number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
