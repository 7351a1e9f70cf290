"""What is wrong with settings, said by line and with what was expected.

pydantic tells which setting is wrong; where in the file that stands is looked up here, since TOML
readers keep no lines.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gateway.settings.settings import PREFIX, Settings

_AT_LINE = re.compile(r"\(at line (\d+)")
_HEADER = re.compile(r"\s*\[\[?([^\[\]]+)\]\]?\s*(#.*)?$")


def where(file: Path | None, path: Sequence[str]) -> str:
    """Return where settings speak of ``path`` (``databases``, ``notary``, ``url``).

    ``gateway.toml:12``, of the nearest thing above it that stands there, or the variable of the
    environment that gives it; the file by itself, or "settings", where nothing does.
    """
    variable = _variable(path)
    if variable is not None:
        return variable
    if file is None or not file.is_file():
        return "settings"
    lines = _lines(file.read_text("utf-8"))
    for length in range(len(path), 0, -1):
        above = tuple(path[:length])
        # A table may be there by what is below it alone: [databases.notary.xroad].
        line = min((at for key, at in lines.items() if key[:length] == above), default=None)
        if line is not None:
            return f"{file.name}:{line}"
    return file.name


def explained(error: Exception, file: Path | None) -> list[str]:
    """Return what is wrong with settings, a line for each fault, without any value in them."""
    if isinstance(error, ValidationError):
        return [_fault(one, file) for one in error.errors(include_url=False, include_input=False)]
    if isinstance(error, tomllib.TOMLDecodeError):
        line = _AT_LINE.search(str(error))
        name = "settings" if file is None else file.name
        return [f"{name}:{line[1]}: {error}" if line else f"{name}: {error}"]
    text = str(error)
    path = text.split(":", 1)[0].split(".") if text.startswith("databases.") else ()
    return [f"{where(file, path)}: {text}" if path else text]


def _fault(error: ErrorDetails, file: Path | None) -> str:
    path = [str(one) for one in error["loc"]]
    text = error["msg"]
    if error["type"] == "extra_forbidden":
        text = _unknown(path)
    elif error["type"] == "missing":
        text = "it must be given"
    text = text.removeprefix("Value error, ")
    name = ".".join(path)
    return f"{where(file, path)}: {name}: {text}" if name else f"{where(file, path)}: {text}"


def _unknown(path: Sequence[str]) -> str:
    there = _names(Settings, path[:-1])
    near = difflib.get_close_matches(path[-1], there, 1)
    if near:
        return f"there is no such setting; {near[0]} is meant?"
    return f"there is no such setting; there are {', '.join(sorted(there))}"


def _names(model: type[BaseModel], path: Sequence[str]) -> list[str]:
    """Return the settings that there are below ``path``."""
    here: Any = model
    steps = iter(path)
    for step in steps:
        field = here.model_fields.get(step) if here is not None else None
        if field is None:
            return []
        here = _inner(field.annotation)
        if get_origin(field.annotation) in {dict, tuple}:
            next(steps, None)  # a name of the user's own, or a place in a list
    return [] if here is None else list(here.model_fields)


def _inner(annotation: Any) -> Any:
    """Return the settings within an annotation: X of ``dict[str, X]``, of ``X | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_inner(one) for one in get_args(annotation))
    return next((one for one in found if one is not None), None)


def _variable(path: Sequence[str]) -> str | None:
    """Return the variable of the environment that gives a setting, None where none does."""
    names = {name.upper(): name for name in os.environ}
    for length in range(len(path), 0, -1):
        name = PREFIX + "__".join(path[:length]).upper()
        if name in names:
            return names[name]
    return None


def _lines(text: str) -> dict[tuple[str, ...], int]:
    """Return the line, from 1, at which each table and key of a TOML document stands."""
    found: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        key = _path((header[1] if header else line.partition("=")[0]) + " = 0")
        if not key:  # within a value of several lines, or a remark
            continue
        table = key if header else table
        found.setdefault(key if header else (*table, *key), number)
    return found


def _path(line: str) -> tuple[str, ...]:
    """Return the keys of a line ``a.b = 0``; none where it is something else."""
    try:
        here: object = tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return ()
    path: list[str] = []
    while isinstance(here, Mapping) and here:
        ((key, here),) = here.items()
        path.append(str(key))
    return tuple(path)
