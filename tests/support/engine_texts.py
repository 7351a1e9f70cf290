"""Text and functions that engines are known to treat differently, for a session of any of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from reconcile.engines.dialects import statement_text
from reconcile.engines.statement_engine import SqlSession
from rules.names import LETTER_PATTERN, LETTER_WORDS, LETTERS, PLAIN, READABLE, TIDY, TONES
from rules.statements import text_expression
from rules.text_forms import (
    Replace,
    Slice,
    Substitute,
    TextForm,
    Translate,
    Trim,
    form,
    text_function,
)

TEXTS = (
    *(
        "",
        " ",
        "  a  ",
        "\u00a0a\u00a0",
        "\ta\n",
        "it's",
        "''",
        'a"b`c',
        "a\\b",
        "\\",
        "\\n",
        "%_\\",
    ),
    *("\\u0041", "50%", "a_b", "😀 Nguyễn 😀", "𝒂", "\U0002f000", "\ufeffAn", "A\u200bn"),
    *("NGUYỄN THỊ HOÀ", "Nguyễn  Thị Hòa", "Nguye\u0302\u0303n Hoa\u0300", "N.V.A", "Đ. Ð đ ð"),
    *("Nguyễn Văn A", "nguyen van a", "ĐẶNG", "D'Arcy", "Y-Bé", "ạảãâấầẩẫậăắằẳẵặ", "aaa", "abcabc"),
    *("ÇĈǺḀẞß ǽ", "Ạ\u2011Ả", "ÀÁÂÃ Ý Ỹ", "VÕ THỊ ÚT", "a\u3000b", "Œuvre ñ", "\u01a3\u01a2", "ÐĐ"),
)
#: Forms of single steps that the names do not have.
_FORMS: tuple[TextForm, ...] = (
    form("backslashes", Translate("\\'%", '/"')),
    form("beyond the BMP", Translate("😀𝒂a", "𝒂😀")),
    form("twice", Translate("aab", "xyz")),
    form("overlap", Replace("aa", "b"), Replace("'", "\\")),
    form("blanks", Trim()),
    form("slice", Slice(2, 3)),
    form("substitute", Substitute((("it's", "\\x"), ("a\\b", "''"), ("", "empty")))),
)
NAME_FORMS = (TIDY, LETTERS, TONES, PLAIN, READABLE, LETTER_WORDS, LETTER_PATTERN)


def whole(text_form: TextForm) -> TextForm:
    """Return a form with the steps of the forms that it is made of."""
    steps = text_form.steps if text_form.base is None else whole(text_form.base).steps
    return (
        text_form
        if text_form.base is None
        else TextForm(text_form.name, (*steps, *text_form.steps))
    )


def differences(session: SqlSession) -> Iterator[tuple[str, str, object, object]]:
    """Yield form, text, the value in Python and that of a session, where they differ."""
    forms = [*_FORMS, *map(whole, NAME_FORMS)]
    rows = _rows(session, [text_expression(item, _TEXT) for item in forms])
    for text, values in zip(TEXTS, rows, strict=True):
        for item, value in zip(forms, values, strict=True):
            expected = text_function(item)(text)
            if value != expected:
                yield item.name, text, expected, value


def orders(session: SqlSession) -> tuple[list[str], list[str]]:
    """Return the texts in the order of Python and in that of a session."""
    _define(session)
    statement = _text(session, sa.select(_TEXT).order_by(_TEXT))
    return sorted(TEXTS), [str(row[0]) for row in session.rows(statement)]


_TABLE = sa.table("texts", sa.column("place", sa.Integer()), sa.column("text", sa.Text()))
_TEXT: Any = _TABLE.c.text


def _define(session: SqlSession) -> None:
    rows = [
        sa.select(sa.literal(place).label("place"), sa.literal(text, sa.Text()).label("text"))
        for place, text in enumerate(TEXTS)
    ]
    session.define(None, "texts", _text(session, sa.union_all(*rows)))


def _rows(session: SqlSession, expressions: list[Any]) -> list[tuple[Any, ...]]:
    _define(session)
    labelled = [item.label(f"form{place}") for place, item in enumerate(expressions)]
    statement = sa.select(_TABLE.c.place, *labelled).order_by(_TABLE.c.place)
    return [tuple(row)[1:] for row in session.rows(_text(session, statement))]


def _text(session: SqlSession, statement: Any) -> str:
    return statement_text(statement, session.dialect, "2026-11-23")
