"""Forms of text: each step does in Python what SQL engines do."""

from __future__ import annotations

import unicodedata

import pytest
import sqlalchemy as sa

from connectors.synthetic import PopulationOptions, clusters
from rules import names, nationalities, numbers, provinces
from rules.statements import text_expression
from rules.text_forms import (
    LastPart,
    Replace,
    Slice,
    Substitute,
    TextForm,
    Translate,
    Trim,
    Wrap,
    form,
    text_function,
)
from tests.support.rule_databases import sqlite_databases

FORMS = sorted(
    {
        value
        for module in (names, nationalities, numbers, provinces)
        for value in vars(module).values()
        if isinstance(value, TextForm)
    },
    key=lambda text_form: text_form.name,
)


def samples() -> list[str]:
    """Return names as registers write them, and worse."""
    (cluster,) = clusters(PopulationOptions(people=1))
    written = [person.full_name for person in cluster.truth][:25]
    written += [unicodedata.normalize("NFD", name) for name in written[:10]]
    written += ["", "  ", "Ng. V.Hoà", " Đỗ\u00a0 Ð\u200bỗ ", "NguyÔn V¨n", "a%b_c\\d<e>", "T T T"]
    written += ["074190123456", "123456789", "74", "1990-03", "VN, US", "xã A, tỉnh Bình Dương"]
    return written


@pytest.mark.parametrize("text_form", FORMS, ids=lambda text_form: text_form.name)
def test_a_form_in_sql_is_the_form_in_python(text_form: TextForm) -> None:
    texts, function = samples(), text_function(text_form)
    base = text_function(text_form.base) if text_form.base else str
    column = sa.column("text", sa.Text())
    with sqlite_databases({}).connect() as connection:
        connection.exec_driver_sql("CREATE TEMPORARY TABLE samples (place INTEGER, text TEXT)")
        rows = [(place, base(text)) for place, text in enumerate(texts)]
        connection.exec_driver_sql("INSERT INTO samples VALUES (?, ?)", rows)
        statement = (
            sa.select(text_expression(text_form, column))
            .select_from(sa.table("samples"))
            .order_by(sa.text("place"))
        )
        assert list(connection.scalars(statement)) == [function(text) for text in texts]


def test_steps_are_applied_in_their_order_after_those_of_the_base() -> None:
    first = form("first", Translate("ab", "b"), Trim())
    second = form("second", [Replace("b", "<b>")], Wrap("[", "]"), base=first)
    assert text_function(first)(" aba ") == "bb"
    assert text_function(second)(" a ") == "[<b>]"


def test_a_slice_counts_from_one_and_a_substitute_stands_for_the_whole_text() -> None:
    middle = text_function(form("middle", Slice(2, 2)))
    assert [middle("abcd"), middle("ab"), middle("")] == ["bc", "b", ""]
    other = text_function(form("other", Substitute((("a", "b"), ("b", "c")))))
    assert [other("a"), other("b"), other("aa")] == ["b", "c", "aa"]


def test_the_last_part_is_the_whole_where_nothing_parts_it() -> None:
    last = text_function(form("last", LastPart(",")))
    assert [last("a, b,c"), last("a"), last("a,"), last("")] == ["c", "a", "", ""]


def test_the_first_of_two_replacements_of_a_sign_counts() -> None:
    assert text_function(form("twice", Translate("aa", "xy")))("a") == "x"
