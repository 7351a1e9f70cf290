"""The SQL of DuckDB and of Spark: what SQLAlchemy, which has neither, must write differently.

Both are near the standard that SQLAlchemy's default dialect writes, and the statements use few
words. Identifiers are always quoted, so that no engine's reserved words matter. Text is compared by
the bytes of UTF-8, in both engines, which is the order of code points, as in Python.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.sql.compiler import GenericTypeCompiler, IdentifierPreparer, SQLCompiler

from rules.statements import TODAY

#: Signs of a table of which DuckDB makes no smaller ones.
_SMALL_TABLE = 40


class _Quoted(IdentifierPreparer):
    def _requires_quotes(self, value: str) -> bool:
        return True


def _vietnamese_letters() -> str:
    """Return the small letters with marks of Vietnamese, each as one sign, and Đ."""
    tones = ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
    letters = (
        unicodedata.normalize("NFC", vowel + tone) for vowel in "aăâeêioôơuưy" for tone in tones
    )
    return "".join(letter for letter in (*letters, "đ", "Đ") if not letter.isascii())


_SMALL = _vietnamese_letters()
_CAPITAL = _SMALL.upper()
#: Patterns of signs that the second table does not have, and that the third does not.
_LARGER_SIGNS = (
    f"[^\\x00-\\x7F{_SMALL}{_CAPITAL}]",
    f"[^\\x00-\\x7F{_SMALL}]",
    "",
)


def _smaller_tables(source: str, target: str) -> Iterator[tuple[str, str]]:
    """Yield the table of a translation, and smaller ones for text of fewer signs."""
    yield source, target
    if len(source) < _SMALL_TABLE:
        return
    for extra_signs in (_SMALL + _CAPITAL, _SMALL):
        places = [at for at, sign in enumerate(source) if sign.isascii() or sign in extra_signs]
        # Signs that are removed stand behind those that are replaced.
        signs = "".join(source[at] for at in places)
        yield signs, "".join(target[at] for at in places if at < len(target))


class _DuckdbCompiler(SQLCompiler):
    def visit_trim_func(self, function: Any, **options: Any) -> str:
        """Write ``trim`` of blanks alone: DuckDB's trims every space sign of Unicode."""
        (text,) = function.clauses
        return f"trim({self.process(text, **options)}, ' ')"

    def visit_translate_func(self, function: Any, **options: Any) -> str:
        """Write ``translate`` with the smallest of three tables that has all signs of the text.

        DuckDB reads the table again for each row: 40 microseconds for 700 signs, 5 for 100.
        """
        text, source, target = function.clauses
        written = self.process(text, **options)
        translations = [
            f"translate({written}, {self._literal(signs)}, {self._literal(targets)})"
            for signs, targets in _smaller_tables(source.value, target.value)
        ]
        *guarded, last = zip(_LARGER_SIGNS, translations, strict=False)
        tests = [
            f"WHEN regexp_matches({written}, {self._literal(signs)}) THEN {translation}"
            for signs, translation in guarded
        ]
        return f"CASE {' '.join(tests)} ELSE {last[1]} END" if tests else last[1]

    def _literal(self, text: str) -> str:
        return self.render_literal_value(text, sa.Text())


class DuckdbDialect(DefaultDialect):
    """DuckDB: a backslash is a sign like any other, in literals and in LIKE."""

    name = "duckdb"
    supports_statement_cache = True
    preparer = _Quoted
    statement_compiler = _DuckdbCompiler


class _BackquotedNames(_Quoted):
    def __init__(self, dialect: DefaultDialect) -> None:
        super().__init__(dialect, initial_quote="`")


#: It has no types.
_visit_table: Any = SQLCompiler.visit_table


class _SparkCompiler(SQLCompiler):
    def visit_table(self, table: Any, *places: Any, **options: Any) -> str:
        """Write database and record as one name: a temporary view of Spark is in no schema."""
        return _join_name(table, _visit_table(self, table, *places, **options))

    def visit_column(self, column: Any, *places: Any, **options: Any) -> str:
        """Write the table before a column likewise."""
        return _join_name(column.table, super().visit_column(column, *places, **options))

    def render_literal_value(self, value: Any, type_: Any) -> str:
        """Write text between quotes; a backslash escapes in Spark."""
        if not isinstance(value, str):
            return super().render_literal_value(value, type_)
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _join_name(table: Any, text: str) -> str:
    return text if getattr(table, "schema", None) is None else text.replace("`.`", "__", 1)


class _SparkTypes(GenericTypeCompiler):
    def visit_TEXT(self, type_: Any, **options: Any) -> str:  # noqa: N802 - of SQLAlchemy
        """Write the name of Spark's only type of text."""
        return "STRING"


class SparkDialect(DefaultDialect):
    """Spark SQL, with the literals of its default parser."""

    name = "spark"
    supports_statement_cache = True
    preparer: Any = _BackquotedNames
    statement_compiler = _SparkCompiler
    type_compiler_cls = _SparkTypes


def spark_name(schema: str | None, table: str) -> str:
    """Return the name of a temporary view."""
    return table if schema is None else f"{schema}__{table}"


def statement_text(statement: Any, dialect: sa.Dialect, day: str) -> str:
    """Return a statement with its values as literals; ``day``: the legal day, ISO 8601."""
    dated = statement.params({TODAY: day})
    return str(dated.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
