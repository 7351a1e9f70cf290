"""Faults of settings: each with its line in the file and with what is expected.

pydantic names the wrong setting. Its line is looked up here, because TOML readers keep none.
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


def setting_place(file: Path | None, path: Sequence[str]) -> str:
    """Return the place of the setting ``path`` (``databases``, ``notary``, ``url``) for messages.

    ``gateway.toml:12``: its line, or that of the nearest table above it; or the variable of the
    environment that gives it; else the name of the file, or "settings".
    """
    variable = _variable(path)
    if variable is not None:
        return variable
    if file is None or not file.is_file():
        return "settings"
    lines = _lines(file.read_text("utf-8"))
    for length in range(len(path), 0, -1):
        above = tuple(path[:length])
        # A table may exist only through one below it: [databases.notary.xroad].
        line = min((at for key, at in lines.items() if key[:length] == above), default=None)
        if line is not None:
            return f"{file.name}:{line}"
    return file.name


def explained(error: Exception, file: Path | None) -> list[str]:
    """Return a line for each fault of settings, without any value of theirs."""
    if isinstance(error, ValidationError):
        return [
            _fault(detail, file) for detail in error.errors(include_url=False, include_input=False)
        ]
    if isinstance(error, tomllib.TOMLDecodeError):
        line = _AT_LINE.search(str(error))
        name = "settings" if file is None else file.name
        return [f"{name}:{line[1]}: {error}" if line else f"{name}: {error}"]
    text = str(error)
    path = text.split(":", 1)[0].split(".") if text.startswith("databases.") else ()
    return [f"{setting_place(file, path)}: {text}" if path else text]


def _fault(error: ErrorDetails, file: Path | None) -> str:
    path = [str(step) for step in error["loc"]]
    text = error["msg"]
    if error["type"] == "extra_forbidden":
        text = _unknown(path)
    elif error["type"] == "missing":
        text = "it must be given"
    text = text.removeprefix("Value error, ")
    name = ".".join(path)
    return (
        f"{setting_place(file, path)}: {name}: {text}"
        if name
        else f"{setting_place(file, path)}: {text}"
    )


def _unknown(path: Sequence[str]) -> str:
    names = _names(Settings, path[:-1])
    near = difflib.get_close_matches(path[-1], names, 1)
    if near:
        return f"there is no such setting; {near[0]} is meant?"
    return f"there is no such setting; there are {', '.join(sorted(names))}"


def _names(model: type[BaseModel], path: Sequence[str]) -> list[str]:
    """Return the names of the settings below ``path``."""
    inner_model: Any = model
    steps = iter(path)
    for step in steps:
        field = inner_model.model_fields.get(step) if inner_model is not None else None
        if field is None:
            return []
        inner_model = _inner(field.annotation)
        if get_origin(field.annotation) in {dict, tuple}:
            next(steps, None)  # a name that the user chose, or an index of a list
    return [] if inner_model is None else list(inner_model.model_fields)


def _inner(annotation: Any) -> Any:
    """Return the model within an annotation: X of ``dict[str, X]`` and of ``X | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    models = (_inner(argument) for argument in get_args(annotation))
    return next((model for model in models if model is not None), None)


def _variable(path: Sequence[str]) -> str | None:
    """Return the variable of the environment that gives a setting, None if none does."""
    names = {name.upper(): name for name in os.environ}
    for length in range(len(path), 0, -1):
        name = PREFIX + "__".join(path[:length]).upper()
        if name in names:
            return names[name]
    return None


def _lines(text: str) -> dict[tuple[str, ...], int]:
    """Return the line, from 1, of each table and key of a TOML document."""
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        key = _path((header[1] if header else line.partition("=")[0]) + " = 0")
        if not key:  # within a value of several lines, or a comment
            continue
        table = key if header else table
        lines.setdefault(key if header else (*table, *key), number)
    return lines


def _path(line: str) -> tuple[str, ...]:
    """Return the keys of a line ``a.b = 0``, none for any other line."""
    try:
        value: object = tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return ()
    path: list[str] = []
    while isinstance(value, Mapping) and value:
        ((key, value),) = value.items()
        path.append(str(key))
    return tuple(path)
