"""A procedure: a purpose of reading, and the fields that it needs.

A caller who reads about somebody else states the procedure (``X-Purpose``). The file of the
procedure lists the fields that it needs; all others are denied, whatever the token's scopes (design
section 7; Law 91/2025/QH15 Art. 3: a specific, clear purpose and scope).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

from connectors.description import Column, Record, Sensitivity, Text
from gateway.procedures.checks.definition import CheckDefinition

#: Provincial copies of a national procedure code carry the province's suffix (``1.000894.H38``).
_PROVINCE = re.compile(r"\.H[0-9]{2}$")
_ALL_BASIC = "*"
#: The purpose of measurements and trials, which covers everything; refused in production.
UNIFIED = "bench-unified"


@dataclass(frozen=True)
class Procedure:
    """A procedure and its allow-list.

    ``codes``: of the National Public Service Portal, the usual one first; a word where there is
    none. ``fields``: ``database.record`` -> names with spaces between them. ``*`` stands for all
    PUBLIC and BASIC fields; what is kept closer is named, as ``cause`` or, in a struct,
    ``husband.ethnicity``. A struct's name stands for its PUBLIC and BASIC fields. ``unlimited``: it
    needs every field, and ``fields`` is empty. ``derived``: the derived views that it needs.
    ``deciding``: the records (``database.record``) whose facts decide: they are read past the
    cache, and never STALE (design section 8).
    """

    codes: tuple[str, ...]
    title: Text
    legal_basis: tuple[str, ...]
    fields: Mapping[str, str]
    unlimited: bool = False
    derived: frozenset[str] = frozenset()
    deciding: frozenset[str] = frozenset()
    check: CheckDefinition | None = None

    def covers(self, record: Record, column: Column | None) -> bool:
        """Say whether the procedure needs ``column`` of ``record``; None: any of its columns."""
        if self.unlimited:
            return True
        named = self._fields_by_record.get(f"{record.database}.{record.name}")
        if named is None or column is None:
            return named is not None
        if ".".join(column.path) in named:
            return True
        if column.sensitivity > Sensitivity.BASIC:
            return False
        above = (".".join(column.path[:depth]) for depth in range(1, len(column.path)))
        return _ALL_BASIC in named or any(path in named for path in above)

    def derives(self, name: str) -> bool:
        """Say whether the procedure needs the derived view called ``name``."""
        return self.unlimited or name in self.derived

    @cached_property
    def _fields_by_record(self) -> Mapping[str, frozenset[str]]:
        return {name: frozenset(words.split()) for name, words in self.fields.items()}


def national(code: str) -> str:
    """Return a procedure code without the suffix of a province."""
    return _PROVINCE.sub("", code)


def is_for(purpose: str | None, codes: Collection[str]) -> bool:
    """Say whether ``purpose``, with a province's suffix or not, is one of ``codes``."""
    return purpose is not None and national(purpose) in codes
