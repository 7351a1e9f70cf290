"""PostgreSQL's statements as text, and how keys are bound to the types of their columns.

The text of a lookup has a parameter for each key column, ``$1`` and on: each takes the type of its
own column, and its index. Where rows may come in any order, a parameter limits their number. Types
are those that the server gives a prepared statement; they hold for the connection that it was
prepared on, until somebody changes the column.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count

import sqlalchemy as sa

from connectors.backends.base import SourceRefused
from connectors.backends.server import refuse_lost_zeros, whole_number
from connectors.backends.session import LookupPart
from connectors.backends.statement import Idiom, LookupStatement

#: What a column of keys is compared with, until the parameters are numbered.
_KEYS = "any($1)"
_PARAMETER = re.compile(r"any\(\$\d+\)")
_LIMIT = "LIMIT $1"
_NUMBERED = re.compile(r"(any\(|LIMIT )\$\d+")
IDIOM = Idiom(
    lambda column: column == sa.literal_column(_KEYS),
    lambda column: sa.collate(sa.cast(column, sa.Text()), "C"),
    lambda column: sa.cast(column, sa.Text()).regexp_match("[^0-9]"),
    # Of different types, what the server has for equal is so by value; letters say nothing then.
    unlike=lambda column, link: sa.func.pg_typeof(column) != sa.func.pg_typeof(link),
)
#: What turns a statement into text.
_DIALECT = sa.make_url("postgresql+asyncpg://").get_dialect()()

_BITS = {"int2[]": 16, "int4[]": 32, "int8[]": 64}
_TEXTS = {"text[]", "varchar[]", "bpchar[]", "citext[]"}


def as_text(statement: sa.SelectBase) -> str:
    """Compile a statement to text with all its values in it."""
    return str(statement.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))


def lookup_text(lookup: LookupStatement, places: range | None = None) -> str:
    """Compile a lookup's statement; ``places``: only for these positions of each key's rows."""
    return _numbered(as_text(lookup.statement if places is None else lookup.within(places)))


def parts_text(parts: Sequence[LookupPart]) -> str:
    """Compile the statement that finds all of ``parts``: of several one row, with arrays of rows.

    The parameters are those of each part, one after the other: keys by column, and ``most``.
    """
    if len(parts) == 1:
        return _numbered(_part_text(parts[0]))
    texts = map(_part_text, parts)
    rows = (f"ARRAY(SELECT row(_found.*) FROM ({text}) _found)" for text in texts)  # noqa: S608
    return _numbered(f"SELECT {', '.join(rows)}")


def _part_text(part: LookupPart) -> str:
    if part.most is None:
        return as_text(part.lookup.statement)
    return f"SELECT * FROM ({as_text(part.lookup.unsorted)}) _unsorted {_LIMIT}"  # noqa: S608


def unsorted_text(lookup: LookupStatement, columns: Sequence[str], rest: str) -> str:
    """Compile a statement over all rows of a lookup, in any order.

    ``columns``: what to select; ``rest``: what follows the rows in the FROM clause, their name
    first. Its parameters are those of a part with ``most``.
    """
    rows = as_text(lookup.unsorted)
    return _numbered(f"SELECT {', '.join(columns)} FROM ({rows}){rest} {_LIMIT}")  # noqa: S608


def quote(name: str) -> str:
    """Return a name as it is written in a statement."""
    return _DIALECT.identifier_preparer.quote_identifier(name)


def types_text(parts: Sequence[LookupPart]) -> str:
    """Compile a small statement with the parameters of ``parts``, to read their types."""
    checks = []
    for lookup, _, most in parts:
        holder = lookup.holder
        table = sa.table(holder.table, *map(sa.column, lookup.keys), schema=holder.schema)
        condition = sa.or_(*(IDIOM.among(table.c[key]) for key in lookup.keys))
        check = as_text(sa.select(sa.literal_column("1")).where(condition))
        checks.append(f"EXISTS({check}{'' if most is None else f' {_LIMIT}'})")
    return _numbered(f"SELECT {', '.join(checks)}")


def with_key(text: str, key: str) -> str:
    """Return the text of a lookup with ``key``, which holds no quote, in place of parameters."""
    return _PARAMETER.sub(f"any('{{{key}}}')", text)


def bound(parts: Sequence[LookupPart], types: Sequence[str]) -> tuple[list[object], bool]:
    """Return the values of the parameters, of the given ``types``, of ``parts``.

    Also returns whether every key is among them: a key that a column cannot hold is left out for
    that column. Raises SourceRefused for types whose equality is not that of text.
    """
    values: list[object] = []
    complete = True
    kinds = iter(types)
    for lookup, keys, most in parts:
        for _, kind in zip(lookup.keys, kinds, strict=False):
            if kind in _TEXTS:
                values.append(_texts(keys))
                continue
            fitting = _fitting(lookup, keys, kind)
            complete = complete and len(fitting) == len(keys)
            values.append(fitting)
        if most is not None:
            next(kinds)
            values.append(most)
    return values, complete


def _texts(keys: Sequence[str]) -> Sequence[str]:
    """Return the keys that a text can be."""
    if "\0" not in "".join(keys):
        return keys
    return [key for key in keys if "\0" not in key]


def _numbered(text: str) -> str:
    number = count(1)
    return _NUMBERED.sub(lambda match: f"{match[1]}${next(number)}", text)


def _fitting(lookup: LookupStatement, keys: Sequence[str], kind: str) -> list[object]:
    """Return the keys that a column of ``kind`` can hold, in the driver's types."""
    if kind == "uuid[]":
        read: Callable[[str], object | None] = _uuid
    elif kind in _BITS:
        refuse_lost_zeros(lookup)
        read = partial(_within, _BITS[kind])
    else:
        raise SourceRefused(f"keys are kept as {kind}")
    return [value for value in map(read, keys) if value is not None]


def _uuid(key: str) -> uuid.UUID | None:
    try:
        value = uuid.UUID(key)
    except ValueError:
        return None
    return value if str(value) == key else None


def _within(bits: int, key: str) -> int | None:
    """Return ``key`` as a signed number of so many ``bits``, None where it is none."""
    number = whole_number(key)
    if number is None or not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
        return None
    return number
