"""Source text of generated functions, and how it is compiled.

Source consists of our own words and of numbers only. What a client or a schema wrote (response
keys, type names) stands in it as a numbered constant (``'k7'``). Compiled code has the text in
place of the constant, because a dictionary whose keys are constants is built in one instruction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import CodeType
from typing import Any

import orjson
from stdnum.vn import mst

from gateway.catalogue.sections import list_names

#: Objects of which a memoised function keeps what it returned.
_KEPT = 16


def _is_valid(code: object) -> bool:
    return bool(mst.is_valid(str(code)))


def _as_json(value: object) -> orjson.Fragment:
    return orjson.Fragment(orjson.dumps(value))


def _namespace() -> dict[str, Any]:
    names = {"lists": list_names, "is_valid": _is_valid, "as_json": _as_json}
    return {**names, "__builtins__": {"str": str, "zip": zip}}


@dataclass(slots=True)
class FunctionSource:
    """Collects functions as text. ``namespace``: the names that they may use."""

    namespace: dict[str, Any] = field(default_factory=_namespace)
    functions: list[str] = field(default_factory=list)
    memoised: list[str] = field(default_factory=list)
    constants: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """All functions, for reading."""
        return "\n".join(self.functions)

    def quote(self, text: str) -> str:
        """Return the constant that stands for ``text``."""
        constant = self.constants.setdefault(text, f"k{len(self.constants)}")
        return f"'{constant}'"

    def add_nones(self, width: int) -> str:
        """Return the name of a tuple of ``width`` times None."""
        self.namespace[f"none{width}"] = (None,) * width
        return f"none{width}"

    def add_function(self, letter: str, argument: str, body: str, *, is_null_for_none: bool) -> str:
        """Add a function of one argument and of what databases say of themselves; return its name.

        ``is_null_for_none``: it returns None for None.
        """
        name = f"{letter}{len(self.functions)}"
        guard = f"    if {argument} is None:\n        return None\n" if is_null_for_none else ""
        self.functions.append(f"def {name}({argument}, live):\n{guard}    return {body}\n")
        return name

    def add_memoised(self, body: str) -> str:
        """Add a function of ``o`` alone, which many lists of an answer share; return its name.

        It returns JSON. What it returned last is kept, so that it must return the same for the same
        object.
        """
        name = f"o{len(self.functions)}"
        self.functions.append(f"def {name}(o):\n    return as_json({body})\n")
        self.memoised.append(name)
        return name

    def compile(self) -> Mapping[str, Any]:
        """Compile the functions and return them by name.

        Each is compiled by itself: Python's compiler holds the interpreter until it is done.
        """
        texts = {constant: text for text, constant in self.constants.items()}
        for number, function in enumerate(self.functions):
            code = _replace_constants(compile(function, f"<plan {number}>", "exec"), texts)
            exec(code, self.namespace)  # noqa: S102 - our own text
        for name in self.memoised:
            self.namespace[name] = lru_cache(maxsize=_KEPT)(self.namespace[name])
        return self.namespace


def dictionary(entries: list[str]) -> str:
    """Return the text of a dictionary with ``entries``, each ``key: value``."""
    return "{" + ", ".join(entries) + "}"


def _replace_constants(code: CodeType, texts: Mapping[str, str]) -> CodeType:
    """Return ``code`` with each of its text constants replaced by what it stands for.

    Generated source has no other texts: functions take and return values, and read attributes.
    """

    def replace(constant: object) -> object:
        if isinstance(constant, CodeType):
            return _replace_constants(constant, texts)
        if isinstance(constant, tuple):
            return tuple(replace(item) for item in constant)
        return texts.get(constant, constant) if isinstance(constant, str) else constant

    return code.replace(co_consts=tuple(replace(constant) for constant in code.co_consts))
